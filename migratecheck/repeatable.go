package migratecheck

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// repeatable reports whether running the statement again, after it has run, does nothing and is no error.
func repeatable(s *Step) bool {
	n := s.Stmt.Node
	switch {
	case n.GetDropStmt() != nil:
		return n.GetDropStmt().MissingOk
	case n.GetIndexStmt() != nil:
		return n.GetIndexStmt().IfNotExists // after it has run, an invalid index is not in the way; see concurrent-if-not-exists
	case n.GetCreateStmt() != nil:
		return n.GetCreateStmt().IfNotExists
	case n.GetCreateSeqStmt() != nil:
		return n.GetCreateSeqStmt().IfNotExists
	case n.GetCreateSchemaStmt() != nil:
		return n.GetCreateSchemaStmt().IfNotExists
	case n.GetCreateExtensionStmt() != nil:
		return n.GetCreateExtensionStmt().IfNotExists
	case n.GetCreateTableAsStmt() != nil:
		return n.GetCreateTableAsStmt().IfNotExists
	case n.GetViewStmt() != nil:
		return n.GetViewStmt().Replace
	case n.GetCreateFunctionStmt() != nil:
		return n.GetCreateFunctionStmt().Replace
	case n.GetCreateTrigStmt() != nil:
		return n.GetCreateTrigStmt().Replace
	case n.GetAlterEnumStmt() != nil:
		return n.GetAlterEnumStmt().SkipIfNewValExists
	case n.GetAlterTableStmt() != nil:
		return repeatableAlter(n.GetAlterTableStmt())
	case n.GetCommentStmt() != nil, n.GetGrantStmt() != nil, n.GetVariableSetStmt() != nil,
		n.GetUpdateStmt() != nil, n.GetDeleteStmt() != nil, n.GetInsertStmt() != nil, n.GetSelectStmt() != nil:
		return true
	}
	return false
}

func repeatableAlter(a *pgast.AlterTableStmt) bool {
	for _, node := range a.Cmds {
		c := node.GetAlterTableCmd()
		switch c.Subtype {
		case pgast.AlterTableType_AT_AddColumn, pgast.AlterTableType_AT_DropColumn, pgast.AlterTableType_AT_DropConstraint:
			if !c.MissingOk {
				return false
			}
		case pgast.AlterTableType_AT_ColumnDefault, pgast.AlterTableType_AT_DropNotNull, pgast.AlterTableType_AT_SetNotNull,
			pgast.AlterTableType_AT_SetStatistics, pgast.AlterTableType_AT_SetStorage, pgast.AlterTableType_AT_ValidateConstraint,
			pgast.AlterTableType_AT_SetRelOptions, pgast.AlterTableType_AT_ChangeOwner, pgast.AlterTableType_AT_AlterColumnType:
		default:
			return false
		}
	}
	return true
}
