package verify

import (
	"context"
	"encoding/json"
	"strings"
)

// stored reads what an INSERT of one row into a table put into the columns that it leaves to their defaults. Of defaults that
// are no constants it is only said whether there was something. It runs behind the mark of the statement itself.
func (p *Probe) stored(ctx context.Context, s *planned) (map[string]string, error) {
	insert := s.stmt.Node.GetInsertStmt()
	if insert == nil || insert.Relation == nil || len(insert.Cols) == 0 {
		return nil, nil
	}
	t := p.schema.find(insert.Relation.Schemaname, insert.Relation.Relname)
	if t == nil || t.kind != 'r' {
		return nil, nil
	}
	named := map[string]bool{}
	names := targets(t, insert.Cols)
	for _, name := range names {
		named[name] = true
	}
	if rows := insert.SelectStmt.GetSelectStmt().GetValuesLists(); len(rows) == 1 {
		for i, v := range rows[0].GetList().GetItems() {
			if v.GetSetToDefault() != nil && i < len(names) {
				named[names[i]] = false
			}
		}
	}
	left := map[string]bool{} // whether the default is no constant
	for _, c := range t.columns {
		if !named[c.name] && !c.generated && c.identity == 0 {
			left[c.name] = strings.Contains(c.def, "(") || strings.Contains(c.def, "CURRENT_")
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	// The newest row is the last that this subtransaction wrote; the rows of others were made in earlier ones.
	results, err := p.exec(ctx, "SET LOCAL ROLE NONE; SELECT to_jsonb(x) FROM "+t.sql()+" x ORDER BY x.xmin::text::bigint DESC, x.ctid DESC LIMIT 1")
	failure, err := refusal(ctx, err)
	if err != nil || failure != nil || len(results) < 2 || len(results[1].Rows) != 1 {
		return nil, err
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(results[1].Rows[0][0], &row); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, v := range row {
		switch varies, ok := left[name]; {
		case ok && varies && string(v) != "null":
			out[name] = "something"
		case ok:
			out[name] = string(v)
		}
	}
	return out, nil
}
