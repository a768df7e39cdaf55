package pgast

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
	"github.com/stretchr/testify/require"
)

// TestMain runs one of childJobs instead of the tests when PGAST_CHILD names it: what may crash runs in a process of
// its own, with a stack of its own.
func TestMain(m *testing.M) {
	if job := strings.Fields(os.Getenv("PGAST_CHILD")); len(job) > 0 {
		childJobs[job[0]](job[1:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var childJobs = map[string]func(args []string){
	"raw":   rawChild,
	"guard": guardChild,
}

// runChild runs a child job with a stack of stackKiB and returns its output.
func runChild(t testing.TB, stackKiB int, job string) ([]byte, error) {
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -s %d && exec "$0"`, stackKiB), exe)
	cmd.Env = append(os.Environ(), "PGAST_CHILD="+job)
	return cmd.CombinedOutput()
}

// rawOperations are libpg_query's functions without our guard.
var rawOperations = map[string]func(sql string) error{
	"json": func(sql string) error {
		_, err := parser.ParseToJSON(sql)
		return err
	},
	"protobuf": func(sql string) error {
		_, err := parser.ParseToProtobuf(sql)
		return err
	},
	"deparse": func(sql string) error {
		wire, err := parser.ParseToProtobuf(sql)
		if err != nil {
			return err
		}
		_, err = parser.DeparseFromProtobuf(wire)
		return err
	},
	"plpgsql": func(sql string) error {
		_, err := pg_query.ParsePlPgSqlToJSON(sql)
		return err
	},
}

func plpgsqlFunction(body string) string {
	return "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$" + body + "$body$"
}

func rawChild(args []string) {
	operation, kind := rawOperations[args[0]], args[1]
	i, _ := strconv.Atoi(args[2])
	n, _ := strconv.Atoi(args[3])
	var sql string
	switch kind {
	case "deep":
		sql = deepProductions[i].sql(n)
	case "flat":
		sql = flatProductions[i].sql(n)
	case "plpgsql":
		sql = plpgsqlFunction(plpgsqlProductions[i].sql(n))
	}
	done := make(chan error)
	go func() { done <- operation(sql) }() // on any thread, as callers do
	if err := <-done; err != nil {
		fmt.Println("error:", err)
	}
}

// BenchmarkStack reports how long each production may get before libpg_query crashes with a stack of 128 KiB, and how
// deep the guard takes that to be. It is what shallowDepth rests on.
func BenchmarkStack(b *testing.B) {
	for _, operation := range []string{"json", "protobuf", "deparse", "plpgsql"} {
		for _, set := range []struct {
			kind        string
			productions []production
		}{{"deep", deepProductions}, {"flat", flatProductions}, {"plpgsql", plpgsqlProductions}} {
			for i, p := range set.productions {
				b.Run(operation+"/"+set.kind+"/"+p.name, func(b *testing.B) {
					crashes := func(n int) bool {
						_, err := runChild(b, 128, fmt.Sprintf("raw %s %s %d %d", operation, set.kind, i, n))
						return err != nil
					}
					// Not a bisection: what is too long for bison's own stack is a clean error again.
					low := 64
					for low < 20000 && !crashes(low) {
						low += low / 8
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(low), "links")
					sql := p.sql(low)
					if set.kind == "plpgsql" {
						return
					}
					depth := 0
					for _, piece := range survey(sql) {
						depth = max(depth, piece.depth)
					}
					b.ReportMetric(float64(depth), "depth")
				})
			}
		}
	}
}

// guardChild puts every production through everything that calls C, below and above every limit (ours, bison's stack
// of 10,000 symbols, and the 100,000 links that are known to kill the process without the guard), and prints what
// fails in a way it should not.
func guardChild([]string) {
	fail := func(format string, args ...any) { fmt.Printf("FAIL: "+format+"\n", args...) }
	var limit *LimitError
	var syntax *SyntaxError
	do := func(p production, n int, flat bool) {
		fmt.Println("at", p.name, n)
		sql := p.sql(n)
		stmts, err := Parse(sql)
		clean := errors.As(err, &limit) && limit.Offset > 0 && limit.Offset < len(sql) ||
			errors.As(err, &syntax) && strings.HasPrefix(syntax.Message, "memory exhausted")
		if err != nil && (flat || n < shallowDepth/4 || !clean) {
			fail("%s %d: %.200v", p.name, n, err)
		}
		if flat && n > 100 {
			return
		}
		for _, stmt := range stmts[:min(len(stmts), 3)] {
			if _, err := Deparse(stmt.Node); err != nil {
				fail("deparsing %s %d: %.200v", p.name, n, err)
			}
		}
	}
	for _, p := range deepProductions {
		for _, n := range []int{30, 115, 4990, 100000} {
			do(p, n, false)
		}
	}
	for i, p := range flatProductions {
		most := 10000
		if i < 8 {
			most = 100000
		}
		for _, n := range []int{100, most} {
			do(p, n, true)
		}
	}
	for _, p := range plpgsqlProductions {
		for _, n := range []int{30, 1200, 2400, 100000} {
			fmt.Println("at PL/pgSQL", p.name, n)
			if _, err := PLpgSQL(plpgsqlFunction(p.sql(n))); err != nil && !errors.As(err, &syntax) {
				fail("PL/pgSQL %s %d: %.200v", p.name, n, err)
			}
		}
	}
	// The statement around the body is walked too.
	long := chain("CREATE FUNCTION f(a int DEFAULT 1", "+1", ") RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
	for _, n := range []int{30, 115, 4990} {
		if _, err := PLpgSQL(long(n)); err != nil {
			fail("PL/pgSQL with a long default, %d: %.200v", n, err)
		}
	}
	fmt.Println("done")
}

// TestGuardHolds is the promise of the package's documentation: nothing that recurses kills the process, on the
// smallest thread stack there is (musl's 128 KiB).
func TestGuardHolds(t *testing.T) {
	start := time.Now()
	out, err := runChild(t, 128, "guard")
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "FAIL") {
			t.Error(line)
		}
	}
	require.NoError(t, err, strings.Join(lines[max(0, len(lines)-40):], "\n"))
	require.Equal(t, "done", lines[len(lines)-1])
	t.Logf("%d texts in %v", len(lines), time.Since(start))
}
