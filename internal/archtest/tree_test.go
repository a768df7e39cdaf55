package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// repository is the root of this one, seen from this directory, where go test runs the test.
const repository = "../.."

// module is the module path of this repository and of every fixture.
const module = "git.sr.ht/~sourcehut/ha-go"

// listed is what the checks use of "go list -json".
type listed struct {
	ImportPath, Name, Doc              string
	Standard                           bool
	GoFiles, CgoFiles                  []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
	Module                             *struct{ Path string }
}

// own tells whether the package is this module's, and its path inside it.
func (p listed) own() (string, bool) {
	if p.ImportPath == module {
		return ".", true
	}
	return strings.CutPrefix(p.ImportPath, module+"/")
}

// list returns the module's packages and everything they depend on, by import path. Packages that do not compile are
// listed all the same: their imports are what matters here.
func list(t *testing.T, root string) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Binary(t, "go"), "list", "-e", "-deps",
		"-json=ImportPath,Name,Doc,Standard,GoFiles,CgoFiles,Imports,TestImports,XTestImports,Deps,Module", "./...")
	cmd.Dir = root
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	require.NoError(t, cmd.Run(), "go list: %s", &complaint)
	packages := map[string]listed{}
	for stream := json.NewDecoder(&out); ; {
		var p listed
		err := stream.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		require.NoError(t, err)
		packages[p.ImportPath] = p
	}
}

// tracked returns the slash-separated paths of the files that are or would be committed.
func tracked(t *testing.T, root string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), need.Binary(t, "git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	require.NoError(t, err, "git ls-files")
	var files []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if info, err := os.Lstat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// goFiles are the tracked files of this module's packages: not those below testdata, which belong to fixtures.
func goFiles(t *testing.T, root string) []string {
	t.Helper()
	return slices.DeleteFunc(tracked(t, root), func(name string) bool {
		return !strings.HasSuffix(name, ".go") || slices.Contains(strings.Split(name, "/"), "testdata")
	})
}

// source is a parsed file.
type source struct {
	name string
	fset *token.FileSet
	*ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// at formats a problem with its place.
func (s source) at(pos token.Pos, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.name, s.fset.Position(pos).Line, fmt.Sprintf(format, args...))
}

func parse(t *testing.T, root string) []source {
	t.Helper()
	fset := token.NewFileSet()
	var files []source
	for _, name := range goFiles(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, source{name: name, fset: fset, File: file})
	}
	return files
}

// fixture writes a txtar archive as a git work tree and returns its root. A go.mod is added unless the archive has one.
func fixture(t *testing.T, archive string) string {
	t.Helper()
	root := t.TempDir()
	files := txtar.Parse([]byte(archive)).Files
	if !slices.ContainsFunc(files, func(f txtar.File) bool { return f.Name == "go.mod" }) {
		files = append(files, txtar.File{Name: "go.mod", Data: []byte("module " + module + "\n\ngo 1.25.0\n")})
	}
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, f.Data, 0o644))
	}
	out, err := exec.CommandContext(t.Context(), need.Binary(t, "git"), "init", "-q", root).CombinedOutput()
	require.NoError(t, err, "git init: %s", out)
	return root
}

// check is a property of a tree; it returns the ways in which the tree lacks it.
type check func(t *testing.T, root string) []string

// holds runs the check on this repository.
func (c check) holds(t *testing.T) {
	t.Helper()
	for _, problem := range c(t, repository) {
		t.Error(problem)
	}
}

// finds runs the check on a fixture that is wrong in the given ways.
func (c check) finds(t *testing.T, archive string, problems ...string) {
	t.Helper()
	require.Equal(t, problems, c(t, fixture(t, archive)))
}
