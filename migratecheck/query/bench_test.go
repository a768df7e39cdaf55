package query

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// benchSchemas makes a history of n schemas of a service with 40 tables, benchSites 300 sites of it.
func benchSchemas(b *testing.B, n int) []*catalog.Catalog {
	c := catalog.New(catalog.Config{})
	run := func(sql string) {
		stmts, err := pgast.Parse(sql)
		require.NoError(b, err)
		for _, stmt := range stmts {
			_, err := c.Apply(stmt)
			require.NoError(b, err, stmt.SQL)
		}
	}
	for i := range 40 {
		run(fmt.Sprintf(`CREATE TABLE t%d (id serial PRIMARY KEY, created timestamp NOT NULL DEFAULT now(), owner_id integer NOT NULL, name varchar(128) NOT NULL,
			a text, b text, c integer NOT NULL DEFAULT 0, d timestamptz, e text[], f uuid, UNIQUE (owner_id, name))`, i))
	}
	var list []*catalog.Catalog
	for i := range n {
		run(fmt.Sprintf("ALTER TABLE t%d ADD COLUMN x%d text", i%40, i))
		list = append(list, c.Clone())
	}
	return list
}

func benchSites() []*Site {
	shapes := []string{
		"SELECT id, name, created, a, b FROM t%[1]d WHERE owner_id = $1 AND name = $2",
		"SELECT x.id, x.name, y.name, count(*) FROM t%[1]d x JOIN t%[2]d y ON y.id = x.owner_id LEFT JOIN t%[3]d z ON z.owner_id = y.id WHERE x.created > $1 AND y.name LIKE $2 GROUP BY x.id, x.name, y.name ORDER BY x.id DESC LIMIT $3",
		"INSERT INTO t%[1]d (owner_id, name, a, b) VALUES ($1, $2, $3, $4) ON CONFLICT (owner_id, name) DO UPDATE SET a = EXCLUDED.a RETURNING id, created",
		"UPDATE t%[1]d SET name = $1, a = coalesce($2, a), d = now() WHERE id = $3 RETURNING id, name, a",
		"DELETE FROM t%[1]d WHERE id = ANY($1) AND owner_id IN (SELECT id FROM t%[2]d WHERE name = $2)",
		"WITH q AS (SELECT id, owner_id FROM t%[1]d WHERE c > 5) SELECT q.id, t.name, lower(t.a) FROM q JOIN t%[2]d t ON t.id = q.owner_id WHERE t.f = $1",
	}
	var sites []*Site
	for i := range 300 {
		sql := fmt.Sprintf(shapes[i%len(shapes)]+"%[4]s", i%40, (i+7)%40, (i+13)%40, "")
		sites = append(sites, &Site{Lang: "go", Kind: Statement, Status: Static, Variants: []Variant{{SQL: sql}}})
	}
	return sites
}

func BenchmarkParse(b *testing.B) {
	sites := benchSites()
	for b.Loop() {
		ParseAll(sites)
	}
}

// BenchmarkJudge judges 300 sites on 50 schemas, and the steps to them from the first.
func BenchmarkJudge(b *testing.B) {
	schemas, bound := benchSchemas(b, 50), ParseAll(benchSites())
	for _, s := range bound {
		require.Empty(b, s.On(schemas[49]))
		require.Empty(b, s.Between(schemas[0], schemas[49]))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range bound {
			s := s.Without() // with nothing remembered
			for _, cat := range schemas {
				s.On(cat)
				s.Between(schemas[0], cat)
			}
		}
	}
}
