package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// denied is a file system in which some names may not be opened.
type denied struct {
	fs.FS
	names map[string]bool
}

func (d denied) Open(name string) (fs.File, error) {
	if d.names[name] {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

func problemTexts(sets []Set) []string {
	var out []string
	for _, s := range sets {
		for _, p := range s.Problems {
			out = append(out, p.Error())
		}
	}
	return out
}

func TestProblemsLeaveTheOtherFiles(t *testing.T) {
	const good = "-- +brant Up\nSELECT 1;\n"
	fsys := denied{FS: fstest.MapFS{
		"m/1_good.sql":     {Data: []byte(good)},
		"m/2_binary.sql":   {Data: []byte("-- +brant Up\nSELECT \x00;\n")},
		"m/3_latin1.sql":   {Data: []byte("-- +brant Up\nSELECT 'fl\xfcchtig';\n")},
		"m/4_utf16.sql":    {Data: []byte("\xff\xfe-\x00-\x00")},
		"m/5_utf16be.sql":  {Data: []byte("\xfe\xff\x00-\x00-")},
		"m/6_denied.sql":   {Data: []byte(good)},
		"m/7_good.sql":     {Data: []byte(good)},
		"m/8_truncated":    {Data: []byte("\xff")},
		"m/9_cut.sql":      {Data: []byte("-- +brant Up\nSELECT 1;\n\xc3")},
		"closed/1_x.sql":   {Data: []byte(good)},
		"migrations/1.sql": {Data: []byte("\x00")},
	}, names: map[string]bool{"m/6_denied.sql": true, "closed": true}}
	sets, err := Discover(fsys, ".")
	require.NoError(t, err)
	require.Equal(t, []string{
		"closed: cannot list the directory: permission denied",
		"m/2_binary.sql:2:8: binary file: NUL byte",
		"m/3_latin1.sql:2:11: invalid UTF-8: byte 0xfc",
		"m/4_utf16.sql: UTF-16 file: convert it to UTF-8",
		"m/5_utf16be.sql: UTF-16 file: convert it to UTF-8",
		"m/6_denied.sql: cannot read the file: permission denied",
		"m/9_cut.sql:3:1: invalid UTF-8: byte 0xc3",
		"migrations/1.sql:1:1: binary file: NUL byte",
	}, problemTexts(sets))
	require.Len(t, sets, 3)
	require.Len(t, sets[1].Migrations, 2)
	require.ErrorIs(t, sets[1].Problems[4], fs.ErrPermission)
	require.Empty(t, sets[0].Format)
}

func TestProblemsOfLinks(t *testing.T) {
	dir := t.TempDir()
	m := filepath.Join(dir, "migrations")
	require.NoError(t, os.Mkdir(m, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "elsewhere"), []byte("-- +goose Up\nSELECT 1;\n"), 0o644))
	require.NoError(t, os.Symlink("../elsewhere", filepath.Join(m, "1_linked.sql")))
	require.NoError(t, os.Symlink("2_self.sql", filepath.Join(m, "2_self.sql")))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(m, "3_dangling.sql")))
	require.NoError(t, os.Symlink("..", filepath.Join(m, "up")))
	require.NoError(t, os.Symlink(".", filepath.Join(m, "here.sql")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(m, "4_pipe.sql"), 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(m, "5_dir.sql"), 0o755))

	sets, err := Discover(os.DirFS(dir), ".")
	require.NoError(t, err)
	require.Len(t, sets, 1)
	require.Len(t, sets[0].Migrations, 1)
	require.Equal(t, "migrations/1_linked.sql", sets[0].Migrations[0].File)
	require.Equal(t, []string{
		"migrations/2_self.sql: cannot read the file: too many levels of symbolic links",
		"migrations/3_dangling.sql: cannot read the file: no such file or directory",
		"migrations/4_pipe.sql: cannot read the file: not a regular file (p---------)",
	}, problemTexts(sets))
}

// TestLinksElsewhere: a link to migrations outside of the tree is named, one that leads around or to what was read is not.
func TestLinksElsewhere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"elsewhere/migrations", "elsewhere/vendor", "plain", "root/svc", "root/app"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, name), 0o755))
	}
	for _, name := range []string{"elsewhere/migrations/0001_a.sql", "elsewhere/vendor/0001_a.sql", "root/svc/0001_a.sql"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("-- +brant Up\nCREATE TABLE t (id int);\n"), 0o644))
	}
	for name, to := range map[string]string{
		"root/app/migrations": filepath.Join(dir, "elsewhere/migrations"),
		"root/other":          "../elsewhere",
		"root/up":             "..", "root/app/higher": "../../..", "root/here": ".",
		"root/same": "svc", "root/app/same": filepath.Join(dir, "root/svc"),
		"root/plain": "../plain", "root/vendor": "../elsewhere", "root/.hidden": "../elsewhere", "root/gone": "nowhere",
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	sets, err := Discover(os.DirFS(filepath.Join(dir, "root")), ".")
	require.NoError(t, err)
	var links []string
	for _, s := range sets {
		if s.Link {
			links = append(links, s.Dir)
			require.Empty(t, s.Migrations)
		}
	}
	require.Equal(t, []string{"app/migrations", "other"}, links)
	require.Len(t, sets, 3)

	sets, err = Discover(os.DirFS(filepath.Join(dir, "root")), "other") // named, it is read
	require.NoError(t, err)
	require.Len(t, sets, 1)
	require.Equal(t, "other/migrations", sets[0].Dir)
}

func TestDiscoverErrors(t *testing.T) {
	fsys := fstest.MapFS{"x.sql": {Data: []byte("SELECT 1;")}, "empty": {Mode: fs.ModeDir}}
	_, err := Discover(fsys, "missing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Discover(fsys, "x.sql")
	require.ErrorContains(t, err, "x.sql is not a directory")
	_, err = Config{Format: "liquibase"}.Discover(fsys, ".")
	require.ErrorContains(t, err, `unknown migration format "liquibase"; there are alembic, atlas, brant, dbmate, `)
	_, err = ReadFiles(fsys, []string{"x.sql"}, "liquibase")
	require.Error(t, err)
	sets, err := Discover(fsys, "empty")
	require.NoError(t, err)
	require.Empty(t, sets)
	_, err = ReadSchema(fsys, "missing.sql")
	require.ErrorIs(t, err, fs.ErrNotExist)
	var p *Problem
	require.True(t, errors.As(err, &p))
}

func TestFormatsAreSortedAndComplete(t *testing.T) {
	files, err := filepath.Glob("format_*.go")
	require.NoError(t, err)
	formats := Formats()
	require.Len(t, formats, len(files))
	for i, f := range formats {
		require.NotEmpty(t, f.About, f.Name)
		require.Contains(t, files, "format_"+strings.ReplaceAll(f.Name, "-", "")+".go")
		require.True(t, i == 0 || formats[i-1].Name < f.Name, "%s is out of order", f.Name)
	}
}

func TestHugeFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("-- +brant Up\n")
	n := 0
	for b.Len() < 10<<20 {
		b.WriteString("INSERT INTO t (id, s) VALUES (1, 'a line of a reasonable length; with a semicolon');\n")
		n++
	}
	f := NewFile("1_x.sql", b.String())
	s := brantFormat().read(&f).up.Statements
	require.Len(t, s, n)
	require.Equal(t, Position{File: "1_x.sql", Line: n + 1, Column: 13}, s[n-1].Position(12))

	whole := readWhole(&f, "golang-migrate").up.Statements
	require.Len(t, whole, 1)
	for i := 0; i < len(f.Text); i += 1 << 8 {
		require.Equal(t, i, f.Offset(whole[0].Position(i)))
	}

	long := NewFile("2_x.sql", "-- +brant Up\nSELECT '"+strings.Repeat("x", maxLine)+"';\n")
	out := brantFormat().read(&long)
	require.Len(t, out.up.Statements, 1)
	require.True(t, out.up.Gaps[0].Refused)
}

func TestPositionOfZeroValues(t *testing.T) {
	require.Equal(t, Position{}, new(Statement).Position(3))
	f := File{Path: "x", Text: "a\r\nb"}
	require.Equal(t, Position{"x", 2, 2}, f.Position(99))
	require.Equal(t, Position{"x", 1, 1}, f.Position(-1))
	require.Equal(t, "a", f.Line(1))
	require.Equal(t, "b", f.Line(2))
	require.Empty(t, f.Line(3))
	require.Equal(t, 3, f.Offset(Position{Line: 2, Column: 1}))
}
