package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// What is stored as a tree in PostgreSQL follows a rename; here it is stored with names, so the names are changed. Bodies
// of functions that are strings are not looked at, as PostgreSQL does not.

// renamer changes the names in an expression or query, in place; it tells whether it changed something.
type renamer interface {
	rename(n *pgast.Node) bool
}

// renameInExprs lets everything that depends on an object follow its new name.
func (c *Catalog) renameInExprs(of Address, how renamer) {
	var done []OID
	for _, d := range c.Dependents(of) {
		if !slices.Contains(done, d.OID) {
			done = append(done, d.OID)
			c.renameIn(d.OID, of, how)
		}
	}
	// What belongs to the table itself has no dependency on each column (partition keys, whole-row references).
	if r := c.relation(of.OID); r != nil && !slices.Contains(done, of.OID) {
		c.renameIn(of.OID, of, how)
	}
	if of.Column == 0 {
		for o := range c.childrenOf(of.OID) {
			if !slices.Contains(done, o.ObjectID()) {
				c.renameIn(o.ObjectID(), of, how)
			}
		}
	}
}

// renameIn changes the expressions of one object.
func (c *Catalog) renameIn(oid OID, of Address, how renamer) {
	switch o := c.Get(oid).(type) {
	case *Relation:
		c.renameInRelation(o, of, how)
	case *Constraint:
		if e, ok := renamedExpr(o.Check, of, how); ok {
			c.editConstraint(oid, func(con *Constraint) { con.Check = e })
		}
	case *Trigger:
		if e, ok := renamedExpr(o.When, of, how); ok {
			changed := *o
			changed.When = e
			c.put(&changed)
		}
	case *Policy:
		using, a := renamedExpr(o.Using, of, how)
		check, b := renamedExpr(o.WithCheck, of, how)
		if a || b {
			changed := *o
			changed.Using, changed.WithCheck = using, check
			c.put(&changed)
		}
	case *Rule:
		node := pgast.Clone(&pgast.Node{Node: &pgast.Node_RuleStmt{RuleStmt: o.Node}})
		if how.rename(node) {
			changed := *o
			changed.Node = node.GetRuleStmt()
			c.put(&changed)
		}
	case *Other:
		for i := range o.exprs {
			if e, ok := renamedExpr(&o.exprs[i], of, how); ok {
				changed := *c.Get(oid).(*Other)
				changed.exprs = slices.Clone(changed.exprs)
				changed.exprs[i] = *e
				c.put(&changed)
			}
		}
	case *Type:
		if e, ok := renamedExpr(o.Default, of, how); ok {
			changed := *o
			changed.Default = e
			c.put(&changed)
		}
	}
}

func (c *Catalog) renameInRelation(r *Relation, of Address, how renamer) {
	for _, col := range r.Columns {
		if e, ok := renamedExpr(col.Default, of, how); ok {
			c.editColumn(r.OID, col.Num, func(col *Column) { col.Default = e })
		}
	}
	if k := r.PartitionKey; k != nil {
		for i := range k.Exprs {
			if e, ok := renamedExpr(&k.Exprs[i], of, how); ok {
				c.editRelation(r.OID, func(r *Relation) {
					key := *r.PartitionKey
					key.Exprs = slices.Clone(key.Exprs)
					key.Exprs[i] = *e
					r.PartitionKey = &key
				})
			}
		}
	}
	if x := r.Index; x != nil {
		for i, key := range x.Keys {
			if e, ok := renamedExpr(key.Expr, of, how); ok {
				c.editIndex(r.OID, func(x *IndexAttrs) {
					x.Keys = slices.Clone(x.Keys)
					x.Keys[i].Expr = e
				})
			}
		}
		if e, ok := renamedExpr(x.Predicate, of, how); ok {
			c.editIndex(r.OID, func(x *IndexAttrs) { x.Predicate = e })
		}
	}
	if q := r.Query; q != nil && q.Node != nil && (q.Unknown || refersTo(q.Refs, of)) {
		node := pgast.Clone(q.Node)
		if how.rename(node) {
			changed := *q
			changed.Node, changed.origin = node, q.root()
			if sql, err := pgast.Deparse(node); err == nil {
				changed.SQL = sql
			}
			c.editRelation(r.OID, func(r *Relation) { r.Query = &changed })
		}
	}
}

// editIndex replaces the attributes of an index.
func (c *Catalog) editIndex(oid OID, change func(x *IndexAttrs)) {
	c.editRelation(oid, func(r *Relation) {
		x := *r.Index
		change(&x)
		r.Index = &x
	})
}

// root is the expression that was written, before names in it followed a rename.
func (e *Expr) root() *Expr {
	if e.origin != nil {
		return e.origin
	}
	return e
}

func (q *Query) root() *Query {
	if q.origin != nil {
		return q.origin
	}
	return q
}

// refersTo tells whether what is referred to includes the object, or of a column the column or the whole row.
func refersTo(refs []Address, of Address) bool {
	return slices.ContainsFunc(refs, func(a Address) bool {
		return a.OID == of.OID && (of.Column == 0 || a.Column == 0 || a.Column == of.Column)
	})
}

func renamedExpr(e *Expr, of Address, how renamer) (*Expr, bool) {
	if e == nil || e.Node == nil || !refersTo(e.Refs, of) && !e.Unknown {
		return e, false
	}
	node := pgast.Clone(e.Node)
	if !how.rename(node) {
		return e, false
	}
	changed := *e
	changed.Node, changed.origin = node, e.root()
	if sql, err := pgast.DeparseExpr(node); err == nil {
		changed.SQL = sql
	}
	return &changed, true
}

// columnRenamed renames the references to one column of a relation.
type columnRenamed struct {
	c        *Catalog
	rel      OID
	old, new string
}

func (h columnRenamed) rename(n *pgast.Node) bool {
	r := h.c.relation(h.rel)
	// The names under which the relation is known: its own, NEW and OLD in a trigger, its aliases in a query.
	known := []string{r.Name, "excluded"}
	if rule := n.GetRuleStmt(); rule == nil || h.isOf(rule.Relation) {
		known = append(known, "new", "old")
	}
	query := false
	if h.merged(n) {
		return false // only the server can write what is left: t(a, old) in the place of t
	}
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		if rv, ok := m.(*pgast.RangeVar); ok {
			query = true
			if found := h.c.findRelation(rv); found != nil && found.OID == h.rel && rv.Alias != nil {
				known = append(known, rv.Alias.Aliasname)
			}
		}
		return true
	})
	return h.renameIn(n, nil, query, known)
}

// merged reports whether a join of the query merges the column with another relation's by its old name.
func (h columnRenamed) merged(n *pgast.Node) bool {
	found, natural, others := false, false, false
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.JoinExpr:
			natural = natural || m.IsNatural
			for _, name := range m.UsingClause {
				found = found || name.GetString_().GetSval() == h.old
			}
		case *pgast.RangeVar:
			if rel := h.c.findRelation(m); rel != nil && rel.OID != h.rel {
				others = others || rel.Column(h.old) != nil
			}
		}
		return true
	})
	return found || natural && others
}

// renameIn renames in one level of a query and, in turn, in those inside it; scope is the SELECT that it is, nil outside of any.
func (h columnRenamed) renameIn(m pgast.Message, scope *pgast.SelectStmt, query bool, known []string) bool {
	changed, hidden := false, h.hides(scope)
	here := func(ref *pgast.ColumnRef) bool { return !(hidden && len(ref.Fields) == 1) && h.renameRef(ref, known) }
	pgast.WalkMessages(m, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.SelectStmt:
			if m != scope {
				changed = h.renameIn(m, m, query, known) || changed
				return false
			}
		case *pgast.ResTarget:
			if ref := m.Val.GetColumnRef(); ref != nil && query && m.Name == "" && here(ref) {
				m.Name, changed = h.old, true // a view's column keeps its name
			}
		case *pgast.ColumnRef:
			changed = here(m) || changed
		case *pgast.InsertStmt:
			changed = h.renameTargets(m.Relation, m.Cols) || changed
		case *pgast.UpdateStmt:
			changed = h.renameTargets(m.Relation, m.TargetList) || changed
		}
		return true
	})
	return changed
}

// renameTargets renames among the columns that a statement sets, which a rule and the body of a function hold.
func (h columnRenamed) renameTargets(rv *pgast.RangeVar, list []*pgast.Node) bool {
	changed := false
	for _, n := range list {
		if t := n.GetResTarget(); t != nil && t.Name == h.old && h.isOf(rv) {
			t.Name, changed = h.new, true
		}
	}
	return changed
}

func (h columnRenamed) isOf(rv *pgast.RangeVar) bool {
	found := h.c.findRelation(rv)
	return found != nil && found.OID == h.rel
}

// hides tells whether an unqualified name in a SELECT is that of another relation's column, and not of this one's further out.
func (h columnRenamed) hides(s *pgast.SelectStmt) bool {
	other, own := false, false
	for _, item := range s.GetFromClause() {
		pgast.WalkMessages(item, func(m pgast.Message) bool {
			switch m := m.(type) {
			case *pgast.RangeSubselect:
				return false
			case *pgast.RangeVar:
				if found := h.c.findRelation(m); found != nil {
					own = own || found.OID == h.rel
					other = other || found.Column(h.old) != nil
				}
			}
			return true
		})
	}
	return other && !own
}

func (h columnRenamed) renameRef(ref *pgast.ColumnRef, known []string) bool {
	last := len(ref.Fields) - 1
	if last < 0 || ref.Fields[last].GetString_().GetSval() != h.old || ref.Fields[last].GetString_() == nil {
		return false
	}
	if last > 0 && !slices.Contains(known, ref.Fields[last-1].GetString_().GetSval()) {
		return false
	}
	ref.Fields[last] = stringNode(h.new)
	return true
}

// relationRenamed follows a relation to its new name or schema.
type relationRenamed struct {
	c           *Catalog
	oid         OID
	schema, old string
	new         Name
}

func (h relationRenamed) rename(n *pgast.Node) bool {
	changed, query, bare := false, false, false
	// Where something else in the query goes by the new name, or by the old one, the relation keeps the old one as its alias.
	alias := h.nameTaken(n)
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.RangeVar:
			query = true
			if m.Relname != h.old || m.Schemaname != "" && m.Schemaname != h.schema {
				break
			}
			if m.Alias == nil && alias {
				m.Alias = &pgast.Alias{Aliasname: h.old}
			}
			bare = bare || m.Alias == nil
			m.Relname = h.new.Name
			if m.Schemaname != "" || h.new.Schema != h.schema {
				m.Schemaname = h.new.Schema
			}
			changed = true
		case *pgast.TypeCast:
			if t, err := h.c.resolveType(m.TypeName); err == nil && t.OID == typeRegclass {
				changed = h.renameConst(m.Arg.GetAConst()) || changed
			}
		case *pgast.FuncCall:
			for i, arg := range m.Args {
				if k := arg.GetAConst(); k != nil && takesRegclass(m, i) {
					changed = h.renameConst(k) || changed
				}
			}
		}
		return true
	})
	if query && !bare {
		return changed
	}
	// Columns may be qualified with the table's name, in a query where it has no alias.
	pgast.Walk(n, func(n *pgast.Node) bool {
		if ref := n.GetColumnRef(); ref != nil && len(ref.Fields) > 1 {
			i := len(ref.Fields) - 2
			if i > 0 && ref.Fields[i-1].GetString_().GetSval() != h.schema {
				return true // another schema's
			}
			if ref.Fields[i].GetString_().GetSval() == h.old {
				ref.Fields[i] = stringNode(h.new.Name)
				if i > 0 {
					ref.Fields[i-1] = stringNode(h.new.Schema)
				}
				changed = true
			}
		}
		return true
	})
	return changed
}

// nameTaken tells whether something in the query besides the relation goes by its new name or by its old one.
func (h relationRenamed) nameTaken(n *pgast.Node) bool {
	taken := false
	is := func(name string) { taken = taken || name == h.old || name == h.new.Name }
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.RangeVar:
			switch own := m.Relname == h.old && (m.Schemaname == "" || m.Schemaname == h.schema); {
			case m.Alias != nil:
				is(m.Alias.Aliasname)
			case !own && m.Schemaname == "":
				is(m.Relname)
			}
		case *pgast.RangeSubselect:
			is(m.Alias.GetAliasname())
		case *pgast.RangeFunction:
			is(m.Alias.GetAliasname())
		case *pgast.JoinExpr:
			is(m.Alias.GetAliasname())
		case *pgast.CommonTableExpr:
			is(m.Ctename)
		}
		return true
	})
	return taken
}

// takesRegclass reports whether a built-in function of the name takes a regclass at the place.
func takesRegclass(call *pgast.FuncCall, i int) bool {
	names := stringsOf(call.Funcname)
	return len(names) > 0 && slices.ContainsFunc(loadFunctions().named(pgCatalogOID, names[len(names)-1]), func(f *Func) bool {
		return i < len(f.Args) && f.Args[i].Type.OID == typeRegclass
	})
}

// renameConst changes a constant that names the relation: nextval('s'), 't'::regclass. They are stored by OID.
func (h relationRenamed) renameConst(k *pgast.A_Const) bool {
	s := k.GetSval()
	if s == nil {
		return false
	}
	r := h.c.relation(h.oid)
	if r == nil || r.Kind != Sequence && r.Kind != Table && r.Kind != PartitionedTable {
		return false
	}
	if schema, name, ok := splitQualified(s.Sval); ok && name == h.old && (schema == "" || schema == h.schema) {
		text := quoteIdent(h.new.Name)
		if h.new.Schema != "public" {
			text = quoteIdent(h.new.Schema) + "." + text
		}
		s.Sval = text
		return true
	}
	return false
}

// nameRenamed follows a function or type to its new name.
type nameRenamed struct {
	old, new string
	of       Class
}

func (h nameRenamed) rename(n *pgast.Node) bool {
	changed := false
	set := func(names []*pgast.Node) {
		if last := len(names) - 1; last >= 0 && names[last].GetString_().GetSval() == h.old {
			names[last] = stringNode(h.new)
			changed = true
		}
	}
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.FuncCall:
			if h.of == ClassFunction {
				set(m.Funcname)
			}
		case *pgast.TypeName:
			if h.of == ClassType {
				set(m.Names)
			}
		}
		return true
	})
	return changed
}
