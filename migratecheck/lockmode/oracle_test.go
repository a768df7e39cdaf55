package lockmode

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// observation is what a statement did, as the server tells, or as Analyze says, by name: two spellings of the same.
type observation struct {
	locks    map[string]Mode
	rewrites map[string]bool
	scans    map[string]bool
}

// predicted turns an effect into an observation.
func predicted(e Effect) observation {
	o := observation{map[string]Mode{}, map[string]bool{}, map[string]bool{}}
	for _, l := range e.Locks {
		o.locks[l.Name.String()] = l.Mode
	}
	for _, r := range e.Rewrites {
		o.rewrites[r.Name.String()] = true
	}
	for _, s := range e.Scans {
		o.scans[s.Name.String()] = true
	}
	return o
}

// differences lists how o differs from want, "" for not at all.
func (o observation) differences(want observation) string {
	var lines []string
	add := func(what, name, have, should string) {
		if have != should {
			lines = append(lines, fmt.Sprintf("%s %s: server %q, Analyze %q", what, name, should, have))
		}
	}
	for name := range union(o.locks, want.locks) {
		add("lock", name, string(o.locks[name]), string(want.locks[name]))
	}
	for name := range union(o.rewrites, want.rewrites) {
		add("rewrite", name, fmt.Sprint(o.rewrites[name]), fmt.Sprint(want.rewrites[name]))
	}
	for name := range union(o.scans, want.scans) {
		add("scan", name, fmt.Sprint(o.scans[name]), fmt.Sprint(want.scans[name]))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func union[V any](a, b map[string]V) map[string]bool {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return all
}

// relationState is what the oracle remembers of a relation from before the statement.
type relationState struct {
	name string
	file uint32
	read int64 // rows that sequential scans have returned in this transaction
	kind string
}

// snapshot reads every relation outside of the system's schemas. pg_toast is left out, as Analyze leaves it out.
func snapshot(ctx context.Context, tx pgx.Tx) (map[uint32]relationState, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.oid, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname, coalesce(pg_relation_filenode(c.oid), 0),
			coalesce(pg_stat_get_xact_tuples_returned(c.oid), 0), c.relkind::text
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid >= 16384 AND n.nspname <> 'pg_toast'`)
	if err != nil {
		return nil, err
	}
	state := map[uint32]relationState{}
	var oid uint32
	var s relationState
	_, err = pgx.ForEachRow(rows, []any{&oid, &s.name, &s.file, &s.read, &s.kind}, func() error {
		state[oid] = s
		return nil
	})
	return state, err
}

// observe runs a statement in the transaction and reports what it did to the relations that were there before it:
// their strongest locks (pg_locks), whether they have another file (pg_relation_filenode; an index that was dropped and made
// again is recognized by its name), and whether a sequential scan read their rows (pg_stat_get_xact_tuples_returned).
func observe(ctx context.Context, tx pgx.Tx, sql string) (observation, error) {
	o := observation{map[string]Mode{}, map[string]bool{}, map[string]bool{}}
	before, err := snapshot(ctx, tx)
	if err != nil {
		return o, err
	}
	if _, err := tx.Exec(ctx, sql); err != nil {
		return o, err
	}
	rows, err := tx.Query(ctx, `SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted`)
	if err != nil {
		return o, err
	}
	var oid uint32
	var mode string
	if _, err := pgx.ForEachRow(rows, []any{&oid, &mode}, func() error {
		if s, ok := before[oid]; ok {
			o.locks[s.name] = Strongest(o.locks[s.name], Mode(mode))
		}
		return nil
	}); err != nil {
		return o, err
	}
	after, err := snapshot(ctx, tx)
	if err != nil {
		return o, err
	}
	byName := map[string]relationState{}
	for _, s := range after {
		byName[s.name] = s
	}
	for oid, was := range before {
		now, ok := after[oid]
		if !ok {
			now, ok = byName[was.name]
		}
		if ok && now.file != was.file {
			o.rewrites[was.name] = true
		}
	}
	// Counted by OID, so that a table which is gone is counted too.
	for oid, was := range before {
		if was.kind != "r" && was.kind != "m" {
			continue
		}
		var read int64
		if err := tx.QueryRow(ctx, "SELECT coalesce(pg_stat_get_xact_tuples_returned($1), 0)", oid).Scan(&read); err != nil {
			return o, err
		}
		if read > was.read {
			o.scans[was.name] = true
		}
	}
	return o, nil
}

// fill puts rows into the tables of Schema: a scan of an empty table counts nothing, and with a few hundred rows the planner
// takes an index where it can.
const fill = `
INSERT INTO p SELECT g, g, g FROM generate_series(1, 900) g;
INSERT INTO t SELECT g, g, 'x', 1, now(), g, 'j', g, 1 FROM generate_series(1, 900) g;
INSERT INTO c SELECT g, g, g FROM generate_series(1, 900) g;
INSERT INTO x SELECT g, 'x', 'y', '101', 't', now(), now(), '1 day', '10.0.0.0/8', '{a}' FROM generate_series(1, 900) g;
INSERT INTO dt SELECT 1, 1, 1 FROM generate_series(1, 10);
INSERT INTO part SELECT g % 20, 'x' FROM generate_series(1, 100) g;
INSERT INTO cand VALUES (25, 'x');
INSERT INTO cand2 VALUES (25, 'x');
INSERT INTO par VALUES (1);
INSERT INTO chi VALUES (1, 2);
INSERT INTO ser (x) VALUES (1);
INSERT INTO ident (x) VALUES (1);
INSERT INTO tc VALUES (row(1));
INSERT INTO tg VALUES (1, 1);
REFRESH MATERIALIZED VIEW m;
ANALYZE;
`

// TestRows executes the example of every row on every version that is installed and applies.
func TestRows(t *testing.T) {
	rows, err := Rows()
	require.NoError(t, err)
	for _, version := range testedVersions(t) {
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			t.Parallel()
			w := newWorkbench(t, version)
			for i, row := range rows {
				if version < row.First || version > row.Last || row.NoTransaction {
					continue
				}
				t.Run(fmt.Sprintf("%03d %s", i, row.Statement), func(t *testing.T) { w.check(t, row) })
			}
		})
	}
}

// workbench is a server with two databases that hold Schema and rows: one to copy, one for the examples that need nothing
// more and are rolled back.
type workbench struct {
	version  int
	server   *pgtest.Server
	admin    *pgx.Conn
	template string
	plain    *pgx.Conn
	catalogs map[string]*catalog.Catalog // by setup
	copies   int
}

func newWorkbench(t *testing.T, version int) *workbench {
	server := pgtest.Shared(t, pgtest.Config{Version: version, Settings: serverSettings()})
	w := &workbench{version: version, server: server, catalogs: map[string]*catalog.Catalog{}}
	w.admin = pgtest.Connect(t, server.DSN("postgres"))
	w.plain = pgtest.Connect(t, server.Database(t))
	w.exec(t, w.plain, Schema+fill)
	w.template = fmt.Sprintf("template_%d", version)
	w.exec(t, w.admin, "DROP DATABASE IF EXISTS "+w.template)
	w.exec(t, w.admin, "CREATE DATABASE "+w.template)
	conn, err := pgx.Connect(t.Context(), server.DSN(w.template))
	require.NoError(t, err)
	w.exec(t, conn, Schema+fill)
	require.NoError(t, conn.Close(t.Context()))
	return w
}

func (w *workbench) exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

// copy returns the connection string of a new database with Schema, its rows and the setup.
func (w *workbench) copy(t *testing.T, setup string) string {
	w.copies++
	name := fmt.Sprintf("copy_%d", w.copies)
	w.exec(t, w.admin, "CREATE DATABASE "+name+" TEMPLATE "+w.template)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := w.admin.Exec(ctx, "DROP DATABASE "+name)
		require.NoError(t, err)
	})
	if setup != "" {
		conn, err := pgx.Connect(t.Context(), w.server.DSN(name))
		require.NoError(t, err)
		w.exec(t, conn, setup)
		require.NoError(t, conn.Close(t.Context()))
	}
	return w.server.DSN(name)
}

// catalog is the catalog with Schema and a setup.
func (w *workbench) catalog(t *testing.T, setup string) *catalog.Catalog {
	if c := w.catalogs[setup]; c != nil {
		return c
	}
	c, err := applied(catalog.Config{Version: w.version}, Schema+setup)
	require.NoError(t, err)
	w.catalogs[setup] = c
	return c
}

func (w *workbench) check(t *testing.T, row Row) {
	ctx := t.Context()
	conn := w.plain
	if row.Setup != "" {
		conn = pgtest.Connect(t, w.copy(t, ""))
		w.exec(t, conn, row.Setup) // in this session: it may SET something
	}
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(ctx)) }()
	got, err := observe(ctx, tx, row.Example)
	require.NoError(t, err)
	effect, err := Analyze(w.version, w.catalog(t, row.Setup), parseOne(t, row.Example))
	require.NoError(t, err)
	if diff := predicted(effect).differences(got); diff != "" {
		t.Errorf("%s\n%s\nunknown: %s", row.Example, diff, effect.Unknown)
	}
}

// testedVersions are the installed versions that the package knows about.
func testedVersions(t *testing.T) []int {
	var known []int
	for _, v := range pgtest.Versions() {
		if v >= FirstVersion && v <= LastVersion {
			known = append(known, v)
		}
	}
	if len(known) == 0 {
		pgtest.Shared(t, pgtest.Config{}) // skips, or fails in CI
	}
	return known
}

// serverSettings: the zone is one in which timestamp and timestamptz differ, as Analyze assumes; wal_level is for CREATE
// PUBLICATION's sake.
func serverSettings() map[string]string {
	return map[string]string{"timezone": "America/New_York", "wal_level": "logical", "max_parallel_workers_per_gather": "0"}
}

func parseOne(t *testing.T, sql string) pgast.Stmt {
	t.Helper()
	stmts, err := pgast.Parse(sql)
	require.NoError(t, err)
	require.Len(t, stmts, 1)
	return stmts[0]
}
