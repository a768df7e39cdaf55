package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// thousandTables is a catalog of 1,000 tables with keys, defaults, checks, indexes and foreign keys.
func thousandTables(tb testing.TB) *Catalog {
	tb.Helper()
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `CREATE TABLE t%d (id serial PRIMARY KEY, created timestamptz NOT NULL DEFAULT now(), name varchar(256) NOT NULL, n int CHECK (n > 0), parent_id int REFERENCES t%d ON DELETE CASCADE, UNIQUE (name, n));
CREATE INDEX ON t%d (created, lower(name));
`, i, max(i-1, 0), i)
	}
	c := New(Config{})
	applyAll(tb, c, parseAll(tb, b.String()))
	return c
}

func parseAll(tb testing.TB, sql string) []pgast.Stmt {
	tb.Helper()
	stmts, err := pgast.Parse(sql)
	require.NoError(tb, err)
	return stmts
}

func applyAll(tb testing.TB, c *Catalog, stmts []pgast.Stmt) {
	tb.Helper()
	for _, s := range stmts {
		if _, err := c.Apply(s); err != nil {
			tb.Fatalf("%s: %v", s.SQL, err)
		}
	}
}

// migrations is 10,000 statements of the kinds that histories are made of.
func migrations(tb testing.TB) []pgast.Stmt {
	tb.Helper()
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, `ALTER TABLE t%[1]d ADD COLUMN a%[1]d int;
ALTER TABLE t%[1]d ADD COLUMN b%[1]d text NOT NULL DEFAULT 'x';
ALTER TABLE t%[1]d ALTER a%[1]d SET NOT NULL;
CREATE INDEX ON t%[1]d (a%[1]d);
ALTER TABLE t%[1]d ADD CONSTRAINT u%[1]d UNIQUE (b%[1]d);
ALTER TABLE t%[1]d RENAME COLUMN a%[1]d TO c%[1]d;
ALTER TABLE t%[1]d DROP CONSTRAINT u%[1]d;
CREATE TABLE n%[1]d (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t_id int NOT NULL REFERENCES t%[1]d);
UPDATE t%[1]d SET n = 1;
ALTER TABLE t%[1]d DROP COLUMN c%[1]d;
`, i)
	}
	return parseAll(tb, b.String())
}

// BenchmarkApply applies 10,000 statements to a catalog of 1,000 tables, keeping the state before each and listing what it
// changed, as the linter does. Parsing is not in it.
func BenchmarkApply(b *testing.B) {
	base := thousandTables(b)
	stmts := migrations(b)
	b.ReportAllocs()
	for b.Loop() {
		c := base.Clone()
		for _, s := range stmts {
			before := c.Clone()
			if _, err := c.Apply(s); err != nil {
				b.Fatal(err)
			}
			Diff(before, c)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(stmts)), "ns/stmt")
}

func BenchmarkClone(b *testing.B) {
	c := thousandTables(b)
	for b.Loop() {
		c.Clone()
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := thousandTables(b), thousandTables(b)
	for b.Loop() {
		if d := Compare(x, y); len(d) > 0 {
			b.Fatal(d)
		}
	}
}
