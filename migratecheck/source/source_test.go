package source

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// TestRead reads each archive of testdata and compares what was understood with its last file, "want". Its comment says
// what it shows; a line "options:" in it can force a format or name files, and change bytes that an archive cannot hold.
func TestRead(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			require.NoError(t, err)
			want := ""
			if n := len(archive.Files); n > 0 && archive.Files[n-1].Name == "want" {
				want = string(archive.Files[n-1].Data)
				archive.Files = archive.Files[:n-1]
			}
			got := dump(t, archive)
			if update() && got != want {
				archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
				require.NoError(t, os.WriteFile(name, txtar.Format(archive), 0o644))
				return
			}
			require.Equal(t, want, got)
		})
	}
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write what the tests of testdata print into them")
	flag.Parse()
	os.Exit(m.Run())
}

func update() bool { return flag.Lookup("update").Value.String() == "true" }

// options are the words of the comment's last paragraph when it begins with "options:".
func options(comment string) map[string][]string {
	out := map[string][]string{}
	_, words, _ := strings.Cut(comment, "options:")
	for _, word := range strings.Fields(words) {
		key, value, _ := strings.Cut(word, "=")
		out[key] = strings.Split(value, ",")
	}
	return out
}

func dump(t *testing.T, archive *txtar.Archive) string {
	opts := options(string(archive.Comment))
	fsys := fstest.MapFS{}
	for _, f := range archive.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	change := func(key string, do func(string) string) {
		for _, name := range opts[key] {
			fsys[name].Data = []byte(do(string(fsys[name].Data)))
		}
	}
	change("crlf", func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") })
	change("bom", func(s string) string { return bom + s })
	change("chop", func(s string) string { return strings.TrimRight(s, "\r\n") })

	var b strings.Builder
	if schema := opts["schema"]; schema != nil {
		s, err := ReadSchema(fsys, schema[0])
		require.NoError(t, err)
		dumpScript(t, &b, fsys, "schema", s)
		return b.String()
	}
	format := strings.Join(opts["format"], "")
	var sets []Set
	if files := opts["files"]; files != nil {
		set, err := ReadFiles(fsys, files, format)
		require.NoError(t, err)
		sets = []Set{set}
	} else {
		var err error
		sets, err = Config{Format: format}.Discover(fsys, ".")
		require.NoError(t, err)
	}
	for _, set := range sets {
		dumpSet(t, &b, fsys, set)
	}
	return b.String()
}

func dumpSet(t *testing.T, b *strings.Builder, fsys fs.FS, set Set) {
	fmt.Fprintf(b, "set %s: %s\n", set.Dir, set.Format)
	if set.SchemaFile != "" {
		fmt.Fprintf(b, "  schema file %s\n", set.SchemaFile)
	}
	for _, name := range set.Other {
		fmt.Fprintf(b, "  other %s\n", name)
	}
	for _, p := range set.Problems {
		fmt.Fprintf(b, "  problem %s\n", p.Error())
	}
	for _, m := range set.Migrations {
		fmt.Fprintf(b, "  %s %q %q %s", m.Tool, m.Version, m.Name, m.File)
		if m.Repeat {
			b.WriteString(" repeat")
		}
		if m.NoUp {
			b.WriteString(" no way up")
		}
		b.WriteByte('\n')
		dumpScript(t, b, fsys, "up", m.Up)
		if m.HasDown {
			dumpScript(t, b, fsys, "down", m.Down)
		}
	}
}

func dumpScript(t *testing.T, b *strings.Builder, fsys fs.FS, name string, s Script) {
	fmt.Fprintf(b, "    %s\n", name)
	for _, g := range s.Gaps {
		refused := ""
		if g.Refused {
			refused = " (refused)"
		}
		fmt.Fprintf(b, "      gap%s %s:%d:%d: %s [%s]\n", refused, g.Pos.File, g.Pos.Line, g.Pos.Column, g.Reason, g.Source)
	}
	for i := range s.Statements {
		st := &s.Statements[i]
		checkPositions(t, fsys, st)
		fmt.Fprintf(b, "      statement tx=%d\n", st.Tx)
		dumpIgnores(b, "ignore", st.Ignores)
		for at, l := range lines(st.SQL) {
			pos := st.Position(at)
			fmt.Fprintf(b, "      %7s| %s\n", fmt.Sprintf("%d:%d", pos.Line, pos.Column), strings.ReplaceAll(l, "\r", "<CR>"))
		}
	}
	dumpIgnores(b, "stray ignore", s.StrayIgnores)
}

func dumpIgnores(b *strings.Builder, what string, ignores []Ignore) {
	for _, g := range ignores {
		fmt.Fprintf(b, "      %s %v %q at %d:%d for %d\n", what, g.Rules, g.Reason, g.Pos.Line, g.Pos.Column, g.Offset)
	}
}

// lines yields the offset and text of each line.
func lines(s string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		at := 0
		for l := range strings.Lines(s) {
			if !yield(at, strings.TrimSuffix(l, "\n")) {
				return
			}
			at += len(l)
		}
	}
}

// checkPositions compares each byte of a statement with the one at its position in the file, read anew; only what a
// tool put in differs.
func checkPositions(t *testing.T, fsys fs.FS, s *Statement) {
	t.Helper()
	data, err := fs.ReadFile(fsys, s.File().Path)
	require.NoError(t, err)
	require.Equal(t, string(data), s.File().Text)
	fileLines := strings.SplitAfter(string(data), "\n")
	for i := range len(s.SQL) {
		if p := pieceAt(s, i); p != nil && !p.Linear {
			continue
		}
		pos := s.Position(i)
		at := fileLines[pos.Line-1][pos.Column-1]
		if s.SQL[i] == '\n' && at == '\r' {
			continue // the tool leaves out carriage returns
		}
		require.Equal(t, string(s.SQL[i]), string(at), "byte %d of %q", i, s.SQL)
	}
}

func pieceAt(s *Statement, offset int) *piece {
	var last *piece
	for i := range s.pieces {
		if s.pieces[i].Offset <= offset {
			last = &s.pieces[i]
		}
	}
	return last
}
