package pgast

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func addSeeds(f *testing.F) {
	for _, text := range corpus(f) {
		for _, span := range Split(text) {
			f.Add(span.Text)
		}
		f.Add(text)
	}
	for _, p := range append(append([]production(nil), deepProductions...), flatProductions...) {
		f.Add(p.sql(3))
	}
	for _, sql := range []string{"SELECT (1; SELECT 2", "SELECT 1;\x00", "SELECT '\xff'; SELECT", "BEGIN ATOMIC END END; SELECT CASE;", "((;));[", "SELECT a.b.1..2"} {
		f.Add(sql)
	}
}

func FuzzScanner(f *testing.F) {
	addSeeds(f)
	for _, sql := range scannerSeeds {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) { requireSameTokens(t, sql) })
}

// FuzzSplit: spans are in order, begin and end with a token, and what is left out is space, comments and semicolons.
func FuzzSplit(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		last := 0
		between := func(text string) {
			scanner := NewScanner(text)
			for {
				tok, ok := scanner.Next()
				if !ok {
					return
				}
				require.True(t, tok.IsComment() || text[tok.Start:tok.End] == ";", "%q left out of %q", text[tok.Start:tok.End], sql)
			}
		}
		for _, span := range Split(sql) {
			require.GreaterOrEqual(t, span.Offset, last)
			between(sql[last:span.Offset])
			last = span.Offset + len(span.Text)
			require.Equal(t, sql[span.Offset:last], span.Text)
			start, end := trim(sql, span.Offset, last)
			require.Equal(t, Span{Text: sql[start:end], Offset: start}, span)
		}
		between(sql[last:])
	})
}

// FuzzParse: a text and its statements one by one parse to the same trees, no location lies outside its text, and the
// guard never estimates a tree to be less deep than it is.
func FuzzParse(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, sql string) {
		stmts, err := Parse(sql)
		each, errs := ParseEach(sql)
		for _, stmt := range each {
			require.Equal(t, sql[stmt.Offset:stmt.Offset+len(stmt.SQL)], stmt.SQL)
			for _, at := range locations(stmt.Node) {
				require.GreaterOrEqual(t, at, stmt.Offset, "%q", sql)
				require.LessOrEqual(t, at, stmt.Offset+len(stmt.SQL), "%q", sql)
			}
			var w walker
			w.visitNode(stmt.Node)
			depth := 0
			for _, p := range survey(stmt.SQL) {
				depth = max(depth, p.depth)
			}
			require.LessOrEqual(t, w.deepest, messagesDeep(depth), "%q", stmt.SQL)
			_, _ = Deparse(stmt.Node)
		}
		if err != nil {
			require.NotEmpty(t, errs)
			return
		}
		require.Empty(t, errs)
		require.Len(t, each, len(stmts))
		spans := Split(sql)
		require.Len(t, spans, len(stmts), "%q", sql)
		for i, stmt := range stmts {
			require.Equal(t, Span{Text: stmt.SQL, Offset: stmt.Offset}, spans[i], "%q", sql)
			alone, err := Parse(stmt.SQL)
			require.NoError(t, err, "%q", sql)
			require.Len(t, alone, 1)
			pieces := survey(sql)
			shifted, err := new(Parser).parsePieces(sql, stmt.Offset, stmt.Offset+len(stmt.SQL), pieces[i:i+1])
			require.NoError(t, err)
			require.True(t, proto.Equal(stmt.Node, shifted[0].Node), "%q", sql)
		}
	})
}

func FuzzPLpgSQL(f *testing.F) {
	for _, p := range plpgsqlProductions {
		f.Add(p.sql(3))
	}
	f.Fuzz(func(_ *testing.T, body string) {
		if !strings.Contains(body, "$body$") {
			_, _ = PLpgSQL(plpgsqlFunction(body))
			_, _ = PLpgSQL("DO $body$" + body + "$body$")
		}
		_, _ = PLpgSQL(body)
	})
}
