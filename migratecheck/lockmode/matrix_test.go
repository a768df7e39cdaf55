package lockmode

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestRowsOutsideTransactions checks the examples that no transaction block may hold, whose locks are gone when one could
// look. One relation at a time is locked by another session, in each mode; when the statement has to wait for that lock,
// pg_locks shows which mode it asks for. A wait for a transaction to end (CONCURRENTLY) is told from it by its locktype;
// the other session then ends.
func TestRowsOutsideTransactions(t *testing.T) {
	rows, err := Rows()
	require.NoError(t, err)
	for _, version := range testedVersions(t) {
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			t.Parallel()
			w := newWorkbench(t, version)
			for _, row := range rows {
				if row.NoTransaction && version >= row.First && version <= row.Last {
					t.Run(row.Statement, func(t *testing.T) { w.checkOutside(t, row) })
				}
			}
		})
	}
}

func (w *workbench) checkOutside(t *testing.T, row Row) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	before := w.catalog(t, row.Setup)
	effect, err := Analyze(w.version, before, parseOne(t, row.Example))
	require.NoError(t, err)
	want := predicted(effect)
	names := map[string]string{} // every relation and how it can be locked
	for o := range before.All() {
		if rel, ok := o.(*catalog.Relation); ok {
			switch rel.Kind {
			case catalog.Table, catalog.PartitionedTable:
				names[before.NameOf(rel.OID).String()] = "table"
			case catalog.Index:
				names[before.NameOf(rel.OID).String()] = "index"
			}
		}
	}
	got := observation{locks: map[string]Mode{}, rewrites: map[string]bool{}, scans: map[string]bool{}}
	var others []string
	for name, kind := range names {
		if want.locks[name] == "" {
			if kind == "table" {
				others = append(others, "LOCK TABLE ONLY "+name+" IN ACCESS EXCLUSIVE MODE")
			} else {
				others = append(others, "ALTER INDEX "+name+" SET TABLESPACE pg_default")
			}
			continue
		}
		holds := tableHolds(name)
		if kind == "index" {
			holds = indexHolds(before, name)
		}
		for _, hold := range holds {
			on, mode := w.attempt(ctx, t, row, hold)
			if on == name {
				got.locks[name] = Strongest(got.locks[name], mode)
			}
		}
	}
	// All relations that should have nothing to do with the statement are locked at once: it must not notice.
	slices.Sort(others)
	if on, mode := w.attempt(ctx, t, row, strings.Join(others, ";")); on != "" {
		got.locks[on] = mode
	}
	want.rewrites, want.scans = got.rewrites, got.scans // see filesAndScans
	if diff := want.differences(got); diff != "" {
		t.Errorf("%s\n%s", row.Example, diff)
	}
	w.filesAndScans(ctx, t, row, predicted(effect))
}

// tableHolds lists statements that lock a table in each mode, weakest first.
func tableHolds(name string) []string {
	var list []string
	for _, m := range Modes() {
		list = append(list, "LOCK TABLE ONLY "+name+" IN "+m.SQL()+" MODE")
	}
	return list
}

// indexHolds: LOCK takes no index, but these lock one in ACCESS SHARE (with its table), and alone in SHARE UPDATE EXCLUSIVE and
// in ACCESS EXCLUSIVE.
func indexHolds(c *catalog.Catalog, name string) []string {
	schema, bare, ok := strings.Cut(name, ".")
	if !ok {
		schema, bare = "", name
	}
	table := c.NameOf(c.Relation(schema, bare).Index.Table).String()
	return []string{"SELECT * FROM " + table, "COMMENT ON INDEX " + name + " IS 'held'", "ALTER INDEX " + name + " SET TABLESPACE pg_default"}
}

// attempt runs the example while another session holds locks, and returns the relation it has to wait for and the mode it
// asks for, nothing when it need not wait, or waits for the other transaction instead.
func (w *workbench) attempt(ctx context.Context, t *testing.T, row Row, hold string) (string, Mode) {
	dsn := w.copy(t, row.Setup)
	connect := func() *pgx.Conn {
		conn, err := pgx.Connect(ctx, dsn)
		require.NoError(t, err)
		return conn
	}
	holder, worker, watcher := connect(), connect(), connect()
	defer func() {
		for _, conn := range []*pgx.Conn{holder, worker, watcher} {
			require.NoError(t, conn.Close(ctx))
		}
	}()
	w.exec(t, holder, "BEGIN; "+hold)
	done := make(chan error, 1)
	go func() {
		_, err := worker.Exec(ctx, row.Example)
		done <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			require.NoError(t, err, row.Example)
			return "", ""
		case <-tick.C:
			kind, on, mode := waiting(ctx, t, watcher, worker.PgConn().PID())
			if kind == "" {
				continue
			}
			w.exec(t, holder, "ROLLBACK")
			require.NoError(t, <-done, row.Example)
			if kind != "relation" {
				return "", ""
			}
			return on, mode
		}
	}
}

// waiting tells what kind of lock a backend waits for, "" for none, and of a relation's its name and mode.
func waiting(ctx context.Context, t *testing.T, conn *pgx.Conn, pid uint32) (kind, on string, mode Mode) {
	err := conn.QueryRow(ctx, `
		SELECT locktype, mode, CASE WHEN relation IS NULL THEN '' ELSE relation::regclass::text END FROM pg_locks WHERE pid = $1 AND NOT granted`,
		pid).Scan(&kind, &mode, &on)
	if err != nil {
		require.ErrorIs(t, err, pgx.ErrNoRows)
	}
	return kind, on, mode
}

// filesAndScans compares what has a new file after the statement, and, where the statistics can be had at once (since 15),
// what was read.
func (w *workbench) filesAndScans(ctx context.Context, t *testing.T, row Row, want observation) {
	conn, err := pgx.Connect(ctx, w.copy(t, row.Setup))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(ctx)) }()
	w.exec(t, conn, "SELECT pg_stat_reset()")
	before := files(ctx, t, conn)
	_, err = conn.Exec(ctx, row.Example)
	require.NoError(t, err)
	got := observation{locks: want.locks, rewrites: map[string]bool{}, scans: want.scans}
	after := files(ctx, t, conn)
	for name, file := range before {
		if now, ok := after[name]; ok && now != file {
			got.rewrites[name] = true
		}
	}
	if w.version >= 15 {
		got.scans = map[string]bool{}
		_, err := conn.Exec(ctx, "SELECT pg_stat_force_next_flush()")
		require.NoError(t, err)
		rows, err := conn.Query(ctx, "SELECT CASE schemaname WHEN 'public' THEN '' ELSE schemaname || '.' END || relname FROM pg_stat_user_tables WHERE seq_tup_read > 0")
		require.NoError(t, err)
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		for _, name := range names {
			got.scans[name] = true
		}
	}
	if diff := want.differences(got); diff != "" {
		t.Errorf("%s\n%s", row.Example, diff)
	}
}

func files(ctx context.Context, t *testing.T, conn *pgx.Conn) map[string]uint32 {
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	state, err := snapshot(ctx, tx)
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(ctx))
	list := map[string]uint32{}
	for _, s := range state {
		list[s.name] = s.file
	}
	return list
}
