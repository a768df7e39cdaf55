package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleEnableRLS = &Rule{
	ID: "enable-rls", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "Row-level security is switched on, or a policy changed, on a table that released code uses.",
		Why:        "Without a policy that lets them through, reads of any role but the owner return no rows, silently, and writes fail (42501). FORCE does it to the owner as well.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE repo ENABLE ROW LEVEL SECURITY;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent for tables that the pending change creates, and for a permissive policy that is added (it only lets more through). A warning when the file leaves at least one permissive policy on the table, and for a policy dropped, changed or added as restrictive.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 5.8 Row Security Policies.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				switch o := c.Object().(type) {
				case *catalog.Relation:
					old, ok := c.Old.(*catalog.Relation)
					if !ok || c.New == nil || !s.inUse(old) {
						continue
					}
					// FORCE alone does nothing: it is about whom the security that is on holds for.
					on, forced := o.RowSecurity && !old.RowSecurity, o.RowSecurity && o.ForceRLS && !(old.RowSecurity && old.ForceRLS)
					if !on && !forced {
						continue
					}
					severity, who := Error, "no policy lets anybody through, so roles other than the owner read no rows and cannot write"
					if forced {
						who = "no policy lets anybody through, the owner included: no rows are read, and nothing can be written"
					}
					for _, p := range f.After.Policies(o.OID) {
						if p.Permissive {
							severity, who = Warning, "queries of released code see and write only what its policies allow"
						}
					}
					f.ReportStep(s, severity, fmt.Sprintf("switches row-level security on for %s: %s", s.Name(o.OID), who),
						fmt.Sprintf("Before it, create a policy that lets the old code do all it does now, and narrow it when no older code runs:\nCREATE POLICY %s ON %s USING (true) WITH CHECK (true);", quoteIdent(o.Name+"_all"), s.sqlName(o.OID)))
				case *catalog.Policy:
					rel := s.relation(o.Table)
					if rel == nil || !s.inUse(rel) || !rel.RowSecurity && !(rel.Assumed && c.Op == catalog.Dropped) || f.After.Get(o.Table) == nil || s.IsNew(o.OID) && o.Permissive || c.Op != catalog.Created && c.Op != catalog.Dropped && c.Op != catalog.Altered {
						continue
					}
					f.ReportStep(s, Warning, fmt.Sprintf("policy %s of %s is %s: that changes what released code can read and write", o.Name, s.Name(o.Table), map[catalog.Op]string{catalog.Created: "added", catalog.Dropped: "dropped", catalog.Altered: "changed"}[c.Op]),
						"Add the new policy beside the old one, ship the code that needs it, and drop the old one when no older code runs.")
				}
			}
		}
	},
}
