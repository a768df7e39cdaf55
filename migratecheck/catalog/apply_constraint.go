package catalog

import (
	"cmp"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addConstraint stores a new constraint of a table with its dependencies (CreateConstraintEntry,
// src/backend/catalog/pg_constraint.c).
func (c *Catalog) addConstraint(con *Constraint) {
	c.put(con)
	self := Address{OID: con.OID}
	for _, num := range con.Columns {
		c.addDep(self, Address{con.Table, num}, DepAuto)
	}
	if len(con.Columns) == 0 {
		c.addDep(self, Address{OID: con.Table}, DepAuto)
	}
	if con.Check != nil {
		for _, ref := range con.Check.Refs {
			if ref.OID != con.Table {
				c.addDep(self, ref, DepNormal)
			}
		}
	}
	if con.Kind != ForeignKey {
		return
	}
	for _, num := range con.RefColumns {
		c.addDep(self, Address{con.RefTable, num}, DepNormal)
	}
	if len(con.RefColumns) == 0 {
		c.addDep(self, Address{OID: con.RefTable}, DepNormal)
	}
	if con.Index != 0 {
		c.addDep(self, Address{OID: con.Index}, DepNormal)
	}
}

// editConstraint replaces a constraint by a changed copy.
func (c *Catalog) editConstraint(oid OID, change func(con *Constraint)) {
	con := *c.Get(oid).(*Constraint)
	change(&con)
	c.put(&con)
}

// constraintExists is the error for a name that the table has already.
func (c *Catalog) constraintExists(rel OID, name string) error {
	e := errorf("42710", "constraint \"%s\" for relation \"%s\" already exists", name, c.relation(rel).Name)
	e.Object = Name{Name: name}
	return e
}

// addCheck adds a CHECK constraint to a table and, as ALTER TABLE does, to its children. expr overrides the expression as
// written; local is false for what comes from a parent.
func (c *Catalog) addCheck(rel OID, con *pgast.Constraint, expr *Expr, local, recurse bool, eff *Effects) (*Constraint, error) {
	r := c.relation(rel)
	if r.Kind == PartitionedTable && con.IsNoInherit {
		return nil, errorf("42P16", "cannot add NO INHERIT constraint to partitioned table \"%s\"", r.Name)
	}
	if expr == nil {
		e, v, err := c.bindExpr(con.RawExpr, scopeOf(r), "", TypeRef{})
		if err != nil {
			return nil, err
		}
		if err := e.checkPlain("check constraint"); err != nil {
			return nil, err
		}
		expr, r = e, c.relation(rel)
		if t := v.typ; t.known() && t.OID != typeUnknown && !c.canCoerce(t, scalar(typeBool), byAssignment) {
			return nil, errorf("42804", "argument of CHECK must be type boolean, not type %s", c.FormatType(t.bare()))
		}
	}
	columns := c.checkColumns(expr, rel)
	name := con.Conname
	if name == "" {
		column := ""
		switch {
		case len(columns) == 1 && len(expr.system) == 0:
			column = r.Columns[columns[0]-1].Name
		case len(columns) == 0 && len(expr.system) == 1:
			column = expr.system[0]
		}
		name = c.chooseConstraintName(r.Name, column, "check", r.Schema)
	} else if old := c.constraintNamed(rel, name); old != nil {
		return c.mergeCheck(old, expr, con, local, recurse, eff)
	}
	inherited := 0
	if !local {
		inherited = 1
	}
	made := &Constraint{
		OID: c.newOID(), Name: name, Kind: Check, Table: rel, Columns: columns, Check: expr,
		Valid: con.InitiallyValid || !con.SkipValidation, NoInherit: con.IsNoInherit, Local: local, Inherited: inherited,
	}
	c.addConstraint(made)
	return made, c.addCheckToChildren(made, con, recurse, eff)
}

func (c *Catalog) addCheckToChildren(made *Constraint, con *pgast.Constraint, recurse bool, eff *Effects) error {
	if made.NoInherit {
		return nil
	}
	children := c.Inheritors(made.Table)
	if len(children) > 0 && !recurse {
		return nil
	}
	for _, child := range children {
		same := copyConstraint(con)
		same.Conname = made.Name
		if _, err := c.addCheck(child.OID, same, nil, false, true, eff); err != nil {
			return err
		}
	}
	return nil
}

// mergeCheck handles a CHECK whose name the table has already (MergeWithExistingConstraint, src/backend/catalog/heap.c):
// an equal one is merged where one of the two is inherited.
func (c *Catalog) mergeCheck(old *Constraint, expr *Expr, con *pgast.Constraint, local, recurse bool, eff *Effects) (*Constraint, error) {
	name, rel := old.Name, c.relation(old.Table)
	same := old.Kind == Check && old.Check.SQL == expr.SQL
	allow := !local || old.Inherited > 0 && !old.Local || rel.PartitionOf != 0 && old.Inherited > 0
	if !same || !allow {
		return nil, c.constraintExists(old.Table, name)
	}
	switch {
	case old.NoInherit:
		return nil, errorf("42P17", "constraint \"%s\" conflicts with non-inherited constraint on relation \"%s\"", name, rel.Name)
	case old.Inherited > 0 && con.IsNoInherit:
		return nil, errorf("42P17", "constraint \"%s\" conflicts with inherited constraint on relation \"%s\"", name, rel.Name)
	case !old.Valid && !con.SkipValidation:
		return nil, errorf("42P17", "constraint \"%s\" conflicts with NOT VALID constraint on relation \"%s\"", name, rel.Name)
	}
	eff.note("merging constraint \"%s\" with inherited definition", name)
	c.editConstraint(old.OID, func(con *Constraint) {
		switch {
		case rel.PartitionOf != 0:
			con.Inherited, con.Local = 1, false
		case local:
			con.Local = true
		default:
			con.Inherited++
		}
	})
	// An equal constraint is on the children already; they count one more parent's only when it is new here.
	return c.Get(old.OID).(*Constraint), nil
}

// ownColumns lists the table's own columns that an expression uses, by number.
func ownColumns(e *Expr, rel OID) []int {
	var columns []int
	for _, ref := range e.Refs {
		if ref.OID == rel && ref.Column > 0 && !slices.Contains(columns, ref.Column) {
			columns = append(columns, ref.Column)
		}
	}
	slices.Sort(columns)
	return columns
}

// checkColumns lists the columns of a CHECK as pg_constraint.conkey does: in the order in which the expression has them.
func (c *Catalog) checkColumns(e *Expr, rel OID) []int {
	columns := ownColumns(e, rel)
	if len(columns) < 2 {
		return columns
	}
	at := map[int]int32{}
	r := c.relation(rel)
	pgast.Walk(e.Node, func(n *pgast.Node) bool {
		if ref := n.GetColumnRef(); ref != nil && len(ref.Fields) > 0 {
			if col := r.Column(ref.Fields[len(ref.Fields)-1].GetString_().GetSval()); col != nil {
				if seen, ok := at[col.Num]; !ok || ref.Location < seen {
					at[col.Num] = ref.Location
				}
			}
		}
		return true
	})
	slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(at[a], at[b]) })
	return columns
}

// checkPlain refuses what may not be in an expression of the table's own (ParseExprKind, src/backend/parser/parse_agg.c and
// parse_expr.c). what is singular, as in the message about subqueries.
func (e *Expr) checkPlain(what string) error {
	plural := what + "s"
	switch {
	case e.subqueries:
		return errorf("0A000", "cannot use subquery in %s", what)
	case e.aggregates:
		return errorf("42803", "aggregate functions are not allowed in %s", plural)
	case e.windows:
		return errorf("42P20", "window functions are not allowed in %s", plural)
	case e.setReturning:
		return errorf("0A000", "set-returning functions are not allowed in %s", plural)
	}
	return nil
}

// copyConstraint copies a constraint of the parser, whose trees are not ours to change.
func copyConstraint(con *pgast.Constraint) *pgast.Constraint {
	return &pgast.Constraint{
		Contype: con.Contype, Conname: con.Conname, Deferrable: con.Deferrable, Initdeferred: con.Initdeferred,
		Location: con.Location, IsNoInherit: con.IsNoInherit, RawExpr: con.RawExpr, NullsNotDistinct: con.NullsNotDistinct,
		Keys: con.Keys, Including: con.Including, Exclusions: con.Exclusions, Options: con.Options, Indexname: con.Indexname,
		Indexspace: con.Indexspace, AccessMethod: con.AccessMethod, WhereClause: con.WhereClause, Pktable: con.Pktable,
		FkAttrs: con.FkAttrs, PkAttrs: con.PkAttrs, FkMatchtype: con.FkMatchtype, FkUpdAction: con.FkUpdAction,
		FkDelAction: con.FkDelAction, FkDelSetCols: con.FkDelSetCols, SkipValidation: con.SkipValidation, InitiallyValid: con.InitiallyValid,
	}
}

// addIndexConstraint adds PRIMARY KEY, UNIQUE or EXCLUDE, with the index that it is made of.
func (c *Catalog) addIndexConstraint(rel OID, con *pgast.Constraint, only bool, eff *Effects) error {
	spec := indexSpec{
		only:  only,
		table: rel, name: con.Conname, method: con.AccessMethod, constraint: true, deferrable: con.Deferrable, deferred: con.Initdeferred,
		where: con.WhereClause, nullsNotDistinct: con.NullsNotDistinct, options: con.Options, tablespace: con.Indexspace,
	}
	for _, name := range stringsOf(con.Including) {
		spec.include = append(spec.include, &pgast.IndexElem{Name: name})
	}
	switch con.Contype {
	case pgast.ConstrType_CONSTR_EXCLUSION:
		spec.exclusion = true
		for _, pair := range con.Exclusions {
			items := pair.GetList().GetItems()
			spec.elems = append(spec.elems, items[0].GetIndexElem())
			spec.operators = append(spec.operators, operatorName(items[1]))
		}
	default:
		spec.unique = true
		spec.primary = con.Contype == pgast.ConstrType_CONSTR_PRIMARY
		if err := c.checkKeys(rel, con); err != nil {
			return err
		}
		for _, name := range stringsOf(con.Keys) {
			spec.elems = append(spec.elems, &pgast.IndexElem{Name: name})
		}
	}
	_, err := c.defineIndex(&spec, eff)
	return err
}

// checkKeys looks for a key's columns (transformIndexConstraint).
func (c *Catalog) checkKeys(rel OID, con *pgast.Constraint) error {
	keys := stringsOf(con.Keys)
	for i, name := range keys {
		if c.findColumn(rel, name) == nil {
			return errorf("42703", "column \"%s\" named in key does not exist", name)
		}
		if slices.Contains(keys[:i], name) {
			if con.Contype == pgast.ConstrType_CONSTR_PRIMARY {
				return errorf("42701", "column \"%s\" appears twice in primary key constraint", name)
			}
			return errorf("42701", "column \"%s\" appears twice in unique constraint", name)
		}
	}
	for _, name := range stringsOf(con.Including) {
		if c.findColumn(rel, name) == nil {
			return errorf("42703", "column \"%s\" named in key does not exist", name)
		}
	}
	return nil
}

// operatorName is an operator as an exclusion constraint names it.
func operatorName(n *pgast.Node) string {
	parts := stringsOf(n.GetList().GetItems())
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// primaryKey returns a table's primary key, nil when it has none.
func (c *Catalog) primaryKey(table OID) *Constraint {
	for _, con := range c.Constraints(table) {
		if con.Kind == PrimaryKey {
			return con
		}
	}
	return nil
}

// constraintOfIndex returns the primary key, unique or exclusion constraint that an index belongs to, nil when none.
func (c *Catalog) constraintOfIndex(index *Relation) *Constraint {
	for _, d := range c.Dependencies(index.OID) {
		if d.Type == DepInternal {
			if con, ok := c.Get(d.Ref.OID).(*Constraint); ok {
				return con
			}
		}
	}
	return nil
}
