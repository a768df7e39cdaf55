package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// parentsOfNew looks up INHERITS or PARTITION OF (MergeAttributes, src/backend/commands/tablecmds.c).
func (b *newTable) parentsOfNew(rel *Relation, s *pgast.CreateStmt) ([]*Relation, error) {
	var parents []*Relation
	for _, n := range s.InhRelations {
		p, err := b.c.lookupRelation(n.GetRangeVar())
		if err != nil {
			return nil, err
		}
		if p.Assumed && s.Partbound != nil && p.Kind == Table {
			p = b.c.editRelation(p.OID, func(r *Relation) { r.Kind, r.PartitionKey = PartitionedTable, &PartitionKey{} })
		}
		if slices.ContainsFunc(parents, func(q *Relation) bool { return q.OID == p.OID }) {
			return nil, errorf("42P07", "relation \"%s\" would be inherited from more than once", p.Name)
		}
		if err := checkParent(p, rel, s.Partbound != nil); err != nil {
			return nil, err
		}
		parents = append(parents, p)
	}
	return parents, nil
}

func checkParent(p, rel *Relation, partition bool) error {
	switch {
	case partition && p.Kind != PartitionedTable:
		return errorf("42P17", "\"%s\" is not partitioned", p.Name)
	case !partition && p.Kind == PartitionedTable:
		return errorf("42809", "cannot inherit from partitioned table \"%s\"", p.Name)
	case !partition && p.PartitionOf != 0:
		return errorf("42809", "cannot inherit from partition \"%s\"", p.Name)
	case p.Kind != Table && p.Kind != ForeignTable && p.Kind != PartitionedTable:
		return errorf("42809", "inherited relation \"%s\" is not a table or foreign table", p.Name)
	case rel.Persistence != Temporary && p.Persistence == Temporary:
		if partition {
			return errorf("42809", "cannot create a permanent relation as partition of temporary relation \"%s\"", p.Name)
		}
		return errorf("42809", "cannot inherit from temporary relation \"%s\"", p.Name)
	case partition && rel.Persistence == Temporary && p.Persistence != Temporary:
		return errorf("42809", "cannot create a temporary relation as partition of permanent relation \"%s\"", p.Name)
	}
	return nil
}

// mergeInheritance puts the parents' columns before the table's own and merges those of one name; it also collects the
// parents' CHECK constraints as the new table's.
func (b *newTable) mergeInheritance(rel *Relation, s *pgast.CreateStmt) ([]newColumn, []*Constraint, []*Relation, error) {
	if len(s.InhRelations) == 0 {
		return b.columns, nil, nil, nil
	}
	parents, err := b.parentsOfNew(rel, s)
	if err != nil {
		return nil, nil, nil, err
	}
	var columns []newColumn
	var checks []*Constraint
	conflicting := map[string]bool{}
	for _, p := range parents {
		for _, col := range p.Columns {
			if con := b.c.notNullOf(p.OID, col.Num); con != nil && con.NoInherit {
				col.NotNull = false
			}
			if !col.Dropped {
				if columns, err = b.inheritColumn(columns, col, conflicting, s.Partbound != nil); err != nil {
					return nil, nil, nil, err
				}
			}
		}
		for _, con := range b.c.Constraints(p.OID) {
			if con.Kind != Check || con.NoInherit {
				continue
			}
			if checks, err = inheritCheck(checks, con, rel); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	for _, own := range b.columns {
		if columns, err = b.mergeOwn(columns, own, conflicting, s.Partbound != nil); err != nil {
			return nil, nil, nil, err
		}
	}
	for _, col := range columns {
		if conflicting[col.Name] {
			e := errorf("42611", "column \"%s\" inherits conflicting default values", col.Name)
			e.Hint = "To resolve the conflict, specify a default explicitly."
			return nil, nil, nil, e
		}
	}
	return columns, checks, parents, nil
}

func inheritCheck(checks []*Constraint, con *Constraint, rel *Relation) ([]*Constraint, error) {
	if i := slices.IndexFunc(checks, func(o *Constraint) bool { return o.Name == con.Name }); i >= 0 {
		if checks[i].Check.SQL != con.Check.SQL {
			return nil, errorf("42710", "check constraint name \"%s\" appears multiple times but with different expressions", con.Name)
		}
		checks[i].Inherited++
		return checks, nil
	}
	return append(checks, &Constraint{Name: con.Name, Kind: Check, Table: rel.OID, Check: con.Check, Valid: true, Inherited: 1}), nil
}

// inheritColumn adds a parent's column.
func (b *newTable) inheritColumn(columns []newColumn, col Column, conflicting map[string]bool, partition bool) ([]newColumn, error) {
	i := slices.IndexFunc(columns, func(o newColumn) bool { return o.Name == col.Name })
	if i < 0 {
		inherited := newColumn{Column: Column{
			Name: col.Name, Type: col.Type, NotNull: col.NotNull, Generated: col.Generated, Collation: col.Collation, Storage: col.Storage,
			Compression: col.Compression, Inherited: 1, Stats: -1,
		}}
		if partition && b.c.Version >= 17 {
			inherited.Identity = col.Identity
		}
		if col.Default != nil {
			inherited.inheritDefault(col.Default)
		}
		return append(columns, inherited), nil
	}
	b.eff.note("merging multiple inherited definitions of column \"%s\"", col.Name)
	have := &columns[i]
	if have.Type != col.Type {
		e := errorf("42804", "inherited column \"%s\" has a type conflict", col.Name)
		e.Detail = b.c.FormatType(have.Type) + " versus " + b.c.FormatType(col.Type)
		return nil, e
	}
	if have.Collation != col.Collation {
		return nil, errorf("42P21", "inherited column \"%s\" has a collation conflict", col.Name)
	}
	if have.Generated != col.Generated {
		return nil, errorf("42611", "inherited column \"%s\" has a generation conflict", col.Name)
	}
	have.Inherited++
	have.NotNull = have.NotNull || col.NotNull
	if col.Default != nil {
		switch {
		case have.inherited == nil:
			have.inheritDefault(col.Default)
		case have.inherited.SQL != col.Default.SQL:
			conflicting[col.Name] = true
		}
	}
	return columns, nil
}

// inheritDefault takes a parent's default over. Of a generated column the expression is made anew, since the columns it
// refers to are now the child's.
func (col *newColumn) inheritDefault(e *Expr) {
	col.inherited = e
	if col.Generated != 0 {
		col.def = e.Node
	} else {
		col.expr = e
	}
}

// mergeOwn adds a column that the new table declares itself.
func (b *newTable) mergeOwn(columns []newColumn, own newColumn, conflicting map[string]bool, partition bool) ([]newColumn, error) {
	i := slices.IndexFunc(columns, func(o newColumn) bool { return o.Name == own.Name })
	if i < 0 {
		if partition {
			return nil, errorf("42703", "column \"%s\" does not exist", own.Name)
		}
		return append(columns, own), nil
	}
	have := &columns[i]
	if !partition {
		b.eff.note("merging column \"%s\" with inherited definition", own.Name)
		if have.Type != own.Type {
			e := errorf("42804", "column \"%s\" has a type conflict", own.Name)
			e.Detail = b.c.FormatType(have.Type) + " versus " + b.c.FormatType(own.Type)
			return nil, e
		}
		if have.Collation != own.Collation {
			return nil, errorf("42P21", "column \"%s\" has a collation conflict", own.Name)
		}
		have.Local = true
		have.Identity = own.Identity
	}
	hasDefault := own.def != nil || own.expr != nil
	if have.Generated != 0 {
		if own.Generated == 0 && hasDefault && (!partition || b.c.Version >= 16) {
			return nil, errorf("42611", "column \"%s\" inherits from generated column but specifies default", own.Name)
		}
		if own.Identity != 0 {
			return nil, errorf("42611", "column \"%s\" inherits from generated column but specifies identity", own.Name)
		}
	} else if own.Generated != 0 && (partition || b.c.Version >= 16) {
		e := errorf("42611", "child column \"%s\" specifies generation expression", own.Name)
		e.Hint = "A child table column cannot be generated unless its parent column is."
		return nil, e
	}
	have.NotNull = have.NotNull || own.NotNull
	if own.Storage != "" {
		have.Storage = own.Storage
	}
	if hasDefault {
		have.def, have.expr = own.def, own.expr
		if !partition {
			have.Generated = own.Generated
		}
		delete(conflicting, own.Name)
	}
	return columns, nil
}
