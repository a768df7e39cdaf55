package migratecheck

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddForeignKey = &Rule{
	ID: "add-foreign-key", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A foreign key is put on a table that released code writes.",
		Why:        "Old code was never told: it may insert the child before the parent, or delete a parent that still has children, and fails (23503) as long as it runs.",
		Schema:     "CREATE TABLE owner (id integer PRIMARY KEY);\nCREATE TABLE repo (id integer PRIMARY KEY, owner_id integer);",
		Bad:        "ALTER TABLE repo ADD CONSTRAINT repo_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES owner (id) NOT VALID;",
		Good:       "ALTER TABLE repo ADD COLUMN parent_id integer REFERENCES repo (id);",
		Exceptions: "Silent for tables that the pending change creates, when every constrained column is new in it, and when the released schema has the same foreign key already, by columns or, where columns have changed places, by their names, unless deletes that it passed on (CASCADE, SET NULL, SET DEFAULT) are refused from now on, or those that it refused are passed on.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.4.5 Foreign Keys.",
	},
	Step: func(s *Step) {
		for _, con := range s.newConstraints(catalog.ForeignKey) {
			if old := s.refusedDeletes(con); old != nil {
				s.ReportAt(s.constraintAt(con), Warning,
					fmt.Sprintf("foreign key %s of %s now passes deletes on (%s): where released code was refused to delete a row of %s that others refer to (23503), the delete succeeds and %s", con.Name, s.Name(con.Table), actionWord(con.OnDelete), s.Name(con.RefTable), fate(con.OnDelete)),
					"Make sure that no released code relies on the refusal, or deletes and creates such a row again; change the action when no older code runs.")
				continue
			}
			if s.onNewColumnsOnly(con) || s.replacesEqual(con) || s.replacesByName(con) {
				continue
			}
			if s.hadForeignKey(con) {
				s.ReportAt(s.constraintAt(con), Warning,
					fmt.Sprintf("foreign key %s of %s no longer passes on what happens to the parent in %s: released code that deletes, or renumbers, a parent that has rows fails (23503)", con.Name, s.Name(con.Table), s.Name(con.RefTable)),
					"Ship code that removes the children itself first; change the action when no older code runs.")
				continue
			}
			deletes := ", or deletes a parent that has rows,"
			if refuses(con.OnDelete) == 0 {
				deletes = ""
			}
			s.ReportAt(s.constraintAt(con), Warning,
				fmt.Sprintf("new foreign key %s on %s: released code that inserts a row before its parent in %s%s fails (23503)", con.Name, s.Name(con.Table), s.Name(con.RefTable), deletes),
				addLaterHelp(s.findOrphans(con), s.addNotValid(con)))
		}
	},
}

// refusedDeletes is the released foreign key between the same columns under which a parent with rows could not be deleted, when
// the new one changes the rows instead; nil otherwise.
func (s *Step) refusedDeletes(con *catalog.Constraint) *catalog.Constraint {
	if refuses(con.OnDelete) != 0 {
		return nil
	}
	released := s.File.Run.released(s.File)
	for _, old := range released.Constraints(con.Table) {
		if old.Kind == catalog.ForeignKey && old.RefTable == con.RefTable && refuses(old.OnDelete) == 1 && sameNames(released, old, s.File.After, con) {
			return old
		}
	}
	return nil
}

func actionWord(action byte) string {
	return map[byte]string{'c': "CASCADE", 'n': "SET NULL", 'd': "SET DEFAULT"}[action]
}

// fate is what ON DELETE makes of the rows that refer to the deleted one.
func fate(action byte) string {
	if action == 'c' {
		return "takes those rows with it"
	}
	return "changes those rows"
}

// hadForeignKey reports whether the released schema has a foreign key on the same columns to the same ones, whatever
// its actions.
func (s *Step) hadForeignKey(con *catalog.Constraint) bool {
	for _, old := range s.File.Run.released(s.File).Constraints(con.Table) {
		if old.Kind == catalog.ForeignKey && old.RefTable == con.RefTable && sameNumbers(old.Columns, con.Columns) && sameNumbers(old.RefColumns, con.RefColumns) {
			return true
		}
	}
	return false
}

// replacesByName reports whether the released schema has a foreign key with the same actions between columns of the names
// that these have when the file ends: released code, which goes by names, was told what this one asks. (The columns behind
// the names may be others; whether the rows obey is fails-on-existing-rows' question.)
func (s *Step) replacesByName(con *catalog.Constraint) bool {
	for _, e := range s.File.Up {
		for _, c := range e.Changes {
			// Of a table that nobody saw created: what was dropped by that name is most likely the same key.
			if old, ok := c.Old.(*catalog.Constraint); ok && c.Op == catalog.Dropped && old.Assumed && old.Table == con.Table && old.Name == con.Name {
				return true
			}
		}
		if e == s {
			break
		}
	}
	released := s.File.Run.released(s.File)
	for _, old := range released.Constraints(con.Table) {
		if old.Kind == catalog.ForeignKey && old.RefTable == con.RefTable && refuses(con.OnDelete) <= refuses(old.OnDelete) && refuses(con.OnUpdate) <= refuses(old.OnUpdate) &&
			sameNames(released, old, s.File.After, con) {
			return true
		}
	}
	return false
}

// sameNames compares the columns of two foreign keys, pair by pair, by the names that two catalogs have for them.
func sameNames(a *catalog.Catalog, x *catalog.Constraint, b *catalog.Catalog, y *catalog.Constraint) bool {
	from, ok1 := columnPairs(a, x)
	to, ok2 := columnPairs(b, y)
	return ok1 && ok2 && slices.Equal(from, to)
}

// columnPairs lists "child parent" for each column of a foreign key, sorted; ok is false when one is not there.
func columnPairs(c *catalog.Catalog, con *catalog.Constraint) (pairs []string, ok bool) {
	child, ok1 := c.Get(con.Table).(*catalog.Relation)
	parent, ok2 := c.Get(con.RefTable).(*catalog.Relation)
	if !ok1 || !ok2 || len(con.Columns) == 0 || len(con.Columns) != len(con.RefColumns) {
		return nil, false
	}
	for i, n := range con.Columns {
		a, b := child.Att(n), parent.Att(con.RefColumns[i])
		if a == nil || b == nil {
			return nil, false
		}
		pairs = append(pairs, a.Name+" "+b.Name)
	}
	slices.Sort(pairs)
	return pairs, true
}
