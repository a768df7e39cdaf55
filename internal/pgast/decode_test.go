package pgast

import (
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

func TestParseEqualsProtobuf(t *testing.T) {
	statements, deepest, lossy := 0, 0, 0
	for name, text := range corpus(t) {
		for _, span := range Split(text) {
			wire, err := parser.ParseToProtobuf(span.Text)
			if err != nil {
				continue
			}
			statements++
			tree, err := decodeProtobuf(wire)
			if err != nil {
				continue // E'\xff' in a statement: protobuf refuses strings that are not UTF-8
			}
			require.Len(t, tree.Stmts, 1)
			want := tree.Stmts[0].Stmt
			WalkMessages(want, func(m proto.Message) bool {
				switch m := m.(type) { // see unlocated in aliasgen
				case *Constraint:
					if m.Location == 0 {
						m.Location = -1
					}
				case *PublicationObjSpec:
					if m.Location == 0 {
						m.Location = -1
					}
				}
				return true
			})
			stmts, err := Parse(span.Text)
			require.NoError(t, err, "%s: %s", name, span.Text)
			require.Len(t, stmts, 1)
			got := stmts[0].Node
			if !proto.Equal(want, got) {
				require.Equal(t, want.String(), got.String(), "%s: %s", name, span.Text)
				require.Fail(t, "not equal", "%s: %s", name, span.Text)
			}
			var w walker
			w.visitNode(got)
			deepest = max(deepest, w.deepest)
			estimate := survey(span.Text)[0].depth
			require.LessOrEqual(t, w.deepest, messagesDeep(estimate), "the guard underestimates %s: %s", name, span.Text)

			json, err := parser.ParseToJSON(span.Text)
			require.NoError(t, err)
			raws, err := new(Parser).decode(json, span.Text, 0, 1)
			require.NoError(t, err, "%s: %s", name, span.Text)
			if raws[0].lossy {
				lossy++
			} else {
				require.True(t, proto.Equal(want, raws[0].Stmt))
			}
		}
	}
	t.Logf("%d statements, %d parsed twice, at most %d messages deep", statements, lossy, deepest)
}

// messagesDeep bounds the nesting of messages in a tree of which the guard estimates the depth: an operator is two, a
// Node and an A_Expr, and around every expression there are the statement, its lists and its clauses.
func messagesDeep(estimate int) int { return 2*estimate + 20 }

func benchmarkCorpus(b *testing.B) (text string, statements int) {
	for _, file := range corpus(b) {
		stmts, _ := ParseEach(file)
		for _, stmt := range stmts {
			text += stmt.SQL + ";\n"
			statements++
		}
	}
	b.ResetTimer()
	b.ReportAllocs()
	return text, statements
}

func perStatement(b *testing.B, statements int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(statements), "ns/stmt")
}

func BenchmarkParse(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
	perStatement(b, statements)
}

func BenchmarkParseProtobuf(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	for b.Loop() {
		if _, err := pg_query.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
	perStatement(b, statements)
}

// BenchmarkParseC is the part of BenchmarkParse that is libpg_query's.
func BenchmarkParseC(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	for b.Loop() {
		if _, err := parser.ParseToJSON(text); err != nil {
			b.Fatal(err)
		}
	}
	perStatement(b, statements)
}

func BenchmarkDecode(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	json, err := parser.ParseToJSON(text)
	require.NoError(b, err)
	for b.Loop() {
		if _, err := new(Parser).decode(json, text, 0, statements); err != nil {
			b.Fatal(err)
		}
	}
	perStatement(b, statements)
}

func BenchmarkDecodeProtobuf(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	wire, err := parser.ParseToProtobuf(text)
	require.NoError(b, err)
	for b.Loop() {
		if err := proto.Unmarshal(wire, new(ParseResult)); err != nil {
			b.Fatal(err)
		}
	}
	perStatement(b, statements)
}

func BenchmarkSplit(b *testing.B) {
	text, statements := benchmarkCorpus(b)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Split(text)
	}
	perStatement(b, statements)
}
