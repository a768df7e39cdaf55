package poolsafe

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// pool is a PgBouncer with clients on it.
type pool struct {
	t   *testing.T
	dsn string
}

// client is a connection to a PgBouncer.
type client struct {
	*pgx.Conn
	t        *testing.T
	notified []string // what has arrived by NOTIFY
}

// bouncer starts a PgBouncer with so many connections to the server. It hands out the one that was used last: pool.c,
// and "server_round_robin" in its manual.
func bouncer(t *testing.T, size string) *pool {
	t.Helper()
	return following(t, size, false)
}

// following starts one that follows prepared statements that have names, or not.
func following(t *testing.T, size string, follows bool) *pool {
	t.Helper()
	direct := pgtest.Shared(t, pgtest.Config{}).Database(t)
	settings := map[string]string{"default_pool_size": size}
	switch {
	case follows:
		settings["max_prepared_statements"] = "200"
	case follow(t):
		settings["max_prepared_statements"] = "0" // 200 by default from 1.24 on
	}
	return &pool{t, pgtest.Bouncer(t, direct, settings)}
}

// follow reports whether the PgBouncer here can do so.
func follow(t *testing.T) bool { return pgtest.BouncerVersion(t) >= 21 }

// client connects, and sends what it is given as it is: by the simple protocol.
func (p *pool) client() *client {
	p.t.Helper()
	cfg, err := pgx.ParseConfig(p.dsn)
	require.NoError(p.t, err)
	return p.connect(cfg, pgx.QueryExecModeSimpleProtocol)
}

func (p *pool) connect(cfg *pgx.ConnConfig, mode pgx.QueryExecMode) *client {
	p.t.Helper()
	c := &client{t: p.t}
	cfg.DefaultQueryExecMode = mode
	cfg.OnNotification = func(_ *pgconn.PgConn, n *pgconn.Notification) { c.notified = append(c.notified, n.Channel) }
	var err error
	c.Conn, err = pgx.ConnectConfig(p.t.Context(), cfg)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = c.Close(context.WithoutCancel(p.t.Context())) }) // it may be broken on purpose
	return c
}

func (c *client) exec(sql string) {
	c.t.Helper()
	_, err := c.Exec(c.t.Context(), sql)
	require.NoError(c.t, err, sql)
}

// fails sends what the server refuses with such a code.
func (c *client) fails(code, sql string) {
	c.t.Helper()
	_, err := c.Exec(c.t.Context(), sql)
	requireCode(c.t, code, err)
}

func requireCode(t *testing.T, code string, err error) {
	t.Helper()
	var pgErr *pgconn.PgError
	require.ErrorAs(t, err, &pgErr)
	require.Equal(t, code, pgErr.Code, pgErr.Message)
}

// value is the first value of the last result, as text.
func (c *client) value(sql string) string {
	c.t.Helper()
	results, err := c.PgConn().Exec(c.t.Context(), sql).ReadAll()
	require.NoError(c.t, err, sql)
	return string(results[len(results)-1].Rows[0][0])
}

// elsewhere runs f while another client has the connection to the server that was used last, so that what f sends goes
// to the other one.
func (p *pool) elsewhere(f func()) {
	p.t.Helper()
	other := p.client()
	other.exec(`BEGIN`)
	f()
	other.exec(`COMMIT`)
}

func TestSetLeaksAndIsLost(t *testing.T) {
	for _, set := range []string{`SET statement_timeout = '7s'`, `SELECT set_config('statement_timeout', '7s', false)`, `BEGIN; SET statement_timeout = '7s'; COMMIT`} {
		t.Run(set, func(t *testing.T) {
			p := bouncer(t, "2")
			a, b := p.client(), p.client()
			a.exec(set)
			require.Equal(t, "7s", b.value(`SHOW statement_timeout`), "somebody else has it")
			p.elsewhere(func() { require.Equal(t, "0", a.value(`SHOW statement_timeout`), "whoever set it does not") })
		})
	}
}

func TestSetLocalIsRight(t *testing.T) {
	p := bouncer(t, "1")
	a := p.client()
	a.exec(`BEGIN; SET LOCAL statement_timeout = '7s'; COMMIT`)
	require.Equal(t, "0", a.value(`SHOW statement_timeout`))
	a.exec(`BEGIN; SELECT set_config('statement_timeout', '7s', true); COMMIT`)
	require.Equal(t, "0", a.value(`SHOW statement_timeout`))
}

// TestTrackedParameters: PgBouncer restores these for each client ("ignore_startup_parameters" in its manual lists them;
// application_name it has restored since 1.5, up to 1.21 only for clients that have one).
func TestTrackedParameters(t *testing.T) {
	for name, value := range map[string]string{"TimeZone": "Asia/Tokyo", "DateStyle": "SQL, DMY", "client_encoding": "LATIN1",
		"standard_conforming_strings": "off", "application_name": "a"} {
		require.True(t, tracked(name), name)
		t.Run(name, func(t *testing.T) {
			p := bouncer(t, "2")
			p.dsn += " application_name=b"
			a, b := p.client(), p.client()
			was := a.value(`SHOW ` + name)
			require.NotEqual(t, value, was)
			a.value(`SET ` + name + ` = '` + value + `'; SELECT 1`)
			p.elsewhere(func() { require.Equal(t, value, a.value(`SHOW `+name)) })
			require.Equal(t, was, b.value(`SHOW `+name))
		})
	}
	require.False(t, tracked("search_path"))
}

func TestSearchPath(t *testing.T) {
	p := bouncer(t, "2")
	p.client().exec(`CREATE SCHEMA s`)
	a, b := p.client(), p.client()
	a.exec(`SET search_path = s`)
	require.Equal(t, "s", b.value(`SHOW search_path`))
	p.elsewhere(func() { require.Equal(t, `"$user", public`, a.value(`SHOW search_path`)) })
}

// TestSearchPathInConnectionString: refused by default, and with ignore_startup_parameters, which makes the error go away, ignored.
func TestSearchPathInConnectionString(t *testing.T) {
	for _, word := range []string{"search_path=s", "options='-c search_path=s'"} {
		t.Run(word, func(t *testing.T) {
			p := bouncer(t, "1")
			_, err := pgx.Connect(t.Context(), p.dsn+" "+word)
			require.ErrorContains(t, err, "unsupported startup parameter")

			direct := pgtest.Shared(t, pgtest.Config{}).Database(t)
			p.dsn = pgtest.Bouncer(t, direct, map[string]string{"ignore_startup_parameters": "search_path, options"}) + " " + word
			require.Equal(t, `"$user", public`, p.client().value(`SHOW search_path`))
		})
	}
}

func TestAdvisoryLock(t *testing.T) {
	p := bouncer(t, "2")
	a, b := p.client(), p.client()
	a.exec(`SELECT pg_advisory_lock(1)`)
	require.Equal(t, "t", b.value(`SELECT pg_try_advisory_lock(1)`), "two hold it")
	require.NoError(t, a.Close(t.Context()))
	require.NoError(t, b.Close(t.Context()))
	c := p.client()
	p.elsewhere(func() {
		require.Equal(t, "f", c.value(`SELECT pg_try_advisory_lock(1)`), "those who took it have gone, and it is not free")
	})
}

func TestListen(t *testing.T) {
	p := bouncer(t, "1")
	a, b := p.client(), p.client()
	a.exec(`LISTEN news`)
	b.exec(`NOTIFY news`)
	a.exec(`SELECT`)
	require.Empty(t, a.notified, "who listens hears nothing")
	require.Equal(t, []string{"news"}, b.notified, "who used the connection then does")
}

func TestTemporaryTable(t *testing.T) {
	for _, create := range []string{`CREATE TEMP TABLE t (a int)`, `SELECT 1 AS a INTO TEMP t`, `BEGIN; CREATE TEMP TABLE t ON COMMIT DELETE ROWS AS SELECT 1; COMMIT`} {
		p := bouncer(t, "2")
		a, b := p.client(), p.client()
		a.exec(create)
		b.fails("42P07", create) // duplicate_table
		if create[0] == 'B' {
			b.exec(`ROLLBACK`)
		}
		p.elsewhere(func() { a.fails("42P01", `TABLE t`) }) // undefined_table
	}
	p := bouncer(t, "2")
	a, b := p.client(), p.client()
	a.exec(`BEGIN; CREATE TEMP TABLE t (a int) ON COMMIT DROP`)
	a.exec(`TABLE t`)
	a.exec(`COMMIT`)
	b.exec(`BEGIN; CREATE TEMP TABLE t (a int) ON COMMIT DROP; COMMIT`)
}

func TestCursorWithHold(t *testing.T) {
	p := bouncer(t, "2")
	a := p.client()
	a.exec(`DECLARE c CURSOR WITH HOLD FOR SELECT 1`)
	p.elsewhere(func() { a.fails("34000", `FETCH c`) }) // invalid_cursor_name
}

func TestPrepare(t *testing.T) {
	p := bouncer(t, "2")
	a, b := p.client(), p.client()
	a.exec(`PREPARE q AS SELECT 1`)
	b.fails("42P05", `PREPARE q AS SELECT 2`)             // duplicate_prepared_statement
	p.elsewhere(func() { a.fails("26000", `EXECUTE q`) }) // invalid_sql_statement_name
}

func TestLastval(t *testing.T) {
	for _, last := range []string{`SELECT currval('s')`, `SELECT lastval()`} {
		p := bouncer(t, "2")
		a, b := p.client(), p.client()
		a.exec(`CREATE SEQUENCE s`)
		require.Equal(t, "1", a.value(`SELECT nextval('s')`))
		require.Equal(t, "2", b.value(`SELECT nextval('s')`))
		a.exec(last) // somebody else's
		require.Equal(t, "2", a.value(`SELECT lastval()`))
		p.elsewhere(func() { a.fails("55000", last) }) // object_not_in_prerequisite_state
	}
}

// TestProtocolPreparedStatements: what pgx sends by default fails through a PgBouncer that does not track it, which 1.21 is the first
// to do.
func TestProtocolPreparedStatements(t *testing.T) {
	ask := func(c *client) error {
		var n int
		return c.QueryRow(t.Context(), `SELECT $1::int + 1`, 1).Scan(&n)
	}
	with := func(p *pool, mode pgx.QueryExecMode) *client {
		cfg, err := pgx.ParseConfig(p.dsn)
		require.NoError(t, err)
		return p.connect(cfg, mode)
	}
	if follow(t) {
		p := following(t, "2", true)
		a := with(p, pgx.QueryExecModeCacheStatement)
		require.NoError(t, ask(a))
		p.elsewhere(func() { require.NoError(t, ask(a)) })
		require.NoError(t, ask(with(p, pgx.QueryExecModeCacheStatement)))
	}
	p := bouncer(t, "2")
	a := with(p, pgx.QueryExecModeCacheStatement)
	require.NoError(t, ask(a))
	p.elsewhere(func() { requireCode(t, "26000", ask(a)) })
	requireCode(t, "42P05", ask(with(p, pgx.QueryExecModeCacheStatement)))

	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeCacheDescribe} {
		b := with(p, mode)
		require.NoError(t, ask(b), mode)
		p.elsewhere(func() { require.NoError(t, ask(b), mode) })
		require.NoError(t, ask(b), mode)
	}
}

// TestUnnamedStatementInTwoRoundTrips: lib/pq prepares the unnamed statement of a query with arguments, waits, and executes
// it (conn.go, prepareTo("") and st.exec, unless binary_parameters=yes). In between it may be another's turn, also where statements that
// have names are followed.
func TestUnnamedStatementInTwoRoundTrips(t *testing.T) {
	pools := []*pool{bouncer(t, "2")}
	if follow(t) {
		pools = append(pools, following(t, "2", true))
	}
	for _, p := range pools {
		a := p.client().PgConn()
		_, err := a.Prepare(t.Context(), "", `SELECT $1::int`, nil)
		require.NoError(t, err)
		p.elsewhere(func() {
			_, err := a.ExecPrepared(t.Context(), "", [][]byte{[]byte("1")}, nil, nil).Close()
			requireCode(t, "26000", err)
		})
	}
}
