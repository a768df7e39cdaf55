package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

// wrote reports whether a column of the result is what the statement itself put there: RETURNING of a column that INSERT or
// UPDATE sets, or that INSERT leaves to its default. Code knows what it writes.
func (r *reading) wrote(col catalog.OutputColumn) bool {
	insert, update := r.stmt.Node.GetInsertStmt() != nil, r.stmt.Node.GetUpdateStmt() != nil
	if !insert && !update || len(r.an.Writes) != 1 {
		return false // with ON CONFLICT DO UPDATE there are two
	}
	w := r.an.Writes[0]
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	if rel == nil || col.Origin.OID != rel.OID {
		return false
	}
	if t := w.Target(col.Origin.Column); t != nil {
		return t.Given
	}
	att := rel.Att(col.Origin.Column)
	return insert && att != nil && (hasDefault(r.cat, att) || att.Identity != 0)
}
