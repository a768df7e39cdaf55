package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleAddTrigger = &Rule{
	ID: "add-trigger", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A trigger or rule is put on a table that released code writes, or switched on there.",
		Why:        "It runs for the writes of old code too, which was not written for it: it may refuse them, change what they write, or write elsewhere. Creating it blocks writers (ShareRowExclusiveLock) while it waits.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;",
		Bad:        "CREATE TRIGGER repo_touch BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Good:       "CREATE TABLE log (id integer);\nCREATE TRIGGER log_touch BEFORE UPDATE ON log FOR EACH ROW EXECUTE FUNCTION touch();",
		Exceptions: "Silent for tables that the pending change creates, for partitions (their parent's finding says it), for one that takes the place of a trigger of that name, and for one that is gone, or off, when the transaction ends.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE TRIGGER; CREATE RULE; ALTER TABLE, ENABLE TRIGGER.",
	},
	File: func(f *File) {
		for i, s := range f.Up {
			for _, c := range s.Changes {
				table, kind := triggerTable(c.Object())
				if table == 0 || c.New == nil {
					continue
				}
				if rel := s.relation(table); rel == nil || !s.inUse(rel) || f.endsUnseen(i, c.New.ObjectID()) {
					continue
				}
				what := "runs for the writes of released code too"
				switch {
				case c.Op == catalog.Created:
					if t := triggerNamed(f.Run.released(f), table, c.New.ObjectName()); t != nil && kind == "trigger" {
						continue
					}
				case c.Op == catalog.Altered && !triggerFires(c.Old) && triggerFires(c.New):
					what = "is switched on and " + what
				default:
					continue
				}
				f.ReportStep(s, Warning, fmt.Sprintf("%s %s on %s %s", kind, c.New.ObjectName(), s.Name(table), what),
					"Make sure that the writes of the old code pass it unharmed (say so in an ignore comment); otherwise create it in the release after the one whose code expects it.")
			}
		}
	},
}

// endsUnseen reports whether a trigger or rule that a step has made is gone, or off, before anybody else sees it: by a later
// step of the same transaction.
func (f *File) endsUnseen(made int, oid catalog.OID) bool {
	for _, e := range f.Up[made+1:] {
		if e.Tx != f.Up[made].Tx {
			return false
		}
		if now := e.After.Get(oid); now == nil || !triggerFires(now) {
			return true
		}
	}
	return false
}

// triggerTable is the table of a trigger or rule that somebody wrote: not of a constraint, nor a partition's copy.
func triggerTable(o catalog.Object) (table catalog.OID, kind string) {
	switch o := o.(type) {
	case *catalog.Trigger:
		if o.Parent == 0 && (o.Function >= catalog.FirstUserOID || o.Assumed) {
			return o.Table, "trigger"
		}
	case *catalog.Rule:
		return o.Table, "rule"
	}
	return 0, ""
}

// triggerFires reports whether a trigger or rule is switched on for ordinary sessions.
func triggerFires(o catalog.Object) bool {
	switch o := o.(type) {
	case *catalog.Trigger:
		return o.Enabled == 'O' || o.Enabled == 'A'
	case *catalog.Rule:
		return o.Enabled == 'O' || o.Enabled == 'A'
	}
	return false
}

// triggerNamed finds a table's trigger by name.
func triggerNamed(c *catalog.Catalog, table catalog.OID, name string) *catalog.Trigger {
	for _, t := range c.Triggers(table) {
		if t.Name == name {
			return t
		}
	}
	return nil
}
