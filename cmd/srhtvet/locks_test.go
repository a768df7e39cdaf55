package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLocks(t *testing.T) {
	dir := tree(t, map[string]string{
		"schema.sql": "CREATE TABLE t (a integer, b text);\nCREATE INDEX t_b ON t (b);\nCREATE SCHEMA s;\nCREATE TABLE s.u (a integer);",
		"1.sql":      "ALTER TABLE t ALTER COLUMN a TYPE bigint;\nCREATE TABLE n (a integer);\nUPDATE s.u SET a = 1;\n",
		"2.sql":      "ALTER TABLE n ADD COLUMN b integer;\nALTER TABLE nowhere ADD COLUMN b integer;\nALTER TABEL x;",
	})
	type stmt struct {
		File, SQL, Error string
		Line             int
		Locks            []struct{ Relation, Mode string }
		Rewrites, Scans  []string
	}
	var doc struct{ Statements []stmt }
	r := srhtvet(t, dir, "locks", "-schema", "schema.sql", "-format", "json", "1.sql", "2.sql")
	require.Equal(t, exitClean, r.status, r.err)
	require.NotContains(t, r.out, "null")
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	require.Len(t, doc.Statements, 6)
	s := doc.Statements
	require.Equal(t, "1.sql", s[0].File)
	require.Equal(t, 1, s[0].Line)
	require.Equal(t, "ALTER TABLE t ALTER COLUMN a TYPE bigint", s[0].SQL)
	require.Contains(t, s[0].Locks, struct{ Relation, Mode string }{"t", "AccessExclusiveLock"})
	require.Contains(t, s[0].Rewrites, "t")
	require.Empty(t, s[1].Locks, "what the statement itself creates is left out")
	require.Equal(t, "s.u", s[2].Locks[0].Relation, "a schema other than public is named")
	require.Equal(t, "n", s[3].Locks[0].Relation, "the files are cumulative")
	require.Empty(t, s[3].Error)
	require.Contains(t, s[4].Error, "does not exist")
	require.Contains(t, s[5].Error, "syntax error")

	// Without a schema, what nobody created is taken for a plain table.
	r = srhtvet(t, dir, "locks", "-format", "json", "2.sql")
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	require.Empty(t, doc.Statements[1].Error)
	require.Equal(t, "nowhere", doc.Statements[1].Locks[0].Relation)
	require.Contains(t, srhtvet(t, dir, "locks", "1.sql").out, "AccessExclusiveLock")
}

// TestLocksOfNewerForm: what the server's grammar does not have is said, and locks nothing.
func TestLocksOfNewerForm(t *testing.T) {
	dir := tree(t, map[string]string{"1.sql": "CREATE TABLE t (a integer);\nALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c;\n"})
	type stmt struct {
		Error string
		Locks []struct{ Relation, Mode string }
		Scans []string
	}
	var doc struct{ Statements []stmt }
	require.NoError(t, json.Unmarshal([]byte(srhtvet(t, dir, "locks", "-pg", "18", "-format", "json", "1.sql").out), &doc))
	require.Equal(t, stmt{Locks: []struct{ Relation, Mode string }{{"t", "AccessExclusiveLock"}}, Scans: []string{}}, doc.Statements[1])
	require.Equal(t, stmt{Locks: []struct{ Relation, Mode string }{{"t", "ShareUpdateExclusiveLock"}}, Scans: []string{"t"}}, doc.Statements[2])
	require.NoError(t, json.Unmarshal([]byte(srhtvet(t, dir, "locks", "-pg", "17", "-format", "json", "1.sql").out), &doc))
	require.Contains(t, doc.Statements[1].Error, "new in PostgreSQL 18")
	require.Empty(t, doc.Statements[1].Locks)

	// Others are named, and not understood on a server that has them.
	dir = tree(t, map[string]string{"1.sql": "CREATE TABLE t (a integer);\nALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED;\n"})
	require.NoError(t, json.Unmarshal([]byte(srhtvet(t, dir, "locks", "-pg", "18", "-format", "json", "1.sql").out), &doc))
	require.Contains(t, doc.Statements[1].Error, "not understood: [NOT] ENFORCED is new in PostgreSQL 18")
	require.NoError(t, json.Unmarshal([]byte(srhtvet(t, dir, "locks", "-format", "json", "1.sql").out), &doc))
	require.Contains(t, doc.Statements[1].Error, "and -pg says 15")
}

// TestLocksOfUnknownTables: without a schema, a table that nobody created has no indexes and no keys, which is no error.
// What cannot be assumed is one.
func TestLocksOfUnknownTables(t *testing.T) {
	for sql, known := range map[string]bool{
		"DROP TABLE nope":                                         true,
		"DROP TABLE nope CASCADE":                                 true,
		"DROP VIEW nope":                                          true,
		"DROP SEQUENCE nope":                                      true,
		"ALTER TABLE nope ADD COLUMN a int":                       true,
		"ALTER TABLE nope DROP COLUMN a":                          true,
		"ALTER TABLE nope ALTER a SET NOT NULL":                   true,
		"ALTER TABLE nope RENAME TO other":                        true,
		"ALTER TABLE nope ADD FOREIGN KEY (a) REFERENCES nip":     true,
		"ALTER TABLE nope ATTACH PARTITION nip FOR VALUES IN (1)": true,
		"CREATE INDEX ON nope (a)":                                true,
		"TRUNCATE nope":                                           true,
		"DELETE FROM nope":                                        true,
		"ALTER TABLE nope ALTER a TYPE bigint":                    false, // depends on what it was
		"DROP INDEX nope":                                         false, // whose?
		"DROP OWNED BY nope":                                      false,
		"ALTER TABEL nope":                                        false,
	} {
		dir := tree(t, map[string]string{"1.sql": "SELECT 1;\n" + sql + ";\n"})
		r := srhtvet(t, dir, "locks", "-format", "json", "1.sql")
		require.Equal(t, exitClean, r.status, r.err)
		if known {
			require.Equal(t, 2, strings.Count(r.out, `"error": ""`), "%s: %s", sql, r.out)
		} else {
			require.Equal(t, 1, strings.Count(r.out, `"error": ""`), "%s: %s", sql, r.out)
		}
	}
	// What pg_dump sets is its own session's.
	dumped := tree(t, map[string]string{
		"schema.sql": "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t (a integer);\nCREATE INDEX t_a ON public.t (a);\n",
		"1.sql":      "ALTER TABLE t DROP COLUMN a;\n"})
	out := srhtvet(t, dumped, "locks", "-schema", "schema.sql", "1.sql").out
	require.NotContains(t, out, "does not exist")
	require.Contains(t, out, "t_a")

	// With a schema, nothing is assumed.
	dir := tree(t, map[string]string{"schema.sql": "CREATE TABLE t ();", "1.sql": "DROP TABLE nope;\n"})
	require.Contains(t, srhtvet(t, dir, "locks", "-schema", "schema.sql", "1.sql").out, `"nope" does not exist`)
}

// TestLocksOfTwoWays: a way down is left out beside its way up, and shown when it is named alone; parts that are not understood stand in
// the order of the lines.
func TestLocksOfTwoWays(t *testing.T) {
	python := "revision = '1'\ndown_revision = None\nfrom alembic import op\n\ndef upgrade():\n    op.execute('SELECT 1')\n    op.execute(asked())\n    op.execute('SELECT 2')\n"
	dir := tree(t, map[string]string{"V1__a.sql": "CREATE TABLE t ();\n", "U1__a.sql": "DROP TABLE t;\n", "2_a.up.sql": "DROP TABLE u;\n", "2_a.down.sql": "CREATE TABLE u ();\n", "1.py": python})
	lines := func(files ...string) []string {
		out := srhtvet(t, dir, append([]string{"locks"}, files...)...).out
		return slices.Compact(regexp.MustCompile(`(?m)^\S+:\d+`).FindAllString(out, -1))
	}
	require.Equal(t, []string{"V1__a.sql:1"}, lines("V1__a.sql", "U1__a.sql"))
	require.Equal(t, []string{"U1__a.sql:1"}, lines("U1__a.sql"))
	require.Equal(t, []string{"2_a.up.sql:1"}, lines("2_a.up.sql", "2_a.down.sql"))
	require.Equal(t, []string{"2_a.down.sql:1"}, lines("2_a.down.sql"))
	require.Equal(t, []string{"1.py:6", "1.py:7", "1.py:8"}, lines("1.py"))
}

func TestLocksStatus(t *testing.T) {
	dir := tree(t, map[string]string{"bad.sql": "ALTER TABEL x;\nFOO;\n", "half.sql": "ALTER TABEL x;\nSELECT 1;\n", "empty.sql": "-- nothing\n", "bin.sql": "a\x00b"})
	for name, want := range map[string]int{"half.sql": exitClean, "empty.sql": exitClean, "bad.sql": exitFailed, "bin.sql": exitFailed} {
		r := srhtvet(t, dir, "locks", "-format", "json", name)
		require.Equal(t, want, r.status, name)
		if want == exitFailed {
			require.Contains(t, r.err, name)
			require.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
		}
		require.Contains(t, r.out, `"statements": [`, name)
	}
	r := srhtvet(t, dir, "locks", "bad.sql", "half.sql")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.out, "half.sql:2", "the others are still there")
}

// TestLocksOfBody: what a DO block sends is listed, and what of it is not.
func TestLocksOfBody(t *testing.T) {
	dir := tree(t, map[string]string{"1.sql": "CREATE TABLE t (a integer); DO $$ BEGIN ALTER TABLE t ADD b integer; PERFORM count(*) FROM t; END $$;"})
	r := srhtvet(t, dir, "locks", "1.sql")
	require.Equal(t, exitClean, r.status, r.err)
	require.Contains(t, r.out, "AccessExclusiveLock      t")
	require.Contains(t, r.out, "not fully known: of the body, statements that stand by themselves are listed; its queries")

	dir = tree(t, map[string]string{
		"schema.sql": "CREATE TABLE t (a integer); CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'UPDATE t SET a = 0'; CREATE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
		"1.sql":      "SELECT f();", "2.sql": "SELECT g();",
	})
	r = srhtvet(t, dir, "locks", "-schema", "schema.sql", "1.sql")
	require.Contains(t, r.out, "RowExclusiveLock         t")
	require.Contains(t, r.out, "not fully known: of the body")
	require.NotContains(t, srhtvet(t, dir, "locks", "-schema", "schema.sql", "2.sql").out, "not fully known")
}
