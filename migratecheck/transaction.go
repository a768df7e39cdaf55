package migratecheck

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// refusesTransaction names the statement when PostgreSQL runs it only outside a transaction block, else "".
func refusesTransaction(s *Step) string {
	n := s.Stmt.Node
	switch {
	case n.GetIndexStmt() != nil && n.GetIndexStmt().Concurrent:
		return "CREATE INDEX CONCURRENTLY"
	case n.GetDropStmt() != nil && n.GetDropStmt().Concurrent:
		return "DROP INDEX CONCURRENTLY"
	case n.GetReindexStmt() != nil:
		r := n.GetReindexStmt()
		switch r.Kind {
		case pgast.ReindexObjectType_REINDEX_OBJECT_SCHEMA, pgast.ReindexObjectType_REINDEX_OBJECT_SYSTEM, pgast.ReindexObjectType_REINDEX_OBJECT_DATABASE:
			return "REINDEX of a whole schema or database"
		}
		if hasOption(r.Params, "concurrently") {
			return "REINDEX CONCURRENTLY"
		}
	case n.GetVacuumStmt() != nil && n.GetVacuumStmt().IsVacuumcmd:
		return "VACUUM"
	case n.GetClusterStmt() != nil && n.GetClusterStmt().Relation == nil:
		return "CLUSTER of all tables"
	case n.GetCreatedbStmt() != nil:
		return "CREATE DATABASE"
	case n.GetDropdbStmt() != nil:
		return "DROP DATABASE"
	case n.GetCreateTableSpaceStmt() != nil:
		return "CREATE TABLESPACE"
	case n.GetDropTableSpaceStmt() != nil:
		return "DROP TABLESPACE"
	case n.GetAlterSystemStmt() != nil:
		return "ALTER SYSTEM"
	case n.GetDiscardStmt().GetTarget() == pgast.DiscardMode_DISCARD_ALL:
		return "DISCARD ALL"
	case n.GetCreateSubscriptionStmt() != nil && makesSlot(n.GetCreateSubscriptionStmt()):
		return "CREATE SUBSCRIPTION, which makes a replication slot,"
	case n.GetTransactionStmt().GetKind() == pgast.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED:
		return "COMMIT PREPARED"
	case n.GetTransactionStmt().GetKind() == pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED:
		return "ROLLBACK PREPARED"
	case n.GetAlterTableStmt() != nil:
		for _, c := range n.GetAlterTableStmt().Cmds {
			if p := c.GetAlterTableCmd().GetDef().GetPartitionCmd(); p != nil && p.Concurrent {
				return "DETACH PARTITION CONCURRENTLY"
			}
		}
	}
	return ""
}

// makesSlot reports whether CREATE SUBSCRIPTION makes a replication slot at the publisher: unless create_slot or connect is false
// (src/backend/commands/subscriptioncmds.c).
func makesSlot(n *pgast.CreateSubscriptionStmt) bool {
	for _, o := range n.Options {
		if name := o.GetDefElem().GetDefname(); name == "create_slot" || name == "connect" {
			return hasOption([]*pgast.Node{o}, name)
		}
	}
	return true
}

func hasOption(list []*pgast.Node, name string) bool {
	for _, n := range list {
		if d := n.GetDefElem(); d != nil && d.Defname == name {
			return d.Arg == nil || d.Arg.GetBoolean().GetBoolval() || d.Arg.GetString_().GetSval() == "on" || d.Arg.GetString_().GetSval() == "true"
		}
	}
	return false
}

// whyTransaction says why a step is in a transaction.
func (f *File) whyTransaction(s *Step) string {
	switch {
	case s.Tx.begun:
		return "the file opens one with BEGIN"
	case s.text.Tx != 0:
		return f.Migration.Tool + " runs this file in one"
	}
	return "it is sent together with other statements, which makes them one"
}

// noTransactionHelp says how the tool is told not to open a transaction.
func (f *File) noTransactionHelp() string {
	alone := "Put it into a migration of its own"
	switch f.Migration.Tool {
	case "brant", "goose":
		return alone + " that begins with the line -- +" + f.Migration.Tool + " NO TRANSACTION (it holds for the whole file, both directions)."
	case "sql-migrate":
		return alone + " and write -- +migrate Up notransaction."
	case "dbmate":
		return alone + " and write -- migrate:up transaction:false."
	case "tern":
		return alone + " that begins with ---- tern: disable-tx ----."
	case "atlas":
		return alone + " that begins with -- atlas:txmode none."
	case "flyway":
		return alone + " with a script configuration file that says executeInTransaction=false."
	case "alembic":
		return "Wrap it:\nwith op.get_context().autocommit_block():\n    op.execute(\"…\")"
	case "golang-migrate":
		return alone + ": golang-migrate sends each file as one text, so a file with this statement alone is in no transaction."
	}
	return alone + " that runs outside a transaction."
}
