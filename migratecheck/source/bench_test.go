package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// benchDir writes 1,000 brant migrations with 10 statements each.
func benchDir(b *testing.B) string {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "migrations")
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range 1000 {
		var s strings.Builder
		s.WriteString("-- +brant Up\n")
		for j := range 6 {
			fmt.Fprintf(&s, "ALTER TABLE \"user\"\n\tADD COLUMN c%d_%d integer NOT NULL DEFAULT 0;\n", i, j)
		}
		s.WriteString("-- +brant StatementBegin\nCREATE FUNCTION f() RETURNS trigger AS $$\nBEGIN\n\tNEW.x := 1;\n\tRETURN NEW;\nEND\n$$ LANGUAGE plpgsql;\n-- +brant StatementEnd\n")
		fmt.Fprintf(&s, "CREATE INDEX i%d ON \"user\" (c%d_0);\n\n-- +brant Down\nDROP INDEX i%d;\nDROP FUNCTION f;\n", i, i, i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d_step.sql", i+1)), []byte(s.String()), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Dir(dir)
}

// BenchmarkDiscover reads 1,000 files with 10,000 statements, by one worker and by as many as there are CPUs.
func BenchmarkDiscover(b *testing.B) {
	dir := benchDir(b)
	for _, workers := range []int{1, 0} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sets, err := Config{Workers: workers}.Discover(os.DirFS(dir), ".")
				if err != nil || len(sets) != 1 || len(sets[0].Migrations) != 1000 {
					b.Fatal(err, len(sets))
				}
			}
		})
	}
}

// BenchmarkBrant is the same without the file system.
func BenchmarkBrant(b *testing.B) {
	dir := benchDir(b)
	names, err := filepath.Glob(filepath.Join(dir, "migrations", "*.sql"))
	if err != nil {
		b.Fatal(err)
	}
	files := make([]File, len(names))
	for i, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		files[i] = NewFile(name, string(data))
	}
	format := brantFormat()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for i := range files {
			out := format.read(&files[i])
			n += len(out.up.Statements) + len(out.down.Statements)
		}
		if n != 10000 {
			b.Fatal(n)
		}
	}
}

// BenchmarkPosition looks up places in a statement of 10 MB.
func BenchmarkPosition(b *testing.B) {
	f := NewFile("x.up.sql", strings.Repeat("INSERT INTO t VALUES (1, 2, 3);\n", 10<<20/32))
	s := readWhole(&f, "golang-migrate").up.Statements[0]
	i := 0
	for b.Loop() {
		i = (i + 1_000_003) % len(s.SQL)
		_ = s.Position(i)
	}
}
