package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// The tests run the command as its users do, as a process: the test binary with this variable set is srhtvet.
const asCommand = "SRHTVET_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	pgtest.Main(m)
}

// result is how a process ended.
type result struct {
	out, err string
	status   int
}

func start(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1", "NO_COLOR=")
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func srhtvet(t *testing.T, dir string, args ...string) result {
	t.Helper()
	return finish(t, start(t, dir, args...))
}

// tree writes files below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	writeAll(t, dir, files)
	return dir
}

func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
}

// git runs git for a made-up person.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=master",
		"-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
}

func commit(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "x")
}

const (
	goodSQL = "-- +brant Up\nCREATE TABLE t (id integer PRIMARY KEY, a text);\n-- +brant Down\nDROP TABLE t;\n"
	dropSQL = "-- +brant Up\nALTER TABLE t DROP COLUMN a;\n-- +brant Down\nALTER TABLE t ADD COLUMN a text;\n"
	// fineSQL is pending and right.
	fineSQL = "-- +brant Up\nSET LOCAL lock_timeout = '2s';\nALTER TABLE t ADD COLUMN b text;\n-- +brant Down\nSET LOCAL lock_timeout = '2s';\nALTER TABLE t DROP COLUMN b;\n"
)

// service is a repository whose first migration is released by a tag.
func service(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := tree(t, map[string]string{"go.mod": "module example.org/svc\n\ngo 1.25\n", "migrations/0001_init.sql": goodSQL})
	git(t, dir, "init", "-q")
	commit(t, dir)
	git(t, dir, "tag", "v1")
	writeAll(t, dir, more)
	commit(t, dir)
	return dir
}

type document struct {
	Version  int
	Findings []struct {
		Rule, Severity, File, Message, Help string
		Line, Column                        int
	}
	Files, Statements, NotUnderstood, Suppressed int
}

func parse(t *testing.T, r result) document {
	t.Helper()
	var doc document
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc), "%s\n%s", r.out, r.err)
	return doc
}

func (d document) rules() []string {
	list := []string{}
	for _, f := range d.Findings {
		list = append(list, f.Rule)
	}
	return list
}

func TestLintFindings(t *testing.T) {
	dir := service(t, map[string]string{"migrations/0002_drop.sql": dropSQL, "sub/x.txt": ""})
	for _, from := range []string{".", "sub", "migrations"} {
		r := srhtvet(t, filepath.Join(dir, from), "lint", "-format", "json")
		require.Equal(t, exitFindings, r.status, r.err)
		doc := parse(t, r)
		require.Equal(t, 1, doc.Version)
		require.Contains(t, doc.rules(), "drop-column")
		require.Equal(t, 1, doc.Files)
		for _, f := range doc.Findings {
			require.Equal(t, "migrations/0002_drop.sql", f.File, "relative to the module")
			require.NotContains(t, f.Message+f.Help, dir)
		}
		require.Contains(t, r.err, "base: tag v1")
		require.Contains(t, r.err, "2 brant migrations, 1 pending")
	}
	r := srhtvet(t, dir, "lint", "-format=json", "migrations")
	require.Equal(t, "0002_drop.sql", parse(t, r).Findings[0].File, "relative to the directory given")
	r = srhtvet(t, filepath.Join(dir, "sub"), "lint", "-format", "json", "../migrations/0002_drop.sql")
	require.Equal(t, "migrations/0002_drop.sql", parse(t, r).Findings[0].File, "relative to what holds all")
	r = srhtvet(t, dir, "lint", "migrations", "-format", "json", "-q")
	require.Empty(t, r.err)
	require.Equal(t, exitFindings, r.status)
}

// TestPathsOfServices: services that annotate changes look for files from the root of the repository.
func TestPathsOfServices(t *testing.T) {
	dir := tree(t, map[string]string{"svc/go.mod": "module example.org/svc\n\ngo 1.25\n", "svc/svc.go": "package svc\n", "svc/migrations/0001_init.sql": goodSQL})
	git(t, dir, "init", "-q")
	commit(t, dir)
	git(t, dir, "tag", "v1")
	writeAll(t, dir, map[string]string{"svc/migrations/0002_drop.sql": dropSQL})
	commit(t, dir)
	const full, below = "svc/migrations/0002_drop.sql", "migrations/0002_drop.sql"
	from := filepath.Join(dir, "svc")
	for _, args := range [][]string{{"lint"}, {"lint", "migrations"}, {"lint", below}, {"./..."}} {
		for format, want := range map[string]string{
			"github": "file=" + full + ",", "gitlab": `"path": "` + full + `"`, "sarif": `"uri": "` + full + `"`,
		} {
			r := srhtvet(t, from, append(args, "-format", format)...)
			require.Equal(t, exitFindings, r.status, r.err)
			require.Contains(t, r.out, want, "%v", args)
		}
		require.NotEqual(t, full, parse(t, srhtvet(t, from, append(args, "-format", "json")...)).Findings[0].File)
	}
	bare := tree(t, map[string]string{"m/0001_a.sql": goodSQL, "m/0002_b.sql": dropSQL})
	require.Contains(t, srhtvet(t, bare, "lint", "-format", "github", "m").out, "file=0002_b.sql,", "no repository")
}

func TestLintStatuses(t *testing.T) {
	dir := service(t, map[string]string{"migrations/0002_fine.sql": fineSQL})
	r := srhtvet(t, dir, "lint")
	require.Equal(t, exitClean, r.status, "%s%s", r.out, r.err)
	require.Empty(t, r.out)
	require.Contains(t, r.err, "no findings in 1 file")

	git(t, dir, "tag", "v2")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
	r = srhtvet(t, dir, "lint")
	require.Equal(t, exitClean, r.status)
	require.Contains(t, r.err, "nothing pending; base: tag v2")

	// Whether schema.sql has drifted is asked when nothing is pending, too, with the code or without.
	writeAll(t, dir, map[string]string{"schema.sql": "CREATE TABLE other (id integer PRIMARY KEY);\n"})
	for _, code := range []string{"-code=true", "-code=false"} {
		r = srhtvet(t, dir, "lint", code)
		require.Equal(t, exitClean, r.status, code)
		require.Contains(t, r.err, "2 below -severity warning", code)
		r = srhtvet(t, dir, "lint", code, "-severity", "info")
		require.Equal(t, exitFindings, r.status, code)
		require.Contains(t, r.out, "info schema-drift", code)
		require.Contains(t, r.err, "2 notes about the history as a whole; no file is pending", code)
	}
	r = srhtvet(t, dir, "lint", "-all")
	require.Contains(t, r.out, "warning schema-drift")
	require.NoError(t, os.Remove(filepath.Join(dir, "schema.sql")))

	r = srhtvet(t, dir, "lint", "-base", "v1", "-format", "json")
	require.Equal(t, 1, parse(t, r).Files)
	r = srhtvet(t, dir, "lint", "-all", "-format", "json")
	require.Equal(t, 2, parse(t, r).Files)
	r = srhtvet(t, dir, "lint", "-since", "1", "-format", "json")
	require.Equal(t, 1, parse(t, r).Files)

	// A file that nobody has committed yet is pending, whatever else is dirty.
	writeAll(t, dir, map[string]string{"migrations/0003_drop.sql": dropSQL, "README": "dirty"})
	r = srhtvet(t, dir, "lint", "-format", "json")
	require.Equal(t, exitFindings, r.status)
	require.Contains(t, parse(t, r).rules(), "drop-column")
	r = srhtvet(t, dir, "lint", "-format", "json", "-disable", strings.Join(parse(t, r).rules(), ","))
	require.Equal(t, exitClean, r.status, r.out)
}

func TestLintSettings(t *testing.T) {
	dir := service(t, map[string]string{
		"migrations/0002_drop.sql": dropSQL,
		".srhtvet.toml":            "severity = 'error'\ndisable = ['drop-column']\n",
	})
	r := srhtvet(t, dir, "lint", "-format", "json")
	require.NotContains(t, parse(t, r).rules(), "drop-column")
	r = srhtvet(t, dir, "lint", "-format", "json", "-enable", "drop-column")
	require.Contains(t, parse(t, r).rules(), "drop-column", "the command line overrides")
	r = srhtvet(t, dir, "lint", "-format", "json", "-config", os.DevNull)
	require.Contains(t, parse(t, r).rules(), "drop-column")

	writeAll(t, dir, map[string]string{".srhtvet.toml": "pg = 15\nsevirity = 'x'\n"})
	r = srhtvet(t, dir, "lint")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, ".srhtvet.toml:2: unknown key \"sevirity\"; did you mean severity?")
	require.Empty(t, r.out)
}

func TestUsageErrors(t *testing.T) {
	dir := tree(t, map[string]string{"m/1_a.sql": "CREATE TABLE t ();", "stats.json": "{}"})
	for line, want := range map[string]string{
		"lnit":                            `unknown command "lnit"; did you mean lint?`,
		"-halp":                           "unknown flag -halp",
		"lint -sverity x":                 "unknown flag -sverity; did you mean -severity?",
		"lint -severity bad":              `-severity: unknown severity "bad"`,
		"lint -format xml m":              `unknown format "xml"`,
		"lint -format jsn m":              "did you mean json?",
		"lint -color sometimes m":         `unknown -color "sometimes"`,
		"lint -enable nope m":             "is called \"nope\"; `srhtvet rules` lists them",
		"lint -enable drop-tabel m":       `no rule or category is called "drop-tabel"; did you mean drop-table?`,
		"lint -disable nosuch-thing m":    "no rule or category",
		"lint -pg 11 m":                   "PostgreSQL 11",
		"lint -pg x m":                    "invalid value",
		"lint -source brand m":            "did you mean brant?",
		"lint -since 1 -base v1 m":        "exclude each other",
		"lint -since 99 m":                "no migration of that version",
		"lint -base v1 m":                 "not in a git repository",
		"lint -stats stats.json m":        "stats.json: reading table statistics: it holds a JSON object: expected the JSON list",
		"lint -stats nowhere m":           "nowhere",
		"lint -schema nowhere m":          "-schema: open nowhere: no such file",
		"locks -schema nowhere m/1_a.sql": "-schema: nowhere: no such file",
		"lint -config nowhere m":          "nowhere",
		"lint nowhere":                    "nowhere: no such file",
		"rules x":                         "takes no arguments",
		"rules -format xml":               "unknown format",
		"explain":                         "one rule",
		"explain drop-tabel":              "did you mean drop-table?",
		"locks":                           "names of SQL files",
		"locks m":                         "is a directory",
		"locks -pg 9 m/1_a.sql":           "PostgreSQL 9",
		"locks nowhere.sql":               "nowhere.sql",
		"completion":                      "name of a shell",
		"completion zhs":                  "did you mean zsh?",
		"stats x":                         "no arguments",
		"version x":                       "no arguments",
		"help lnit":                       "did you mean lint?",
	} {
		r := srhtvet(t, dir, strings.Fields(line)...)
		require.Equal(t, exitFailed, r.status, line)
		require.Contains(t, r.err, want, line)
		require.Empty(t, r.out, line)
		require.NotContains(t, r.err, "?;", line)
		require.LessOrEqual(t, strings.Count(r.err, "\n"), 2, "%s: %s", line, r.err)
	}
	r := srhtvet(t, dir)
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "Usage:")
}

func TestHelpEverywhere(t *testing.T) {
	for _, c := range commands() {
		r := srhtvet(t, ".", c.name, "-h")
		require.Equal(t, exitClean, r.status)
		require.Contains(t, r.out, "Usage: srhtvet")
		require.Empty(t, r.err)
		require.Equal(t, r.out, srhtvet(t, ".", "help", c.name).out)
		for line := range strings.Lines(r.out) {
			require.Equal(t, strings.TrimRight(line, " \n"), strings.TrimRight(line, "\n"), "a blank at the end, %s", c.name)
			if strings.HasPrefix(line, "  -") {
				require.Regexp(t, `^  -[a-z.]+( [A-Z]+)? +[a-z]+ [^ ]`, line, "name, value, sentence")
			}
		}
	}
	r := srhtvet(t, ".", "-h")
	require.Equal(t, exitClean, r.status)
	for _, c := range commands() {
		require.Contains(t, r.out, "\n  "+c.name+" ")
	}
}

func TestRulesAndExplain(t *testing.T) {
	var doc struct {
		Version int
		Rules   []struct {
			ID, Category, Severity, Summary string
			Default                         bool
		}
	}
	r := srhtvet(t, ".", "rules", "-format", "json")
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	require.Greater(t, len(doc.Rules), 40)
	text := srhtvet(t, ".", "rules").out
	for _, rule := range doc.Rules {
		require.Contains(t, text, rule.ID)
	}
	r = srhtvet(t, ".", "explain", "drop-column")
	require.Equal(t, exitClean, r.status)
	require.Contains(t, r.out, "DROP COLUMN")
	require.Contains(t, srhtvet(t, ".", "stats").out, "SELECT")
	require.Contains(t, srhtvet(t, ".", "version").out, "srhtvet ")
}

func TestColor(t *testing.T) {
	dir := service(t, map[string]string{"migrations/0002_drop.sql": dropSQL})
	require.NotContains(t, srhtvet(t, dir, "lint").out, "\x1b", "a pipe is no terminal")
	require.Contains(t, srhtvet(t, dir, "lint", "-color", "always").out, "\x1b")
	require.NotContains(t, srhtvet(t, dir, "lint", "-color", "never").out, "\x1b")
}
