package compat

import (
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// NewName is the name that the cause of a break gives to what a query of the new code calls by its old one; ok is false
// when the break is of another kind. [query.Bound.Renamed] says what to write instead.
func (b *Break) NewName() (old, now string, ok bool) {
	if !b.Own || b.Cell != (Cell{New, New}) || b.Cause == nil || b.Problem.Code == "" {
		return "", "", false
	}
	for _, c := range b.Cause.Changes {
		switch {
		case c.Op == catalog.ColumnRenamed && c.OldColumn.Name == b.Problem.Column && (b.Problem.Relation == "" || b.Problem.Relation == c.New.ObjectName()):
			old, now = c.OldColumn.Name, c.NewColumn.Name
		case c.Op == catalog.Renamed && b.Problem.Column == "" && c.Old.ObjectName() == b.Problem.Relation:
			old, now = c.Old.ObjectName(), c.New.ObjectName()
		default:
			continue
		}
		if ok {
			return "", "", false // two things of that name were renamed
		}
		ok = true
	}
	return old, now, ok
}
