package compat

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// NewName is the name that the cause of a break gives to what a query of the new code calls by its old one; ok is false
// when the break is of another kind.
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

// Literally finds a word in the source of a break's query, at or behind the place where the query breaks: where it
// begins, and how long it is there. ok is false when that part of the text does not stand in the source as it is sent.
func (b *Break) Literally(word string) (at query.Position, length int, ok bool) {
	if b.Problem.Variant < 0 || len(b.Site.Variants) != 1 {
		return query.Position{}, 0, false
	}
	v := &b.Site.Variants[b.Problem.Variant]
	rest := v.SQL[min(max(b.Problem.Offset, 0), len(v.SQL)):]
	i := strings.Index(dottedName(rest), word)
	if i < 0 || !v.Linear(b.Problem.Offset+i, len(word)) {
		return query.Position{}, 0, false
	}
	return v.Position(b.Site, b.Problem.Offset+i), len(word), true
}

// dottedName is the name that a text begins with, qualified or not.
func dottedName(s string) string {
	end := 0
	for end < len(s) && (isWord(s[end]) || s[end] == '.' || s[end] == '"') {
		end++
	}
	return s[:end]
}
