package pgast

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain runs one of childJobs instead of the tests when PGAST_CHILD names it: what may crash runs in a process of
// its own, with a stack of its own.
func TestMain(m *testing.M) {
	if job := strings.Fields(os.Getenv("PGAST_CHILD")); len(job) > 0 {
		if err := childJobs()[job[0]](job[1:]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func childJobs() map[string]func(args []string) error {
	return map[string]func(args []string) error{"guard": guardChild, "raw": rawChild}
}

// runChild runs a child job with a stack of stackKiB and returns its output.
func runChild(t testing.TB, stackKiB int, job string) ([]byte, error) {
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -s %d && exec "$0"`, stackKiB), exe)
	cmd.Env = append(os.Environ(), "PGAST_CHILD="+job)
	return cmd.CombinedOutput()
}

func plpgsqlFunction(body string) string {
	return "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$" + body + "$body$"
}

// guardChild puts every production through everything that calls C, below and above every limit (ours, bison's stack
// of 10,000 symbols, and the 100,000 links that are known to kill the process without the guard), and prints what
// fails in a way it should not.
func guardChild([]string) error {
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
			if p.name == "conditions" && n == 100000 {
				continue // plpgsql appends to that list by walking it: half a minute
			}
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
	return nil
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
