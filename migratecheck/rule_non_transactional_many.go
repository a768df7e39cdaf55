package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleNonTransactionalMany = &Rule{
	ID: "non-transactional-many", Category: Transactions, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A migration commits a statement that cannot be run twice before the last one: outside a transaction, or in several.",
		Why:        "If a later one fails (a lock timeout, a duplicate key under CREATE UNIQUE INDEX CONCURRENTLY), the earlier ones stay while the tool still takes the migration as not applied. The next attempt fails at the first statement: somebody has to repair by hand, during the release.",
		Schema:     "CREATE TABLE event (id integer PRIMARY KEY, a integer, b integer);",
		Bad:        "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY event_a_idx ON event (a);\nCREATE INDEX CONCURRENTLY event_b_idx ON event (b);",
		Good:       "-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY event_a_idx ON event (a);",
		Exceptions: "Silent when nothing that is committed before the last statement fails when it is run again (IF [NOT] EXISTS, OR REPLACE, SET, data changes are taken to be so, and CREATE INDEX behind DROP INDEX IF EXISTS), and when only statements follow that hardly fail (SET, ANALYZE, VACUUM, a query). IF NOT EXISTS on CREATE INDEX CONCURRENTLY, which takes an invalid index for the finished one, is concurrent-if-not-exists's.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, CREATE INDEX, \"Building Indexes Concurrently\"; hazards seen with brant's NO TRANSACTION, which holds for the whole file; alembic 1.14, MigrationContext.autocommit_block, which commits what came before it.",
	},
	File: func(f *File) {
		if !toolHasTransactions(f.Migration.Tool) {
			return
		}
		f.reportCommitted(f.Up)
		f.reportCommitted(f.Down)
	},
}

// reportCommitted reports the first step that may fail when one that cannot be run twice has been committed.
func (f *File) reportCommitted(steps []*Step) {
	undone := map[*Transaction]bool{}
	for _, s := range steps {
		if s.Stmt.Node.GetTransactionStmt().GetKind() == pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK {
			undone[s.Tx] = true
		}
	}
	var once *Step
	dropped := map[string]bool{} // indexes that DROP INDEX IF EXISTS named: their CREATE INDEX can be run again
	for _, s := range steps {
		if s.Via != "" || undone[s.Tx] {
			continue
		}
		if once != nil && s.Tx != once.Tx && mayFail(s) {
			f.ReportStep(s, Warning,
				fmt.Sprintf("a failure here leaves the statement at line %d committed, which cannot be run twice, while the migration counts as not applied: the next attempt fails there", once.Line()),
				"Put each such statement into a migration of its own, or make the earlier ones repeatable (DROP INDEX CONCURRENTLY IF EXISTS before CREATE INDEX CONCURRENTLY; IF NOT EXISTS elsewhere).")
			return
		}
		if d := s.Stmt.Node.GetDropStmt(); d != nil && d.MissingOk && d.RemoveType == pgast.ObjectType_OBJECT_INDEX {
			dropped[lastName(d.Objects)] = true
		}
		ix := s.Stmt.Node.GetIndexStmt()
		if once == nil && len(s.Changes) > 0 && !repeatable(s) && (ix == nil || ix.Idxname == "" || !dropped[ix.Idxname]) {
			once = s
		}
	}
}

// mayFail reports whether a statement does enough to fail for reasons that no check of the file shows: a lock timeout, a
// row in the way, a cancelled query.
func mayFail(s *Step) bool {
	n := s.Stmt.Node
	return len(s.Changes) > 0 || n.GetInsertStmt() != nil || n.GetUpdateStmt() != nil || n.GetDeleteStmt() != nil || n.GetMergeStmt() != nil ||
		n.GetTruncateStmt() != nil || n.GetCopyStmt() != nil || n.GetCallStmt() != nil || n.GetDoStmt() != nil ||
		n.GetRefreshMatViewStmt() != nil || n.GetReindexStmt() != nil || n.GetClusterStmt() != nil
}

// toolHasTransactions tells tools that could have run the file in a transaction from plain scripts, in which every
// statement stands alone anyway.
func toolHasTransactions(tool string) bool { return tool != "plain" }
