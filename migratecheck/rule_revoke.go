package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleRevoke = &Rule{
	ID: "revoke", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A privilege is taken away.",
		Why:        "If released code connects as that role, its queries fail (42501) from the moment of the commit.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nGRANT SELECT, INSERT ON repo TO PUBLIC;",
		Bad:        "REVOKE INSERT ON repo FROM PUBLIC;",
		Good:       "GRANT UPDATE ON repo TO PUBLIC;",
		Exceptions: "Silent for objects that the pending change creates; REVOKE … FROM PUBLIC on a new function is good practice.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, REVOKE.",
	},
	Step: func(s *Step) {
		g := s.Stmt.Node.GetGrantStmt()
		if g != nil && !g.IsGrant && g.Targtype == pgast.GrantTargetType_ACL_TARGET_OBJECT {
			for _, o := range g.Objects {
				if rv := o.GetRangeVar(); rv != nil {
					if rel := s.Before.Relation(rv.Schemaname, rv.Relname); rel != nil && s.IsNew(rel.OID) {
						return
					}
				}
				if f := o.GetObjectWithArgs(); f != nil && s.createsFunctionNamed(f) {
					return
				}
			}
		}
		if g != nil && !g.IsGrant || s.Stmt.Node.GetGrantRoleStmt() != nil && !s.Stmt.Node.GetGrantRoleStmt().IsGrant {
			s.Report(fmt.Sprintf("takes a privilege away: released code that connects as %s and needs it fails (42501) at once", grantees(s.Stmt.Node)),
				"Ship code that does without the privilege first; revoke when no older code runs.")
		}
	},
}
