package pgast

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// describe lists what ParseEach finds, in the order of the text.
func describe(sql string) []string {
	stmts, errs := ParseEach(sql)
	var lines []string
	for len(stmts)+len(errs) > 0 {
		at := func(err error) int {
			var syntax *SyntaxError
			var limit *LimitError
			switch {
			case errors.As(err, &syntax):
				return syntax.Offset
			case errors.As(err, &limit):
				return limit.Offset
			}
			return -1
		}
		if len(errs) == 0 || len(stmts) > 0 && stmts[0].Offset < at(errs[0]) {
			lines = append(lines, fmt.Sprintf("%d %s", stmts[0].Offset, stmts[0].SQL))
			stmts = stmts[1:]
		} else {
			lines = append(lines, fmt.Sprintf("%d! %v", at(errs[0]), errs[0]))
			errs = errs[1:]
		}
	}
	return lines
}

func TestParseEach(t *testing.T) {
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{"", nil},
		{" ; ;\n-- nothing\n/* at all */;", nil},
		{"SELECT 1", []string{"0 SELECT 1"}},
		{"  /* a */ SELECT 1 -- b\n ; -- c\n\tSELECT 2 /* d */", []string{"10 SELECT 1", "33 SELECT 2"}},
		{"SELECT 'é;ü'; -- ö\nSELECT ß, x", []string{"0 SELECT 'é;ü'", "22 SELECT ß, x"}},
		// Positions are in bytes although PostgreSQL counts characters.
		{"SELECT 'é'; SELECT 'ü' FORM a; SELECT 3", []string{"0 SELECT 'é'", `30! syntax error at or near "a"`, "33 SELECT 3"}},
		{"SELEC 1; SELECT 2; DROPP TABLE t", []string{`0! syntax error at or near "SELEC"`, "9 SELECT 2", `19! syntax error at or near "DROPP"`}},
		{"SELECT 1; SELECT (", []string{"0 SELECT 1", "18! syntax error at end of input"}},
		{"SELECT ('a'; SELECT 2; SELECT 3", []string{`11! syntax error at or near ";"`, "13 SELECT 2", "23 SELECT 3"}},
		{"CREATE TABLE t (a int; SELECT 2", []string{`21! syntax error at or near ";"`, "23 SELECT 2"}},
		{"CREATE TABLE t (a int; SELECT (2); b int); SELECT 3", []string{`21! syntax error at or near ";"`, "23 SELECT (2)", `35! syntax error at or near "b"`, "43 SELECT 3"}},
		{"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELEC 2; SELECT 3); SELECT 4", []string{`46! syntax error at or near "SELEC"`, "66 SELECT 4"}},
		{"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", []string{"0 CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)"}},
		{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END; SELECT 3", []string{"0 CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END", "91 SELECT 3"}},
		{"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2", []string{"55 SELECT 2", "63! syntax error at end of input"}},
		{"BEGIN; SELECT 1; END", []string{"0 BEGIN", "7 SELECT 1", "17 END"}},
		{"SELECT 1;\x00 SELECT 2", []string{`9! invalid byte sequence for encoding "UTF8": 0x00`}},
		{"SELECT '\xff'", []string{`8! invalid byte sequence for encoding "UTF8": 0xff`}},
		{"SELECT 'a", []string{`7! unterminated quoted string at or near "'a"`}},
		{"SELECT 1; SELECT 'a; SELECT 3", []string{"0 SELECT 1", `17! unterminated quoted string at or near "'a; SELECT 3"`}},
		{"SELECT 1; /* SELECT 2", []string{"0 SELECT 1", `10! unterminated /* comment at or near "/* SELECT 2"`}},
		{"SELECT 1\r\n;\r\nSELECT 2\r\n", []string{"0 SELECT 1", "13 SELECT 2"}},
	} {
		t.Run(c.sql, func(t *testing.T) { require.Equal(t, c.want, describe(c.sql)) })
	}
}

func TestParseEachPastALimit(t *testing.T) {
	sql := "SELECT 1; SELECT 1" + strings.Repeat("+1", maxDepth+1) + "; SELECT 3"
	stmts, errs := ParseEach(sql)
	require.Len(t, stmts, 2)
	require.Equal(t, []error{&LimitError{What: "operators in one expression", Limit: maxDepth, Offset: 18 + 2*maxDepth}}, errs)
	_, err := Parse(sql)
	require.Equal(t, errs[0], err)
	require.EqualError(t, err, "statement too complex to parse safely: more than 5000 operators in one expression; split the statement")
	_, err = Parse(strings.Repeat(" ", maxText+1))
	require.Equal(t, &LimitError{What: "bytes of SQL in one text", Limit: maxText, Offset: maxText}, err)
}

// locations returns the locations of a tree that are known.
func locations(n *Node) []int {
	var all []int
	WalkMessages(n, func(m proto.Message) bool {
		if located, ok := m.(interface{ GetLocation() int32 }); ok && located.GetLocation() >= 0 {
			all = append(all, int(located.GetLocation()))
		}
		return true
	})
	return all
}

// TestLocations: in a text that parses and in one that has to be parsed by parts, a location counts from its start.
func TestLocations(t *testing.T) {
	for _, before := range []string{"", "SELECT 'é';", "-- é\nSELECT 1;\n", "SELEC 1; "} {
		stmts, _ := ParseEach(before + " /* x */ SELECT -1, a::int, b FROM t WHERE c = 'd'")
		stmt := stmts[len(stmts)-1]
		require.Equal(t, before+" /* x */ ", (before + " /* x */ SELECT")[:stmt.Offset])
		var words []string
		for _, at := range locations(stmt.Node) {
			words = append(words, strings.FieldsFunc(stmt.SQL[at-stmt.Offset:], func(r rune) bool { return strings.ContainsRune(" ,", r) })[0])
		}
		require.Equal(t, []string{"-1", "-1", "a::int", "::int", "a::int", "int", "b", "b", "t", "=", "c", "'d'"}, words, before)
		target := stmt.Node.GetSelectStmt().TargetList[0].GetResTarget()
		require.EqualValues(t, -1, target.Val.GetAConst().GetIval().GetIval())
	}
}

func TestNegativeIntegers(t *testing.T) {
	for sql, want := range map[string][]int32{
		"SELECT - 1, -(-(-2)), - /* c */ 0x1F, -1_000, -0, 0, 7, -2147483647": {-1, -2, -31, -1000, 0, 0, 7, -2147483647},
		"CREATE SEQUENCE s INCREMENT -5 MINVALUE 0":                           {-5, 0},
		"CREATE TABLE t (a int[], b int[][3], c int[0], d int DEFAULT -1)":    {-1, -1, 3, 0, -1},
		"CREATE AGGREGATE a(*) (sfunc = f, stype = int)":                      {-1},
		"ALTER TABLE t ALTER a SET STATISTICS -1; SELECT 0":                   {-1},
	} {
		stmts, err := Parse(sql)
		require.NoError(t, err)
		var got []int32
		for _, m := range integers(stmts[0].Node) {
			got = append(got, m.Ival)
		}
		require.Equal(t, want, got, sql)
	}
}

func TestPLpgSQL(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT 1": "[]",
		"CREATE FUNCTION f() RETURNS int RETURN 1":                                 "[]", // libpg_query aborts on it
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'":               "[]",
		"CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'a', 'b'":                   "[]",
		"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END":               "[]",
		"CREATE FUNCTION f() RETURNS int AS 'BEGIN END'":                           "[]",
		"DO LANGUAGE plperl 'x'":                                                   "[]",
		"SELECT 1; DO 'BEGIN'":                                                     "10! syntax error at end of input",
		"CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN x := 1; END;'": "0! \"x\" is not a known variable",
		"SELEC": "0! syntax error at or near \"SELEC\"",
	} {
		json, err := PLpgSQL(sql)
		var syntax *SyntaxError
		if errors.As(err, &syntax) {
			json = fmt.Sprintf("%d! %v", syntax.Offset, err)
		}
		require.Equal(t, want, json, sql)
	}
	json, err := PLpgSQL("DO $$BEGIN DROP TABLE t; END$$; DO 'BEGIN NULL; END'")
	require.NoError(t, err)
	require.Contains(t, json, `"query":"DROP TABLE t"`)
	require.Equal(t, 2, strings.Count(json, "PLpgSQL_function"))
}

func TestDeparse(t *testing.T) {
	stmts, err := Parse("select A + 1 as b from T where c is null")
	require.NoError(t, err)
	sql, err := Deparse(stmts[0].Node)
	require.NoError(t, err)
	require.Equal(t, "SELECT a + 1 AS b FROM t WHERE c IS NULL", sql)
	sql, err = DeparseExpr(stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val)
	require.NoError(t, err)
	require.Equal(t, "a + 1", sql)

	for _, empty := range []string{
		"ALTER TYPE e ADD VALUE ''", "CREATE TABLESPACE t LOCATION ''", "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
		"ALTER SUBSCRIPTION s CONNECTION ''", "LOAD ''", "CREATE CONVERSION c FOR '' TO 'UTF8' FROM f", "PREPARE TRANSACTION ''",
	} {
		stmts, err := Parse(empty)
		require.NoError(t, err, empty)
		_, err = Deparse(stmts[0].Node)
		require.ErrorContains(t, err, "empty", empty)
	}
	for _, empty := range []string{
		"ALTER TYPE e ADD VALUE 'a' BEFORE ''", "ALTER TYPE e RENAME VALUE '' TO 'b'", "COMMENT ON TABLE t IS ''", "SELECT '', B'', X'', E''", "NOTIFY a, ''",
		"COPY t FROM ''", "COPY t FROM PROGRAM ''", "CREATE SERVER s TYPE '' VERSION '' FOREIGN DATA WRAPPER w", "ALTER SERVER s VERSION ''", "SECURITY LABEL ON TABLE t IS ''",
		"CREATE ROLE a PASSWORD '' VALID UNTIL ''", "SET a = ''", "SET TIME ZONE ''", "DO ''", "CREATE EXTENSION e VERSION ''", "ALTER EXTENSION e UPDATE TO ''",
		"CREATE TYPE e AS ENUM ('')", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '', ''", "CREATE TABLE t (a int) WITH (a = '')",
		"CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f('')", "ALTER DATABASE d SET a = ''", "CREATE FOREIGN TABLE t (a int OPTIONS (b '')) SERVER s OPTIONS (c '')",
		"ALTER SYSTEM SET a = ''", "CREATE DATABASE d ENCODING ''", "CREATE COLLATION c (locale = '')", "CREATE EVENT TRIGGER t ON ddl_command_start WHEN tag IN ('') EXECUTE FUNCTION f()",
		"IMPORT FOREIGN SCHEMA s FROM SERVER v INTO t OPTIONS (a '')", "CREATE USER MAPPING FOR u SERVER s OPTIONS (a '')", "CREATE PUBLICATION p WITH (publish = '')",
		"EXPLAIN (format '') SELECT 1", "VACUUM (a '')", "SELECT a LIKE '' ESCAPE ''", "SELECT interval ''", "SELECT U&'' UESCAPE '!'", "CREATE AGGREGATE a(int) (sfunc = '', initcond = '')", "CREATE LANGUAGE l HANDLER h",
		"LISTEN a", "CREATE TEXT SEARCH DICTIONARY d (template = '', a = '')", "SET SESSION AUTHORIZATION ''", "SET ROLE ''", "SET NAMES ''", "SET TRANSACTION SNAPSHOT ''", "SELECT extract('' FROM a)", "GRANT SET ON PARAMETER a TO b",
		"CREATE OPERATOR CLASS o FOR TYPE int USING btree AS STORAGE int", "ALTER TABLE t ALTER a OPTIONS (SET b '')", "SELECT xmlpi(name a, ''), xmlroot(a, version '')",
	} {
		stmts, err := Parse(empty)
		if err == nil {
			_, err = Deparse(stmts[0].Node)
		}
		_ = err // it has not crashed
	}

	deep := stmts[0].Node.GetSelectStmt().WhereClause
	for range maxDepth + 100 {
		deep = &Node{Node: &Node_NullTest{NullTest: &NullTest{Arg: deep, Nulltesttype: NullTestType_IS_NULL}}}
	}
	_, err = DeparseExpr(deep)
	var limit *LimitError
	require.ErrorAs(t, err, &limit)
}

// TestEstimate: the guard's estimate bounds the real depth of every production, see messagesDeep.
func TestEstimate(t *testing.T) {
	for _, p := range append(append([]production(nil), deepProductions...), flatProductions...) {
		sql := p.sql(100)
		stmts, err := Parse(sql)
		require.NoError(t, err, p.name)
		for i, piece := range survey(sql) {
			var w walker
			w.visitNode(stmts[i].Node)
			require.LessOrEqual(t, w.deepest, messagesDeep(piece.depth), p.name)
		}
	}
}

// TestStatements: all of testdata is what PostgreSQL takes.
func TestStatements(t *testing.T) {
	for name, text := range corpus(t) {
		if name != "statements.sql" {
			continue // the regression suite is full of mistakes
		}
		stmts, errs := ParseEach(text)
		require.Empty(t, errs)
		require.Greater(t, len(stmts), 100)
	}
}
