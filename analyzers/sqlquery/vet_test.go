package sqlquery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/txtar"
)

// TestAnalyzer runs the analyzer on packages with types: testdata/vet.txtar holds them, small stubs of the libraries that
// they import, and in listing what is found in each package that does not begin with a host name.
func TestAnalyzer(t *testing.T) {
	const name = "testdata/vet.txtar"
	archive, err := txtar.ParseFile(name)
	require.NoError(t, err)
	dir := t.TempDir()
	var packages []string
	seen := map[string]bool{}
	listed := -1
	for i, f := range archive.Files {
		if f.Name == "listing" {
			listed = i
			continue
		}
		file := filepath.Join(dir, "src", filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, f.Data, 0o644))
		if path := filepath.ToSlash(filepath.Dir(f.Name)); !strings.Contains(path, ".") && !seen[path] {
			seen[path] = true
			packages = append(packages, path)
		}
	}
	var b strings.Builder
	for _, r := range analysistest.Run(t, dir, Analyzer, packages...) {
		res := r.Result.(*Result)
		for i := range res.Sites {
			require.True(t, res.Pos(res.Sites[i].Pos).IsValid())
			res.Sites[i].Pos.File = strings.TrimPrefix(res.Sites[i].Pos.File, filepath.ToSlash(dir)+"/src/")
		}
		b.WriteString(listing(res.Sites, true))
	}
	require.GreaterOrEqual(t, listed, 0)
	if rewriting() {
		archive.Files[listed].Data = []byte(b.String())
		require.NoError(t, os.WriteFile(name, txtar.Format(archive), 0o644))
		return
	}
	require.Equal(t, string(archive.Files[listed].Data), b.String())
}

// rewriting is package datadriven's flag.
func rewriting() bool {
	for _, a := range os.Args {
		if strings.TrimLeft(a, "-") == "rewrite" || strings.TrimLeft(a, "-") == "rewrite=true" {
			return true
		}
	}
	return false
}
