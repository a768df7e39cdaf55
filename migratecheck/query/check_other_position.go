package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkOtherPosition = &Check{
	ID:      "other-position",
	Catches: "An INSERT or COPY that does not list its columns puts a value into another column than on the other schema, or COPY has too many or too few.",
	Code:    "22P04",
	Rules:   []string{"drop-column", "reuse-column-name", "widen-select-star"},
	Asks:    TheCode,
	Source:  "sql-insert.html: values without a list of columns go into the columns in their declared order; src/backend/commands/copyfromparse.c NextCopyFrom",
	between: func(s *step, c *Check) {
		for i, w := range s.an.Writes {
			if i >= len(s.was.an.Writes) || !w.AllColumns || !s.was.an.Writes[i].AllColumns {
				continue
			}
			s.comparePositions(c, s.was.an.Writes[i], w)
		}
	},
}

// comparePositions reports the first value that goes into another column of the same table.
func (s *step) comparePositions(c *Check, was, now *catalog.Write) {
	name := s.cat.NameOf(now.Relation).String()
	if now.Copy && len(was.Targets) != len(now.Targets) {
		s.report(c, Problem{Code: "22P04", Offset: now.Offset, Relation: name, Objects: []catalog.Address{{OID: now.Relation}}},
			"%s does not list its columns and sends %s to %s, which has %d: every row is refused", s.verb(), columnCount(len(was.Targets)), name, len(now.Targets))
		return
	}
	for j, t := range now.Targets {
		if j >= len(was.Targets) {
			break
		}
		before := catalog.Address{OID: was.Relation, Column: was.Targets[j].Column}
		after := catalog.Address{OID: now.Relation, Column: t.Column}
		a, b := s.was.cat.Behind(before), s.cat.Behind(after)
		if a.OID != b.OID {
			return // other-relation, not-updatable or view-replaced tells
		}
		if a == b || !t.Given || t.Null && !t.Mixed {
			continue
		}
		p := Problem{Offset: t.Offset, Relation: name, Objects: []catalog.Address{{OID: now.Relation}, before, after}}
		if rel, _ := s.cat.Get(now.Relation).(*catalog.Relation); rel != nil {
			if col := rel.Att(t.Column); col != nil {
				p.Column = col.Name
			}
		}
		s.report(c, p, "value %d of %s, which does not list its columns, goes into %s, and into %s on the schema this code was written for",
			j+1, s.verb(), textOf(s.cat, after), textOf(s.was.cat, before))
		return
	}
}
