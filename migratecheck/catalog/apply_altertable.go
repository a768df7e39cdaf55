package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// The passes in which ALTER TABLE runs its subcommands (AT_PASS_*, src/backend/commands/tablecmds.c, PostgreSQL 13 to 18;
// 12 orders the last ones a little differently, which no result shows).
const (
	passDrop = iota
	passAlterType
	passAddColumn
	passSetExpression
	passAddConstraint
	passColumnAttrs
	passAddIndexConstraint
	passAddIndex
	passAddOtherConstraint
	passMisc
	passCount
)

// alterTable is one ALTER TABLE statement on its way.
type alterTable struct {
	c       *Catalog
	eff     *Effects
	rel     OID
	recurse bool     // no ONLY
	retyped []string // columns with an ALTER TYPE
	passes  [passCount][]func() error

	rewrites []OID // tables whose rows are written anew at the end
	// stored are the conditions and index expressions that a change of type touches, as they were stored before it.
	stored map[*Expr]*pgast.Node
}

func (c *Catalog) applyAlterTable(s *pgast.AlterTableStmt, eff *Effects) error {
	kind := Table
	switch s.Objtype {
	case pgast.ObjectType_OBJECT_INDEX:
		kind = Index
	case pgast.ObjectType_OBJECT_VIEW:
		kind = View
	case pgast.ObjectType_OBJECT_MATVIEW:
		kind = MatView
	case pgast.ObjectType_OBJECT_SEQUENCE:
		kind = Sequence
	case pgast.ObjectType_OBJECT_FOREIGN_TABLE:
		kind = ForeignTable
	case pgast.ObjectType_OBJECT_TYPE:
		kind = CompositeRel
	}
	r, err := c.lookupKind(s.Relation, kind)
	if err != nil {
		if s.MissingOk {
			eff.note("relation \"%s\" does not exist, skipping", s.Relation.Relname)
			return nil
		}
		return err
	}
	if err := checkObjectType(r, s.Objtype); err != nil {
		return err
	}
	a := &alterTable{c: c, eff: eff, rel: r.OID, recurse: s.Relation.Inh}
	for _, n := range s.Cmds {
		if cmd := n.GetAlterTableCmd(); cmd != nil {
			pass, run, err := a.prepare(cmd)
			if err != nil {
				return err
			}
			a.later(pass, run)
		}
	}
	return a.run()
}

// checkObjectType refuses ALTER VIEW of a table and so on (RangeVarCallbackForAlterRelation).
func checkObjectType(r *Relation, t pgast.ObjectType) error {
	if r.Assumed {
		return nil
	}
	want, ok := dropKindOf(t)
	switch {
	case t == pgast.ObjectType_OBJECT_TYPE:
		if r.Kind != CompositeRel {
			return errorf("42809", "\"%s\" is not a composite type", r.Name)
		}
	case t == pgast.ObjectType_OBJECT_TABLE || !ok:
		if r.Kind == CompositeRel {
			e := errorf("42809", "\"%s\" is a composite type", r.Name)
			e.Hint = "Use ALTER TYPE instead."
			return e
		}
	case !slices.Contains(want.kinds, r.Kind):
		return notA(r, want.word)
	}
	return nil
}

func (a *alterTable) later(pass int, run func() error) { a.passes[pass] = append(a.passes[pass], run) }

// run does the passes in order; what runs may add to later ones, or to its own.
func (a *alterTable) run() error {
	for pass := range a.passes {
		for i := 0; i < len(a.passes[pass]); i++ {
			if err := a.passes[pass][i](); err != nil {
				return err
			}
		}
	}
	for _, rel := range a.rewrites {
		a.c.clearMissing(rel)
	}
	return nil
}

// prepare tells when a subcommand runs and how (ATPrepCmd).
func (a *alterTable) prepare(cmd *pgast.AlterTableCmd) (pass int, run func() error, err error) {
	c, rel := a.c, a.rel
	column := func(pass int, name string, f func(rel OID, col *Column) error) (int, func() error, error) {
		return pass, func() error {
			if slices.Contains(systemColumns[:], name) {
				return errorf("0A000", "cannot alter system column \"%s\"", name)
			}
			col, err := c.lookupColumn(rel, name)
			if err != nil {
				return err
			}
			return f(rel, col)
		}, nil
	}
	always := func(pass int, f func() error) (int, func() error, error) { return pass, f, nil }
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_AddColumn, pgast.AlterTableType_AT_AddColumnToView:
		if err := a.allow(cmd, Table, PartitionedTable, View, CompositeRel, ForeignTable); err != nil {
			return 0, nil, err
		}
		return always(passAddColumn, func() error { return a.addColumn(cmd) })
	case pgast.AlterTableType_AT_DropColumn:
		if err := a.allow(cmd, Table, PartitionedTable, CompositeRel, ForeignTable); err != nil {
			return 0, nil, err
		}
		return always(passDrop, func() error { return a.dropColumn(cmd) })
	case pgast.AlterTableType_AT_ColumnDefault:
		if err := a.allow(cmd, Table, PartitionedTable, View, ForeignTable); err != nil {
			return 0, nil, err
		}
		if cmd.Def == nil {
			pass = passDrop
		} else {
			pass = passAddOtherConstraint
		}
		return column(pass, cmd.Name, func(rel OID, col *Column) error { return a.columnDefault(rel, col, cmd.Def) })
	case pgast.AlterTableType_AT_DropNotNull:
		if err := a.allow(cmd, Table, PartitionedTable, ForeignTable); err != nil {
			return 0, nil, err
		}
		return column(passDrop, cmd.Name, a.dropNotNull)
	case pgast.AlterTableType_AT_SetNotNull:
		if err := a.allow(cmd, Table, PartitionedTable, ForeignTable); err != nil {
			return 0, nil, err
		}
		return column(passColumnAttrs, cmd.Name, a.setColumnNotNull)
	case pgast.AlterTableType_AT_AlterColumnType:
		if err := a.allow(cmd, Table, PartitionedTable, CompositeRel, ForeignTable); err != nil {
			return 0, nil, err
		}
		change, err := a.prepareType(cmd)
		return passAlterType, change, err
	case pgast.AlterTableType_AT_DropExpression:
		return column(passDrop, cmd.Name, func(rel OID, col *Column) error { return a.dropExpression(rel, col, cmd) })
	case pgast.AlterTableType_AT_AddIdentity:
		return column(passAddOtherConstraint, cmd.Name, func(rel OID, col *Column) error { return a.addIdentity(rel, col, cmd) })
	case pgast.AlterTableType_AT_SetIdentity:
		return column(passMisc, cmd.Name, func(rel OID, col *Column) error { return a.setIdentity(rel, col, cmd) })
	case pgast.AlterTableType_AT_DropIdentity:
		return column(passDrop, cmd.Name, func(rel OID, col *Column) error { return a.dropIdentity(rel, col, cmd) })
	case pgast.AlterTableType_AT_SetStatistics, pgast.AlterTableType_AT_SetStorage, pgast.AlterTableType_AT_SetCompression,
		pgast.AlterTableType_AT_SetOptions, pgast.AlterTableType_AT_ResetOptions:
		return always(passMisc, func() error { return a.columnAttribute(cmd) })
	case pgast.AlterTableType_AT_AlterColumnGenericOptions:
		return column(passMisc, cmd.Name, func(OID, *Column) error { return nil })
	case pgast.AlterTableType_AT_AddConstraint:
		return a.prepareConstraint(cmd)
	case pgast.AlterTableType_AT_DropConstraint:
		if err := a.allow(cmd, Table, PartitionedTable, ForeignTable); err != nil {
			return 0, nil, err
		}
		return always(passDrop, func() error { return a.dropConstraint(cmd) })
	case pgast.AlterTableType_AT_ValidateConstraint:
		return always(passMisc, func() error { return a.validateConstraint(rel, cmd.Name, a.recurse) })
	case pgast.AlterTableType_AT_AlterConstraint:
		return always(passMisc, func() error { return a.alterConstraint(cmd) })
	}
	return always(passMisc, func() error { return a.misc(cmd) })
}

// allow refuses relations that the subcommand is not for (ATSimplePermissions).
func (a *alterTable) allow(cmd *pgast.AlterTableCmd, kinds ...RelKind) error {
	r := a.c.relation(a.rel)
	if r.Assumed || slices.Contains(kinds, r.Kind) {
		return nil
	}
	e := errorf("42809", "ALTER action %s cannot be performed on relation \"%s\"", actionWord(cmd), r.Name)
	e.Detail = "This operation is not supported for " + r.pluralKind() + "."
	if a.c.Version < 15 {
		e = errorf("42809", "\"%s\" is not a table", r.Name)
	}
	return e
}

// actionWord is alter_table_type_to_string.
func actionWord(cmd *pgast.AlterTableCmd) string {
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_AddColumn, pgast.AlterTableType_AT_AddColumnToView:
		return "ADD COLUMN"
	case pgast.AlterTableType_AT_DropColumn:
		return "DROP COLUMN"
	case pgast.AlterTableType_AT_ColumnDefault:
		return "ALTER COLUMN ... SET DEFAULT"
	case pgast.AlterTableType_AT_DropNotNull:
		return "ALTER COLUMN ... DROP NOT NULL"
	case pgast.AlterTableType_AT_SetNotNull:
		return "ALTER COLUMN ... SET NOT NULL"
	case pgast.AlterTableType_AT_AlterColumnType:
		return "ALTER COLUMN ... SET DATA TYPE"
	case pgast.AlterTableType_AT_SetLogged:
		return "SET LOGGED"
	case pgast.AlterTableType_AT_SetUnLogged:
		return "SET UNLOGGED"
	case pgast.AlterTableType_AT_AddConstraint:
		return "ADD CONSTRAINT"
	case pgast.AlterTableType_AT_DropConstraint:
		return "DROP CONSTRAINT"
	case pgast.AlterTableType_AT_AttachPartition:
		return "ATTACH PARTITION"
	case pgast.AlterTableType_AT_DetachPartition:
		return "DETACH PARTITION"
	}
	return "ALTER TABLE"
}

// eachChild calls f for the children of a table that have the column, and theirs, as ATSimpleRecursion does.
func (a *alterTable) eachChild(rel OID, name string, f func(child OID, col *Column) error) error {
	if !a.recurse {
		return nil
	}
	for _, child := range a.c.Inheritors(rel) {
		if col := child.Column(name); col != nil {
			if err := f(child.OID, col); err != nil {
				return err
			}
		}
	}
	return nil
}
