package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleIndexNotConcurrent = &Rule{
	ID: "index-not-concurrent", Category: Locks, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "CREATE INDEX without CONCURRENTLY on a table that is in use.",
		Why:        "It takes a ShareLock: every INSERT, UPDATE and DELETE on the table waits until the whole table has been read and sorted, and so does every request behind them.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, created timestamp NOT NULL);",
		Bad:        "CREATE INDEX event_created_idx ON event (created);",
		Good:       "-- +brant NO TRANSACTION\nCREATE INDEX CONCURRENTLY event_created_idx ON event (created);",
		Exceptions: "Silent for a table that the same pending change creates, and for temporary tables; info for one known to be small (-stats).",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE INDEX, \"Building Indexes Concurrently\".",
	},
	Step: func(s *Step) {
		ix := s.Stmt.Node.GetIndexStmt()
		if ix == nil || ix.Concurrent {
			return
		}
		for _, b := range s.Lock.Builds {
			if s.IsNew(b.Table) {
				continue
			}
			oid := s.subject(b.Table)
			s.ReportAt(0, s.Sized(oid, Error),
				fmt.Sprintf("CREATE INDEX on %s blocks every INSERT, UPDATE and DELETE on it (ShareLock) until the whole table has been read", s.Name(oid)),
				s.concurrentIndexHelp(oid))
			return
		}
	},
}

// concurrentIndexHelp is the statement with CONCURRENTLY; on a partitioned table, where that is refused, index by index.
func (s *Step) concurrentIndexHelp(table catalog.OID) string {
	const alone = "In a migration of its own that runs outside a transaction"
	if s.isPartitioned(table) {
		index := ""
		for _, c := range s.Changes {
			if rel, ok := c.New.(*catalog.Relation); ok && c.Op == catalog.Created && rel.Kind == catalog.PartitionedIndex && rel.Index.Table == table {
				index = rel.Name
			}
		}
		unique := ""
		if s.Stmt.Node.GetIndexStmt().GetUnique() {
			unique = "UNIQUE "
		}
		help := "PostgreSQL refuses CONCURRENTLY on a partitioned table. Make the index on the parent alone, which takes an instant:\n" +
			s.createIndex(fmt.Sprintf("CREATE %sINDEX %s ON ONLY %s", unique, quoteIdent(index), s.sqlName(table))) +
			"\nthen, for each partition, outside a transaction:"
		for i, p := range partitions(s.Before, table) {
			if i == 2 {
				help += "\nand so on"
				break
			}
			name := quoteIdent(s.freeIndex(p.OID, p.Name+"_"+index, nil))
			parent := quoteIdent(index)
			if schema := s.Before.NameOf(table).Schema; schema != "" && schema != "public" {
				parent = quoteIdent(schema) + "." + parent
			}
			help += "\n" + s.createIndex(fmt.Sprintf("CREATE %sINDEX CONCURRENTLY %s ON %s", unique, name, s.sqlName(p.OID))) +
				fmt.Sprintf("\nALTER INDEX %s ATTACH PARTITION %s;", parent, name)
		}
		return help
	}
	sql := withoutWords(s.withWord("CONCURRENTLY", "INDEX"), "IF", "NOT", "EXISTS")
	return alone + " (if it fails half-way, drop the invalid index it leaves, and run it again):\n" + sql
}
