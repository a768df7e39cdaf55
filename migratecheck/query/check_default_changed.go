package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

var checkDefaultChanged = &Check{
	ID:      "default-changed",
	Catches: "An INSERT leaves out a column whose default has changed, or is gone where NULL is allowed.",
	Rules:   []string{"drop-default", "reuse-column-name"},
	Asks:    TheSchema,
	Source:  "sql-insert.html: each column not present is filled with its default value",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' {
				return
			}
			for i := range w.rel.Columns {
				col := &w.rel.Columns[i]
				// Code knows columns by their names: one that has taken over a name is compared with the one that had it.
				was := w.was.Column(col.Name)
				if was == nil || w.AllColumns { // or by their places
					was = w.was.Att(i + 1)
				}
				t := w.Target(col.Num)
				if col.Dropped || was == nil || t != nil && !t.Default || s.sameDefault(was, col) || required(s.cat, col) {
					continue // required-column tells of one without any
				}
				now := "NULL"
				if col.Default != nil {
					now = col.Default.SQL
				}
				s.report(c, w.about(s.reading, []int{col.Num}), "%s leaves column %q of %s to its default, which is %s, and %s on the schema this code was written for: new rows get another value",
					s.verb(), col.Name, s.cat.NameOf(w.rel.OID), now, was.Default.SQL)
			}
		})
	},
}

// sameDefault tells whether a column that had a default still gets the same. A column without one is not looked at: to give
// it one is how a migration prepares for code to come. Sequences give the next number whatever they are called.
func (s *step) sameDefault(was, now *catalog.Column) bool {
	if was.Default == nil || was.Generated != 0 || isNull(was.Default) {
		return true
	}
	if now.Default == nil {
		return now.Identity != 0 || now.Generated != 0 || hasDefault(s.cat, now)
	}
	return catalog.SameCondition(was.Default, now.Default) || isNextval(was.Default) && isNextval(now.Default)
}

func isNextval(e *catalog.Expr) bool {
	name := e.Node.GetFuncCall().GetFuncname()
	return len(name) > 0 && name[len(name)-1].GetString_().GetSval() == "nextval"
}
