package lockmode

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/stretchr/testify/require"
)

// TestConflicts tries all pairs of modes on a server: LOCK … NOWAIT fails if they conflict.
func TestConflicts(t *testing.T) {
	dsn := pgtest.Shared(t, pgtest.Config{}).Database(t)
	holder, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	ctx := t.Context()
	_, err := holder.Exec(ctx, "CREATE TABLE t (a int)")
	require.NoError(t, err)
	for _, held := range Modes() {
		for _, wanted := range Modes() {
			_, err := holder.Exec(ctx, "BEGIN; LOCK t IN "+held.SQL()+" MODE")
			require.NoError(t, err)
			_, err = other.Exec(ctx, "BEGIN; LOCK t IN "+wanted.SQL()+" MODE NOWAIT")
			require.Equal(t, err != nil, wanted.Conflicts(held), "%s while %s is held", wanted, held)
			require.Equal(t, wanted.Conflicts(held), held.Conflicts(wanted), "conflicts are mutual")
			_, err = other.Exec(ctx, "ROLLBACK")
			require.NoError(t, err)
			_, err = holder.Exec(ctx, "ROLLBACK")
			require.NoError(t, err)
		}
		require.NotEmpty(t, held.Blocks())
	}
	require.False(t, Mode("").Conflicts(AccessExclusive))
	require.Equal(t, AccessExclusive, Strongest(AccessExclusive, Share))
	require.Equal(t, Share, Strongest("", Share))
}

// TestUnknownTables: a table that nobody has seen is taken for a plain one, in an open catalog and in an empty one.
func TestUnknownTables(t *testing.T) {
	for _, open := range []bool{true, false} {
		c := catalog.New(catalog.Config{Open: open})
		for _, test := range []struct {
			sql      string
			locks    map[string]Mode
			rewrites bool
			scans    bool
		}{
			{"ALTER TABLE z ADD COLUMN a int", map[string]Mode{"z": AccessExclusive}, false, false},
			{"ALTER TABLE z ADD COLUMN a int DEFAULT 1", map[string]Mode{"z": AccessExclusive}, false, false},
			{"ALTER TABLE z ADD COLUMN a timestamptz DEFAULT now()", map[string]Mode{"z": AccessExclusive}, false, false},
			{"ALTER TABLE z ADD COLUMN a float8 DEFAULT random()", map[string]Mode{"z": AccessExclusive}, true, true},
			{"ALTER TABLE z ADD COLUMN a serial", map[string]Mode{"z": AccessExclusive}, true, true},
			{"ALTER TABLE z ADD COLUMN a int REFERENCES y", map[string]Mode{"z": AccessExclusive, "y": ShareRowExclusive}, false, false},
			{"ALTER TABLE z ADD FOREIGN KEY (a) REFERENCES y (b)", map[string]Mode{"z": ShareRowExclusive, "y": ShareRowExclusive}, false, true},
			{"ALTER TABLE z ADD CHECK (a > 0)", map[string]Mode{"z": AccessExclusive}, false, true},
			{"ALTER TABLE z ALTER COLUMN a SET NOT NULL", map[string]Mode{"z": AccessExclusive}, false, true},
			{"ALTER TABLE z ALTER COLUMN a TYPE bigint", map[string]Mode{"z": AccessExclusive}, true, true},
			{"ALTER TABLE other.z RENAME TO y", map[string]Mode{"other.z": AccessExclusive}, false, false},
			{"CREATE INDEX i ON z (a)", map[string]Mode{"z": Share}, false, true},
			{"CREATE INDEX CONCURRENTLY i ON z (a)", map[string]Mode{"z": ShareUpdateExclusive}, false, true},
			{"DROP TABLE z", map[string]Mode{"z": AccessExclusive}, false, false},
			{"DROP INDEX i", map[string]Mode{"i": AccessExclusive}, false, false},
			{"TRUNCATE z", map[string]Mode{"z": AccessExclusive}, true, false},
			{"UPDATE z SET a = 1", map[string]Mode{"z": RowExclusive}, false, true},
			{"DELETE FROM z WHERE a = 1", map[string]Mode{"z": RowExclusive}, false, false},
			{"INSERT INTO z VALUES (1)", map[string]Mode{"z": RowExclusive}, false, false},
			{"SELECT * FROM z, pg_class, information_schema.tables", map[string]Mode{"z": AccessShare}, false, true},
			{"VACUUM FULL z", map[string]Mode{"z": AccessExclusive}, true, true},
			{"CREATE TRIGGER g AFTER INSERT ON z EXECUTE FUNCTION f()", map[string]Mode{"z": ShareRowExclusive}, false, false},
			{"REFRESH MATERIALIZED VIEW CONCURRENTLY z", map[string]Mode{"z": Exclusive}, false, false},
			{"LOCK z", map[string]Mode{"z": AccessExclusive}, false, false},
			{"CREATE TABLE n (a int REFERENCES z)", map[string]Mode{"z": ShareRowExclusive}, false, false},
			{"SET lock_timeout = '1s'", map[string]Mode{}, false, false},
			{"CREATE TABLE n (a int)", map[string]Mode{}, false, false},
		} {
			e, err := Analyze(0, c, parseOne(t, test.sql))
			require.NoError(t, err)
			o := predicted(e)
			require.Equal(t, test.locks, o.locks, "%s, open: %v", test.sql, open)
			require.Equal(t, test.rewrites, len(o.rewrites) > 0, "rewrites of %s, open: %v", test.sql, open)
			require.Equal(t, test.scans, len(o.scans) > 0, "scans of %s, open: %v", test.sql, open)
		}
	}
}

// TestFlags: what cannot run in a transaction, and what waits for others.
func TestFlags(t *testing.T) {
	c, err := applied(catalog.Config{}, Schema)
	require.NoError(t, err)
	for sql, want := range map[string][2]bool{
		"CREATE INDEX CONCURRENTLY i ON t (a)":                 {true, true},
		"DROP INDEX CONCURRENTLY t_b_idx":                      {true, true},
		"REINDEX TABLE CONCURRENTLY t":                         {true, true},
		"REINDEX (CONCURRENTLY off) TABLE t":                   {false, false},
		"ALTER TABLE part DETACH PARTITION part1 CONCURRENTLY": {true, true},
		"VACUUM t": {true, false},
		"REFRESH MATERIALIZED VIEW CONCURRENTLY m": {false, false},
		"ALTER TABLE t ADD COLUMN z int":           {false, false},
	} {
		e, err := Analyze(15, c, parseOne(t, sql))
		require.NoError(t, err)
		require.Equal(t, want, [2]bool{e.NoTransaction, e.Waits}, sql)
	}
	_, err = Analyze(15, c, pgast.Stmt{})
	require.Error(t, err)
}

// TestRowsAreComplete: each row says all that a page needs, and none is there twice.
func TestRowsAreComplete(t *testing.T) {
	rows, err := Rows()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, row := range rows {
		require.NotEmpty(t, row.Statement)
		require.NotEmpty(t, row.Source, row.Statement)
		require.NotEmpty(t, row.Example, row.Statement)
		require.NotEmpty(t, row.Versions, row.Statement)
		require.False(t, seen[row.Statement], "%s is there twice", row.Statement)
		seen[row.Statement] = true
	}
	t.Logf("%d rows", len(rows))
}
