package migrations

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// newTree makes a module of empty files, and of those with text.
func newTree(t *testing.T, empty []string, text map[string]string) *module {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module m\n"}
	for _, name := range empty {
		files[name] = ""
		if filepath.Ext(name) == ".go" {
			files[name] = "package p\n"
		}
	}
	for name, s := range text {
		files[name] = s
	}
	for name, s := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(s), 0o644))
	}
	return newModule(dir)
}

func TestReporter(t *testing.T) {
	const sql = "migrations/1.sql"
	embed := func(pattern string) string {
		return "package p\n\nimport \"embed\"\n\n//go:embed " + pattern + "\nvar f embed.FS\n"
	}
	for name, c := range map[string]struct {
		empty []string
		text  map[string]string
		want  string
	}{
		"beside":                       {[]string{sql, "migrations/m.go", "main.go"}, nil, "migrations"},
		"above":                        {[]string{sql, "main.go", "a/a.go"}, nil, "."},
		"below before a sibling":       {[]string{sql, "migrations/x/x.go", "a/a.go"}, nil, "migrations/x"},
		"sibling":                      {[]string{sql, "api/a.go", "zoo/a.go", "a/b/c.go"}, nil, "api"},
		"deep":                         {[]string{sql, "a/b/c/d.go"}, nil, "a/b/c"},
		"none":                         {[]string{sql}, nil, ""},
		"not in testdata and the like": {[]string{sql, "testdata/a.go", "vendor/a.go", "_x/a.go", ".y/a.go", "a/b/c.go"}, nil, "a/b"},
		"not in a nested module":       {[]string{sql, "api/a.go", "api/go.mod", "a/b/c.go"}, nil, "a/b"},
		"not built here":               {[]string{sql, "a/a_plan9.go", "b/c/d.go"}, map[string]string{"c/x.go": "//go:build ignore\n\npackage p\n"}, "b/c"},
		"tests only":                   {[]string{sql, "a/a_test.go", "b/c/d.go"}, nil, "a"},
		"embedded from above":          {[]string{sql, "migrations/m.go"}, map[string]string{"main.go": embed("migrations")}, "."},
		"embedded by glob":             {[]string{sql, "migrations/m.go"}, map[string]string{"main.go": embed("x/*.txt \"migrations/*.sql\"")}, "."},
		"embedded with all":            {[]string{sql, "migrations/m.go"}, map[string]string{"main.go": embed("`all:migrations`")}, "."},
		"embeds something else":        {[]string{sql, "migrations/m.go"}, map[string]string{"main.go": embed("migrations/*.txt")}, "migrations"},
		"nearest of two that embed":    {[]string{sql}, map[string]string{"main.go": embed("migrations"), "migrations/m.go": embed("*.sql")}, "migrations"},
		"a file that is not built":     {[]string{sql, "migrations/m.go"}, map[string]string{"main_plan9.go": embed("migrations")}, "migrations"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newTree(t, c.empty, c.text)
			got, ok := m.reporter("migrations")
			require.Equal(t, c.want, got)
			require.Equal(t, c.want != "", ok)
		})
	}
}

func TestCandidates(t *testing.T) {
	m := newTree(t, []string{"a/b/1.sql", "c/x.py", "d/x.txt", "testdata/1.sql", "n/go.mod", "n/1.sql"}, nil)
	require.Equal(t, []string{".", "a", "a/b", "c"}, m.candidates())
	require.False(t, m.owns("n"))
	require.True(t, m.owns("a/b"))
}

func TestIsTestOnly(t *testing.T) {
	m := newTree(t, []string{"both/a.go", "internal/a_test.go"}, map[string]string{
		"both/x_test.go": "package p_test\n", "alone/x_test.go": "package p_test\n", "internal/x_test.go": "package p_test\n",
	})
	require.True(t, m.isTestOnly("both", []string{"x_test.go"}))
	require.False(t, m.isTestOnly("both", []string{"a.go", "x_test.go"}))
	require.False(t, m.isTestOnly("alone", []string{"x_test.go"}), "nobody else is there to report")
	require.True(t, m.isTestOnly("internal", []string{"x_test.go"}))
}
