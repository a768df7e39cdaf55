package alembic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

type oracleRun struct {
	Steps [][2]string
	Error string
}

// TestOracle compares what Read makes of every history in testdata/histories with what alembic makes of it: the
// statements in their order, the revision each belongs to, and the transactions.
func TestOracle(t *testing.T) {
	python := need.Python(t, "alembic")
	names, err := filepath.Glob("testdata/histories/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	dirs := make([]string, len(names))
	args := []string{"testdata/oracle.py"}
	for i, name := range names {
		dirs[i] = filepath.Join(t.TempDir(), "history")
		a, err := txtar.ParseFile(name)
		require.NoError(t, err)
		arg := dirs[i]
		for _, f := range a.Files {
			to := filepath.Join(dirs[i], f.Name)
			require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
			require.NoError(t, os.WriteFile(to, f.Data, 0o644))
			if strings.Contains(string(f.Data), "transaction_per_migration=True") {
				arg += ":per"
			}
		}
		args = append(args, arg)
	}
	cmd := exec.Command(python, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var runs map[string]map[string]oracleRun
	require.NoError(t, json.Unmarshal(out, &runs))
	for i, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			files := readArchive(t, name)
			revisions, err := Read(files)
			require.NoError(t, err)
			for _, way := range []string{"upgrade", "downgrade"} {
				run := runs[dirs[i]][way]
				refused := false
				ours := sent(revisions, way, &refused)
				theirs := recorded(run)
				if run.Error != "" {
					// alembic stopped; we go on reading behind the place.
					require.True(t, refused, "alembic failed, we did not: %s", run.Error)
					require.GreaterOrEqual(t, len(ours), len(theirs))
					ours = ours[:len(theirs)]
				}
				require.Equal(t, strings.Join(theirs, "\n"), strings.Join(ours, "\n"), "%s: alembic's on the left", way)
			}
		})
	}
}

// sent lists what Read found, in the order in which it runs.
func sent(revisions []Revision, way string, refused *bool) []string {
	if way == "downgrade" {
		revisions = slices.Clone(revisions)
		slices.Reverse(revisions)
	}
	var out []string
	numbers := map[int]int{0: 0}
	for _, r := range revisions {
		script := r.Up
		if way == "downgrade" {
			script = r.Down
		}
		for _, g := range script.Gaps {
			*refused = *refused || g.Refused
		}
		for _, s := range script.Statements {
			out = append(out, line(r.ID, number(numbers, s.Tx), s.SQL))
		}
	}
	return out
}

func recorded(run oracleRun) []string {
	var out []string
	numbers := map[int]int{0: 0}
	last, current := 0, 0
	for _, s := range run.Steps {
		switch {
		case s[0] != "":
			out = append(out, line(s[0], number(numbers, current), s[1]))
		case s[1] == "BEGIN":
			last++
			current = last
		case s[1] == "COMMIT":
			current = 0
		}
	}
	return out
}

// number renumbers transactions by their first statement: those without any do not count.
func number(numbers map[int]int, tx int) int {
	if _, ok := numbers[tx]; !ok {
		numbers[tx] = len(numbers)
	}
	return numbers[tx]
}

func line(revision string, tx int, sql string) string {
	return fmt.Sprintf("%s tx%d %s", revision, tx, normal(sql))
}

// normal is SQL as PostgreSQL's parser understands it, so that white space and the case of keywords do not matter. The
// START WITH 1 that SQLAlchemy 1.4 writes is PostgreSQL's default.
func normal(sql string) string {
	stmts, err := pgast.Parse(sql)
	if err != nil {
		return strings.Join(strings.Fields(sql), " ")
	}
	var out []string
	for _, s := range stmts {
		d, err := pgast.Deparse(s.Node)
		if err != nil {
			d = strings.Join(strings.Fields(s.SQL), " ")
		}
		out = append(out, strings.TrimSuffix(d, " START 1"))
	}
	return strings.Join(out, "; ")
}

func readArchive(t testing.TB, name string) []File {
	t.Helper()
	a, err := txtar.ParseFile(name)
	require.NoError(t, err)
	files := make([]File, len(a.Files))
	for i, f := range a.Files {
		files[i] = File{Path: f.Name, Text: string(f.Data)}
	}
	return files
}
