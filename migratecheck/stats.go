package migratecheck

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// StatsQuery prints, on a production server, what ReadStats reads: psql -XAt -c "$(srhtvet stats)" >stats.json
const StatsQuery = `SELECT json_agg(json_build_object(
  'table', n.nspname || '.' || c.relname,
  'rows', greatest(c.reltuples, 0)::bigint,
  'bytes', pg_total_relation_size(c.oid)) ORDER BY n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast';`

// Stats are the sizes of tables.
type Stats struct {
	tables map[string]TableStats
}

// TableStats is the size of one table: the planner's estimate of its rows, and bytes with indexes and TOAST.
type TableStats struct {
	Table string `json:"table"` // schema.table; without a schema, public
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// ReadStats reads the output of StatsQuery.
func ReadStats(r io.Reader) (*Stats, error) {
	var list []TableStats
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading table statistics: %w: expected the JSON list that the query of `srhtvet stats` prints", err)
	}
	s := &Stats{tables: map[string]TableStats{}}
	for i, t := range list {
		if t.Table == "" || t.Rows < 0 || t.Bytes < 0 {
			return nil, fmt.Errorf("reading table statistics: entry %d needs a table name and sizes of 0 or more", i+1)
		}
		if !strings.Contains(t.Table, ".") {
			t.Table = "public." + t.Table
		}
		s.tables[t.Table] = t
	}
	return s, nil
}

// rows is safe on a nil Stats.
func (s *Stats) rows(table catalog.Name) (int64, bool) {
	if s == nil {
		return 0, false
	}
	schema := table.Schema
	if schema == "" {
		schema = "public"
	}
	t, ok := s.tables[schema+"."+table.Name]
	if t.Rows == 0 && t.Bytes > 1<<20 {
		return 0, false // never analyzed (pg_class.reltuples is -1, before 14 it is 0), not empty
	}
	return t.Rows, ok
}
