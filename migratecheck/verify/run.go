package verify

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"github.com/jackc/pgx/v5/pgconn"
)

// binding is a value for a parameter: a text, NULL, or what a column of a row holds on the schema where it is run.
type binding struct {
	null          bool
	text          string
	schema, table string
	column        string
	row           int
	parent        bool // what the column refers to in the row of the parent table
	array         bool // {value}
	typ           *typ // of the column, where the code is at home
}

// sends reports whether code that holds a value of the column's type at home may hold what is in the column here: text that is of a
// type of the same kind, a number that is one of the type's.
func (p *Probe) sends(b binding, text string) bool {
	here := p.typeIn(b)
	switch {
	case b.typ == nil || here == nil || here.name == b.typ.name:
		return true
	case b.typ.category != 'N':
		return here.category == b.typ.category && here.category == 'S'
	}
	var err error
	if strings.HasPrefix(b.typ.name, "int") {
		_, err = strconv.ParseInt(text, 10, 64)
	} else {
		_, err = strconv.ParseFloat(text, 64)
	}
	return err == nil
}

// ran is what came of a statement.
type ran struct {
	failure  *Failure
	affected int64
	nulls    []bool            // by column: some row has NULL there
	rows     [][]string        // the first rows of a read; NULL and the empty text are told apart by nulls
	values   []map[string]bool // by column: what was seen of an enumeration
	// stored is what an INSERT put into the columns that it does not name, as JSON, where that is the same each time.
	stored map[string]storedValue
}

// errNoRow means that a value was to be taken from a row that there is not here.
var errNoRow = errors.New("there is no row to find")

// resolve turns bindings into what is sent. Rows that they need are made now, so it must not be called behind a mark.
func (p *Probe) resolve(ctx context.Context, list []binding) ([][]byte, error) {
	var out [][]byte
	for _, b := range list {
		if b.null {
			out = append(out, nil)
			continue
		}
		text, ok, err := p.referred(ctx, b)
		if err != nil {
			return nil, err
		}
		if !ok && b.table != "" && !b.parent {
			return nil, errNoRow
		}
		if !ok || !p.sends(b, text) {
			text = b.text // as it is where the code is at home
		}
		if b.array {
			text = "{" + quoteElement(text) + "}"
		}
		out = append(out, []byte(text))
	}
	return out, nil
}

// referred is the text of a binding that takes its value from a row; ok is false where there is no such row or column, or NULL
// in it.
func (p *Probe) referred(ctx context.Context, b binding) (text string, ok bool, err error) {
	if b.table == "" {
		return "", false, nil
	}
	if b.parent {
		t := p.schema.find(b.schema, b.table)
		if t == nil || t.column(b.column) == nil {
			return "", false, nil
		}
		parent, ref := p.schema.foreignKey(t, t.column(b.column).num)
		if parent == nil || ref == nil {
			return "", false, nil
		}
		b.schema, b.table, b.column = parent.schema, parent.name, ref.name
	}
	rows, err := p.rowsOf(ctx, b.schema, b.table, b.row+1)
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	v := rows[min(b.row, len(rows)-1)][b.column]
	if v == nil {
		return "", false, nil
	}
	return *v, true, nil
}

// rowsOf are the rows of a relation, of which there are count when that is possible.
func (p *Probe) rowsOf(ctx context.Context, schemaName, name string, count int) ([]row, error) {
	t := p.schema.find(schemaName, name)
	if t == nil {
		return nil, nil
	}
	if err := p.require(ctx, t, max(count, rowsEach)); err != nil {
		return nil, err
	}
	if t.kind == 'r' || t.kind == 'p' {
		return p.rows[t.oid], nil
	}
	key := t.sql()
	if rows, ok := p.seen[key]; ok && len(rows) >= min(count, rowsEach) {
		return rows, nil
	}
	var rows []row
	err := p.try(ctx, func() error {
		result, err := p.execParams(ctx, "SELECT * FROM "+key+" LIMIT 2", nil)
		if err != nil {
			return err
		}
		if _, err := refusal(ctx, result.Err); err != nil {
			return err
		}
		for i := range result.Rows {
			rows = append(rows, toRow(result, i))
		}
		return nil
	})
	p.seen[key] = rows
	return rows, err
}

// run executes a planned statement with each list of values in turn, and takes back what it did. What it tells is of the last, but
// for the number of rows.
func (p *Probe) run(ctx context.Context, s *planned, runs [][][]byte) (ran, error) {
	var out ran
	var values [][]byte
	err := p.tryAs(ctx, func() error {
		before, err := p.count(ctx, s)
		if err != nil {
			return err
		}
		affected := int64(0)
		for _, values = range runs {
			out, err = p.execute(ctx, s, values)
			if err != nil || out.failure != nil {
				return err
			}
			affected += out.affected
		}
		out.affected = affected
		if p.deferrable() {
			_, err = p.exec(ctx, "SET CONSTRAINTS ALL IMMEDIATE")
			if out.failure, err = refusal(ctx, err); err != nil || out.failure != nil {
				return err
			}
		}
		if after, e := p.count(ctx, s); e != nil || after == before && before >= 0 {
			return e // a MERGE that has inserted nothing
		}
		out.stored, err = p.stored(ctx, s)
		return err
	})
	if out.failure != nil {
		for _, v := range values {
			text := "NULL"
			if v != nil {
				text = "'" + string(v) + "'"
			}
			out.failure.Params = append(out.failure.Params, text)
		}
	}
	return out, err
}

// count is the number of rows of the table that a MERGE changes, -1 of other statements.
func (p *Probe) count(ctx context.Context, s *planned) (int, error) {
	m := s.stmt.Node.GetMergeStmt()
	if m == nil {
		return -1, nil
	}
	t := p.schema.find(m.Relation.GetSchemaname(), m.Relation.GetRelname())
	if t == nil {
		return -1, nil
	}
	var n int
	err := p.try(ctx, func() error {
		results, err := p.exec(ctx, "SET LOCAL ROLE NONE; SELECT count(*) FROM "+t.sql())
		if err == nil {
			n = int(number(results[1].Rows[0][0]))
		}
		return err
	})
	return n, err
}

// execParams sends a statement with its values.
func (p *Probe) execParams(ctx context.Context, sql string, values [][]byte) (*pgconn.Result, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecParams(ctx, sql, values, nil, nil, nil).Read(), nil
}

// execPrepared executes a prepared statement; format is that of the result, 0 text or 1 binary.
func (p *Probe) execPrepared(ctx context.Context, name string, values [][]byte, format int16) (*pgconn.Result, error) {
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecPrepared(ctx, name, values, nil, []int16{format}).Read(), nil
}

func (p *Probe) execute(ctx context.Context, s *planned, values [][]byte) (ran, error) {
	var out ran
	if c := s.stmt.Node.GetCopyStmt(); c != nil {
		return p.copy(ctx, s, c, values)
	}
	if s.name == "" {
		_, err := p.exec(ctx, s.stmt.SQL)
		out.failure, err = refusal(ctx, err)
		return out, err
	}
	result, err := p.execPrepared(ctx, s.name, values, 0)
	if err != nil {
		return out, err
	}
	if out.failure, err = refusal(ctx, result.Err); err != nil || out.failure != nil {
		return out, err
	}
	out.affected = result.CommandTag.RowsAffected()
	out.nulls = make([]bool, len(result.FieldDescriptions))
	out.values = make([]map[string]bool, len(result.FieldDescriptions))
	for i := range out.values {
		out.values[i] = map[string]bool{}
	}
	for _, r := range result.Rows {
		var texts []string
		for i, v := range r {
			out.nulls[i] = out.nulls[i] || v == nil
			if v != nil && i < len(s.columns) && s.columns[i].Labels != nil {
				out.values[i][string(v)] = true
			}
			texts = append(texts, string(v))
		}
		if len(out.rows) < 20 {
			out.rows = append(out.rows, texts)
		}
	}
	return out, nil
}

// copy runs COPY with one row of text (or without, when it reads).
func (p *Probe) copy(ctx context.Context, s *planned, c *pgast.CopyStmt, values [][]byte) (ran, error) {
	var out ran
	var tag pgconn.CommandTag
	err := p.settle(ctx)
	if err != nil {
		return out, err
	}
	if c.IsFrom {
		tag, err = p.conn.CopyFrom(ctx, strings.NewReader(copyLine(values)), s.stmt.SQL)
	} else {
		tag, err = p.conn.CopyTo(ctx, discard{}, s.stmt.SQL)
	}
	out.failure, err = refusal(ctx, err)
	out.affected = tag.RowsAffected()
	return out, err
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// copyLine writes a row as COPY's text format does (doc/src/sgml/ref/copy.sgml, "Text Format").
func copyLine(values [][]byte) string {
	if len(values) == 0 {
		return ""
	}
	var fields []string
	for _, v := range values {
		if v == nil {
			fields = append(fields, `\N`)
			continue
		}
		fields = append(fields, strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`).Replace(string(v)))
	}
	return strings.Join(fields, "\t") + "\n"
}

// deferrable reports whether a constraint may wait for the end of the transaction.
func (p *Probe) deferrable() bool {
	for _, t := range p.schema.tables {
		for _, c := range t.constraints {
			if strings.Contains(c.def, "DEFERRABLE") {
				return true
			}
		}
	}
	return false
}

// denoted lists what the names in a statement mean: relations and columns by number, which no rename changes.
// A function with an SQL-standard body (PostgreSQL 14) records them as its dependencies
// (src/backend/catalog/pg_proc.c, recordDependencyOnExpr of the body).
func (p *Probe) denoted(ctx context.Context, s *planned) (Meaning, error) {
	if s.name == "" || p.version < 14 {
		return nil, nil
	}
	types, err := p.typesAsWritten(ctx, s.params)
	if err != nil {
		return nil, err
	}
	var out Meaning
	err = p.try(ctx, func() error {
		results, err := p.exec(ctx, "CREATE FUNCTION pg_temp.verify_denoted("+types+") RETURNS void LANGUAGE sql BEGIN ATOMIC "+s.stmt.SQL+"; END;"+denotedQuery)
		failure, err := refusal(ctx, err)
		if err != nil || failure != nil {
			return err
		}
		out = Meaning{}
		for _, r := range results[len(results)-1].Rows {
			out[string(r[0])] = string(r[1])
		}
		p.positions(s.stmt.Node.GetInsertStmt(), out)
		return nil
	})
	return out, err
}

// byPosition begins the names of values that an INSERT gives by their place alone.
const byPosition = "value "

// positions adds the columns that an INSERT without a list of them puts its values into: what it means depends on their order.
func (p *Probe) positions(n *pgast.InsertStmt, out Meaning) {
	if n == nil || len(n.Cols) > 0 {
		return
	}
	t := p.schema.find(n.Relation.Schemaname, n.Relation.Relname)
	rows := n.SelectStmt.GetSelectStmt().GetValuesLists()
	if t == nil || t.kind != 'r' && t.kind != 'p' || len(rows) == 0 {
		return // which column of a table a view's is, is not looked at
	}
	for i, v := range rows[0].GetList().GetItems() {
		if i < len(t.columns) && v.GetSetToDefault() == nil && !v.GetAConst().GetIsnull() {
			out[fmt.Sprintf("%s%d.%d", byPosition, t.oid, t.columns[i].num)] = fmt.Sprintf("%s%d of %s", byPosition, i+1, t.name)
		}
	}
}

// typesAsWritten is a list of types in SQL.
func (p *Probe) typesAsWritten(ctx context.Context, oids []uint32) (string, error) {
	var list []string
	for _, oid := range oids {
		if p.names[oid] == "" {
			results, err := p.exec(ctx, fmt.Sprintf("SELECT %d::regtype", oid))
			if err != nil {
				return "", fmt.Errorf("asking for the name of a type: %w", err)
			}
			p.names[oid] = string(results[0].Rows[0][0])
		}
		list = append(list, p.names[oid])
	}
	return strings.Join(list, ", "), nil
}

// denotedQuery reads the dependencies of the function: an identity that lasts, and how it is called now. What a view asks and
// what a function does belong to what they are; a view's stored tree names objects by number, so no rename changes it, and
// a view that is dropped and made again the same is the same. What its columns are is not looked at: some may have been added.
// A view that answers all rows of one table as they are, which stands in for a table that was renamed, is that table, and a
// column of it that is one of the table's is that column (resorigtbl, resorigcol in its stored tree).
const denotedQuery = `
WITH plain AS (
  SELECT r.ev_class AS view, r.ev_action::text AS tree, min(e.refobjid::bigint) AS base
  FROM pg_rewrite r JOIN pg_depend e ON e.classid = 'pg_rewrite'::regclass AND e.objid = r.oid AND e.refclassid = 'pg_class'::regclass AND e.refobjid <> r.ev_class
  WHERE r.ev_class >= 16384 AND r.rulename = '_RETURN' AND r.ev_action::text ~ ':jointree \{FROMEXPR :fromlist \(\{RANGETBLREF :rtindex \d+\}\) :quals <>\}'
    AND r.ev_action::text !~ ':has(Aggs|WindowFuncs|TargetSRFs|SubLinks|DistinctOn) true|:(cteList|groupClause|groupingSets|havingQual|distinctClause|limitOffset|limitCount|setOperations) [({]|:rtekind [1-9]'
  GROUP BY r.oid, r.ev_class, r.ev_action::text HAVING count(DISTINCT e.refobjid) = 1
)
SELECT CASE
  WHEN v.view IS NOT NULL AND d.refobjsubid = 0 THEN 'pg_class ' || v.base || '.0'
  WHEN v.origin[1] <> '0' THEN 'pg_class ' || v.origin[1] || '.' || v.origin[2]
  WHEN d.refclassid = 'pg_class'::regclass AND c.relkind = 'v'
    THEN concat('view ', a.attname, ' ', (SELECT md5(regexp_replace(replace(ev_action::text, ':relid ' || d.refobjid || ' ', ''),
      ':targetList .* :override|:selectedCols \(b[^)]*\)|:colnames \([^)]*\)|:(stmt_)?(location|len) -?[0-9]+', '', 'g'))
      FROM pg_rewrite WHERE ev_class = d.refobjid AND rulename = '_RETURN'))
  ELSE d.refclassid::regclass || ' ' || d.refobjid || '.' || d.refobjsubid ||
    CASE
         WHEN d.refclassid = 'pg_proc'::regclass THEN ' ' || md5(f.prosrc || coalesce(pg_get_function_sqlbody(f.oid), '')) ELSE '' END END,
  coalesce(c.relname || coalesce('.' || a.attname, ''), f.proname)
  FROM pg_depend d
  LEFT JOIN LATERAL (SELECT view, base, regexp_match(tree, ':resno ' || d.refobjsubid || ' :resname [^:]*:ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+)') AS origin
    FROM plain WHERE view = d.refobjid AND d.refclassid = 'pg_class'::regclass) v ON true
  LEFT JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
  LEFT JOIN pg_proc f ON d.refclassid = 'pg_proc'::regclass AND f.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = (SELECT oid FROM pg_proc WHERE proname = 'verify_denoted')
    AND (c.oid IS NOT NULL OR f.oid IS NOT NULL)`
