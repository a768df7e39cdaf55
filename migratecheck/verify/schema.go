package verify

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// schema is what the server's own catalogs say, as far as rows depend on it. It is read from the server and not taken from
// package catalog, which is among the things that are to be proved.
type schema struct {
	tables map[uint32]*table
	types  map[uint32]*typ // those that are not the server's own
	path   []string
}

// table is any relation with columns.
type table struct {
	oid          uint32
	schema, name string
	kind         byte // pg_class.relkind
	columns      []column
	constraints  []constraint
	bounds       []string // of its partitions, as the server prints them
	base         []uint32 // of a view: the relations below it
	partition    bool
	triggers     []trigger // its own that fire for everybody
	guarded      bool      // a rule or row security may stand between a write and the table
}

type trigger struct {
	name   string
	events uint32 // bits of pg_trigger.tgtype
	does   string // its function's body
}

func (t *table) sql() string { return quote(t.schema) + "." + quote(t.name) }

type column struct {
	num       int
	name      string
	typ       uint32
	typeName  string // with its modifier
	notNull   bool
	def       string // the default, or how it is generated
	generated bool
	identity  byte // 'a' always, 'd' by default, 0 none
}

type constraint struct {
	oid     uint32 // of the unique index, where it is no constraint
	name    string
	kind    byte // pg_constraint.contype; 'i' for a unique index that is no constraint
	columns []int
	ref     uint32 // of a foreign key: the table
	refCols []int
	def     string
}

type typ struct {
	oid      uint32
	name     string
	kind     byte // pg_type.typtype
	category byte
	base     uint32 // of a domain
	elem     uint32 // of an array
	rel      uint32 // of a composite type
	notNull  bool
	labels   []string
	checks   []string // of a domain
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (t *table) column(name string) *column {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

func (t *table) byNum(num int) *column {
	for i := range t.columns {
		if t.columns[i].num == num {
			return &t.columns[i]
		}
	}
	return nil
}

// find looks a relation up as a query names it.
func (s *schema) find(schemaName, name string) *table {
	path := s.path
	if schemaName != "" {
		path = []string{schemaName}
	}
	for _, in := range path {
		for _, t := range s.tables {
			if t.schema == in && t.name == name {
				return t
			}
		}
	}
	return nil
}

// OIDs below FirstNormalObjectId (16384, src/include/access/transam.h) are the server's own.
const typeQuery = `SELECT t.oid, t.typname, t.typtype, t.typcategory, t.typbasetype, t.typelem, t.typrelid, t.typnotnull,
  (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder)::text[]::text FROM pg_enum e WHERE e.enumtypid = t.oid),
  (SELECT string_agg(pg_get_constraintdef(c.oid), ' ; ') FROM pg_constraint c WHERE c.contypid = t.oid)
  FROM pg_type t WHERE t.oid `

const relationFilter = `c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = 'pg_class'::regclass AND x.objid = c.oid AND x.deptype = 'e')`

const schemaQuery = `SELECT unnest(current_schemas(true));
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition, a.attnum, a.attname, a.atttypid, format_type(a.atttypid, a.atttypmod),
  a.attnotnull, coalesce(pg_get_expr(d.adbin, d.adrelid), ''), a.attgenerated <> '', a.attidentity,
  c.relrowsecurity OR c.relkind = 'r' AND c.relhasrules
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE ` + relationFilter + ` ORDER BY c.oid, a.attnum;
SELECT c.conrelid, c.conname, c.contype, c.conkey::text, c.confrelid, c.confkey::text, pg_get_constraintdef(c.oid), c.oid
  FROM pg_constraint c WHERE c.conrelid >= 16384 AND c.contype IN ('c', 'f', 'p', 'u', 'x') ORDER BY c.oid;
SELECT i.indrelid, x.relname, 'i', '{' || array_to_string(i.indkey::int2[], ',') || '}', 0, '{}', pg_get_indexdef(i.indexrelid), i.indexrelid
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
  WHERE i.indisunique AND i.indrelid >= 16384 AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype <> 'f');
SELECT i.inhparent, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition;
SELECT tgrelid, tgname, tgtype, prosrc FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid WHERE NOT tgisinternal AND tgenabled = 'O';
SELECT DISTINCT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  WHERE r.ev_class >= 16384 AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class;
` + typeQuery + `>= 16384`

func (p *Probe) readSchema(ctx context.Context) error {
	results, err := p.exec(ctx, schemaQuery)
	if err != nil {
		return fmt.Errorf("reading the server's catalogs: %w", err)
	}
	if p.builtin == nil {
		builtin, err := p.exec(ctx, typeQuery+"< 16384")
		if err != nil {
			return fmt.Errorf("reading the server's types: %w", err)
		}
		p.builtin = readTypes(builtin[0])
	}
	s := &schema{tables: map[uint32]*table{}}
	for _, r := range results[0].Rows {
		s.path = append(s.path, string(r[0]))
	}
	for _, r := range results[1].Rows {
		oid := number(r[0])
		t := s.tables[oid]
		if t == nil {
			t = &table{oid: oid, schema: string(r[1]), name: string(r[2]), kind: r[3][0], partition: string(r[4]) == "t", guarded: string(r[13]) == "t"}
			s.tables[oid] = t
		}
		if r[5] == nil {
			continue
		}
		c := column{
			num: int(number(r[5])), name: string(r[6]), typ: number(r[7]), typeName: string(r[8]),
			notNull: string(r[9]) == "t", def: string(r[10]), generated: string(r[11]) == "t",
		}
		if len(r[12]) > 0 {
			c.identity = r[12][0]
		}
		t.columns = append(t.columns, c)
	}
	for _, result := range results[2:4] {
		for _, r := range result.Rows {
			if t := s.tables[number(r[0])]; t != nil {
				t.constraints = append(t.constraints, constraint{
					oid: number(r[7]), name: string(r[1]), kind: r[2][0], columns: numbers(r[3]), ref: number(r[4]), refCols: numbers(r[5]), def: string(r[6]),
				})
			}
		}
	}
	for _, r := range results[4].Rows {
		if t := s.tables[number(r[0])]; t != nil {
			t.bounds = append(t.bounds, string(r[1]))
		}
	}
	for _, r := range results[5].Rows {
		if t := s.tables[number(r[0])]; t != nil {
			t.triggers = append(t.triggers, trigger{string(r[1]), number(r[2]), string(r[3])})
		}
	}
	for _, r := range results[6].Rows {
		if t := s.tables[number(r[0])]; t != nil && (t.kind == 'v' || t.kind == 'm') {
			t.base = append(t.base, number(r[1]))
		}
	}
	s.types = readTypes(results[7])
	p.schema = s
	return nil
}

func readTypes(result *pgconn.Result) map[uint32]*typ {
	types := map[uint32]*typ{}
	for _, r := range result.Rows {
		t := &typ{
			oid: number(r[0]), name: string(r[1]), kind: r[2][0], category: r[3][0], base: number(r[4]), elem: number(r[5]),
			rel: number(r[6]), notNull: string(r[7]) == "t", labels: textArray(string(r[8])),
		}
		if len(r[9]) > 0 {
			t.checks = []string{string(r[9])}
		}
		types[t.oid] = t
	}
	return types
}

func (p *Probe) typ(oid uint32) *typ {
	if t := p.schema.types[oid]; t != nil {
		return t
	}
	return p.builtin[oid]
}

func number(text []byte) uint32 {
	n, _ := strconv.ParseUint(string(text), 10, 32) // what the server prints for a number; attnum below 0 is not asked for
	return uint32(n)
}

// numbers reads an array of small integers, as the server prints it.
func numbers(text []byte) []int {
	var list []int
	for _, s := range strings.Split(strings.Trim(string(text), "{}"), ",") {
		if n, err := strconv.Atoi(s); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// textArray reads an array of texts, as the server prints it (array_out, src/backend/utils/adt/arrayfuncs.c).
func textArray(s string) []string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	if s == "" {
		return nil
	}
	var list []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\':
			i++
			b.WriteByte(s[i])
		case c == ',' && !quoted:
			list = append(list, b.String())
			b.Reset()
		default:
			b.WriteByte(c)
		}
	}
	return append(list, b.String())
}

// foreignKey is the foreign key that a column is the first or only part of, and the column it refers to.
func (s *schema) foreignKey(t *table, num int) (parent *table, ref *column) {
	for _, c := range t.constraints {
		if i := slices.Index(c.columns, num); c.kind == 'f' && i >= 0 {
			if parent := s.tables[c.ref]; parent != nil {
				return parent, parent.byNum(c.refCols[i])
			}
		}
	}
	return nil, nil
}
