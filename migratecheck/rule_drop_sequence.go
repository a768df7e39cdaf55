package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropSequence = &Rule{
	ID: "drop-sequence", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A sequence that released code may draw from is dropped, renamed or moved, or starts again.",
		Why:        "nextval('name') and currval in old code fail (42P01). Numbers that were drawn before and come again collide where they are unique (23505).",
		Schema:     "CREATE SEQUENCE ticket_no;",
		Bad:        "DROP SEQUENCE ticket_no;",
		Good:       "ALTER SEQUENCE ticket_no CACHE 10;",
		Exceptions: "Silent for a sequence that goes with its table, column or schema, or takes a column's default along (drop-default says that), when the file leaves a sequence of that name that goes on elsewhere than at the start (START WITH, RESTART WITH, setval), and for what the pending change creates. So is one that starts again when its table has no rows. An identity column's new sequence is drop-default's. A renamed or moved sequence is a warning.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP SEQUENCE; ALTER SEQUENCE, RESTART.",
	},
	File: func(f *File) {
		f.reportRestarts()
		for i, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || old.Kind != catalog.Sequence || s.IsNew(old.OID) || s.goesWith(old) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				if now := f.After.Relation(name.Schema, name.Name); now != nil && now.Kind == catalog.Sequence {
					if now.OID != old.OID && (c.Op == catalog.Dropped || c.Op == catalog.Renamed || c.Op == catalog.Moved) && !f.goesOn(i, old, now) {
						f.ReportStep(s, Error, fmt.Sprintf("another sequence has the name of %s: nextval of released code, and defaults that name it, draw from its start, numbers that were drawn before (23505 where they are unique)", name),
							s.continueHelp(old, sqlNameOf(name)))
					}
					continue
				}
				owned := old.Seq != nil && old.Seq.OwnedBy.OID != 0
				switch {
				case c.Op == catalog.Dropped && owned && s.changesDefault():
					// drop-default's
				case c.Op == catalog.Dropped && (!owned || s.Stmt.Node.GetDropStmt().GetRemoveType() == pgast.ObjectType_OBJECT_SEQUENCE):
					f.ReportStep(s, Error,
						fmt.Sprintf("drops sequence %s: nextval and currval of released code that name it fail (42P01)", name),
						fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use it\nrelease 2, when no older code runs:\n%s", s.dropping("DROP SEQUENCE "+sqlNameOf(name)+";")))
				case c.Op == catalog.Renamed, c.Op == catalog.Moved && !s.movesTable(old):
					f.ReportStep(s, Warning,
						fmt.Sprintf("renames sequence %s to %s: nextval and currval of released code that name it fail (42P01)", name, s.After.NameOf(old.OID)),
						s.renameSequenceHelp(old))
				}
			}
		}
	},
}

// goesOn reports whether what takes a sequence's name in the file from a step on does not begin where that one began.
func (f *File) goesOn(from int, old, now *catalog.Relation) bool {
	if f.Up[from].movesTable(old) {
		return true // rename-table's
	}
	if old.Seq != nil && old.Seq.OwnedBy.OID != 0 && f.columnAfter(old.Seq.OwnedBy.OID, old.Seq.OwnedBy.Column) == nil {
		return true // the rows with its numbers are gone: drop-table's, or drop-column's
	}
	return now.Seq == nil || now.Seq.Identity || beyondStart(old, now.Seq.Start) || f.continues(from, now) || f.Up[from].noRowsOf(old)
}

// changesDefault reports whether the statement takes a column's default along.
func (s *Step) changesDefault() bool {
	for _, c := range s.Changes {
		if c.Op == catalog.ColumnDefaultChanged {
			return true
		}
	}
	return false
}

// movesTable reports whether a sequence moves with the table that owns it: rename-table says that.
func (s *Step) movesTable(seq *catalog.Relation) bool {
	for _, c := range s.Changes {
		if c.Op == catalog.Moved && seq.Seq != nil && c.Old.ObjectID() == seq.Seq.OwnedBy.OID {
			return true
		}
	}
	return false
}

// renameSequenceHelp is a change of a sequence's name over releases. No sequence has two names, but a view keeps to the one that it was made
// on (src/backend/commands/view.c stores the regclass constant by its OID), so that code which draws from the view never names it.
func (s *Step) renameSequenceHelp(old *catalog.Relation) string {
	was, is := s.Before.NameOf(old.OID), s.After.NameOf(old.OID)
	rename := fmt.Sprintf("ALTER SEQUENCE %s RENAME TO %s;", sqlNameOf(was), quoteIdent(is.Name))
	if was.Schema != is.Schema {
		rename = fmt.Sprintf("ALTER SEQUENCE %s SET SCHEMA %s;", sqlNameOf(was), quoteIdent(is.Schema))
	}
	view := sqlNameOf(catalog.Name{Schema: is.Schema, Name: is.Name + "_next"})
	return fmt.Sprintf("Keep the name; a column's default finds its sequence under any. If it must change, split it over releases:\n"+
		"release 1, with code that reads %[1]s instead of calling nextval:\nCREATE VIEW %[1]s AS SELECT nextval(%[2]s::regclass) AS value;\n"+
		"release 2, when no older code runs:\n%[3]s\nrelease 3: ship code that calls nextval(%[4]s)\nrelease 4, when no older code runs:\nDROP VIEW %[1]s;",
		view, quoteLiteral(sqlNameOf(was)), rename, quoteLiteral(sqlNameOf(is)))
}
