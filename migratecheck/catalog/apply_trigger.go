package catalog

import (
	"regexp"
	"slices"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Bits of CreateTrigStmt (src/include/catalog/pg_trigger.h, TRIGGER_TYPE_…).
const (
	triggerBefore   = 1 << 1
	triggerInsert   = 1 << 2
	triggerDelete   = 1 << 3
	triggerUpdate   = 1 << 4
	triggerTruncate = 1 << 5
	triggerInstead  = 1 << 6
)

// applyCreateTrigger is CreateTriggerFiringOn (src/backend/commands/trigger.c).
func (c *Catalog) applyCreateTrigger(n *pgast.CreateTrigStmt, eff *Effects) error {
	rel, err := c.lookupRelation(n.Relation)
	if err != nil {
		return err
	}
	t := &Trigger{
		Table: rel.OID, Name: n.Trigname, Row: n.Row, Enabled: 'O', Deferrable: n.Deferrable, Deferred: n.Initdeferred,
		Before: n.Timing == triggerBefore, InsteadOf: n.Timing == triggerInstead,
		Insert: n.Events&triggerInsert != 0, Update: n.Events&triggerUpdate != 0, Delete: n.Events&triggerDelete != 0,
		Truncate: n.Events&triggerTruncate != 0,
	}
	if err := c.checkTrigger(t, rel, n); err != nil {
		return err
	}
	for _, node := range n.TransitionRels {
		tr := node.GetTriggerTransition()
		switch {
		case t.Before || t.InsteadOf:
			return errorf("42P17", "transition table name can only be specified for an AFTER trigger")
		case t.Truncate:
			return errorf("0A000", "TRUNCATE triggers with transition tables are not supported")
		case rel.Kind == View:
			return &Error{Code: "42809", Message: quoteMessage(rel.Name) + " is a view", Detail: "Triggers on views cannot have transition tables."}
		case t.Row && rel.PartitionOf != 0:
			return errorf("0A000", "ROW triggers with transition tables are not supported on partitions")
		case t.Row && len(rel.Inherits) > 0:
			return errorf("0A000", "ROW triggers with transition tables are not supported on inheritance children")
		case t.Insert && (t.Update || t.Delete) || t.Update && t.Delete:
			return errorf("0A000", "transition tables cannot be specified for triggers with more than one event")
		case len(n.Columns) > 0:
			return errorf("0A000", "transition tables cannot be specified for triggers with column lists")
		case tr.IsNew && t.Delete:
			return errorf("42P17", "NEW TABLE can only be specified for an INSERT or UPDATE trigger")
		case !tr.IsNew && t.Insert:
			return errorf("42P17", "OLD TABLE can only be specified for a DELETE or UPDATE trigger")
		case tr.IsNew:
			t.NewTable = tr.Name
		default:
			t.OldTable = tr.Name
		}
	}
	for _, name := range stringList(n.Columns) {
		col := c.findColumn(rel.OID, name)
		if col == nil {
			return errorf("42703", "column %s of relation %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
		}
		if slices.Contains(t.Columns, col.Num) {
			return errorf("42701", "column %s specified more than once", quoteMessage(name))
		}
		t.Columns = append(t.Columns, col.Num)
	}
	rel = c.relation(rel.OID)
	if n.WhenClause != nil {
		if t.When, err = c.triggerWhen(n.WhenClause, rel, t); err != nil {
			return err
		}
	}
	fn, err := c.triggerFunction(n.Funcname, typeTrigger)
	if err != nil {
		return err
	}
	if fn != nil {
		t.Function = fn.OID
	}
	var refTable OID
	if n.Constrrel != nil {
		r, err := c.lookupRelation(n.Constrrel)
		if err != nil {
			return err
		}
		refTable = r.OID
	}
	return c.storeTrigger(t, rel, n, refTable, eff)
}

// storeTrigger stores the trigger, or replaces the one of its name, and makes those of the partitions.
func (c *Catalog) storeTrigger(t *Trigger, rel *Relation, n *pgast.CreateTrigStmt, refTable OID, eff *Effects) error {
	for _, old := range c.Triggers(rel.OID) {
		if old.Name != t.Name {
			continue
		}
		switch {
		case !n.Replace:
			return errorf("42710", "trigger %s for relation %s already exists", quoteMessage(t.Name), quoteMessage(rel.Name))
		case old.Parent != 0 && t.Parent == 0:
			return errorf("42710", "trigger %s for relation %s is an internal or a child trigger", quoteMessage(t.Name), quoteMessage(rel.Name))
		case old.Constraint != 0:
			return errorf("42710", "trigger %s for relation %s is a constraint trigger", quoteMessage(t.Name), quoteMessage(rel.Name))
		}
		t.OID, t.Enabled = old.OID, old.Enabled
		c.clearDeps(old.OID)
	}
	if n.Isconstraint {
		// A constraint trigger has a row of pg_constraint too.
		con := &Constraint{OID: c.newOID(), Name: t.Name, Kind: TriggerCon, Table: rel.OID, RefTable: 0, Valid: true, Deferrable: t.Deferrable, Deferred: t.Deferred, Local: true, NoInherit: true}
		c.setConstraintSchema(con)
		c.put(con)
		t.Constraint = con.OID
	}
	if t.OID == 0 {
		t.OID = c.newOID()
	}
	c.put(t)
	at := Address{OID: t.OID}
	c.addDep(at, Address{OID: t.Function}, DepNormal)
	switch {
	case t.Constraint != 0:
		con := Address{OID: t.Constraint}
		c.addDep(con, at, DepInternal)
		c.addDep(con, Address{OID: rel.OID}, DepAuto)
		c.addDep(at, Address{OID: rel.OID}, DepAuto)
	default:
		c.addDep(at, Address{OID: rel.OID}, DepAuto)
	}
	if t.Parent != 0 {
		c.addDep(at, Address{OID: t.Parent}, DepPartition)
		c.addDep(at, Address{OID: rel.OID}, DepPartition)
	}
	if refTable != 0 {
		c.addDep(at, Address{OID: refTable}, DepAuto)
	}
	for _, num := range t.Columns {
		c.addDep(at, Address{rel.OID, num}, DepNormal)
	}
	if t.When != nil {
		c.addDeps(at, t.When.Refs, DepNormal)
	}
	if t.Row && rel.Kind == PartitionedTable {
		for _, part := range c.Inheritors(rel.OID) {
			if err := c.cloneTrigger(t, rel, part, n, eff); err != nil {
				return err
			}
		}
	}
	return nil
}

// cloneTrigger makes a partition's copy of a row trigger of its parent.
func (c *Catalog) cloneTrigger(t *Trigger, parent, part *Relation, n *pgast.CreateTrigStmt, eff *Effects) error {
	child := *t
	child.OID, child.Table, child.Parent, child.Constraint = 0, part.OID, t.OID, 0
	child.Columns = nil
	for _, num := range t.Columns {
		if col := part.Column(parent.Columns[num-1].Name); col != nil {
			child.Columns = append(child.Columns, col.Num)
		}
	}
	if t.When != nil {
		e := *t.When
		e.Refs = nil
		for _, ref := range t.When.Refs {
			if ref.OID == parent.OID {
				ref.OID = part.OID
				if ref.Column != 0 {
					if col := part.Column(parent.Columns[ref.Column-1].Name); col != nil {
						ref.Column = col.Num
					}
				}
			}
			e.Refs = append(e.Refs, ref)
		}
		child.When = &e
	}
	return c.storeTrigger(&child, part, n, 0, eff)
}

// checkTrigger refuses what kind of relation and kind of trigger do not allow together.
func (c *Catalog) checkTrigger(t *Trigger, rel *Relation, n *pgast.CreateTrigStmt) error {
	detail := func(code, message, detail string) error { return &Error{Code: code, Message: message, Detail: detail} }
	name := quoteMessage(rel.Name)
	switch rel.Kind {
	case Table, PartitionedTable, ForeignTable:
		switch {
		case t.InsteadOf && rel.Assumed:
		case t.InsteadOf:
			return detail("42809", name+" is a table", "Tables cannot have INSTEAD OF triggers.")
		case rel.Kind == PartitionedTable && t.Row && len(n.TransitionRels) > 0:
			return detail("0A000", name+" is a partitioned table", "ROW triggers with transition tables are not supported on partitioned tables.")
		case rel.Kind == PartitionedTable && t.Row && t.Before && c.Version < 13:
			return detail("42809", name+" is a partitioned table", "Partitioned tables cannot have BEFORE / FOR EACH ROW triggers.")
		case rel.Kind == ForeignTable && t.Truncate && c.Version < 16:
			return detail("42809", name+" is a foreign table", "Foreign tables cannot have TRUNCATE triggers.")
		case rel.Kind == ForeignTable && n.Isconstraint:
			return detail("42809", name+" is a foreign table", "Foreign tables cannot have constraint triggers.")
		}
	case View:
		switch {
		case t.Row && !t.InsteadOf:
			return detail("42809", name+" is a view", "Views cannot have row-level BEFORE or AFTER triggers.")
		case t.Truncate:
			return detail("42809", name+" is a view", "Views cannot have TRUNCATE triggers.")
		}
	default:
		return &Error{Code: "42809", Message: "relation " + name + " cannot have triggers", Detail: kindDetail(rel)}
	}
	switch {
	case t.Truncate && t.Row:
		return errorf("0A000", "TRUNCATE FOR EACH ROW triggers are not supported")
	case t.InsteadOf && !t.Row:
		return errorf("0A000", "INSTEAD OF triggers must be FOR EACH ROW")
	case t.InsteadOf && n.WhenClause != nil:
		return errorf("0A000", "INSTEAD OF triggers cannot have WHEN conditions")
	case t.InsteadOf && len(n.Columns) > 0:
		return errorf("0A000", "INSTEAD OF triggers cannot have column lists")
	}
	return nil
}

func kindDetail(rel *Relation) string {
	switch rel.Kind {
	case MatView:
		return "This operation is not supported for materialized views."
	case Sequence:
		return "This operation is not supported for sequences."
	case Index:
		return "This operation is not supported for indexes."
	}
	return ""
}

// triggerWhen binds WHEN (…), in which the row is called OLD and NEW.
func (c *Catalog) triggerWhen(node *pgast.Node, rel *Relation, t *Trigger) (*Expr, error) {
	b := c.newBinder()
	v, err := b.bindExpr(node, rowScope(rel))
	if err != nil {
		return nil, err
	}
	if v.typ.known() && !c.canCoerce(v.typ, scalar(typeBool), byAssignment) {
		return nil, errorf("42804", "argument of WHEN must be type boolean, not type %s", c.typeText(v.typ))
	}
	if b.subqueries > 0 {
		return nil, errorf("0A000", "cannot use subquery in trigger WHEN condition")
	}
	var bad error
	pgast.Walk(node, func(n *pgast.Node) bool {
		ref := n.GetColumnRef()
		if ref == nil || len(ref.Fields) < 2 || bad != nil {
			return bad == nil
		}
		switch name := ref.Fields[0].GetString_().GetSval(); {
		case name != "old" && name != "new":
		case !t.Row:
			bad = errorf("42P17", "statement trigger's WHEN condition cannot reference column values")
		case name == "old" && t.Insert:
			bad = errorf("42P17", "INSERT trigger's WHEN condition cannot reference OLD values")
		case name == "new" && t.Delete:
			bad = errorf("42P17", "DELETE trigger's WHEN condition cannot reference NEW values")
		}
		return true
	})
	if bad != nil {
		return nil, bad
	}
	return b.expr(node, v), nil
}

// rowScope has the row of a trigger as OLD and NEW.
func rowScope(rel *Relation) *scope {
	s := &scope{}
	for _, name := range []string{"old", "new"} {
		it := relationItem(rel, name, "")
		it.schema, it.colsVisible = "alias", false
		s.items = append(s.items, it)
	}
	return s
}

// triggerFunction finds a function without arguments that returns trigger or event_trigger.
func (c *Catalog) triggerFunction(names []*pgast.Node, returns OID) (*Func, error) {
	schema, name := splitName(names)
	if schema != "" && c.SchemaNamed(schema) == nil && !c.Open {
		return nil, errorf("3F000", "schema %s does not exist", quoteMessage(schema))
	}
	for _, f := range c.functionsNamed(schema, name) {
		if len(f.inputs()) > 0 {
			continue
		}
		if f.Returns.OID != returns && !f.Assumed {
			word := "trigger"
			if returns == typeEventTrig {
				word = "event_trigger"
			}
			return nil, errorf("42P17", "function %s must return type %s", f.Name, word)
		}
		return f, nil
	}
	if f := c.assumeFunction(schema, name, scalar(returns)); f != nil {
		return f, nil
	}
	return nil, &Error{Code: "42883", Message: "function " + joinedName(names) + "() does not exist", Object: Name{schema, name}}
}

// assumeFunction makes up a function without arguments in a catalog that may lack some, nil when it may not.
func (c *Catalog) assumeFunction(schema, name string, returns TypeRef) *Func {
	oid := c.currentSchema()
	if schema != "" {
		s := c.SchemaNamed(schema)
		if s == nil {
			s = c.assumeSchema(schema)
		}
		if s == nil {
			return nil
		}
		oid = s.OID
	}
	f := &Func{Schema: oid, Name: name, Kind: Function, Returns: returns, Language: "plpgsql", Volatility: Volatile, Parallel: 'u', Assumed: true}
	if !c.assumable(nameKeyOf(f)) && !c.hasUnknownExtension() {
		return nil
	}
	f.OID = c.newOID()
	c.assume(f)
	return f
}

// noteEventTriggers notes that a change of the schema makes event triggers run whose functions may change more.
func (c *Catalog) noteEventTriggers(eff *Effects) {
	c.names.beginning(nameKey(inOthers, 0, "event trigger\x00"), func(_ string, oid OID) bool {
		o, _ := c.Get(oid).(*Other)
		if o == nil || o.disabled {
			return true
		}
		for _, d := range c.Dependencies(oid) {
			if f, ok := c.Get(d.Ref.OID).(*Func); ok && (f.Assumed || changesCatalog().MatchString(f.Body)) {
				eff.Gaps = append(eff.Gaps, "what the event trigger "+o.Name+" does")
			}
		}
		return true
	})
}

// changesCatalog finds the words without which a function changes no schema.
var changesCatalog = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(create|alter|drop|execute|grant|revoke|comment|rename|security|import|perform|call)\b`)
})

// applyAlterEventTrigger is ENABLE and DISABLE.
func (c *Catalog) applyAlterEventTrigger(n *pgast.AlterEventTrigStmt) error {
	o, err := c.otherNamed("event trigger", []string{n.Trigname})
	if err != nil || o == nil {
		return err
	}
	changed := *o
	changed.disabled = n.Tgenabled == "D"
	c.put(&changed)
	return nil
}

func (c *Catalog) applyCreateEventTrigger(n *pgast.CreateEventTrigStmt) error {
	fn, err := c.triggerFunction(n.Funcname, typeEventTrig)
	if err != nil {
		return err
	}
	if _, taken := c.names.Get(nameKey(inOthers, 0, "event trigger\x00"+n.Trigname)); taken {
		return errorf("42710", "event trigger %s already exists", quoteMessage(n.Trigname))
	}
	o := &Other{OID: c.newOID(), Kind: "event trigger", Name: n.Trigname}
	c.put(o)
	if fn != nil {
		c.addDep(Address{OID: o.OID}, Address{OID: fn.OID}, DepNormal)
	}
	return nil
}
