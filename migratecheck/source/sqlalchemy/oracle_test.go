package sqlalchemy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// answer is what testdata/oracle.py says of one fixture.
type answer struct {
	Version    string
	Selects    map[string]string // by class
	Tables     map[string]string
	Statements []string
	Error      string
}

// TestOracle compares what Read makes of the classes in testdata/models with what SQLAlchemy does with them on a real
// server: the SELECT of each class, and every INSERT and UPDATE that its unit of work sends.
func TestOracle(t *testing.T) {
	python := need.Python(t, "sqlalchemy", "sqlalchemy_utils", "psycopg2")
	dsn := pgtest.Shared(t, pgtest.Config{}).Database(t)
	type fixture struct{ name, dir, input string }
	var fixtures []fixture
	args := []string{"testdata/oracle.py", dsn}
	root := t.TempDir()
	datadriven.Walk(t, "testdata/models", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			f := fixture{fmt.Sprintf("%s:%s", filepath.Base(path), d.Pos[strings.LastIndexByte(d.Pos, ':')+1:]), filepath.Join(root, fmt.Sprint(len(fixtures))), d.Input}
			for name, file := range tree(d.Input) {
				to := filepath.Join(f.dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
				require.NoError(t, os.WriteFile(to, file.Data, 0o644))
			}
			fixtures, args = append(fixtures, f), append(args, f.dir)
			return d.Expected
		})
	})
	cmd := exec.Command(python, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var answers map[string]answer
	require.NoError(t, json.Unmarshal(out, &answers))
	for _, f := range fixtures {
		t.Run(f.name, func(t *testing.T) {
			a := answers[f.dir]
			require.Empty(t, a.Error)
			require.NotEmpty(t, a.Selects)
			compare(t, readFiles(t, f.input), a)
		})
	}
}

// compare checks a Static site to say exactly what SQLAlchemy does, and a Partial one to say nothing else.
func compare(t *testing.T, ours Result, theirs answer) {
	sites := map[string]*query.Site{}
	for i := range ours.Sites {
		sites[ours.Sites[i].Func] = &ours.Sites[i]
	}
	agree := func(static bool, theirs, ours map[string]bool, what string) {
		t.Helper()
		if static {
			require.Equal(t, keys(theirs), keys(ours), "%s: SQLAlchemy's on the left", what)
			return
		}
		for k := range ours {
			require.Contains(t, theirs, k, what)
		}
	}
	inserted, updated := map[string]map[string]bool{}, map[string]map[string]bool{}
	for _, sql := range theirs.Statements {
		verb, table, columns := write(t, sql)
		into := map[string]map[string]map[string]bool{"INSERT": inserted, "UPDATE": updated}[verb]
		if into == nil {
			continue
		}
		if into[table] == nil {
			into[table] = map[string]bool{}
		}
		for _, c := range columns {
			into[table][c] = true
		}
	}
	written := map[string]map[string]bool{}
	for class, sql := range theirs.Selects {
		s := sites[class]
		require.NotNil(t, s, "no site for the class %s", class)
		delete(sites, class)
		if s.Status == query.Dynamic {
			continue
		}
		agree(s.Status == query.Static, read(t, sql), read(t, s.Variants[0].SQL), class+"'s SELECT")
		for _, v := range s.Variants[1:] {
			verb, table, columns := write(t, v.SQL)
			if verb == "INSERT" {
				if written[table] == nil {
					written[table] = map[string]bool{}
				}
				for _, c := range columns {
					written[table][c] = true
				}
				continue
			}
			for _, c := range columns {
				delete(updated[table], c)
			}
		}
	}
	for name, s := range sites { // Tables
		require.NotContains(t, theirs.Selects, name)
		for _, v := range s.Variants[min(1, len(s.Variants)):] {
			_, table, columns := write(t, v.SQL)
			written[table] = map[string]bool{}
			for _, c := range columns {
				written[table][c] = true
			}
		}
	}
	for table, columns := range written {
		require.NotNil(t, inserted[table], "nothing is inserted into %s", table)
		agree(true, inserted[table], columns, "INSERT INTO "+table)
	}
	for table, columns := range updated {
		require.Empty(t, columns, "UPDATE %s sets more", table)
	}
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// read lists the columns that a SELECT names, as table.column.
func read(t *testing.T, sql string) map[string]bool {
	out := map[string]bool{}
	for _, m := range reference.FindAllString(parsed(t, sql), -1) {
		out[m] = true
	}
	return out
}

// reference is a qualified column in the form in which the parser prints it.
var reference = regexp.MustCompile(`(?:[\w"]+\.)+[\w"]+`)

// parsed is SQL as PostgreSQL's parser prints it, whatever style its placeholders have.
func parsed(t *testing.T, sql string) string {
	t.Helper()
	stmts, err := pgast.Parse(regexp.MustCompile(`%\(\w+\)s`).ReplaceAllString(sql, "$$1"))
	require.NoError(t, err, sql)
	require.Len(t, stmts, 1)
	text, err := pgast.Deparse(stmts[0].Node)
	require.NoError(t, err)
	return text
}

// write takes an INSERT or UPDATE apart: its columns, and those that it returns as "→ column".
func write(t *testing.T, sql string) (verb, table string, columns []string) {
	text := parsed(t, sql)
	words := strings.Fields(text)
	text, returning, _ := strings.Cut(text, " RETURNING ")
	switch words[0] {
	case "INSERT":
		table = words[2]
		if _, rest, ok := strings.Cut(text, "("); ok {
			list, _, _ := strings.Cut(rest, ")")
			columns = strings.Split(list, ", ")
		}
	case "UPDATE":
		table = words[1]
		_, rest, _ := strings.Cut(text, " SET ")
		rest, _, _ = strings.Cut(rest, " WHERE ")
		for _, set := range strings.Split(rest, ", ") {
			name, _, _ := strings.Cut(set, " = ")
			columns = append(columns, name)
		}
	}
	for _, c := range strings.FieldsFunc(returning, func(r rune) bool { return r == ',' || r == ' ' }) {
		columns = append(columns, "→ "+c)
	}
	return words[0], table, columns
}
