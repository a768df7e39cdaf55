package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	return name
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "base.sql", "CREATE TABLE t (a int);")
	write(t, dir, "db/sizes.json", `[{"table": "t", "rows": 12, "bytes": 8192}]`)
	s, err := Load(write(t, dir, Name, `
severity = "info"
enable = ["hygiene"]
disable = ["drop-table", "locks"]
pg = 13
schema = "base.sql"
stats = "db/sizes.json"
base = "v1"
source = "brant"
`))
	require.NoError(t, err)
	cfg, err := s.Config()
	require.NoError(t, err)
	require.NotNil(t, cfg.Stats)
	cfg.Stats = nil
	require.Equal(t, migratecheck.Config{
		Version: 13, Severity: migratecheck.Info, Enable: []string{"hygiene"}, Disable: []string{"drop-table", "locks"},
		Base: "v1", Format: "brant", Schema: filepath.Join(dir, "base.sql"),
	}, cfg)
	require.Equal(t, []string{filepath.Join(dir, "base.sql"), filepath.Join(dir, "db/sizes.json")}, s.Names())
}

func TestLoadErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"severty = 'info'", `:1: unknown key "severty"; did you mean severity?`},
		{"pg = 15\n\n[rules]\nx = 1", `:3: unknown key "rules"`},
		{"pg = 15\n\n[rules]\nx = 1", "there are severity, enable, disable, pg, schema, stats, base, since, source"},
		{"pg = 11", ":1: pg: PostgreSQL 11 is not known here: use 12 to 18"},
		{"pg = 0", ":1: pg: PostgreSQL 0"},
		{"\npg = '15'", ":2: "},
		{"pg = ", ":1: "},
		{"severity = 'bad'", `:1: severity: unknown severity "bad"`},
		{"pg = 15\nenable = ['drop-tabel']", `:2: enable: no rule or category is called "drop-tabel"; did you mean drop-table?`},
		{"disable = ['zzzzzzzzz']", "`srhtvet rules` lists them"},
		{"source = 'brand'", "did you mean brant?"},
		{"pg = 15\npgbouncer = 'new'", `:2: pgbouncer: "new" is not a version of PgBouncer: use one like "1.20"`},
		{"pgbouncer = '2.1'", ":1: pgbouncer: "},
		{"pgbouncer = '1.20.x'", ":1: pgbouncer: "},
		{"pgbouncer = 1.20", ":1: "},
		{"base = 'a'\nsince = '1'", ":2: since: base and since exclude each other"},
	} {
		name := write(t, t.TempDir(), Name, c.text)
		_, err := Load(name)
		require.ErrorContains(t, err, c.want, c.text)
		require.True(t, strings.HasPrefix(err.Error(), name), err.Error())
	}
	_, err := Load(filepath.Join(t.TempDir(), Name))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestLoadNamesEveryMistake(t *testing.T) {
	_, err := Load(write(t, t.TempDir(), Name, "pg = 3\nsevirity = 'x'\nsource = 'y'"))
	require.ErrorContains(t, err, ":1: pg")
	require.ErrorContains(t, err, `:2: unknown key "sevirity"`)
	require.ErrorContains(t, err, ":3: source")
}

func TestUnknownTableIsNamedOnce(t *testing.T) {
	name := write(t, t.TempDir(), Name, "pg = 15\n[foo]\nx = 1\ny = 2\n[foo.z]\n")
	_, err := Load(name)
	require.EqualError(t, err, name+`:2: unknown key "foo"; there are `+strings.Join(keys(), ", "))
}

func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"schema = 'nowhere.sql'": "schema: ",
		"stats = 'nowhere.json'": "stats: ",
		"stats = 'dir'":          "stats: ",
		"schema = 'dir'":         "is a directory",
	} {
		dir := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o755))
		s, err := Load(write(t, dir, Name, text))
		require.NoError(t, err)
		_, err = s.Config()
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, Name)
	}
}

func TestFindAndRoot(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "a", "b")
	require.NoError(t, os.MkdirAll(inner, 0o755))
	_, found := Root(inner)
	require.False(t, found)
	require.Empty(t, Find(inner, dir))
	top := write(t, dir, Name, "")
	require.Equal(t, top, Find(inner, dir))
	require.Empty(t, Find(inner, filepath.Join(dir, "a")), "no further up than the module")
	near := write(t, dir, "a/"+Name, "")
	require.Equal(t, near, Find(inner, dir))

	require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
	root, found := Root(inner)
	require.True(t, found)
	require.Equal(t, dir, root)
	write(t, dir, "a/go.mod", "module x")
	root, _ = Root(inner)
	require.Equal(t, filepath.Join(dir, "a"), root, "a module is nearer than the repository")
}

func TestBouncerMinor(t *testing.T) {
	for version, want := range map[string]int{"1.20": 20, "1.18.0": 18, "1.9": 9} {
		s, err := Load(write(t, t.TempDir(), Name, "pgbouncer = '"+version+"'"))
		require.NoError(t, err)
		minor, ok := s.BouncerMinor()
		require.True(t, ok)
		require.Equal(t, want, minor)
	}
	_, ok := new(Settings).BouncerMinor()
	require.False(t, ok)
}
