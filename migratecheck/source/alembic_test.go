package source

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

const firstRevision = "\"\"\"Add plan\n\nRevision ID: 1a\n\"\"\"\n" + `from alembic import op
import sqlalchemy as sa

revision = "1a"
down_revision = None


def upgrade():
    op.execute("""
    ALTER TABLE "user" ADD COLUMN plan text; -- srhtvet:ignore add-column why not
    UPDATE "user" SET plan = 'free';
    """)
    # srhtvet:ignore not-understood it sends mail
    notify_everybody()


def downgrade():
    op.drop_column("user", "plan")  # srhtvet:ignore drop-column it was empty
`

const secondRevision = `from alembic import op
revision = "2b"
down_revision = "1a"
def upgrade():
    op.execute("SELECT 2")
def downgrade():
    raise NotImplementedError
`

func TestAlembicDirectory(t *testing.T) {
	fsys := fstest.MapFS{
		"svc/alembic/env.py":               {Data: []byte("context.configure(transaction_per_migration=True)\n")},
		"svc/alembic/versions/2b_two.py":   {Data: []byte(secondRevision)},
		"svc/alembic/versions/1a_one.py":   {Data: []byte(strings.ReplaceAll(firstRevision, "\n", "\r\n"))},
		"svc/alembic/versions/__init__.py": {Data: nil},
	}
	sets, err := Discover(fsys, ".")
	require.NoError(t, err)
	require.Len(t, sets, 1)
	set := sets[0]
	require.Equal(t, "alembic", set.Format)
	require.Empty(t, set.Problems)
	require.Len(t, set.Migrations, 2)

	one := set.Migrations[0]
	require.Equal(t, "1a", one.Version)
	require.Equal(t, "Add plan", one.Name)
	require.Equal(t, "svc/alembic/versions/1a_one.py", one.File)
	require.True(t, one.HasDown)
	require.Len(t, one.Up.Statements, 1)
	up := one.Up.Statements[0]
	at := strings.Index(up.SQL, "UPDATE")
	require.Equal(t, Position{File: one.File, Line: 15, Column: 5}, up.Position(at))
	require.NotContains(t, up.SQL, "\r")
	require.Len(t, up.Ignores, 1)
	require.Equal(t, []string{"add-column"}, up.Ignores[0].Rules)
	require.Equal(t, Position{File: one.File, Line: 14, Column: 46}, up.Ignores[0].Pos)
	require.Equal(t, strings.Index(up.SQL, "ALTER"), up.Ignores[0].Offset)
	require.Len(t, one.Up.Gaps, 1)
	require.Equal(t, Position{File: one.File, Line: 18, Column: 5}, one.Up.Gaps[0].Pos)
	require.Equal(t, "it sends mail", one.Up.Gaps[0].Ignores[0].Reason)
	require.Empty(t, one.Up.StrayIgnores)
	down := one.Down.Statements[0]
	require.Equal(t, `ALTER TABLE "user" DROP COLUMN plan`, down.SQL)
	require.Equal(t, Position{File: one.File, Line: 22, Column: 29}, down.Position(strings.Index(down.SQL, "plan")))
	require.Equal(t, -1, down.Ignores[0].Offset)

	two := set.Migrations[1]
	require.False(t, two.HasDown)
	require.NotEqual(t, up.Tx, two.Up.Statements[0].Tx, "env.py asks for a transaction each")
	require.NotEqual(t, up.Tx, down.Tx)
}

// TestAlembicNamingConvention: what env.py imports within the repository says how constraints are named; what says it in a way that has
// to be run, or in two ways, does not.
func TestAlembicNamingConvention(t *testing.T) {
	const revision = "from alembic import op\nrevision = \"1a\"\ndown_revision = None\ndef upgrade():\n    op.create_unique_constraint(None, \"t\", [\"a\"])\ndef downgrade():\n    pass\n"
	const named = "from sqlalchemy import MetaData\nfrom .names import convention\nmetadata = MetaData(naming_convention=convention)\n"
	for _, c := range []struct {
		name, env, names string
		want             string
	}{
		{"in a package above", "from app import (\n    models,\n    other,\n)\ntarget_metadata = models.db.metadata\n", "convention = {\"uq\": \"uq_%(table_name)s\"}\n", "ADD CONSTRAINT uq_t UNIQUE"},
		{"not imported", "target_metadata = thing\n", "convention = {\"uq\": \"uq_%(table_name)s\"}\n", "ADD UNIQUE"},
		{"not literal", "from app.models import db\ntarget_metadata = db.metadata\n", "convention = make()\n", "ADD UNIQUE"},
		{"two of them", "from app.models import db\nfrom sqlalchemy import MetaData\ntarget_metadata = MetaData(naming_convention={\"uq\": \"x\"})\n", "convention = {\"uq\": \"uq_%(table_name)s\"}\n", "ADD UNIQUE"},
		{"not given", "from app.models import db\ntarget_metadata = None\n", "convention = {\"uq\": \"uq_%(table_name)s\"}\n", "ADD UNIQUE"},
	} {
		fsys := fstest.MapFS{
			"svc/alembic/env.py":             {Data: []byte(c.env)},
			"svc/alembic/versions/1a_one.py": {Data: []byte(revision)},
			"svc/app/__init__.py":            {},
			"svc/app/models.py":              {Data: []byte("from app.db import metadata\n")},
			"svc/app/db.py":                  {Data: []byte(named)},
			"svc/app/names.py":               {Data: []byte(c.names)},
		}
		sets, err := Discover(fsys, ".")
		require.NoError(t, err, c.name)
		require.Len(t, sets, 1, c.name)
		require.Empty(t, sets[0].Other, c.name)
		require.Empty(t, sets[0].Problems, c.name)
		require.Contains(t, sets[0].Migrations[0].Up.Statements[0].SQL, c.want, c.name)
	}
}

func TestAlembicMisplaced(t *testing.T) {
	fsys := fstest.MapFS{
		"versions/2b_two.py": {Data: []byte(secondRevision)},
		"versions/3c.py":     {Data: []byte("revision = '3c'\ndown_revision = '4d'\ndef upgrade(): pass\n")},
		"versions/4d.py":     {Data: []byte("revision = '4d'\ndown_revision = '3c'\ndef upgrade(): pass\n")},
		"versions/5e.py":     {Data: []byte("import x\nrevision = x.y\ndown_revision = '3c'\ndef upgrade(): pass\n")},
	}
	sets, err := Discover(fsys, ".")
	require.NoError(t, err)
	require.Len(t, sets, 1)
	require.Equal(t, []string{
		"versions/5e.py:2:1: its revision identifier cannot be told without running it",
		"versions/2b_two.py:3:1: down_revision 1a of revision 2b is in no file",
		"versions/3c.py:2:1: revisions follow each other in a circle: 3c (versions/3c.py), 4d (versions/4d.py)",
	}, problemTexts(sets))
	require.Len(t, sets[0].Migrations, 3)
}
