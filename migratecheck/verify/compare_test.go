package verify

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/stretchr/testify/require"
)

// breaks judges a text on a schema that follows another.
func breaks(t *testing.T, schema, migration, sql string, scan *query.Scan, args ...query.GoType) []Break {
	t.Helper()
	s, _ := open(t)
	home := state(t, s, nil, schema)
	away := state(t, s, home, migration)
	st := site(sql)
	st.Variants[0].Scan, st.Variants[0].Args = scan, args
	out := judge(t, home, away, st)
	return out.Variants[0].Breaks(scan)
}

func TestBreaks(t *testing.T) {
	const schema = `CREATE TYPE mood AS ENUM ('red', 'blue');
		CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL DEFAULT 'x', n int, m mood)`
	str, num := query.GoType{Kind: query.String, Name: "string"}, query.GoType{Kind: query.Int, Name: "int", Nullable: true}
	dest := func(types ...query.GoType) *query.Scan {
		s := &query.Scan{Kind: query.ByPosition}
		for _, g := range types {
			s.Dests = append(s.Dests, query.Dest{Type: g})
		}
		return s
	}
	for _, c := range []struct {
		name, migration, sql string
		scan                 *query.Scan
		args                 []query.GoType
		kind                 BreakKind
		code                 string
	}{
		{name: "a column gone", migration: "ALTER TABLE t DROP n", sql: "SELECT n FROM t", kind: Refused, code: "42703"},
		{name: "one more column", migration: "ALTER TABLE t ADD more int", sql: "SELECT * FROM t", scan: dest(num, str, num, str), kind: Columns},
		{name: "NULL", migration: "ALTER TABLE t ALTER name DROP NOT NULL", sql: "SELECT name FROM t", scan: dest(str), kind: Null},
		{name: "a type", migration: "ALTER TABLE t ALTER n TYPE text", sql: "SELECT n FROM t", scan: dest(num), kind: Type},
		{name: "a name reused", migration: "ALTER TABLE t RENAME n TO o; ALTER TABLE t ADD n int", sql: "SELECT n FROM t", kind: Other},
		{name: "a default", migration: "ALTER TABLE t ALTER name SET DEFAULT 'y'", sql: "INSERT INTO t (id) VALUES ($1)", kind: Default},
		{name: "NOT NULL", migration: "ALTER TABLE t ALTER n SET NOT NULL", sql: "INSERT INTO t (id, n) VALUES ($1, $2)", args: []query.GoType{{}, num}, kind: Refused, code: "23502"},
		{name: "a CHECK", migration: "ALTER TABLE t ADD CHECK (n <> 12345)", sql: "UPDATE t SET n = $1", kind: Refused, code: "23514"},
		{name: "a key", migration: "ALTER TABLE t ADD UNIQUE (n)", sql: "INSERT INTO t (id, n) VALUES ($1, 5)", kind: Refused, code: "23505"},
		{name: "rows in the way of UPDATE", migration: "ALTER TABLE t ADD UNIQUE (n)", sql: "UPDATE t SET n = 8 WHERE id = $1", kind: Refused, code: "23505"},
		{name: "a trigger that swallows", migration: "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
			sql: "INSERT INTO t (id) VALUES ($1)", kind: Lost},
		{name: "a label", migration: "ALTER TYPE mood ADD VALUE 'green'", sql: "SELECT m FROM t", scan: dest(query.GoType{Kind: query.String, Nullable: true, Labels: []string{"red", "blue"}}), kind: Label},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := breaks(t, schema, c.migration, c.sql, c.scan, c.args...)
			require.NotEmpty(t, list)
			require.Equal(t, c.kind, list[0].Kind, "%v", list)
			require.Equal(t, c.code, list[0].Code)
		})
	}
	for _, c := range []struct{ name, migration, sql string }{
		{"another column", "ALTER TABLE t ADD more int", "SELECT id, name FROM t"},
		{"a wider type", "ALTER TABLE t ALTER n TYPE bigint", "INSERT INTO t (id, n) VALUES ($1, $2)"},
		{"a renamed table under a view", "ALTER TABLE t RENAME TO u; CREATE VIEW t AS SELECT * FROM u", "UPDATE t SET name = $1 WHERE id = $2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := breaks(t, schema, c.migration, c.sql, nil)
			for _, b := range list {
				require.Equal(t, Other, b.Kind, "nothing is refused: %v", list) // a view is another object, and works
			}
		})
	}
}

// TestRowsInTheWay: a key that was there before is no news, whatever it and its columns are called by now. Rows are made in each
// state, and are not quite the same in all.
func TestRowsInTheWay(t *testing.T) {
	s, _ := open(t)
	home := state(t, s, nil, "CREATE TABLE t (id serial PRIMARY KEY, note text)")
	away := state(t, s, home, "ALTER TABLE t RENAME TO t_base", "ALTER TABLE t_base RENAME COLUMN id TO key", "CREATE VIEW t AS SELECT key AS id, note, key FROM t_base")
	out := judge(t, home, away, site("UPDATE t SET id = id + 1 WHERE id = $1"))
	require.Nil(t, out.Variants[0].Failure)
	require.Contains(t, out.Variants[0].NotProved, "that its own schema has as well")

	again := state(t, s, away, "ALTER TABLE t_base DROP CONSTRAINT t_pkey", "ALTER TABLE t_base ADD CONSTRAINT t_pkey PRIMARY KEY (key, note)",
		"ALTER TABLE t_base ADD CONSTRAINT other UNIQUE (key)")
	require.NotNil(t, judge(t, home, again, site("UPDATE t SET id = id + 1 WHERE id = $1")).Variants[0].Failure, "another key")
}

func TestNamesOfConstraints(t *testing.T) {
	s, _ := open(t)
	home := state(t, s, nil, "CREATE TABLE t (id int CONSTRAINT t_key UNIQUE)")
	away := state(t, s, home, "ALTER TABLE t RENAME CONSTRAINT t_key TO t_id_key")
	compared := &query.Site{Kind: query.Name, Names: []query.NameUse{{Name: "t_key"}, {Name: "never_there"}}}
	require.Equal(t, []string{"t_key"}, judge(t, home, away, compared).NamesGone)
}

func TestCompare(t *testing.T) {
	refused := Outcome{Variants: []VariantOutcome{{Failure: &Failure{Code: "42703", Message: "no"}}}}
	fine := Outcome{Variants: []VariantOutcome{{}}}
	unproved := Outcome{Variants: []VariantOutcome{{NotProved: "no rows"}}}
	constant := Outcome{Variants: []VariantOutcome{{NotProved: "no values", Refusal: &Failure{Code: "23514"}}}}
	missing := query.Verdict{Problems: []query.Problem{{Check: "missing-column", Code: "42703"}}}
	perhaps := query.Verdict{Problems: []query.Problem{{Check: "missing-column", Code: "42703", Maybe: true}}}
	check := query.Verdict{Problems: []query.Problem{{Check: "new-check", Code: "23514"}}}
	unknown := query.Verdict{Unknown: []string{"a type"}}
	var sum Summary
	for _, c := range []struct {
		ours   query.Verdict
		server Outcome
		want   Agreement
	}{
		{missing, refused, Agreed}, {query.Verdict{}, fine, Agreed},
		{query.Verdict{}, refused, Disagreed}, {missing, fine, Disagreed}, {perhaps, fine, NotProved}, {perhaps, refused, Agreed},
		{check, fine, NotProved}, {query.Verdict{}, unproved, NotProved}, {missing, unproved, NotProved},
		{check, constant, Agreed}, {missing, constant, NotProved}, {query.Verdict{}, constant, NotProved},
		{unknown, fine, NotDecided}, {unknown, refused, NotDecided},
	} {
		got := Compare(site("SELECT 1"), "after 1", c.ours, c.server)
		require.Equal(t, c.want, got.Agreement, "%v", got)
		sum.Add(got)
	}
	require.Equal(t, []int{4, 2, 6, 2}, []int{sum.Agreed, sum.Disagreed, sum.NotProved, sum.Undecided})
	require.Contains(t, sum.Disagreements[0].String(), "42703: no")
	require.NotEmpty(t, sum.Unproved[0].Reason)
}
