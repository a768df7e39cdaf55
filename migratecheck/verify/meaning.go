package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Meaning is what the names in a statement stand for: from objects, by numbers that outlast renames, to names.
type Meaning map[string]string

// Meaning finds out what the names in a statement stand for on this schema; nil when it does not work there.
func (p *Probe) Meaning(ctx context.Context, sql string) (Meaning, error) {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return nil, nil // the server would not take it in a function
	}
	s, err := p.plan(ctx, stmts[0])
	var meaning Meaning
	if err == nil && s.failure == nil {
		meaning, err = p.denoted(ctx, &s)
	}
	p.forget(&s)
	return meaning, errors.Join(err, p.settle(ctx))
}

// Otherwise lists the names in a statement that stand for other objects in here than in home, sorted. Both must be of one
// database or copies of it.
func Otherwise(sql string, home, here Meaning) []string {
	was, is := home.byName(), here.byName()
	var list []string
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if ids, ok := is[name]; ok && !slices.Equal(ids, was[name]) && mentions(sql, name) {
			list = append(list, name)
		}
	}
	return list
}

// mentions: ON CONFLICT DO UPDATE has a row called excluded, which depends on every column of the table (transformOnConflictClause,
// src/backend/parser/analyze.c), and an INSERT without a list of columns depends on those that get DEFAULT, so there only those count that
// are written out.
func mentions(sql, name string) bool {
	if !strings.Contains(strings.ToUpper(sql), "ON CONFLICT") && !unlisted().MatchString(sql) || strings.HasPrefix(name, byPosition) {
		return true
	}
	word := regexp.QuoteMeta(name[strings.LastIndexByte(name, '.')+1:])
	return regexp.MustCompile(`(^|\W)` + word + `(\W|$)`).MatchString(sql)
}

// unlisted finds an INSERT of values that does not list its columns.
var unlisted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)\bINSERT\s+INTO\s+[^\s(]+\s+VALUES\b`) })

func (m Meaning) byName() map[string][]string {
	names := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(m)) {
		names[m[id]] = append(names[m[id]], id)
	}
	return names
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
