package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goVet runs the real go vet with this binary as its tool: that of the Go release in the environment variable
// HA_VET_TOOLCHAIN, which CI sets to an older one, else of the one that runs the test.
type goVet struct {
	t         *testing.T
	cache     string
	tool      string
	toolchain []string // for the environment
}

// newGoVet makes a tool out of the test binary: a script, since the go command passes no argument of ours.
func newGoVet(t *testing.T) *goVet {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	g := &goVet{t: t, cache: sharedCache(t), tool: self}
	if name := os.Getenv("HA_VET_TOOLCHAIN"); name != "" {
		g.toolchain = []string{"GOTOOLCHAIN=" + name}
		cmd := exec.Command("go", "env", "GOVERSION")
		cmd.Env = append(os.Environ(), g.toolchain...)
		out, err := cmd.Output()
		require.NoError(t, err)
		require.Equal(t, name, strings.TrimSpace(string(out)))
	}
	return g
}

// sharedCache is the go command's own cache: results are kept apart by the paths of modules, which are new in each test.
func sharedCache(t *testing.T) string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

func (g *goVet) run(dir string, args ...string) result {
	g.t.Helper()
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + g.tool}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1", "GOFLAGS=", "GOPROXY=off", "GOCACHE="+g.cache)
	cmd.Env = append(cmd.Env, g.toolchain...)
	return finish(g.t, cmd)
}

// broken and clean assert what go vet says, in both forms: -json never fails, but prints.
func (g *goVet) broken(dir, rule, file string, args ...string) {
	g.t.Helper()
	r := g.run(dir, append(args, "./...")...)
	require.Equal(g.t, 1, r.status, "%s%s", r.out, r.err)
	require.Equal(g.t, 1, strings.Count(r.err, ": "+rule+": "), "reported once:\n%s", r.err)
	require.Contains(g.t, r.err, file+":")
	r = g.run(dir, append(append([]string{"-json"}, args...), "./...")...)
	all := r.out + r.err // Go 1.26 prints on standard output, 1.25 on standard error
	require.Contains(g.t, all, `"category": "`+rule+`"`)
	require.Contains(g.t, all, file+":")
	require.NotContains(g.t, all, "suggested_fixes")
}

func (g *goVet) clean(dir string, args ...string) {
	g.t.Helper()
	r := g.run(dir, append(args, "./...")...)
	require.Equal(g.t, 0, r.status, "%s%s", r.out, r.err)
	require.Empty(g.t, r.err)
	r = g.run(dir, append(append([]string{"-json"}, args...), "./...")...)
	require.NotContains(g.t, r.out+r.err, `"posn"`)
}

// goFiles are a service whose migrations are not embedded; api is the nearest package.
func goFiles() map[string]string {
	return map[string]string{
		"api/server.go":        "package main\n\nfunc main() {}\n",
		"api/server_test.go":   "package main\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n",
		"api/x_test.go":        "package main_test\n",
		"api/graph/graph.go":   "package graph\n",
		"zoo/deep/deep.go":     "package deep\n",
		"migrations/README.md": "",
	}
}

const broken0002 = "migrations/0002_drop.sql"

func TestGoVetFollowsMigrations(t *testing.T) {
	g := newGoVet(t)
	dir := service(t, goFiles())
	g.clean(dir)
	writeAll(t, dir, map[string]string{broken0002: dropSQL})
	g.broken(dir, "drop-column", broken0002+":2")
	g.broken(dir, "drop-column", broken0002+":2") // from the cache
	r := g.run(filepath.Join(dir, "api"), "./...")
	require.Contains(t, r.err, "drop-column", "from a subdirectory")
	r = g.run(filepath.Join(dir, "zoo"), "./...")
	require.Equal(t, 0, r.status, "only the nearest package reports: %s", r.err)

	writeAll(t, dir, map[string]string{broken0002: fineSQL})
	g.clean(dir)
	writeAll(t, dir, map[string]string{broken0002: dropSQL})
	g.broken(dir, "drop-column", broken0002)
	require.NoError(t, os.Remove(filepath.Join(dir, broken0002)))
	g.clean(dir)
}

func TestGoVetFollowsTagsAndSettings(t *testing.T) {
	g := newGoVet(t)
	files := goFiles()
	files[broken0002] = dropSQL
	dir := service(t, files)
	g.broken(dir, "drop-column", broken0002)
	git(t, dir, "tag", "v2")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
	g.clean(dir)
	git(t, dir, "tag", "-d", "v2")
	g.broken(dir, "drop-column", broken0002)

	writeAll(t, dir, map[string]string{".srhtvet.toml": "disable = ['drop-column', 'lossy-down', 'no-lock-timeout']\n"})
	g.clean(dir)
	writeAll(t, dir, map[string]string{".srhtvet.toml": "pg = 15\nbad = 1\n"})
	r := g.run(dir, "./...")
	require.Equal(t, 1, r.status)
	require.Contains(t, r.err, ".srhtvet.toml:2:1: unknown key \"bad\"")
	r = g.run(dir, "./...")
	require.Equal(t, 1, r.status, "bad input stays a diagnostic when it comes from the cache")
	writeAll(t, dir, map[string]string{".srhtvet.toml": "stats = 'sizes.json'\n", "sizes.json": "[]"})
	g.broken(dir, "drop-column", broken0002)
	writeAll(t, dir, map[string]string{"sizes.json": "{"})
	r = g.run(dir, "./...")
	require.Equal(t, 1, r.status, "a file that the settings name changed")
	require.Contains(t, r.err, "sizes.json")
}

func TestGoVetFlags(t *testing.T) {
	g := newGoVet(t)
	files := goFiles()
	files[broken0002] = dropSQL
	dir := service(t, files)
	r := g.run(dir, "-migrations.disable=drop-column", "./...")
	require.NotContains(t, r.err, ": drop-column: ")
	r = g.run(dir, "-migrations.disable=nosuch", "./...")
	require.Contains(t, r.err, "no rule or category")
	require.Equal(t, 1, r.status)
	r = g.run(dir, "-migrations=false", "./...")
	require.Equal(t, 0, r.status, r.err)
	r = g.run(dir, "-migrations.all", "-migrations.severity=info", "./...")
	require.Contains(t, r.err, "drop-column")
}

func TestGoVetBadMigrationsAreDiagnostics(t *testing.T) {
	g := newGoVet(t)
	files := goFiles()
	files["migrations/0002_bin.sql"] = "a\x00b"
	files["migrations/0003_syntax.sql"] = "-- +brant Up\nALTER TABEL t;\n"
	dir := service(t, files)
	for range 2 {
		r := g.run(dir, "./...")
		require.Equal(t, 1, r.status)
		require.Contains(t, r.err, "0002_bin.sql:1:2: binary file")
		require.Contains(t, r.err, "0003_syntax.sql:2:")
	}
}

func TestGoVetEmbedded(t *testing.T) {
	g := newGoVet(t)
	files := goFiles()
	files[broken0002] = dropSQL
	files["db.go"] = "package svc\n\nimport \"embed\"\n\n//go:embed all:migrations\nvar FS embed.FS\n"
	files["migrations/tool/tool.go"] = "package tool\n"
	dir := service(t, files)
	g.broken(dir, "drop-column", broken0002)
	r := g.run(dir, ".")
	require.Contains(t, r.err, "drop-column", "the package that embeds reports, not the nearer one")
	r = g.run(dir, "./migrations/...")
	require.Equal(t, 0, r.status, r.err)

	// It no longer embeds: the nearer one has to report, although its files did not change.
	writeAll(t, dir, map[string]string{"db.go": "package svc\n"})
	r = g.run(dir, "./migrations/...")
	require.Contains(t, r.err, "drop-column")
}

func TestGoVetWorkspace(t *testing.T) {
	g := newGoVet(t)
	root := tree(t, map[string]string{
		"go.work":                   "go 1.25\n\nuse (\n\t./one\n\t./two\n)\n",
		"one/go.mod":                "module example.org/one\n\ngo 1.25\n",
		"one/one.go":                "package one\n",
		"two/go.mod":                "module example.org/two\n\ngo 1.25\n",
		"two/two.go":                "package two\n",
		"two/migrations/0001_a.sql": goodSQL,
	})
	git(t, root, "init", "-q")
	commit(t, root)
	git(t, root, "tag", "v1")
	commit(t, root)
	args := []string{"./one/...", "./two/..."}
	require.Equal(t, 0, g.run(root, args...).status)
	writeAll(t, root, map[string]string{"two/" + broken0002: dropSQL})
	r := g.run(root, args...)
	require.Equal(t, 1, r.status, r.err)
	require.Equal(t, 1, strings.Count(r.err, ": drop-column: "), r.err)
	writeAll(t, root, map[string]string{"two/" + broken0002: fineSQL})
	r = g.run(root, args...)
	require.Equal(t, 0, r.status, r.err)
	writeAll(t, root, map[string]string{"two/" + broken0002: dropSQL})
	require.Equal(t, 1, g.run(filepath.Join(root, "one"), "example.org/two/...").status, "from the other module")
}

func TestGoVetFixChangesNothing(t *testing.T) {
	g := newGoVet(t)
	files := goFiles()
	files[broken0002] = dropSQL
	dir := service(t, files)
	g.run(dir, "-fix", "./...")
	data, err := os.ReadFile(filepath.Join(dir, broken0002))
	require.NoError(t, err)
	require.Equal(t, dropSQL, string(data))
}

func TestPackages(t *testing.T) {
	files := goFiles()
	files[broken0002] = dropSQL
	files["api/server.go"] = "package main\n\nimport (\n\t\"example.org/missing/dep\"\n\n\t\"example.org/svc/api/generated\"\n)\n\nfunc main() { dep.X(generated.Y); undefined() }\n"
	files["go.mod"] = "module example.org/svc\n\ngo 1.25\n\nrequire example.org/missing v1.0.0\n"
	dir := service(t, files)
	r := srhtvet(t, dir, "-format", "json", "./...")
	require.Equal(t, exitFindings, r.status, r.err)
	doc := parse(t, r)
	require.Equal(t, 1, strings.Count(strings.Join(doc.rules(), " "), "drop-column"), "once, although the tests are packages, too")
	require.Equal(t, broken0002, doc.Findings[0].File)
	require.Contains(t, r.err, "type-checked in part only, so analyzers see less there: example.org/svc/api")
	require.Contains(t, r.err, "missing: example.org/svc/api/generated of this module; is it generated and not committed?")
	require.Contains(t, r.err, "example.org/missing/dep")
	require.Contains(t, r.err, "base: tag v1")

	r = srhtvet(t, dir, "-migrations.disable", "drop-column", "-severity", "error", "./...")
	require.NotContains(t, r.out, "drop-column")
	require.Contains(t, r.err, "below -severity error")
	r = srhtvet(t, dir, "./nowhere")
	require.Equal(t, exitFailed, r.status, r.out)
	require.Contains(t, r.err, "nowhere")
	r = srhtvet(t, tree(t, nil), "./...")
	require.Equal(t, exitFailed, r.status)
}

// TestPackagesFlags: what lint's flags say holds for packages, too.
func TestPackagesFlags(t *testing.T) {
	files := goFiles()
	files[broken0002] = dropSQL
	files["plain.sql"] = "CREATE TABLE other (a integer);"
	files["stats.json"] = `[{"table": "t", "rows": 10, "bytes": 8192}]`
	files["mine.toml"] = "disable = ['drop-column']\n"
	dir := service(t, files)
	git(t, dir, "tag", "v2")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
	findings := func(args ...string) document {
		t.Helper()
		r := srhtvet(t, dir, append(append([]string{"-format", "json"}, args...), "./...")...)
		require.NotEqual(t, exitFailed, r.status, r.err)
		l := srhtvet(t, dir, append([]string{"lint", "-format", "json"}, args...)...)
		require.Equal(t, parse(t, l).rules(), parse(t, r).rules(), "lint says the same with %v", args)
		return parse(t, r)
	}
	require.Empty(t, findings().Findings)
	require.Contains(t, findings("-base", "v1").rules(), "drop-column")
	require.Contains(t, findings("-since", "1").rules(), "drop-column")
	require.Equal(t, 2, findings("-all").Files)
	require.NotContains(t, findings("-base=v1", "-disable=drop-column").rules(), "drop-column")
	require.NotContains(t, findings("-base=v1", "-config=mine.toml").rules(), "drop-column")
	require.Contains(t, findings("-base=v1", "-config=mine.toml", "-enable=drop-column").rules(), "drop-column")
	findings("-all", "-schema", "plain.sql", "-pg", "13", "-source", "brant")
	findings("-all", "-stats", "stats.json", "-severity", "info")

	r := srhtvet(t, dir, "-base", "v1", "-migrations.disable", "drop-column", "./...")
	require.NotContains(t, r.out, "drop-column")
	r = srhtvet(t, dir, "-base", "v1", "-disable", "drop-table", "-migrations.disable", "drop-column", "./...")
	require.NotContains(t, r.out, "drop-column", "the analyzer's own wins")
	for line, want := range map[string]string{
		"-base v1 -since 1 ./...":  "exclude each other",
		"-base nosuch ./...":       "nosuch",
		"-pg 11 ./...":             "-pg: PostgreSQL 11",
		"-schema nowhere ./...":    "-schema: open nowhere: no such file",
		"-stats nowhere ./...":     "nowhere",
		"-config nowhere ./...":    "nowhere",
		"-disable nosuch-id ./...": "no rule or category",
		"-severity bad ./...":      `-severity: unknown severity "bad"`,
	} {
		r := srhtvet(t, dir, strings.Fields(line)...)
		require.Equal(t, exitFailed, r.status, line)
		require.Contains(t, r.err, want, line)
		require.Equal(t, 1, strings.Count(r.err, want), "%s: said once: %s", line, r.err)
	}
}

// TestGoVetHasNoFlagForFiles: the go command would not notice that such a file changed.
func TestGoVetHasNoFlagForFiles(t *testing.T) {
	r := srhtvet(t, ".", "-flags")
	require.Equal(t, 0, r.status, r.err)
	for _, name := range []string{"severity", "enable", "disable", "pg", "source", "since", "all"} {
		require.Contains(t, r.out, `"migrations.`+name+`"`)
	}
	for _, name := range []string{"stats", "schema", "base", "config"} {
		require.NotContains(t, r.out, name+`"`)
	}
}

// TestHandshake: the answer to -V=full has the form that the go command wants, and changes with what is read only.
func TestHandshake(t *testing.T) {
	dir := service(t, goFiles())
	ask := func() string {
		r := srhtvet(t, dir, "-V=full")
		require.Equal(t, 0, r.status, r.err)
		f := strings.Fields(r.out)
		require.Equal(t, []string{os.Args[0], "version", "devel"}, f[:3])
		require.True(t, strings.HasPrefix(f[len(f)-1], "buildID="), r.out)
		return r.out
	}
	seen := map[string]string{}
	differs := func(what string) {
		t.Helper()
		answer := ask()
		require.Empty(t, seen[answer], "%s changes the answer", what)
		seen[answer] = what
	}
	differs("nothing")
	same := func(what string) {
		t.Helper()
		require.NotEmpty(t, seen[ask()], "%s does not change the answer", what)
	}
	same("nothing")
	writeAll(t, dir, map[string]string{"api/more.go": "package main\n", "README": "x", "migrations/notes.txt": "x"})
	same("a file that is not read")
	for i, name := range []string{"migrations/0001_init.sql", "schema.sql", ".srhtvet.toml", "other/0001_x.sql", "other/0002_x.sql",
		"svc/alembic/versions/1234_a.py", "db/migrations/1_a.up.sql"} {
		writeAll(t, dir, map[string]string{name: fmt.Sprintf("-- %d", i)})
		differs(name)
	}
	writeAll(t, dir, map[string]string{"migrations/here.go": "package here\n"})
	differs("a nearer package")
	commit(t, dir)
	git(t, dir, "tag", "v9")
	git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
	differs("a tag")
}
