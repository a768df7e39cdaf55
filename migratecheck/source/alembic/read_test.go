package alembic

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestRead runs the text fixtures in testdata/read. A directive is
//
//	read [whole]    the body of upgrade() (which datadriven has trimmed), or with whole a file as it stands
//	history         several files, each after a line "== path"
//
// Printed is each statement with its transaction; in its SQL, [line:col] begins a run of bytes that stand there in the
// file, {line:col} one that belongs to that place. A body's lines are counted from its own first.
func TestRead(t *testing.T) {
	datadriven.Walk(t, "testdata/read", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "read":
				text, lines := d.Input, 0
				if !d.HasArg("whole") {
					const head = "from alembic import op\nimport sqlalchemy as sa\nrevision = 'r'\ndown_revision = None\ndef upgrade():\n"
					text, lines = head+"    "+d.Input, strings.Count(head, "\n")
				}
				if d.HasArg("crlf") {
					text = "\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")
				}
				return show(t, []File{{Path: "r.py", Text: text}}, lines)
			case "history":
				var files []File
				for _, part := range strings.Split(d.Input, "== ")[1:] {
					name, text, _ := strings.Cut(part, "\n")
					files = append(files, File{Path: name, Text: text})
				}
				return show(t, files, 0)
			}
			d.Fatalf(t, "unknown directive %s", d.Cmd)
			return ""
		})
	})
}

func show(t *testing.T, files []File, skipped int) string {
	t.Helper()
	revisions, err := Read(files)
	check(t, files, revisions)
	var out strings.Builder
	place := func(file, at int) string {
		line, column := lineColumn(files[file].Text, at)
		name := ""
		if len(files) > 1 {
			name = files[file].Path + ":"
		}
		return fmt.Sprintf("%s%d:%d", name, line-skipped, column)
	}
	for _, r := range revisions {
		if len(files) > 1 {
			fmt.Fprintf(&out, "revision %s\n", r.ID)
		}
		for _, way := range []struct {
			name   string
			script Script
		}{{"up", r.Up}, {"down", r.Down}} {
			for _, s := range way.script.Statements {
				fmt.Fprintf(&out, "%s tx%d ", way.name, s.Tx)
				for i, p := range s.Pieces {
					end := len(s.SQL)
					if i+1 < len(s.Pieces) {
						end = s.Pieces[i+1].Offset
					}
					form := "{%s}%s"
					if p.Linear {
						form = "[%s]%s"
					}
					fmt.Fprintf(&out, form, place(s.File, p.At), strings.ReplaceAll(s.SQL[p.Offset:end], "\n", "⏎"))
				}
				out.WriteString("\n")
				for _, i := range s.Ignores {
					fmt.Fprintf(&out, "  ignore %s %v because %q\n", place(i.File, i.At), i.Rules, i.Reason)
				}
			}
			for _, g := range way.script.Gaps {
				kind := "gap"
				if g.Refused {
					kind = "refused"
				}
				fmt.Fprintf(&out, "%s %s %s %s | %s\n", way.name, kind, place(g.File, g.At), g.Reason, g.Source)
				for _, i := range g.Ignores {
					fmt.Fprintf(&out, "  ignore %s %v because %q\n", place(i.File, i.At), i.Rules, i.Reason)
				}
			}
			for _, i := range way.script.StrayIgnores {
				fmt.Fprintf(&out, "%s stray ignore %s %v because %q\n", way.name, place(i.File, i.At), i.Rules, i.Reason)
			}
		}
		if strings.Contains(files[r.File].Text, "def downgrade") && !r.HasDown {
			out.WriteString("no way down\n")
		}
	}
	if err != nil {
		fmt.Fprintf(&out, "error: %v\n", err)
	}
	return out.String()
}

func lineColumn(text string, at int) (line, column int) {
	return 1 + strings.Count(text[:at], "\n"), at - strings.LastIndexByte(text[:at], '\n')
}

// check asserts what holds for every result: places are in their files, and linear pieces stand there byte by byte.
func check(t testing.TB, files []File, revisions []Revision) {
	t.Helper()
	for _, r := range revisions {
		for _, script := range []Script{r.Up, r.Down} {
			for _, s := range script.Statements {
				checkPieces(t, files[s.File].Text, s)
			}
			for _, g := range script.Gaps {
				if g.Reason == "" || g.At < 0 || g.At > len(files[g.File].Text) {
					t.Fatalf("a gap without a reason or a place: %+v", g)
				}
			}
			for _, i := range script.StrayIgnores {
				if i.At < 0 || i.At > len(files[i.File].Text) {
					t.Fatalf("an ignore without a place: %+v", i)
				}
			}
		}
	}
}

func checkPieces(t testing.TB, text string, s Statement) {
	if len(s.Pieces) == 0 || s.Pieces[0].Offset != 0 {
		t.Fatalf("no place for the beginning of %q", s.SQL)
	}
	for i, p := range s.Pieces {
		end := len(s.SQL)
		if i+1 < len(s.Pieces) {
			end = s.Pieces[i+1].Offset
		}
		if p.Offset >= end || p.At < 0 || p.At > len(text) {
			t.Fatalf("piece %+v of %q is out of order or of the file", p, s.SQL)
		}
		// str.upper() and the like keep the place.
		if p.Linear && (p.At+end-p.Offset > len(text) || !strings.EqualFold(text[p.At:p.At+end-p.Offset], s.SQL[p.Offset:end])) {
			t.Fatalf("piece %+v of %q does not stand in the file", p, s.SQL)
		}
	}
}

// TestPlaces checks the places of every statement of the histories that are compared with alembic.
func TestPlaces(t *testing.T) {
	names, err := filepath.Glob("testdata/histories/*.txtar")
	require.NoError(t, err)
	for _, name := range names {
		files := readArchive(t, name)
		revisions, err := Read(files)
		require.NoError(t, err)
		check(t, files, revisions)
	}
}

func TestLooksLikeRevision(t *testing.T) {
	const head = "from alembic import op\nrevision: str = 'a'\ndown_revision = None\n"
	require.True(t, LooksLikeRevision("x/versions/a_b.py", head))
	require.True(t, LooksLikeRevision("a.py", "\ufeff"+strings.ReplaceAll(head, "\n", "\r\n")))
	require.False(t, LooksLikeRevision("a.txt", head))
	require.False(t, LooksLikeRevision("alembic/env.py", head))
	require.False(t, LooksLikeRevision("a.py", "revision = 3\n"))
	require.False(t, LooksLikeRevision("a.py", "def f():\n    revision = down_revision = 1\n"))
}

// TestDeep reads what would overflow a careless reader.
func TestDeep(t *testing.T) {
	const head = "from alembic import op\nrevision = 'r'\ndown_revision = None\ndef f(x): f(x)\ndef upgrade():\n    "
	for name, body := range map[string]string{
		"parentheses": "op.execute(" + strings.Repeat("(", 100_000) + "'x'" + strings.Repeat(")", 100_000) + ")",
		"unbalanced":  "op.execute(" + strings.Repeat("[", 100_000),
		"plus":        "op.execute('SELECT 1'" + strings.Repeat(" + 'a'", 20_000) + ")",
		"attributes":  "x" + strings.Repeat(".a", 20_000) + "()",
		"recursion":   "f(1)",
		"loops":       "for i in range(3000):\n        for j in range(3000):\n            for k in range(3000):\n                op.execute(f'SELECT {i}')",
		"doubling":    "s = 'xxxxxxxxxxxxxxxx'\n    for i in range(100):\n        s = s + s\n    op.execute(s)",
		"list":        "s = [1]\n    for i in range(100):\n        s += s\n    op.execute(s)",
		"nested ifs":  strings.Repeat("if x: ", 1) + "pass\n" + nested(300),
	} {
		t.Run(name, func(t *testing.T) {
			files := []File{{Path: "r.py", Text: head + body + "\n"}}
			revisions, err := Read(files)
			require.NoError(t, err)
			check(t, files, revisions)
			require.Len(t, revisions, 1)
			if len(revisions[0].Up.Statements) == 0 {
				require.NotEmpty(t, revisions[0].Up.Gaps)
			}
		})
	}
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", 4+i) + "if 1:\n")
	}
	b.WriteString(strings.Repeat(" ", 4+depth) + "op.execute('SELECT 1')")
	return b.String()
}

func FuzzRead(f *testing.F) {
	names, err := filepath.Glob("testdata/histories/*.txtar")
	require.NoError(f, err)
	for _, name := range names {
		for _, file := range readArchive(f, name) {
			f.Add(file.Text)
		}
	}
	f.Add("revision = 'a'\ndown_revision = ('b', 'a')\ndef upgrade():\n  op.execute(f'{x!r:>3}{{' % (1,))\n")
	f.Fuzz(func(t *testing.T, text string) {
		files := []File{{Path: "v/a.py", Text: text}, {Path: "v/b.py", Text: "from alembic import op\nrevision='q'\ndown_revision=None\n" + text}}
		revisions, _ := Read(files)
		check(t, files, revisions)
	})
}
