package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameConstraint = &Rule{
	ID: "rename-constraint", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A constraint gets another name.",
		Why:        "Code compares constraint names in errors (\"a repository of that name exists\") and names them in ON CONFLICT ON CONSTRAINT: the old code shows an internal error instead of the message, or its INSERT fails (42704).",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text, CONSTRAINT uq_repo_name UNIQUE (name));",
		Bad:        "ALTER TABLE repo RENAME CONSTRAINT uq_repo_name TO repo_name_key;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent for tables that the pending change creates. A foreign key or CHECK is info: ON CONFLICT cannot name it.",
		Versions:   "All.",
		Source:     "git.sr.ht api/graph/schema.resolvers.go and hub.sr.ht compare constraint names; hub's webhooks.go names one in ON CONFLICT.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			old, ok := c.Old.(*catalog.Constraint)
			if !ok || c.Op != catalog.Renamed || old.Table == 0 || s.IsNew(old.Table) || s.IsNew(old.OID) || old.Parent != 0 {
				continue
			}
			severity := Warning
			if old.Kind == catalog.ForeignKey || old.Kind == catalog.Check {
				severity = Info
			}
			now := c.New.ObjectName()
			s.ReportAt(s.Find("CONSTRAINT", old.Name), severity,
				fmt.Sprintf("renames constraint %s of %s to %s: released code that compares its name in an error, or names it in ON CONFLICT ON CONSTRAINT, no longer finds it", old.Name, s.Name(old.Table), now),
				"Keep the name; or ship code that knows both names first, and rename when no older code runs.")
		}
	},
}
