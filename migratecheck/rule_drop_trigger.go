package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropTrigger = &Rule{
	ID: "drop-trigger", Category: Compatibility, Severity: Warning,
	Doc: Doc{
		Summary:    "A trigger or rule that the writes of released code pass through is dropped, switched off or replaced by one that fires less, or all of a table are with the checks of its foreign keys.",
		Why:        "What it did for old code (a column kept up to date, a row checked, a notification sent) no longer happens, without an error.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\nCREATE TRIGGER repo_touch BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Bad:        "DROP TRIGGER repo_touch ON repo;",
		Good:       "DROP TRIGGER repo_touch ON repo;\nCREATE TRIGGER repo_touch BEFORE INSERT OR UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Exceptions: "Silent when it goes with its table, for what the pending change creates, and when the file leaves a trigger or rule of that name on the table, switched on, that fires at the same time for the same writes at least (change-function compares what it calls). DISABLE TRIGGER ALL of a table with foreign keys is an error, and silent when the same transaction enables them again.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TRIGGER; ALTER TABLE, DISABLE TRIGGER.",
	},
	File: func(f *File) {
		for i, s := range f.Up {
			f.reportKeysOff(i)
			for _, c := range s.Changes {
				table, kind := triggerTable(c.Object())
				if table == 0 || c.Old == nil || s.IsNew(c.Old.ObjectID()) || !triggerFires(c.Old) {
					continue
				}
				if c.Op != catalog.Dropped && c.Op != catalog.Altered {
					continue
				}
				rel := s.relation(table)
				if rel == nil || !s.inUse(rel) || f.After.Get(table) == nil {
					continue
				}
				if now := f.triggerLeft(table, c.Old); now != nil {
					if less := s.firesLess(c.Old, now); less != "" && !f.saidLater(i, c.Old) {
						f.ReportStep(s, Warning, fmt.Sprintf("replaces trigger %s of %s by one that %s: what it did for the writes of released code is done otherwise, or no longer", c.Old.ObjectName(), s.Name(table), less),
							"Let it fire as it did; or give the new trigger a name of its own, and drop the old one when no older code needs it.")
					}
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

// reportKeysOff reports ALTER TABLE … DISABLE TRIGGER ALL where it switches off what the server checks foreign keys with.
func (f *File) reportKeysOff(at int) {
	s := f.Up[at]
	alter := s.Stmt.Node.GetAlterTableStmt()
	rel := s.Before.Relation(alter.GetRelation().GetSchemaname(), alter.GetRelation().GetRelname())
	if !hasCommand(alter, pgast.AlterTableType_AT_DisableTrigAll) || rel == nil || !s.inUse(rel) {
		return
	}
	for _, e := range f.Up[at+1:] {
		a := e.Stmt.Node.GetAlterTableStmt()
		if e.Tx == s.Tx && hasCommand(a, pgast.AlterTableType_AT_EnableTrigAll) && e.Before.Relation(a.Relation.Schemaname, a.Relation.Relname) != nil && e.Before.Relation(a.Relation.Schemaname, a.Relation.Relname).OID == rel.OID {
			return
		}
	}
	var keys []string
	for o := range s.Before.All() {
		if con, ok := o.(*catalog.Constraint); ok && con.Kind == catalog.ForeignKey && con.Parent == 0 && (con.Table == rel.OID || con.RefTable == rel.OID) {
			keys = append(keys, con.Name)
		}
	}
	if len(keys) == 0 {
		return
	}
	slices.Sort(keys)
	f.ReportStepAt(s, s.Find("DISABLE", "TRIGGER", "ALL"), Error,
		fmt.Sprintf("switches off what checks the foreign keys of %s (%s): rows that refer to none are accepted from now on, what ON DELETE says does not happen, and switching it on again checks none of them; only a superuser may (42501)", s.Name(rel.OID), strings.Join(keys, ", ")),
		"Write DISABLE TRIGGER USER, which leaves the foreign keys alone; or switch them on again in the same transaction:\nALTER TABLE "+s.sqlName(rel.OID)+" ENABLE TRIGGER ALL;")
}

func hasCommand(a *pgast.AlterTableStmt, typ pgast.AlterTableType) bool {
	return slices.ContainsFunc(a.GetCmds(), func(n *pgast.Node) bool { return n.GetAlterTableCmd().GetSubtype() == typ })
}

// triggerLeft is the trigger or rule that has the name of one when the file ends, nil when there is none, or it is switched off.
func (f *File) triggerLeft(table catalog.OID, old catalog.Object) catalog.Object {
	if t := triggerNamed(f.After, table, old.ObjectName()); t != nil && triggerFires(t) {
		return t
	}
	for _, r := range f.After.Rules(table) {
		if r.Name == old.ObjectName() && triggerFires(r) {
			return r
		}
	}
	return nil
}

// saidLater reports whether a later step changes the same trigger again: that one's finding compares it.
func (f *File) saidLater(at int, old catalog.Object) bool {
	for _, e := range f.Up[at+1:] {
		for _, c := range e.Changes {
			if c.Old != nil && c.Old.ObjectID() == old.ObjectID() {
				return true
			}
		}
	}
	return false
}

// firesLess tells what a trigger's successor of the same name leaves out, "" when it fires at the same time and for all writes
// that the trigger fired for. A rule is not compared.
func (s *Step) firesLess(was, is catalog.Object) string {
	old, ok := was.(*catalog.Trigger)
	now, ok2 := is.(*catalog.Trigger)
	if !ok || !ok2 || old.Assumed || now.Assumed {
		return ""
	}
	if a, b := triggerTime(old), triggerTime(now); a != b {
		return fmt.Sprintf("fires %s the write instead of %s it", b, a)
	}
	if old.Row != now.Row {
		each := map[bool]string{true: "row", false: "statement"}
		return fmt.Sprintf("fires for each %s instead of each %s", each[now.Row], each[old.Row])
	}
	var lost []string
	for _, e := range []struct {
		was, is bool
		name    string
	}{{old.Insert, now.Insert, "INSERT"}, {old.Update, now.Update, "UPDATE"}, {old.Delete, now.Delete, "DELETE"}, {old.Truncate, now.Truncate, "TRUNCATE"}} {
		if e.was && !e.is {
			lost = append(lost, e.name)
		}
	}
	switch {
	case len(lost) > 0:
		return "does not fire for " + strings.Join(lost, ", ")
	case now.Update && len(now.Columns) > 0 && (len(old.Columns) == 0 || slices.ContainsFunc(old.Columns, func(num int) bool { return !slices.Contains(now.Columns, num) })):
		return "does not fire for every UPDATE that it fired for"
	case now.When != nil && (old.When == nil || old.When.SQL != now.When.SQL):
		return "has another condition, WHEN (" + now.When.SQL + ")"
	}
	return ""
}

func triggerTime(t *catalog.Trigger) string {
	switch {
	case t.InsteadOf:
		return "instead of"
	case t.Before:
		return "before"
	}
	return "after"
}
