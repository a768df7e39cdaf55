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
		Summary:    "A trigger or rule that the writes of released code pass through is dropped or switched off, or all of a table with the checks of its foreign keys.",
		Why:        "What it did for old code (a column kept up to date, a row checked, a notification sent) no longer happens, without an error.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nCREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;\nCREATE TRIGGER repo_touch BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Bad:        "DROP TRIGGER repo_touch ON repo;",
		Good:       "DROP TRIGGER repo_touch ON repo;\nCREATE TRIGGER repo_touch BEFORE INSERT OR UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION touch();",
		Exceptions: "Silent when it goes with its table, for what the pending change creates, and when the file leaves a trigger or rule of that name on the table, switched on. DISABLE TRIGGER ALL of a table with foreign keys is an error, and silent when the same transaction enables them again.",
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
