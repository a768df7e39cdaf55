package sqlalchemy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRead runs testdata/models/*.txt and testdata/read/*.txt. The input of a `read` is files, each behind a line "== path".
//
// Printed is each site with its variants; with the argument places, [line:col] in a variant's SQL begins a run of bytes that
// stand there in the file, {line:col} one that belongs to that place; with types, what is bound and loaded.
func TestRead(t *testing.T) {
	for _, dir := range []string{"testdata/models", "testdata/read"} {
		datadriven.Walk(t, dir, func(t *testing.T, path string) {
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd != "read" {
					d.Fatalf(t, "unknown directive %s", d.Cmd)
				}
				return show(readFiles(t, d.Input), d.HasArg("places"), d.HasArg("types"))
			})
		})
	}
}

// TestAgain: the same files give the same result, to readers at one time as well.
func TestAgain(t *testing.T) {
	fsys := fstest.MapFS{}
	for i, name := range fixtures(t) {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for j, part := range strings.Split(string(text), "\n== ")[1:] {
			file, body, _ := strings.Cut(part, "\n")
			body, _, _ = strings.Cut(body, "\n----")
			fsys[fmt.Sprintf("s%d_%d/%s", i, j, file)] = &fstest.MapFile{Data: []byte(body)}
		}
	}
	want, err := Read(fsys, ".")
	require.NoError(t, err)
	require.NotEmpty(t, want.Sites)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				got, err := Read(fsys, ".")
				assert.NoError(t, err)
				assert.Equal(t, want, got)
			}
		})
	}
	wg.Wait()
}

// fixtures are the files of testdata.
func fixtures(t testing.TB) []string {
	t.Helper()
	names, err := filepath.Glob("testdata/*/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

// TestDeep reads what would keep a careless reader busy for ever.
func TestDeep(t *testing.T) {
	loops, ifs := "", ""
	for i := range 40 {
		indent := strings.Repeat(" ", i)
		loops += indent + "for x" + fmt.Sprint(i) + " in range(30):\n"
		ifs += indent + "if c:\n" + indent + " s = s + 'a'\n"
	}
	indent := strings.Repeat(" ", 40)
	for name, code := range map[string]string{
		"loops":      loops + indent + "cur.execute('SELECT 1')",
		"ifs":        "s = 'SELECT 1'\n" + ifs + indent + "cur.execute(s)",
		"many ifs":   "s = 'SELECT 1'\n" + strings.Repeat("if c:\n s += 'a'\nelse:\n s += 'b'\n", 2000) + "cur.execute(s)",
		"names":      "a = b = c = d = 1\n" + strings.Repeat("if x:\n a, b, c, d = b, c, d, a + 1\n", 300) + "cur.execute(f'SELECT {a} {b} {c} {d}')",
		"recursion":  "def f(x): return f(x) + g(x)\ndef g(x): return f(x) + f(x) + g(x)\ncur.execute(f(1))",
		"calls":      "cur.execute(" + strings.Repeat("f(", 3000) + strings.Repeat(")", 3000) + ")",
		"chain":      "X.query" + strings.Repeat(".filter(X.a == 1)", 3000),
		"classes":    strings.Repeat("class A(A): pass\n", 3000),
		"diamonds":   "class A0(B): pass\nclass B0(B): pass\n" + diamonds(60),
		"inner":      strings.Repeat(" ", 0) + nested(300),
		"attributes": "x" + strings.Repeat(".execute", 5000) + "('SELECT 1')",
	} {
		t.Run(name, func(t *testing.T) {
			readFiles(t, "== app.py\nfrom srht.database import Base\nclass X(Base):\n    __tablename__ = 'x'\n"+code)
		})
	}
}

func diamonds(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "class A%d(A%d, B%d): pass\nclass B%[1]d(B%[2]d, A%[2]d): pass\n", i+1, i, i)
	}
	return b.String()
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "def f(x):\n")
	}
	b.WriteString(strings.Repeat(" ", depth) + "cur.execute(x)")
	return b.String()
}

// FuzzRead reads what is hardly Python.
func FuzzRead(f *testing.F) {
	for _, name := range fixtures(f) {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		for _, part := range strings.Split(string(text), "\n== ")[1:] {
			_, body, _ := strings.Cut(part, "\n")
			body, _, _ = strings.Cut(body, "\n----")
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		fsys := fstest.MapFS{"app/__init__.py": {Data: []byte(text)}, "app/models.py": {Data: []byte("from . import *\n" + text)}}
		result, err := Read(fsys, ".")
		require.NoError(t, err)
		check(t, fsys, result)
	})
}

// tree makes a file system of a fixture's input.
func tree(input string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for _, part := range strings.Split("\n"+input, "\n== ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		fsys[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return fsys
}

func readFiles(t testing.TB, input string) Result {
	t.Helper()
	fsys := tree(input)
	result, err := Read(fsys, ".")
	require.NoError(t, err)
	check(t, fsys, result)
	return result
}

// check asserts what holds for every result: positions are in their files, linear segments stand there byte by byte, what
// is static parses, and a reason is given for all that is not.
func check(t testing.TB, fsys fstest.MapFS, result Result) {
	t.Helper()
	for _, s := range result.Sites {
		offset(t, fsys, s.Pos)
		require.Equal(t, s.Status == query.Partial || s.Status == query.Dynamic, s.Reason != "", "%+v", s)
		require.Equal(t, s.Status == query.Dynamic, len(s.Variants) == 0, "%+v", s)
		for _, v := range s.Variants {
			for i, seg := range v.Segments {
				end := len(v.SQL)
				if i+1 < len(v.Segments) {
					end = v.Segments[i+1].Offset
				}
				require.Less(t, seg.Offset, end, "%q", v.SQL)
				at := offset(t, fsys, seg.Pos)
				text := string(fsys[seg.Pos.File].Data)
				if seg.Linear {
					require.LessOrEqual(t, at+end-seg.Offset, len(text))
					require.Equal(t, text[at:at+end-seg.Offset], v.SQL[seg.Offset:end])
				}
			}
			if s.Kind == query.Model {
				_, err := pgast.Parse(v.SQL)
				require.NoError(t, err, v.SQL)
			}
		}
	}
	for _, g := range result.Gaps {
		require.NotEmpty(t, g.Reason)
		offset(t, fsys, g.Pos)
	}
}

func offset(t testing.TB, fsys fstest.MapFS, pos query.Position) int {
	t.Helper()
	require.Contains(t, fsys, pos.File)
	text := string(fsys[pos.File].Data)
	at := 0
	for line := 1; line < pos.Line; line++ {
		next := strings.IndexByte(text[at:], '\n')
		require.GreaterOrEqual(t, next, 0, "%v is beyond the end", pos)
		at += next + 1
	}
	at += pos.Column - 1
	require.LessOrEqual(t, at, len(text), "%v is beyond the end", pos)
	return at
}

func show(result Result, places, types bool) string {
	var out strings.Builder
	for _, s := range result.Sites {
		fmt.Fprintf(&out, "%s:%d:%d %s %s %s", s.Pos.File, s.Pos.Line, s.Pos.Column, s.Kind, s.Func, s.Status)
		if s.Reason != "" {
			fmt.Fprintf(&out, ": %s", s.Reason)
		}
		out.WriteString("\n")
		for _, v := range s.Variants {
			sql := v.SQL
			if places {
				sql = marked(s.Pos.File, v)
			}
			fmt.Fprintf(&out, "  %s\n", strings.ReplaceAll(sql, "\n", "⏎"))
			if !types {
				continue
			}
			for i, a := range v.Args {
				fmt.Fprintf(&out, "    $%d %s\n", i+1, describe(a))
			}
			if v.Scan != nil {
				for _, d := range v.Scan.Dests {
					fmt.Fprintf(&out, "    %s → %s\n", d.Name, describe(d.Type))
				}
			}
		}
	}
	for _, g := range result.Gaps {
		fmt.Fprintf(&out, "gap %s:%d:%d %s\n", g.Pos.File, g.Pos.Line, g.Pos.Column, g.Reason)
	}
	return out.String()
}

func describe(t query.GoType) string {
	words := []string{orWord(t.Name, "?"), orWord(string(t.Kind), "unknown")}
	if t.Nullable {
		words = append(words, "nullable")
	}
	if t.Null {
		words = append(words, "null")
	}
	if t.Labels != nil {
		words = append(words, fmt.Sprintf("%q", t.Labels))
	}
	if t.Text != nil {
		words = append(words, fmt.Sprintf("= %q", *t.Text))
	}
	if t.SQLAlchemy != "" {
		words = append(words, "as "+t.SQLAlchemy)
	}
	return strings.Join(words, " ")
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func marked(file string, v query.Variant) string {
	var out strings.Builder
	for i, seg := range v.Segments {
		end := len(v.SQL)
		if i+1 < len(v.Segments) {
			end = v.Segments[i+1].Offset
		}
		form := "{%s}%s"
		if seg.Linear {
			form = "[%s]%s"
		}
		place := fmt.Sprintf("%d:%d", seg.Pos.Line, seg.Pos.Column)
		if seg.Pos.File != file {
			place = seg.Pos.File + ":" + place
		}
		fmt.Fprintf(&out, form, place, v.SQL[seg.Offset:end])
	}
	return out.String()
}
