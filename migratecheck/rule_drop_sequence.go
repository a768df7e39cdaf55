package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropSequence = &Rule{
	ID: "drop-sequence", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A sequence that released code may draw from is dropped, renamed or taken from its column.",
		Why:        "nextval('name') and currval in old code fail (42P01).",
		Schema:     "CREATE SEQUENCE ticket_no;",
		Bad:        "DROP SEQUENCE ticket_no;",
		Good:       "ALTER SEQUENCE ticket_no CACHE 10;",
		Exceptions: "Silent for a sequence that goes with its table or column, and for what the pending change creates.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP SEQUENCE.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Relation)
			if !ok || old.Kind != catalog.Sequence || s.IsNew(old.OID) {
				continue
			}
			switch {
			case c.Op == catalog.Dropped && (s.Stmt.Node.GetDropStmt().GetRemoveType() == pgast.ObjectType_OBJECT_SEQUENCE || old.Seq == nil || old.Seq.OwnedBy.OID == 0):
				s.ReportAt(s.Find("SEQUENCE", old.Name), Error,
					fmt.Sprintf("drops sequence %s: nextval in released code fails (42P01)", s.Name(old.OID)),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use it\nrelease 2, when no older code runs: DROP SEQUENCE %s;", s.sqlName(old.OID)))
			case c.Op == catalog.Renamed || c.Op == catalog.Moved:
				s.ReportAt(0, Warning,
					fmt.Sprintf("renames sequence %s to %s: nextval and currval of released code that name it fail (42P01)", s.Name(old.OID), s.After.NameOf(old.OID)),
					"Keep the name.")
			}
		}
	},
}
