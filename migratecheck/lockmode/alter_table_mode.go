package lockmode

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// alterTableMode is AlterTableGetLockLevel (src/backend/commands/tablecmds.c): the lock that a subcommand needs on the table
// the statement names.
func alterTableMode(version int, cmd *pgast.AlterTableCmd) Mode {
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_SetStatistics, pgast.AlterTableType_AT_ClusterOn, pgast.AlterTableType_AT_DropCluster,
		pgast.AlterTableType_AT_SetOptions, pgast.AlterTableType_AT_ResetOptions,
		pgast.AlterTableType_AT_ValidateConstraint, pgast.AlterTableType_AT_AttachPartition,
		pgast.AlterTableType_AT_DetachPartitionFinalize:
		return ShareUpdateExclusive
	case pgast.AlterTableType_AT_DetachPartition:
		if cmd.Def.GetPartitionCmd().GetConcurrent() {
			return ShareUpdateExclusive
		}
		return AccessExclusive
	case pgast.AlterTableType_AT_EnableTrig, pgast.AlterTableType_AT_EnableAlwaysTrig, pgast.AlterTableType_AT_EnableReplicaTrig,
		pgast.AlterTableType_AT_DisableTrig, pgast.AlterTableType_AT_EnableTrigAll, pgast.AlterTableType_AT_DisableTrigAll,
		pgast.AlterTableType_AT_EnableTrigUser, pgast.AlterTableType_AT_DisableTrigUser:
		return ShareRowExclusive
	case pgast.AlterTableType_AT_AddConstraint:
		// Other constraints and indexes need ACCESS EXCLUSIVE: readers may rely on what they prove.
		if cmd.Def.GetConstraint().GetContype() == pgast.ConstrType_CONSTR_FOREIGN {
			return ShareRowExclusive
		}
		return AccessExclusive
	case pgast.AlterTableType_AT_SetRelOptions, pgast.AlterTableType_AT_ResetRelOptions, pgast.AlterTableType_AT_ReplaceRelOptions:
		return relOptionsMode(cmd.Def.GetList().GetItems())
	}
	return AccessExclusive
}

// relOptionsMode is AlterTableGetRelOptionsLockLevel (src/backend/access/common/reloptions.c): the strongest that any
// parameter needs.
func relOptionsMode(options []*pgast.Node) Mode {
	if len(options) == 0 {
		return AccessExclusive
	}
	var mode Mode
	for _, n := range options {
		switch n.GetDefElem().GetDefname() {
		case "user_catalog_table", "fastupdate", "buffering", "autosummarize", "pages_per_range", "gin_pending_list_limit", "length",
			"security_barrier", "security_invoker", "check_option":
			return AccessExclusive
		default:
			mode = ShareUpdateExclusive
		}
	}
	return mode
}
