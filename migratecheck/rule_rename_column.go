package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRenameColumn = &Rule{
	ID: "rename-column", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column, or an attribute of a composite type, that released code uses gets another name.",
		Why:        "Old code fails on the new schema and new code on the old one, whichever is deployed first: every query with the other name ends in 42703.",
		Schema:     "CREATE TABLE tracker (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "ALTER TABLE tracker RENAME COLUMN created TO linked;",
		Good:       "ALTER TABLE tracker ADD COLUMN linked timestamp;",
		Exceptions: "Silent for a column that the pending change adds, for one that the file renames back, for columns of partitions and children (their parent's finding says it) and of views (replace-view). When the file gives the old name to another column, reuse-column-name speaks instead.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, RENAME. hub.sr.ht e76439d renamed created to linked in three tables in the commit that changed the code.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				if c.Op != catalog.ColumnRenamed || !s.usedByCode(c.Old) || s.IsNewColumn(c.Old.ObjectID(), c.OldColumn.Num) || c.OldColumn.Inherited > 0 {
					continue
				}
				oid, old, now := c.Old.ObjectID(), c.OldColumn.Name, c.NewColumn.Name
				if was := s.releasedColumn(oid, c.OldColumn.Num); was != nil && was.Name != old {
					continue // a second renaming: the first one's finding says it
				}
				if after, ok := f.After.Get(oid).(*catalog.Relation); ok && after.Column(old) != nil {
					continue
				}
				rel := c.Old.(*catalog.Relation)
				noun, _, keyword := columnWord(rel)
				if was := s.knownAs(f.Run.released(f), oid, now); was != nil && was.Num != c.OldColumn.Num {
					// The new name was another column's: reuse-column-name says what becomes of code that uses that one.
					f.ReportStepAt(s, s.Find("RENAME", "["+keyword+"]", old), Error,
						fmt.Sprintf("renames %s %s of %s to %s, the name of another column until now: released code that names %[2]s fails", noun, old, s.Name(oid), now),
						"Keep both names and their meaning; give new code a column with a name that no release has used.")
					continue
				}
				f.ReportStepAt(s, s.Find("RENAME", "["+keyword+"]", old), Error,
					fmt.Sprintf("renames %s %s of %s to %s: released code that names %[2]s fails on the new schema, and new code that names %[4]s fails on the old one", noun, old, s.Name(oid), now),
					renameColumnHelp(rel, s.sqlName(oid), old, now, s.After.FormatType(c.NewColumn.Type)))
			}
		}
	},
}

// renameColumnHelp is a change of name over three releases, with a trigger that keeps both names in step. An UPDATE has
// changed the one or the other; an INSERT of old code leaves the new one NULL.
func renameColumnHelp(rel *catalog.Relation, table, old, now, typ string) string {
	o, n := quoteIdent(old), quoteIdent(now)
	if typ == "-" { // of an assumed table: nobody knows
		return "Keep the name; code can give it another one: SELECT " + o + " AS " + n
	}
	if rel.Kind == catalog.CompositeRel {
		return "Keep the name; code can give it another one: (value)." + o + " AS " + n
	}
	sync := quoteIdent(rel.Name + "_" + now + "_sync")
	return strings.NewReplacer("{table}", table, "{sync}", sync, "{old}", o, "{new}", n, "{type}", typ).Replace(
		`Keep the name (code can give it another one: SELECT {old} AS {new}). If it must change, split it over releases:
release 1, the code goes on using {old}; a trigger keeps the two the same (in a StatementBegin block, where the tool has one):
ALTER TABLE {table} ADD COLUMN {new} {type};
CREATE FUNCTION {sync}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.{new} IS NULL OR TG_OP = 'UPDATE' AND NEW.{new} IS NOT DISTINCT FROM OLD.{new} THEN NEW.{new} := NEW.{old}; ELSE NEW.{old} := NEW.{new}; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER {sync} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {sync}();
then fill {new} in batches (UPDATE {table} SET {new} = {old} WHERE {new} IS NULL AND a range of keys)
release 2: ship code that uses {new} only
release 3, when no older code runs:
DROP TRIGGER {sync} ON {table};
DROP FUNCTION {sync}();
ALTER TABLE {table} DROP COLUMN {old};`)
}
