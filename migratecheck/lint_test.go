package migratecheck

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// tree is a scratch directory, a git repository once init was called.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) *tree { return &tree{t, t.TempDir()} }

func (w *tree) write(files map[string]string) *tree {
	w.t.Helper()
	for name, text := range files {
		p := filepath.Join(w.dir, filepath.FromSlash(name))
		require.NoError(w.t, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(w.t, os.WriteFile(p, []byte(text), 0o644))
	}
	return w
}

func (w *tree) git(args ...string) {
	w.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	require.NoError(w.t, err, "%s", out)
}

// commit commits everything, with a tag when one is given.
func (w *tree) commit(tag string) *tree {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join(w.dir, ".git")); err != nil {
		w.git("init", "-q")
	}
	w.git("add", "-A")
	w.git("commit", "-q", "--allow-empty", "-m", "x")
	if tag != "" {
		w.git("tag", "-a", "-m", tag, tag)
	}
	return w
}

func (w *tree) lint(cfg Config, paths ...string) *Report {
	w.t.Helper()
	cfg.Severity = Info
	r, err := Lint(context.Background(), cfg, w.dir, paths...)
	require.NoError(w.t, err)
	return r
}

// rules lists "file: rule" of the findings.
func found(r *Report) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Pos.File+": "+f.Rule)
	}
	return list
}

const (
	createRepo = "-- +brant Up\nCREATE TABLE repo (id integer PRIMARY KEY, name text);\n-- +brant Down\nDROP TABLE repo;\n"
	dropName   = "-- +brant Up\nSET LOCAL lock_timeout = '2s';\nALTER TABLE repo DROP COLUMN name;\n-- +brant Down\nALTER TABLE repo ADD COLUMN name text;\n"
	switchTool = "-- +brant Up\nDROP TABLE alembic_version;\n"
)

func TestPendingSinceTag(t *testing.T) {
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": dropName}).commit("")
	r := w.lint(Config{})
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	require.Equal(t, "tag 1.0", r.Sets[0].Base)
	require.Equal(t, 1, r.Sets[0].Pending)

	w.git("tag", "1.1", "HEAD")
	require.Equal(t, 1, w.lint(Config{}).Sets[0].Pending, "a tag on HEAD itself is what is about to be released")
	w.commit("") // HEAD moves on
	require.Equal(t, 0, w.lint(Config{}).Sets[0].Pending)
	require.Equal(t, 1, w.lint(Config{Base: "1.0"}).Sets[0].Pending)
	require.Equal(t, 1, w.lint(Config{Since: "1"}).Sets[0].Pending)
	require.Equal(t, 2, w.lint(Config{All: true}).Sets[0].Pending)
}

// Migrations whose directory moved are what they were: released, but for those that came with the move.
func TestPendingAfterMove(t *testing.T) {
	w := newTree(t).write(map[string]string{"db/migrations/0001_a.sql": createRepo}).commit("1.0")
	w.git("mv", "db", "data")
	w.write(map[string]string{"data/migrations/0002_b.sql": dropName}).commit("")
	r := w.lint(Config{})
	require.Equal(t, 1, r.Sets[0].Pending)
	require.Contains(t, found(r), "data/migrations/0002_b.sql: drop-column")
	require.NotContains(t, found(r), "data/migrations/0001_a.sql: missing-down")
}

// A migration in Go is released when its file is, as any other.
func TestPendingGoMigration(t *testing.T) {
	goose := "package migrations\n\nimport \"github.com/pressly/goose/v3\"\n\nfunc init() { goose.AddMigrationNoTxContext(up, nil) }\n"
	w := newTree(t).write(map[string]string{
		"migrations/00001_a.sql": "-- +goose Up\nCREATE TABLE repo (id integer PRIMARY KEY, name text);\n",
		"migrations/00002_b.go":  goose,
	}).commit("1.0").write(map[string]string{"migrations/00003_c.sql": "-- +goose Up\nALTER TABLE repo DROP COLUMN name;\n"}).commit("")
	r := w.lint(Config{})
	require.Equal(t, 3, r.Sets[0].Files)
	require.Equal(t, 1, r.Sets[0].Pending)
}

func TestPendingSinceMergeBase(t *testing.T) {
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo}).commit("")
	w.git("switch", "-q", "-c", "topic")
	w.write(map[string]string{"migrations/0002_b.sql": dropName}).commit("")
	r := w.lint(Config{})
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	require.Contains(t, r.Sets[0].Base, "merge base with main")
}

func TestEverythingPendingWithoutGit(t *testing.T) {
	r := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": dropName}).lint(Config{})
	require.Equal(t, 2, r.Sets[0].Pending)
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column", "each file is a unit of its own")
}

// A typo in a pending file is no sign that the history begins elsewhere.
func TestTypoDoesNotOpenTheCatalog(t *testing.T) {
	typo := "-- +brant Up\nSET LOCAL lock_timeout = '2s';\nALTER TABLE rpeo ADD COLUMN a integer;\n-- +brant Down\nALTER TABLE rpeo DROP COLUMN a;\n"
	released := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": typo}).commit("")
	r := released.lint(Config{})
	require.Contains(t, found(r), "migrations/0002_b.sql: unknown-object")
	require.Equal(t, "an empty database", r.Sets[0].Baseline)

	fresh := newTree(t).write(map[string]string{"README": ""}).commit("1.0").
		write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": typo}).commit("")
	require.Contains(t, found(fresh.lint(Config{})), "migrations/0002_b.sql: unknown-object", "a new service: nothing is released")
	require.Contains(t, found(released.lint(Config{Since: "1"})), "migrations/0002_b.sql: unknown-object")
}

func TestBaselineSchemaOfParentCommit(t *testing.T) {
	w := newTree(t).write(map[string]string{"schema.sql": "CREATE TABLE repo (id integer PRIMARY KEY, name text);\n"}).commit("1.0").
		write(map[string]string{"migrations/0001_a.sql": switchTool}).commit("1.1").
		write(map[string]string{"migrations/0002_b.sql": dropName, "schema.sql": "CREATE TABLE repo (id integer PRIMARY KEY);\n"}).commit("")
	r := w.lint(Config{})
	require.Contains(t, r.Sets[0].Baseline, "schema.sql of ")
	require.Contains(t, r.Sets[0].Baseline, "before 0001_a.sql was added")
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	require.NotContains(t, found(r), "schema.sql: schema-drift")
}

func TestBaselineEarlierTool(t *testing.T) {
	revision := "from alembic import op\nimport sqlalchemy as sa\nrevision = 'abc'\ndown_revision = None\n" +
		"def upgrade():\n    op.create_table('repo', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.Unicode))\n" +
		"def downgrade():\n    op.drop_table('repo')\n"
	w := newTree(t).write(map[string]string{"svc/alembic/versions/abc_first.py": revision}).commit("1.0")
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "svc")))
	w.write(map[string]string{"migrations/0001_a.sql": switchTool}).commit("1.1").
		write(map[string]string{"migrations/0002_b.sql": dropName}).commit("")
	r := w.lint(Config{})
	require.Contains(t, r.Sets[0].Baseline, "1 alembic migrations in svc/alembic/versions before ")
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	require.NotContains(t, found(r), "migrations/0002_b.sql: unknown-object")
}

// A history that drops another tool's bookkeeping, and no more than that yet, has not begun with an empty database.
func TestBaselineTakenOver(t *testing.T) {
	w := newTree(t).write(map[string]string{"schema.sql": "CREATE TABLE repo (id integer PRIMARY KEY, name text);\n"}).commit("1.0").
		write(map[string]string{"migrations/0001_a.sql": switchTool}).commit("")
	r := w.lint(Config{})
	require.Contains(t, r.Sets[0].Baseline, "before 0001_a.sql was added")
	require.NotContains(t, found(r), "schema.sql: schema-drift")
}

// Revisions that refer to tables nobody made, beside a schema.sql that came later: what is released of it is the schema
// before the pending ones.
func TestBaselineReleasedSchema(t *testing.T) {
	revision := func(id, down, upgrade string) string {
		return "from alembic import op\nimport sqlalchemy as sa\nrevision = '" + id + "'\ndown_revision = " + down + "\ndef upgrade():\n    " + upgrade +
			"\ndef downgrade():\n    raise NotImplementedError()\n"
	}
	w := newTree(t).write(map[string]string{"svc/alembic/versions/a_tags.py": revision("a", "None", "op.add_column('project', sa.Column('tags', sa.Unicode))")}).commit("0.9").
		write(map[string]string{"schema.sql": "CREATE TABLE project (id integer PRIMARY KEY, tags text, name text);\n"}).commit("1.0").
		write(map[string]string{
			"svc/alembic/versions/b_name.py": revision("b", "'a'", "op.drop_column('project', 'name')"),
			"schema.sql":                     "CREATE TABLE project (id integer PRIMARY KEY, tags text);\n",
		}).commit("")
	timelines, r, err := Timelines(context.Background(), Config{}, w.dir)
	require.NoError(t, err)
	require.Contains(t, r.Sets[0].Baseline, "schema.sql as released")
	require.Equal(t, []string{"id", "tags", "name"}, columns(timelines[0].Base, "project"))
	require.Equal(t, []string{"id", "tags"}, columns(timelines[0].Final, "project"))
	require.NotContains(t, found(r), "schema.sql: schema-drift")
}

// columns lists the columns of a table.
func columns(c *catalog.Catalog, table string) (names []string) {
	for o := range c.All() {
		if rel, ok := o.(*catalog.Relation); ok && rel.Name == table {
			for _, col := range rel.Columns {
				if !col.Dropped {
					names = append(names, col.Name)
				}
			}
		}
	}
	return names
}

// What is released has been applied, although a pending migration's version comes before it.
func TestPendingOutOfOrder(t *testing.T) {
	add := func(column string) string {
		return "-- +brant Up\nALTER TABLE repo ADD COLUMN " + column + " text;\n-- +brant Down\nALTER TABLE repo DROP COLUMN " + column + ";\n"
	}
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0003_c.sql": add("third")}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": add("second")}).commit("")
	timelines, _, err := Timelines(context.Background(), Config{}, w.dir)
	require.NoError(t, err)
	require.Equal(t, []string{"id", "name", "third"}, columns(timelines[0].Base, "repo"))
	require.Equal(t, []string{"id", "name", "third", "second"}, columns(timelines[0].Final, "repo"))
}

func TestBaselineUnwound(t *testing.T) {
	w := newTree(t).write(map[string]string{
		"migrations/0001_a.sql": switchTool,
		"migrations/0002_b.sql": dropName,
		"schema.sql":            "CREATE TABLE repo (id integer PRIMARY KEY);\n",
	})
	r := w.lint(Config{})
	require.Equal(t, "schema.sql unwound through the Down sections", r.Sets[0].Baseline)
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
}

func TestBaselineOpen(t *testing.T) {
	r := newTree(t).write(map[string]string{"migrations/0001_a.sql": switchTool, "migrations/0002_b.sql": dropName}).lint(Config{})
	require.Contains(t, r.Sets[0].Baseline, "unseen objects are assumed to exist")
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	require.NotContains(t, found(r), "migrations/0002_b.sql: unknown-object")
}

func TestBaselineSchemaFlag(t *testing.T) {
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": dropName, "base.sql": "CREATE TABLE repo (id integer PRIMARY KEY, name text);"})
	r := w.lint(Config{Schema: filepath.Join(w.dir, "base.sql")}, "migrations")
	require.Equal(t, filepath.Join(w.dir, "base.sql"), r.Sets[0].Baseline)
	require.Contains(t, found(r), "migrations/0001_a.sql: drop-column")
}

// A file named by itself is judged; its directory is the history all the same, and the other files are not reported.
func TestNamedFile(t *testing.T) {
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": dropName}).commit("1.0").
		write(map[string]string{"migrations/0003_c.sql": "-- +brant Up\nALTER TABLE repo ADD COLUMN name integer;\n"}).commit("")
	r := w.lint(Config{}, "migrations/0002_b.sql")
	require.Equal(t, 1, r.Files)
	require.Contains(t, found(r), "migrations/0002_b.sql: drop-column")
	for _, f := range r.Findings {
		require.Equal(t, "migrations/0002_b.sql", f.Pos.File)
	}
}

// Files that were not named are not released for that: they are applied in their order, and no version is said to be late. What is
// released still is.
func TestNamedFileOfSeveral(t *testing.T) {
	const useName = "-- +brant Up\nSET LOCAL lock_timeout = '2s';\nALTER TABLE repo ADD COLUMN name2 text;\n-- +brant Down\nALTER TABLE repo DROP COLUMN name2;\n"
	files := map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": dropName, "migrations/0003_c.sql": useName}
	w := newTree(t).write(files)
	require.Empty(t, found(w.lint(Config{}, "migrations/0001_a.sql")))
	require.Equal(t, []string{"migrations/0002_b.sql: drop-column"}, without(found(w.lint(Config{}, "migrations/0002_b.sql")), "lossy-down"))

	w = newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0003_c.sql": useName}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": dropName}).commit("")
	require.Contains(t, found(w.lint(Config{}, "migrations/0002_b.sql")), "migrations/0002_b.sql: version-gap")
	require.NotContains(t, found(w.lint(Config{}, "migrations/0001_a.sql")), "migrations/0001_a.sql: version-gap", "it is released itself")
	w = newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo}).commit("1.0").write(files).commit("")
	require.NotContains(t, found(w.lint(Config{}, "migrations/0002_b.sql")), "migrations/0002_b.sql: version-gap", "neither is released")
}

func without(list []string, rule string) []string {
	return slices.DeleteFunc(list, func(f string) bool { return strings.HasSuffix(f, ": "+rule) })
}

// What a history has made itself, and dropped, was not there before it.
func TestBaselineOfDropped(t *testing.T) {
	files := map[string]string{
		"migrations/0001_a.sql": "-- +brant Up\nCREATE TABLE users (id integer PRIMARY KEY);\n-- +brant Down\nDROP TABLE users;\n",
		"migrations/0002_b.sql": "-- +brant Up\nDROP TABLE users;\n-- +brant Down\nCREATE TABLE users (id integer PRIMARY KEY);\n",
	}
	again := map[string]string{"migrations/0003_c.sql": "-- +brant Up\nALTER TABLE users ADD COLUMN n integer;\n"}
	r := newTree(t).write(files).write(again).lint(Config{})
	require.Equal(t, "an empty database", r.Sets[0].Baseline)
	require.Contains(t, found(r), "migrations/0003_c.sql: unknown-object")

	w := newTree(t).write(files).commit("1.0")
	r = w.write(map[string]string{"migrations/0003_c.sql": "-- +brant Up\nALTER TABLE other ADD COLUMN n integer;\n"}).commit("").lint(Config{})
	require.Equal(t, "an empty database", r.Sets[0].Baseline, "a table was made, though it is gone")
	require.Contains(t, found(r), "migrations/0003_c.sql: unknown-object")

	r = newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": "-- +brant Up\nALTER TABLE repo DROP COLUMN nope;\n"}).lint(Config{})
	require.Contains(t, found(r), "migrations/0002_b.sql: unknown-object", "a column that the table was made without")
	r = newTree(t).write(again).lint(Config{})
	require.Contains(t, r.Sets[0].Baseline, "nothing: the history refers to objects it does not create")
}

// A released file that was edited is reported although nothing is pending.
func TestEditedWithNothingPending(t *testing.T) {
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "migrations/0002_b.sql": dropName}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": strings.Replace(dropName, "2s", "5s", 1)}).commit("")
	r := w.lint(Config{})
	require.Equal(t, 0, r.Sets[0].Pending)
	require.Equal(t, []string{"migrations/0002_b.sql: edited-released"}, found(r))
}

func TestSinceWithTwoTools(t *testing.T) {
	w := newTree(t).write(map[string]string{
		"a/migrations/0001_a.sql": createRepo, "a/migrations/0002_b.sql": dropName,
		"b/migrations/20240101_x.sql": createRepo,
	})
	r := w.lint(Config{Since: "0001"})
	require.Len(t, r.Sets, 2)
	require.Equal(t, 1, r.Sets[0].Pending)
	_, err := Lint(context.Background(), Config{Since: "77"}, w.dir)
	require.ErrorContains(t, err, "-since 77: no migration of that version in a/migrations, b/migrations")
}

func TestNoMigrations(t *testing.T) {
	_, err := Lint(context.Background(), Config{}, newTree(t).dir)
	require.ErrorIs(t, err, ErrNoMigrations)
}

func TestCodeWithMigration(t *testing.T) {
	cfg := Config{Enable: []string{"code-with-migration"}}
	w := newTree(t).write(map[string]string{"migrations/0001_a.sql": createRepo, "api/a.go": "package api\n"}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": dropName, "schema.sql": "", "api/a_test.go": "package api\n"}).commit("")
	require.NotContains(t, found(w.lint(cfg)), "migrations/0002_b.sql: code-with-migration", "nothing but tests and a schema")

	w.write(map[string]string{"api/a.go": "package api // changed\n"}).commit("").
		write(map[string]string{"migrations/0003_c.sql": "-- +brant Up\nSELECT 1;\n", "api/b.go": "package api\n"}).commit("")
	list := found(w.lint(cfg))
	require.NotContains(t, list, "migrations/0002_b.sql: code-with-migration", "another commit changes the code")
	require.Contains(t, list, "migrations/0003_c.sql: code-with-migration")
	require.NotContains(t, found(w.lint(Config{})), "migrations/0003_c.sql: code-with-migration", "it is opt-in")

	w.write(map[string]string{"migrations/0004_d.sql": "-- +brant Up\nSELECT 2;\n", "api/a.go": "package api // again\n"})
	require.Contains(t, found(w.lint(cfg)), "migrations/0004_d.sql: code-with-migration", "not committed yet")
	w.git("checkout", "-q", "api/a.go")
	require.NotContains(t, found(w.lint(cfg)), "migrations/0004_d.sql: code-with-migration")
}
