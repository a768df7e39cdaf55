package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddTrigger = &Rule{
	ID: "add-trigger", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A trigger or rule is put on a table that released code writes.",
		Why:        "It runs for the writes of old code too, which was not written for it: it may refuse them, change what they write, or write elsewhere. Creating it blocks writers (ShareRowExclusiveLock) while it waits.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
		Bad:        "CREATE TRIGGER repo_touch BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Good:       "CREATE TABLE log (id integer);\nCREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch();",
		Exceptions: "Silent for tables that the pending change creates, and for one that takes the place of a trigger of that name.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE TRIGGER; CREATE RULE.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			if c.Op != catalog.Created {
				continue
			}
			var table catalog.OID
			kind := "trigger"
			switch o := c.New.(type) {
			case *catalog.Trigger:
				if o.Constraint != 0 && s.Stmt.Node.GetCreateTrigStmt() == nil || o.Parent != 0 || hadTrigger(s.File.Run.released(s.File), o) {
					continue
				}
				table = o.Table
			case *catalog.Rule:
				table, kind = o.Table, "rule"
			default:
				continue
			}
			if rel := s.relation(table); rel == nil || !isTable(rel) || s.IsNew(table) {
				continue
			}
			s.ReportAt(0, Warning,
				fmt.Sprintf("%s %s on %s runs for the writes of released code too", kind, c.New.ObjectName(), s.Name(table)),
				"Make sure that the writes of the old code pass it unharmed (say so in an ignore comment); otherwise create it in the release after the one whose code expects it.")
		}
	},
}
