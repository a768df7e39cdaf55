package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

// wrote reports whether a column of the result is what the statement itself put there: RETURNING of a column that INSERT or
// UPDATE sets, or that INSERT leaves to its default. Code knows what it writes, but for what a default is on another schema.
func (r *reading) wrote(col catalog.OutputColumn) bool {
	att, t := r.written(col)
	switch {
	case att == nil:
		return false
	case t != nil && !t.Default:
		return t.Given
	}
	return hasDefault(r.cat, att) || att.Identity != 0
}

// written finds the table column behind a column of RETURNING, and what the statement sets it to, nil when INSERT leaves it out.
func (r *reading) written(col catalog.OutputColumn) (*catalog.Column, *catalog.Target) {
	insert, update := r.stmt.Node.GetInsertStmt() != nil, r.stmt.Node.GetUpdateStmt() != nil
	if !insert && !update || len(r.an.Writes) != 1 {
		return nil, nil // with ON CONFLICT DO UPDATE there are two
	}
	w := r.an.Writes[0]
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	if rel == nil || col.Origin.OID != rel.OID {
		return nil, nil
	}
	t := w.Target(col.Origin.Column)
	if t == nil && !insert {
		return nil, nil
	}
	return rel.Att(col.Origin.Column), t
}

// labelsOfDefault lists what a column of RETURNING may hold that the statement leaves to its default: one label where that is a
// constant, else any. It is nil where the statement gives a value.
func (r *reading) labelsOfDefault(col catalog.OutputColumn, enum *catalog.Type) []string {
	att, t := r.written(col)
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
