package verify

import (
	"context"
	"encoding/json"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// storedValue is what is in a column. A name that was given to another column, which the number tells, is another matter.
type storedValue struct {
	number int
	typ    string
	value  string // JSON
}

// stored reads what an INSERT of one row into a table put into the columns that it leaves to their defaults. Of defaults that
// are no constants it is only said whether there was something. It runs behind the mark of the statement itself.
func (p *Probe) stored(ctx context.Context, s *planned) (map[string]storedValue, error) {
	relation, given := filled(s.stmt.Node)
	if relation == nil {
		return nil, nil
	}
	t := p.schema.find(relation.Schemaname, relation.Relname)
	if t == nil || t.kind != 'r' {
		return nil, nil
	}
	named := map[string]bool{}
	for _, name := range given {
		named[name] = true
	}
	left := map[string]bool{} // whether the default is no constant
	for _, c := range t.columns {
		if !named[c.name] && !c.generated && c.identity == 0 {
			ty := p.typ(c.typ)
			renamed := ty != nil && ty.kind == 'e' // its labels may have other names and be the same
			left[c.name] = renamed || strings.Contains(c.def, "(") || strings.Contains(c.def, "CURRENT_")
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	// The newest row is the last that this subtransaction wrote; the rows of others were made in earlier ones.
	// One that ON CONFLICT has updated has been locked first, which xmax tells.
	results, err := p.exec(ctx, "SET LOCAL ROLE NONE; SELECT to_jsonb(x), x.xmax = 0 FROM "+t.sql()+" x ORDER BY x.xmin::text::bigint DESC, x.ctid DESC LIMIT 1")
	failure, err := refusal(ctx, err)
	if err != nil || failure != nil || len(results) < 2 || len(results[1].Rows) != 1 || string(results[1].Rows[0][1]) != "t" {
		return nil, err
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(results[1].Rows[0][0], &row); err != nil {
		return nil, err
	}
	out := map[string]storedValue{}
	for _, c := range t.columns {
		switch varies, ok := left[c.name]; {
		case !ok:
		case varies && string(row[c.name]) != "null":
			out[c.name] = storedValue{c.num, c.typeName, "something"}
		default:
			out[c.name] = storedValue{c.num, c.typeName, string(row[c.name])}
		}
	}
	return out, nil
}

// filled is the table that an INSERT or a MERGE puts rows into, and the columns that it gives values for; nil when it has no
// list of columns.
func filled(n *pgast.Node) (*pgast.RangeVar, []string) {
	if m := n.GetMergeStmt(); m != nil {
		for _, when := range m.MergeWhenClauses {
			if w := when.GetMergeWhenClause(); len(w.GetValues()) > 0 && len(w.GetTargetList()) > 0 {
				return m.Relation, given(w.TargetList, w.Values)
			}
		}
		return nil, nil
	}
	insert := n.GetInsertStmt()
	if insert == nil || len(insert.Cols) == 0 {
		return nil, nil
	}
	var values []*pgast.Node
	if rows := insert.SelectStmt.GetSelectStmt().GetValuesLists(); len(rows) == 1 {
		values = rows[0].GetList().GetItems()
	}
	return insert.Relation, given(insert.Cols, values)
}

// given lists the names of columns but for those whose value is DEFAULT.
func given(columns, values []*pgast.Node) []string {
	var names []string
	for i, c := range columns {
		if i >= len(values) || values[i].GetSetToDefault() == nil {
			names = append(names, c.GetResTarget().GetName())
		}
	}
	return names
}
