package source

import (
	"path"
	"strings"
	"testing"
	"testing/fstest"
)

// fuzzFormat checks what must hold for any bytes: no panic, every statement's bytes stand where it says they do (tools
// leave out bytes, and change those of a piece that is not linear), statements in the order of the file, gaps and
// suppression comments inside the file, the same result when read twice.
func fuzzFormat(f *testing.F, format Format, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(strings.ReplaceAll(s, "\n", "\r\n"))
		f.Add(bom + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := NewFile("1_x.sql", text)
		out := format.read(&file)
		attachIgnores(&file, &out)
		if file.Text != text {
			t.Fatal("the file's text was changed")
		}
		checkFuzzed(t, &file, out.up)
		checkFuzzed(t, &file, out.down)
	})
}

func checkFuzzed(t *testing.T, file *File, s Script) {
	t.Helper()
	for _, g := range s.Gaps {
		inFile(t, file, g.Pos)
		if g.Reason == "" {
			t.Fatal("gap without a reason")
		}
	}
	for _, g := range s.StrayIgnores {
		inFile(t, file, g.Pos)
	}
	last := -1
	for i := range s.Statements {
		st := &s.Statements[i]
		if start := st.FileOffset(0); start < last {
			t.Fatalf("statement %d begins at %d, before the last one's %d", i, start, last)
		} else {
			last = start
		}
		for _, g := range st.Ignores {
			inFile(t, file, g.Pos)
			if g.Offset < -1 || g.Offset >= len(st.SQL) {
				t.Fatalf("offset %d of a suppression comment is not in the text", g.Offset)
			}
		}
		next := 0 // the piece that begins next
		linear := true
		for j := 0; j < len(st.SQL); j++ {
			for next < len(st.pieces) && st.pieces[next].Offset <= j {
				linear = st.pieces[next].Linear
				next++
			}
			at := st.FileOffset(j)
			if at < 0 || at > len(file.Text) {
				t.Fatalf("byte %d is at %d, outside of the file", j, at)
			}
			if j == 0 || j == len(st.SQL)-1 {
				inFile(t, file, st.Position(j))
			}
			if !linear {
				continue
			}
			if at == len(file.Text) || file.Text[at] != st.SQL[j] && !replaced(file.Text[at], st.SQL[j]) {
				t.Fatalf("byte %d of %q is not at %d of the file", j, st.SQL, at)
			}
		}
	}
}

// replaced says whether a reader may have put b where the file has a: a line feed for a carriage return that ends the
// line, a space or a semicolon for a psql command.
func replaced(a, b byte) bool {
	return a == '\r' && b == '\n' || b == ' ' || a == '\\' && b == ';' || a == '-' && b == '\n'
}

func inFile(t *testing.T, file *File, pos Position) {
	t.Helper()
	if pos.File != file.Path || pos.Line < 1 || pos.Column < 1 || file.Position(file.Offset(pos)) != pos {
		t.Fatalf("position %+v is not in the file", pos)
	}
}

const fuzzBody = "CREATE TABLE t (id int); -- x;\n-- srhtvet:ignore a,b why\nSELECT 'a;\nb', E'\\';'; SELECT 2;\n"

func FuzzBrant(f *testing.F) {
	fuzzFormat(f, brantFormat(), "-- +brant Up\n"+fuzzBody+"-- +goose Down\nSELECT 1;\n",
		"-- +brant up\n-- +brant statementbegin\n"+fuzzBody+"-- +brant statementend\n-- +brant no transaction\nSELECT 1",
		"-- +brant Up\n-- +brant ENVSUB ON\n SELECT ${A:-${B-c}}, $$x, $D, ${E:1:2};\n-- +brant ENVSUB OFF\n")
}

func FuzzGoose(f *testing.F) {
	fuzzFormat(f, gooseFormat(), "-- +goose Up\n"+fuzzBody+"-- +goose Down\nSELECT 1;\n",
		"--+goose UP\n-- +goose StatementBegin\n-- +goose StatementEnd\nSELECT 1;\n")
}

func FuzzSQLMigrate(f *testing.F) {
	fuzzFormat(f, sqlMigrateFormat(), "-- +migrate Up notransaction\n"+fuzzBody+"-- +migrate Down\n"+fuzzBody,
		"-- +migrate Up\n-- +migrate StatementBegin\n"+fuzzBody+"-- +migrate StatementEnd\n")
}

func FuzzGolangMigrate(f *testing.F) { fuzzFormat(f, golangMigrateFormat(), fuzzBody, " \n") }

func FuzzDbmate(f *testing.F) {
	fuzzFormat(f, dbmateFormat(), "-- migrate:up transaction:false\n"+fuzzBody+"--migrate:down\n"+fuzzBody,
		"-- migrate:up\nSELECT 1;\n-- migrate:down\n-- migrate:up\nSELECT 2;\n--\nmigrate:down")
}

func FuzzTern(f *testing.F) {
	fuzzFormat(f, ternFormat(), fuzzBody+ternSeparator+"\n"+fuzzBody,
		ternNoTx+"\n"+fuzzBody+"$a$ ; $b$ $a$ /* /* ; */ */ e'\\';' \"\"\";\"; -- \\\n;", "{{ x }}")
}

func FuzzAtlas(f *testing.F) {
	fuzzFormat(f, atlasFormat(), "-- atlas:txmode none\n\n"+fuzzBody, "-- atlas:delimiter \\n\\n\n"+fuzzBody+"\n\n$$\n\n$$\n\n",
		"-- atlas:delimiter -- end\nSELECT 1\n-- end\nSELECT '-- end'")
}

func FuzzFlyway(f *testing.F) {
	fuzzFormat(f, flywayFormat(), fuzzBody+"create unique index concurrently i on t (a);\nselect ${x};")
}

func FuzzPlain(f *testing.F) {
	fuzzFormat(f, plainFormat(), fuzzBody, "COPY t FROM stdin;\n1\t'\n\\.\n\\c x\nSELECT 1 \\gset\n\\set v 1\nSELECT :v, a[1:2];\n",
		"BEGIN;\nSELECT 1;\nROLLBACK TO s;\nCOMMIT;\n\\copy t from stdin\n1\n\\.\nSELECT 1 \\\\ SELECT 2;\\q\n\\if x")
}

// FuzzDiscover reads one file under every name that means something to a format.
func FuzzDiscover(f *testing.F) {
	f.Add("1_x.sql", "-- +brant Up\n"+fuzzBody)
	f.Add("V1__x.sql", fuzzBody)
	f.Add("1_x.down.sql", "\xff\xfe")
	f.Add("x.py", "revision = '1'\ndown_revision = None\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		name = path.Base(name)
		if !strings.Contains(name, ".") || strings.ContainsAny(name, "\x00") || name == "." || name == ".." {
			return
		}
		full := "migrations/" + name
		sets, err := Discover(fstest.MapFS{full: {Data: []byte(text)}}, ".")
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range sets {
			if len(set.Migrations)+len(set.Other)+len(set.Problems) == 0 {
				t.Fatal("a set of nothing")
			}
			for _, m := range set.Migrations {
				file := NewFile(full, text)
				if m.Tool != "alembic" {
					checkFuzzed(t, &file, m.Up)
					checkFuzzed(t, &file, m.Down)
				}
			}
		}
	})
}
