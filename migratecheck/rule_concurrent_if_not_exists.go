package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleConcurrentIfNotExists = &Rule{
	ID: "concurrent-if-not-exists", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "CREATE INDEX CONCURRENTLY IF NOT EXISTS.",
		Why:        "When an earlier attempt failed half-way its invalid index is still there: IF NOT EXISTS takes it for the finished one, and no query ever uses it.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY IF NOT EXISTS repo_name_idx ON repo (name);",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nDROP INDEX CONCURRENTLY IF EXISTS repo_name_idx;\nCREATE INDEX CONCURRENTLY repo_name_idx ON repo (name);",
		Exceptions: "Silent when the same file drops that index before.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE INDEX, \"Building Indexes Concurrently\".",
	},
	Step: func(s *Step) {
		ix := s.Stmt.Node.GetIndexStmt()
		if ix == nil || !ix.Concurrent || !ix.IfNotExists {
			return
		}
		earlier := s.File.Up
		if s.Down {
			earlier = s.File.Down
		}
		for _, e := range earlier {
			if d := e.Stmt.Node.GetDropStmt(); d != nil && e != s && lastName(d.Objects) == ix.Idxname {
				return
			}
		}
		index := catalog.Name{Name: ix.Idxname}
		if table := s.Before.Relation(ix.Relation.GetSchemaname(), ix.Relation.GetRelname()); table != nil {
			if s.IsNew(table.OID) {
				return
			}
			index.Schema = s.Before.NameOf(table.OID).Schema
		}
		s.ReportAt(s.Find("IF", "NOT", "EXISTS"), Warning,
			fmt.Sprintf("if an earlier attempt left index %s invalid, IF NOT EXISTS takes it for the finished one, and no query uses it", ix.Idxname),
			fmt.Sprintf("Remove what a failed attempt has left, then build:\nDROP INDEX CONCURRENTLY IF EXISTS %s;\n%s", sqlNameOf(index), withoutWords(s.withWord(""), "IF", "NOT", "EXISTS")))
	},
}
