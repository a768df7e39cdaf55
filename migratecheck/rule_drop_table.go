package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropTable = &Rule{
	ID: "drop-table", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A table that released code may still use is dropped.",
		Why:        "While nodes are upgraded one by one, and after a roll-back, the old code runs on the new schema: every query on the table fails (42P01). The rows are gone for good.",
		Schema:     "CREATE TABLE oauth_legacy (id integer PRIMARY KEY);",
		Bad:        "DROP TABLE oauth_legacy;",
		Good:       "COMMENT ON TABLE oauth_legacy IS 'unused since 0.90';",
		Exceptions: "Silent for a table that the same pending change created, for temporary tables, for those in which a migration tool keeps its own state, for partitions that go with their parent, and for tables that go with their schema (drop-schema says that). Silent too when the file has copied the rows, and a relation with all the columns has the name that released code uses afterwards, in one transaction, whatever was renamed on the way, and has the privileges that migrations have granted.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TABLE.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				rel, ok := c.Old.(*catalog.Relation)
				if c.Op != catalog.Dropped || !ok || !s.inUse(rel) || s.goesWith(rel) {
					continue
				}
				lost := "drops table %s with its rows: every query of released code on it fails until no node runs that code"
				// What released code calls the table decides, not what an earlier statement has made of its name.
				name := s.Before.NameOf(rel.OID)
				if released := f.Run.released(f); released.Get(rel.OID) != nil {
					name = released.NameOf(rel.OID)
				}
				if now := f.After.Relation(name.Schema, name.Name); now != nil && hasColumns(now, rel) {
					without := ""
					if name == s.Before.NameOf(rel.OID) { // else rename-table says it
						without = f.lostGrants(s, rel, now)
					}
					if s.Tx.Explicit && s.copiedFrom(rel.OID) {
						if without != "" {
							f.ReportStep(s, Error, fmt.Sprintf("drops table %s, and what takes its name lacks privileges: %s; released code that connects as such a role fails (42501)", name, without),
								fmt.Sprintf("Grant them on the new table in the same transaction:\nGRANT … ON %s TO …;", sqlNameOf(name)))
						}
						continue
					}
					lost = "drops table %s with its rows; another relation has its name, and released code finds that instead"
				}
				at := 0
				if len(s.Stmt.Node.GetDropStmt().GetObjects()) > 1 {
					at = s.Find(rel.Name)
				}
				f.ReportStepAt(s, at, Error, fmt.Sprintf(lost, s.knownName(rel.OID)),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not use %[1]s\nrelease 2, when no node runs older code and none will be rolled back to it:\n%[2]s", sqlNameOf(name), s.dropping("DROP TABLE "+sqlNameOf(name)+";")))
			}
		}
	},
}
