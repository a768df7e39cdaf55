package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// TestEndSession: what is set ends with the session, temporary tables too; what roles and databases are given begins with the
// next one.
func TestEndSession(t *testing.T) {
	c := catalog.New(catalog.Config{})
	run := func(sql string) {
		t.Helper()
		stmts, err := pgast.Parse(sql)
		require.NoError(t, err)
		for _, s := range stmts {
			_, err := c.Apply(s)
			require.NoError(t, err, s.SQL)
		}
	}
	require.Same(t, c, c.NewSession(), "nothing was set")
	run(`CREATE SCHEMA app; SET search_path = app; CREATE TABLE mine (id integer); CREATE TEMPORARY TABLE scratch (id integer);
		COMMENT ON TABLE mine IS 'x'`)
	next := c.NewSession()
	require.Equal(t, "", next.Setting("search_path"))
	require.Nil(t, next.Relation("", "scratch"))
	require.Nil(t, next.Relation("", "mine"))
	require.NotNil(t, next.Relation("app", "mine"))
	require.Equal(t, "app", c.Setting("search_path"), "the session goes on")
	require.NotNil(t, c.Relation("", "scratch"))

	run(`ALTER ROLE web IN DATABASE paste SET search_path = app, public`)
	require.Equal(t, "app", c.Setting("search_path"))
	c.EndSession()
	require.Equal(t, "app, public", c.Setting("search_path"))
	require.NotNil(t, c.Relation("", "mine"))
	require.Same(t, c, c.NewSession())
	run(`SET search_path = public; RESET search_path`)
	require.Equal(t, "app, public", c.Setting("search_path"))
	run(`ALTER DATABASE paste RESET search_path`)
	require.Equal(t, "app, public", c.Setting("search_path"), "not in the session that has begun")
	require.Equal(t, "", c.NewSession().Setting("search_path"))

	c.EndSession()
	run(`SET LOCAL search_path = app`)
	require.Equal(t, "", c.Setting("search_path"), "no transaction")
	c.Wrap(true)
	run(`SET LOCAL search_path = app`)
	require.Equal(t, "app", c.Setting("search_path"), "the tool's")
	require.Equal(t, "", next.Setting("search_path"), "clones are independent")

	// SAVEPOINT in the tool's transaction, which ends with what the tool wraps.
	run(`SAVEPOINT a; CREATE TABLE kept (id integer); SAVEPOINT b; CREATE TABLE undone (id integer); ROLLBACK TO b; RELEASE a`)
	require.NotNil(t, c.Relation("app", "kept"))
	require.Nil(t, c.Relation("app", "undone"))
	require.True(t, c.InTransaction())
	require.False(t, c.NewSession().InTransaction())
	c.Wrap(false)
	require.False(t, c.InTransaction())
}
