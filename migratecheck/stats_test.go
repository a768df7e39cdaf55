package migratecheck

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestStatsQuery runs the query that `srhtvet stats` prints and reads what the server answers.
func TestStatsQuery(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))
	stats := func() *Stats {
		var out string
		require.NoError(t, conn.QueryRow(t.Context(), StatsQuery).Scan(&out))
		s, err := ReadStats(strings.NewReader(out))
		require.NoError(t, err, out)
		return s
	}
	require.Empty(t, stats().tables, "an empty database has an empty list")

	_, err := conn.Exec(t.Context(), `
		CREATE TABLE counted (id integer);
		INSERT INTO counted SELECT generate_series(1, 100);
		CREATE TABLE emptied (id integer);
		CREATE TABLE never (id integer);
		INSERT INTO never SELECT generate_series(1, 100);
		CREATE SCHEMA other;
		CREATE TABLE other.counted (id integer);
		INSERT INTO other.counted VALUES (1);
		CREATE TABLE event (id integer) PARTITION BY RANGE (id);
		CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (1) TO (100);
		CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM (100) TO (1000) PARTITION BY RANGE (id);
		CREATE TABLE event_3 PARTITION OF event_2 FOR VALUES FROM (100) TO (1000);
		INSERT INTO event SELECT generate_series(1, 200);
		CREATE TABLE nothing (id integer) PARTITION BY RANGE (id);
		ANALYZE counted, emptied, other.counted, event_1`)
	require.NoError(t, err)
	rows := func(name string) (int64, bool) { return stats().rows(catalog.Name{Name: name}) }
	known := func(name string, want int64) {
		t.Helper()
		n, ok := rows(name)
		require.True(t, ok, name)
		require.Equal(t, want, n, name)
	}
	known("counted", 100)
	known("nothing", 0)
	n, ok := stats().rows(catalog.Name{Schema: "other", Name: "counted"})
	require.True(t, ok)
	require.EqualValues(t, 1, n)
	for _, name := range []string{"never", "event", "absent"} {
		_, ok := rows(name)
		require.False(t, ok, "%s was never analyzed in full", name)
	}
	require.Positive(t, stats().tables["public.event"].Bytes, "the sum of its partitions")

	_, err = conn.Exec(t.Context(), "ANALYZE event_3")
	require.NoError(t, err)
	known("event", 200)
	known("event_2", 101)
}

func TestReadStats(t *testing.T) {
	read := func(text string) (int64, bool) {
		s, err := ReadStats(strings.NewReader(text))
		require.NoError(t, err)
		return s.rows(catalog.Name{Name: "t"})
	}
	n, ok := read(`[{"table": "t", "rows": 5, "bytes": 8192}]`)
	require.True(t, ok)
	require.EqualValues(t, 5, n)
	for _, unknown := range []string{
		`[]`,
		`[{"table": "t", "rows": null, "bytes": 8192}]`,
		`[{"table": "t", "rows": -1, "bytes": 8192}]`,
		`[{"table": "t", "bytes": 8192}]`,
		`[{"table": "t", "rows": 0, "bytes": 90000000000}]`,
	} {
		_, ok := read(unknown)
		require.False(t, ok, unknown)
	}
	for _, bad := range []string{``, `{}`, `[{"rows": 1}]`, `[{"table": "t", "rows": -2}]`, `[{"table": "t", "rows": 1, "bytes": -1}]`} {
		_, err := ReadStats(strings.NewReader(bad))
		require.Error(t, err, bad)
	}
}
