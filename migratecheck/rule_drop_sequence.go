package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropSequence = &Rule{
	ID: "drop-sequence", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A sequence that released code may draw from is dropped, renamed or moved.",
		Why:        "nextval('name') and currval in old code fail (42P01).",
		Schema:     "CREATE SEQUENCE ticket_no;",
		Bad:        "DROP SEQUENCE ticket_no;",
		Good:       "ALTER SEQUENCE ticket_no CACHE 10;",
		Exceptions: "Silent for a sequence that goes with its table, column or schema, or takes a column's default along (drop-default says that), when the file leaves a sequence of that name, and for what the pending change creates. A renamed or moved sequence is a warning.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP SEQUENCE.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Relation)
				if !ok || old.Kind != catalog.Sequence || s.IsNew(old.OID) || s.goesWith(old) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				if now := f.After.Relation(name.Schema, name.Name); now != nil && now.Kind == catalog.Sequence {
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
						"Keep the name; a column's default finds its sequence under any.")
				}
			}
		}
	},
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
