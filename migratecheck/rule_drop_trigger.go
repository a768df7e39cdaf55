package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropTrigger = &Rule{
	ID: "drop-trigger", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A trigger or rule that the writes of released code pass through is dropped or switched off.",
		Why:        "What it did for old code (a column kept up to date, a row checked, a notification sent) no longer happens, without an error.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\nCREATE TRIGGER repo_touch BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Bad:        "DROP TRIGGER repo_touch ON repo;",
		Good:       "DROP TRIGGER repo_touch ON repo;\nCREATE TRIGGER repo_touch BEFORE INSERT OR UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Exceptions: "Silent when it goes with its table, for what the pending change creates, and when the file leaves a trigger or rule of that name on the table, switched on.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TRIGGER; ALTER TABLE, DISABLE TRIGGER.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				table, kind := triggerTable(c.Object())
				if table == 0 || c.Old == nil || s.IsNew(c.Old.ObjectID()) || !triggerFires(c.Old) {
					continue
				}
				if c.Op != catalog.Dropped && (c.Op != catalog.Altered || triggerFires(c.New)) {
					continue
				}
				rel := s.relation(table)
				if rel == nil || !s.inUse(rel) || f.After.Get(table) == nil || f.leavesTrigger(table, c.Old.ObjectName()) {
					continue
				}
				verb := "drops"
				if c.Op == catalog.Altered {
					verb = "switches off"
				}
				f.ReportStep(s, Warning,
					fmt.Sprintf("%s %s %s of %s: what it did for the writes of released code no longer happens", verb, kind, c.Old.ObjectName(), s.Name(table)),
					"Split it over releases:\nrelease 1: ship code that does itself what the "+kind+" did, or does without\nrelease 2, when no older code runs: this statement")
			}
		}
	},
}

// leavesTrigger reports whether the file leaves a table with a trigger or rule of that name that fires.
func (f *File) leavesTrigger(table catalog.OID, name string) bool {
	if t := triggerNamed(f.After, table, name); t != nil {
		return triggerFires(t)
	}
	for _, r := range f.After.Rules(table) {
		if r.Name == name {
			return triggerFires(r)
		}
	}
	return false
}
