package query

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// wrote reports whether a column of the result is what the statement itself put there: RETURNING of a column that INSERT or
// UPDATE sets, or that INSERT leaves to its default. Code knows what it writes, but for what a default is on another schema.
func (r *reading) wrote(col catalog.OutputColumn) bool {
	w := r.returned(col)
	if w == nil {
		return false
	}
	att, t := r.written(w, col)
	switch {
	case att == nil:
		return false
	case t != nil && !t.Default:
		return t.Given && !r.setsFromRow(att.Name)
	}
	return hasDefault(r.cat, att) || att.Identity != 0
}

// setsFromRow reports whether UPDATE computes a column's value from what is in the row, or in another.
func (r *reading) setsFromRow(column string) bool {
	found := false
	for _, n := range r.stmt.Node.GetUpdateStmt().GetTargetList() {
		if n.GetResTarget().GetName() == column {
			pgast.Walk(n.GetResTarget().GetVal(), func(n *pgast.Node) bool {
				found = found || n.GetColumnRef() != nil
				return !found
			})
		}
	}
	return found
}

// returned is the INSERT or UPDATE of the table that a column of RETURNING is of, nil for other statements and where ON CONFLICT DO UPDATE
// may leave in the column what is there, or computes it from that.
func (r *reading) returned(col catalog.OutputColumn) *catalog.Write {
	list := r.an.Writes
	if r.stmt.Node.GetInsertStmt() == nil && r.stmt.Node.GetUpdateStmt() == nil || len(list) == 0 || list[0].Relation != col.Origin.OID {
		return nil
	}
	switch {
	case len(list) == 1:
		return list[0]
	case len(list) == 2 && list[0].Conflict != nil && list[1].Op == 'u' && list[1].Relation == list[0].Relation:
		if t := list[1].Target(col.Origin.Column); t != nil && len(t.Values) == 1 {
			if v := t.Values[0]; v.Param != 0 || v.Constant != nil || v.Excluded != 0 {
				return list[0]
			}
		}
	}
	return nil
}

// written finds the table column behind a column of RETURNING, and what a change sets it to, nil when INSERT leaves it out.
func (r *reading) written(w *catalog.Write, col catalog.OutputColumn) (*catalog.Column, *catalog.Target) {
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	t := w.Target(col.Origin.Column)
	if rel == nil || t == nil && w.Op != 'i' {
		return nil, nil
	}
	return rel.Att(col.Origin.Column), t
}

// labelsOfDefault lists what a column of RETURNING may hold that the statement leaves to its default: one label where that is a
// constant, else any. It is nil where the statement gives a value.
func (r *reading) labelsOfDefault(col catalog.OutputColumn, enum *catalog.Type) []string {
	att, t := r.written(r.returned(col), col)
	if t != nil && !t.Default {
		return nil
	}
	if e := att.Default; e != nil && e.Constant {
		n := e.Node
		for n.GetTypeCast() != nil {
			n = n.GetTypeCast().Arg
		}
		if s := n.GetAConst().GetSval(); s != nil {
			return []string{s.Sval}
		}
	}
	return enum.Labels
}
