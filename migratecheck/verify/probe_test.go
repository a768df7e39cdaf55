package verify

import (
	"fmt"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/stretchr/testify/require"
)

// probe is a Probe on a new database with a schema, in a transaction.
func probe(t *testing.T, script string) *Probe {
	t.Helper()
	conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t)).PgConn()
	_, err := conn.Exec(t.Context(), script+"; BEGIN").ReadAll()
	require.NoError(t, err)
	p, err := NewProbe(t.Context(), conn)
	require.NoError(t, err)
	return p
}

func site(sql string) *query.Site {
	return &query.Site{Lang: "go", Kind: query.Statement, Status: query.Static, Variants: []query.Variant{{SQL: sql}}}
}

const shop = `
CREATE TYPE state AS ENUM ('open', 'paid');
CREATE DOMAIN email AS text NOT NULL CHECK (VALUE LIKE '%@%');
CREATE TABLE "user" (id serial PRIMARY KEY, name varchar(8) NOT NULL UNIQUE, mail email, age int CHECK (age > 17));
CREATE TABLE "order" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int NOT NULL REFERENCES "user", state state NOT NULL DEFAULT 'open',
  total numeric(10,2) NOT NULL, half numeric GENERATED ALWAYS AS (total / 2) STORED, tags text[], note text, CHECK (total BETWEEN 50 AND 60));
CREATE TABLE node (id int PRIMARY KEY, parent int NOT NULL REFERENCES node, UNIQUE (id, parent));
CREATE TABLE event (at date NOT NULL, kind text NOT NULL) PARTITION BY LIST (kind);
CREATE TABLE event_push PARTITION OF event FOR VALUES IN ('push');
CREATE VIEW adult AS SELECT id, name FROM "user" WHERE age > 20;`

func TestProveFindsWhatMakesAStatementDoSomething(t *testing.T) {
	p := probe(t, shop)
	for _, sql := range []string{
		`SELECT * FROM "order"`,
		`SELECT u.name, count(*) FROM "user" u JOIN "order" o ON o.owner = u.id WHERE u.name = $1 GROUP BY 1 LIMIT $2`,
		`INSERT INTO "user" (name, mail, age) VALUES ($1, $2, $3) RETURNING id`,
		`INSERT INTO "order" (owner, total) VALUES ($1, $2)`,
		`INSERT INTO "order" (owner, total, state, tags) VALUES ($1, $2, $3, $4)`,
		`UPDATE "order" SET total = $2, note = $3 WHERE id = $1`,
		`UPDATE "order" o SET note = u.name FROM "user" u WHERE o.owner = u.id AND u.name = $1`,
		`DELETE FROM "order" WHERE id = ANY($1)`,
		`INSERT INTO node (id, parent) VALUES ($1, $2)`,
		`INSERT INTO event (at, kind) VALUES (now(), $1)`,
		`INSERT INTO "user" (name, mail) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET mail = excluded.mail`,
		`UPDATE "user" SET age = age + 1 WHERE id IN (SELECT id FROM adult WHERE name = $1)`,
		`COPY "user" (name, mail, age) FROM STDIN`,
		`MERGE INTO "user" u USING (SELECT $1::text AS name) s ON u.name = s.name WHEN MATCHED THEN UPDATE SET age = 30 WHEN NOT MATCHED THEN INSERT (name, mail) VALUES (s.name, 'a@b')`,
	} {
		w, err := p.Prove(t.Context(), site(sql), nil)
		require.NoError(t, err, sql)
		require.Empty(t, w.Unproved(), sql)
		require.NotEmpty(t, w.variants[0].cases, sql)
	}
}

func TestPlanningSeesALostIndexOnEveryVersion(t *testing.T) {
	needServer(t)
	for _, major := range pgtest.Versions() {
		t.Run(fmt.Sprint(major), func(t *testing.T) {
			conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{Version: major}).Database(t)).PgConn()
			_, err := conn.Exec(t.Context(), "CREATE TABLE t (a int, b text); BEGIN").ReadAll()
			require.NoError(t, err)
			p, err := NewProbe(t.Context(), conn)
			require.NoError(t, err)
			w, err := p.Prove(t.Context(), site("INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO UPDATE SET b = $2"), nil)
			require.NoError(t, err)
			require.Contains(t, w.Unproved(), "42P10")
			w, err = p.Prove(t.Context(), site("INSERT INTO t (a, b) VALUES ($1, $2) RETURNING b"), nil)
			require.NoError(t, err)
			require.Empty(t, w.Unproved())
			columns, _ := w.Columns(0)
			require.Equal(t, []Column{{Name: "b", Type: 25, TypeName: "text"}}, columns)
		})
	}
}

// A value that is given by its place means the column that it goes into; DEFAULT by its place means none.
func TestMeaningByPosition(t *testing.T) {
	p := probe(t, "CREATE TABLE item (id int, a int, b int); CREATE TABLE other (id int, a int)")
	sql := []string{"INSERT INTO item VALUES (1, 2, 3)", "INSERT INTO item VALUES (1, DEFAULT)", "INSERT INTO other VALUES (1, 2)"}
	var home []Meaning
	for _, s := range sql {
		m, err := p.Meaning(t.Context(), s)
		require.NoError(t, err)
		require.NotEmpty(t, m)
		home = append(home, m)
	}
	_, err := p.conn.Exec(t.Context(), "ALTER TABLE item DROP COLUMN a; ALTER TABLE item ADD COLUMN c int").ReadAll()
	require.NoError(t, err)
	here, err := p.Another(t.Context(), p.conn)
	require.NoError(t, err)
	for i, want := range [][]string{{"value 2 of item", "value 3 of item"}, nil, nil} {
		m, err := here.Meaning(t.Context(), sql[i])
		require.NoError(t, err)
		require.Equal(t, want, Otherwise(sql[i], home[i], m), sql[i])
	}
}

// Code that holds an integer sends no text, whatever its column is on another schema.
func TestSendsWhatCodeCanHold(t *testing.T) {
	p := probe(t, "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE here (n text, m text, v varchar(5), i int)")
	column := func(name string, home typ) binding { return binding{table: "here", column: name, typ: &home} }
	require.False(t, p.sends(column("n", typ{name: "int8", category: 'N'}), "s1"))
	require.True(t, p.sends(column("n", typ{name: "int8", category: 'N'}), "12"))
	require.False(t, p.sends(column("i", typ{name: "int4range", category: 'R'}), "12"))
	require.False(t, p.sends(column("m", typ{name: "mood", category: 'E'}), "s1"))
	require.True(t, p.sends(column("v", typ{name: "text", category: 'S'}), "s1"))
	require.True(t, p.sends(column("i", typ{name: "int4", category: 'N'}), "12"))
}
