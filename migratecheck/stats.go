package migratecheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// StatsQuery prints, on a production server, what ReadStats reads: psql -XAt -c "$(srhtvet stats)" >stats.json
//
// A partitioned table has the sum of its partitions. Rows are null where they were never counted (reltuples is -1 since
// PostgreSQL 14): after pg_restore or pg_upgrade that is every table until the first ANALYZE.
const StatsQuery = `SELECT coalesce(json_agg(json_build_object(
  'table', n.nspname || '.' || c.relname,
  'rows', size.rows,
  'bytes', size.bytes) ORDER BY n.nspname, c.relname), '[]')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT CASE WHEN coalesce(bool_and(p.reltuples >= 0), true) THEN coalesce(sum(p.reltuples), 0)::bigint END AS rows,
    coalesce(sum(pg_total_relation_size(p.oid)), 0)::bigint AS bytes
  FROM (
    SELECT c.oid AS part WHERE c.relkind <> 'p'
    UNION ALL
    SELECT t.relid FROM pg_partition_tree(c.oid) t WHERE c.relkind = 'p' AND t.isleaf
  ) parts JOIN pg_class p ON p.oid = parts.part AND p.relkind <> 'p') size
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)';`

// Stats are the sizes of tables.
type Stats struct {
	tables map[string]TableStats
}

// TableStats is the size of one table: the planner's estimate of its rows, and bytes with indexes and TOAST.
type TableStats struct {
	Table string `json:"table"` // schema.table; without a schema, public
	Rows  int64  `json:"rows"`  // -1 when the server has never counted them
	Bytes int64  `json:"bytes"`
}

// ReadStats reads the output of StatsQuery.
func ReadStats(r io.Reader) (*Stats, error) {
	var list []struct {
		Table string `json:"table"`
		Rows  *int64 `json:"rows"`
		Bytes int64  `json:"bytes"`
	}
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		var typed *json.UnmarshalTypeError
		switch {
		case errors.As(err, &typed) && typed.Field == "":
			err = fmt.Errorf("it holds a JSON %s", typed.Value)
		case errors.As(err, &typed):
			err = fmt.Errorf("%s is a JSON %s", typed.Field, typed.Value)
		case errors.Is(err, io.EOF):
			err = errors.New("it is empty")
		}
		return nil, fmt.Errorf("reading table statistics: %w: expected the JSON list of tables that the query of `srhtvet stats` prints", err)
	}
	s := &Stats{tables: map[string]TableStats{}}
	for i, t := range list {
		rows := int64(-1)
		if t.Rows != nil {
			rows = *t.Rows
		}
		if t.Table == "" || rows < -1 || t.Bytes < 0 {
			return nil, fmt.Errorf("reading table statistics: entry %d needs a table name and sizes of 0 or more", i+1)
		}
		if !strings.Contains(t.Table, ".") {
			t.Table = "public." + t.Table
		}
		s.tables[t.Table] = TableStats{Table: t.Table, Rows: rows, Bytes: t.Bytes}
	}
	return s, nil
}

// rows is the number of rows when it is known. It is safe on a nil Stats.
func (s *Stats) rows(table catalog.Name) (int64, bool) {
	if s == nil {
		return 0, false
	}
	schema := table.Schema
	if schema == "" {
		schema = "public"
	}
	t, ok := s.tables[schema+"."+table.Name]
	if !ok || t.Rows < 0 || t.Rows == 0 && t.Bytes > 1<<20 {
		return 0, false // before PostgreSQL 14 a table that was never analyzed has 0
	}
	return t.Rows, true
}
