package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleNonTransactionalMany = &Rule{
	ID: "non-transactional-many", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A migration outside a transaction has several statements that change the schema and cannot be run twice.",
		Why:        "If a later one fails (a lock timeout, a duplicate key under CREATE UNIQUE INDEX CONCURRENTLY), the earlier ones stay while the tool still takes the migration as not applied. The next attempt fails at the first statement: somebody has to repair by hand, during the release.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, a integer, b integer);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY event_a_idx ON event (a);\nCREATE INDEX CONCURRENTLY event_b_idx ON event (b);",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY event_a_idx ON event (a);",
		Exceptions: "Silent when all but the last statement do nothing when they are run again (IF [NOT] EXISTS, OR REPLACE, SET, data changes are taken to be so, and CREATE INDEX behind DROP INDEX IF EXISTS). IF NOT EXISTS on CREATE INDEX CONCURRENTLY does not count: it takes an invalid index for the finished one.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE INDEX, \"Building Indexes Concurrently\"; hazards seen with brant's NO TRANSACTION, which holds for the whole file.",
	},
	File: func(f *File) {
		for _, steps := range [][]*Step{f.Up, f.Down} {
			var once []*Step
			dropped := map[string]bool{} // indexes that DROP INDEX IF EXISTS named: their CREATE INDEX can be run again
			for _, s := range steps {
				if d := s.Stmt.Node.GetDropStmt(); d != nil && d.MissingOk && d.RemoveType == pgast.ObjectType_OBJECT_INDEX {
					dropped[lastName(d.Objects)] = true
				}
				ix := s.Stmt.Node.GetIndexStmt()
				if s.Via == "" && !s.Tx.Explicit && s.text.Tx == 0 && len(s.Changes) > 0 && !repeatable(s) && (ix == nil || ix.Idxname == "" || !dropped[ix.Idxname]) {
					once = append(once, s)
				}
			}
			if len(once) < 2 || !toolHasTransactions(f.Migration.Tool) {
				continue
			}
			f.ReportStep(once[1], Warning,
				fmt.Sprintf("this file runs outside a transaction and has %d statements that cannot be run twice: a failure here leaves the statement at line %d done while the migration counts as not applied, and the next attempt fails there", len(once), once[0].Line()),
				"Put each such statement into a migration of its own, or make the earlier ones repeatable (DROP INDEX CONCURRENTLY IF EXISTS before CREATE INDEX CONCURRENTLY; IF NOT EXISTS elsewhere).")
		}
	},
}

// toolHasTransactions tells tools that could have run the file in a transaction from plain scripts, in which every
// statement stands alone anyway.
func toolHasTransactions(tool string) bool { return tool != "plain" }
