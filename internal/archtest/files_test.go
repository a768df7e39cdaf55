package archtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Lengths of a Go file in lines: above the soft limit it is mentioned, above the hard one the test fails.
const softLimit, hardLimit = 400, 800

// checkLength reports files above the hard limit and logs those above the soft one. Generated files (*_gen.go) are
// nobody's reading.
func checkLength(t *testing.T, root string) []string {
	var problems []string
	for _, name := range goFiles(t, root) {
		if strings.HasSuffix(name, "_gen.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		switch lines := bytes.Count(text, []byte("\n")); {
		case lines > hardLimit:
			problems = append(problems, fmt.Sprintf("%s: %d lines, more than %d: split it", name, lines, hardLimit))
		case lines > softLimit:
			t.Logf("%s: %d lines, more than %d", name, lines, softLimit)
		}
	}
	return problems
}

// foreign matches what belongs to the machine a file was written on: directories of one kind of machine, and hosts of
// package registries, which the user's own settings choose. The words are split so that this file does not match.
func foreign() *regexp.Regexp {
	dirs := `(?:^|[^\w.\-/])/(?:ro` + `ot|wo` + `rk)/`
	hosts := strings.Join([]string{`proxy\.go` + `lang\.org`, `sum\.go` + `lang\.org`, `registry\.np` + `mjs\.org`, `registry\.yar` + `npkg\.com`, `deb\.deb` + `ian\.org`, `py` + `pi\.org`}, "|")
	return regexp.MustCompile(dirs + "|" + hosts)
}

func checkForeignNames(t *testing.T, root string) []string {
	var problems []string
	pattern := foreign()
	for _, name := range tracked(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		number := 0
		for line := range bytes.Lines(text) {
			number++
			if found := pattern.Find(line); found != nil {
				problems = append(problems, fmt.Sprintf("%s:%d: names %q", name, number, bytes.TrimSpace(found)))
			}
		}
	}
	return problems
}

func TestFileLength(t *testing.T) { check(checkLength).holds(t) }

func TestLongFileIsSeen(t *testing.T) {
	long := "package a\n" + strings.Repeat("\n", hardLimit)
	check(checkLength).finds(t, `
-- a/long.go --
`+long+`
-- a/long_gen.go --
`+long+`
-- a/testdata/long.go --
`+long+`
-- a/short.go --
package a
`,
		"a/long.go: 802 lines, more than 800: split it")
}

func TestNothingNamesAMachine(t *testing.T) { check(checkForeignNames).holds(t) }

func TestNamesOfMachinesAreSeen(t *testing.T) {
	check(checkForeignNames).finds(t, `
-- README.md --
Run it in /ro`+`ot/x,
not in docs/work/x nor at https://example.org/work/x.
-- .hidden --
GOPROXY=https://proxy.go`+`lang.org
-- a/testdata/x.sql --
\i /wo`+`rk/x.sql
`,
		".hidden:1: names \"proxy.go"+"lang.org\"",
		"README.md:1: names \"/ro"+"ot/\"",
		"a/testdata/x.sql:1: names \"/wo"+"rk/\"",
	)
}

// topLevel are the names at the root of the repository, which its users fixed; names that begin with a dot are free.
func topLevel() []string {
	return []string{
		"drain", "migratecheck", "failover", "mx", "bouncer", "analyzers", "cmd", "examples", "internal", "docs",
		"go.mod", "go.sum", "README.md", "CHANGELOG.md", "LICENSE", "Makefile",
	}
}

func checkTopLevel(t *testing.T, root string) []string {
	var problems []string
	for _, name := range tracked(t, root) {
		top, _, _ := strings.Cut(name, "/")
		problem := top + ": not a name of the top level"
		if !strings.HasPrefix(top, ".") && !slices.Contains(topLevel(), top) && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	return problems
}

func TestTopLevel(t *testing.T) { check(checkTopLevel).holds(t) }

func TestStrangerAtTopLevelIsSeen(t *testing.T) {
	check(checkTopLevel).finds(t, `
-- scripts/a.sh --
-- scripts/b.sh --
-- notes.txt --
-- .ci/run --
-- drain/drain.go --
`,
		"notes.txt: not a name of the top level",
		"scripts: not a name of the top level",
	)
}
