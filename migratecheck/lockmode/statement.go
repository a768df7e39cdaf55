package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// statement dispatches by the kind of statement. What is not listed locks no table: roles, databases, tablespaces,
// functions, types that no table uses, settings, transaction control.
func (a *analyzer) statement(n *pgast.Node) {
	switch s := n.Node.(type) {
	case *pgast.Node_AlterTableStmt:
		a.alterTable(s.AlterTableStmt)
	case *pgast.Node_RenameStmt:
		a.rename(s.RenameStmt)
	case *pgast.Node_AlterObjectSchemaStmt:
		a.setSchema(s.AlterObjectSchemaStmt)
	case *pgast.Node_AlterOwnerStmt:
		a.alterOwner(s.AlterOwnerStmt)
	case *pgast.Node_AlterTableMoveAllStmt:
		a.moveAll(s.AlterTableMoveAllStmt)
	case *pgast.Node_IndexStmt:
		a.createIndex(s.IndexStmt)
	case *pgast.Node_ReindexStmt:
		a.reindex(s.ReindexStmt)
	case *pgast.Node_ClusterStmt:
		a.cluster(s.ClusterStmt)
	case *pgast.Node_VacuumStmt:
		a.vacuum(s.VacuumStmt)
	case *pgast.Node_CreateStmt:
		a.createTable(s.CreateStmt)
	case *pgast.Node_CreateForeignTableStmt:
		a.createTable(s.CreateForeignTableStmt.BaseStmt)
	case *pgast.Node_CreateTableAsStmt:
		a.createTableAs(s.CreateTableAsStmt)
	case *pgast.Node_RefreshMatViewStmt:
		a.refresh(s.RefreshMatViewStmt)
	case *pgast.Node_ViewStmt:
		a.createView(s.ViewStmt)
	case *pgast.Node_CreateSchemaStmt:
		for _, e := range s.CreateSchemaStmt.SchemaElts {
			a.statement(e)
		}
	case *pgast.Node_CreateTrigStmt:
		a.createTrigger(s.CreateTrigStmt)
	case *pgast.Node_RuleStmt:
		a.createRule(s.RuleStmt)
	case *pgast.Node_CreatePolicyStmt:
		a.policy(s.CreatePolicyStmt.Table, s.CreatePolicyStmt.Qual, s.CreatePolicyStmt.WithCheck)
	case *pgast.Node_AlterPolicyStmt:
		a.policy(s.AlterPolicyStmt.Table, s.AlterPolicyStmt.Qual, s.AlterPolicyStmt.WithCheck)
	case *pgast.Node_GrantStmt:
		a.grant(s.GrantStmt)
	case *pgast.Node_CreateSeqStmt:
		a.ownedBy(s.CreateSeqStmt.Options)
	case *pgast.Node_AlterSeqStmt:
		a.alterSequence(s.AlterSeqStmt)
	case *pgast.Node_CreateStatsStmt:
		a.createStatistics(s.CreateStatsStmt)
	case *pgast.Node_CreatePublicationStmt:
		a.publication(s.CreatePublicationStmt.Pubobjects)
	case *pgast.Node_AlterPublicationStmt:
		a.publication(s.AlterPublicationStmt.Pubobjects)
	case *pgast.Node_CompositeTypeStmt, *pgast.Node_CreateEnumStmt, *pgast.Node_CreateRangeStmt, *pgast.Node_CreateDomainStmt:
		// new types
	case *pgast.Node_AlterDomainStmt:
		a.alterDomain(s.AlterDomainStmt)
	case *pgast.Node_AlterObjectDependsStmt:
		a.dependsOnExtension(s.AlterObjectDependsStmt)
	case *pgast.Node_DropStmt:
		a.drop(s.DropStmt)
	case *pgast.Node_DropOwnedStmt:
		a.note("DROP OWNED drops what its roles own, and owners are not known")
	case *pgast.Node_ReassignOwnedStmt:
		a.note("REASSIGN OWNED locks every relation that its roles own, and owners are not known")
	case *pgast.Node_TruncateStmt:
		a.truncate(s.TruncateStmt)
	case *pgast.Node_LockStmt:
		a.lockTable(s.LockStmt)
	case *pgast.Node_CommentStmt:
		a.comment(s.CommentStmt.Objtype, s.CommentStmt.Object)
	case *pgast.Node_SecLabelStmt:
		a.comment(s.SecLabelStmt.Objtype, s.SecLabelStmt.Object)
	case *pgast.Node_SelectStmt:
		a.query(n, executed)
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		a.query(n, executed)
	case *pgast.Node_CopyStmt:
		a.copy(s.CopyStmt)
	case *pgast.Node_ExplainStmt:
		a.explain(s.ExplainStmt)
	case *pgast.Node_PrepareStmt:
		a.query(s.PrepareStmt.Query, rewritten)
	case *pgast.Node_ExecuteStmt:
		a.note("EXECUTE runs a prepared statement, whose text is elsewhere")
	case *pgast.Node_DeclareCursorStmt:
		a.query(s.DeclareCursorStmt.Query, planned)
	case *pgast.Node_DoStmt, *pgast.Node_CallStmt:
		a.note("what the body does is not part of the statement")
	case *pgast.Node_AlterSubscriptionStmt, *pgast.Node_CreateSubscriptionStmt, *pgast.Node_DropSubscriptionStmt:
		a.note("a subscription copies tables in the background")
	case *pgast.Node_CreateExtensionStmt, *pgast.Node_AlterExtensionStmt:
		a.note("the extension's script is not followed")
	case *pgast.Node_CreateFunctionStmt:
		if s.CreateFunctionStmt.SqlBody != nil {
			a.body(s.CreateFunctionStmt.SqlBody)
		}
	case *pgast.Node_CreatedbStmt, *pgast.Node_DropdbStmt, *pgast.Node_AlterSystemStmt, *pgast.Node_CreateTableSpaceStmt,
		*pgast.Node_DropTableSpaceStmt:
		a.eff.NoTransaction = true
	case *pgast.Node_DiscardStmt:
		a.eff.NoTransaction = s.DiscardStmt.Target == pgast.DiscardMode_DISCARD_ALL
	}
}

// body follows an SQL-standard function body (BEGIN ATOMIC … END, RETURN …), which is analyzed when it is created.
func (a *analyzer) body(n *pgast.Node) {
	switch s := n.Node.(type) {
	case *pgast.Node_List:
		for _, item := range s.List.Items {
			a.body(item)
		}
	case *pgast.Node_ReturnStmt:
		a.exprs(newScope(nil), analyzed, s.ReturnStmt.Returnval)
	default:
		a.query(n, analyzed)
	}
}
