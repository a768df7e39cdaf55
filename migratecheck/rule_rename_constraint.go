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
		Exceptions: "Silent for tables and constraints that the pending change creates, and when the file gives the name back. A foreign key or CHECK is info: ON CONFLICT cannot name it. Silent for NOT NULL (a constraint from 18 on): its error names the column only.",
		Versions:   "All.",
		Source:     "git.sr.ht api/graph/schema.resolvers.go and hub.sr.ht compare constraint names; hub's webhooks.go names one in ON CONFLICT.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Constraint)
				if !ok || c.Op != catalog.Renamed || old.Table == 0 || old.Kind == catalog.NotNullCon || s.IsNew(old.Table) || s.IsNew(old.OID) || old.Parent != 0 || old.Inherited > 0 || f.keepsConstraintName(old) {
					continue
				}
				if was, ok := f.Run.released(f).Get(old.OID).(*catalog.Constraint); ok && was.Name != old.Name {
					continue // a second renaming: the first one's finding says it
				}
				severity, effect := Warning, "compares its name in an error, or names it in ON CONFLICT ON CONSTRAINT,"
				if old.Kind == catalog.ForeignKey || old.Kind == catalog.Check {
					severity, effect = Info, "compares its name in an error"
				}
				f.ReportStepAt(s, s.Find("RENAME", "CONSTRAINT", old.Name), severity,
					fmt.Sprintf("renames constraint %s of %s to %s: released code that %s no longer finds it", old.Name, s.Name(old.Table), c.New.ObjectName(), effect),
					"Keep the name; or ship code that knows both names first, and rename when no older code runs.")
			}
		}
	},
}

// keepsConstraintName reports whether the file leaves the table a constraint of the same kind under the name.
func (f *File) keepsConstraintName(old *catalog.Constraint) bool {
	for _, con := range f.After.Constraints(old.Table) {
		if con.Name == old.Name && con.Kind == old.Kind {
			return true
		}
	}
	return false
}
