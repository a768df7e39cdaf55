package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Write is a change of a relation's rows.
type Write struct {
	Relation OID
	Op       byte // 'i' INSERT, 'u' UPDATE, 'd' DELETE, 't' TRUNCATE
	Offset   int  // where the relation is named
	// Targets are the columns that get a value: all that INSERT names (or, without a list, those that there are values
	// for), those that UPDATE sets.
	Targets    []Target
	AllColumns bool // INSERT without a list of columns
	Defaults   bool // INSERT … DEFAULT VALUES: there are no Targets
	Query      bool // INSERT … SELECT: there may be no row at all
	Copy       bool // COPY … FROM
	Overriding Overriding
	Conflict   *Conflict // INSERT … ON CONFLICT
	Returning  bool      // it has RETURNING
	Nested     bool      // it stands in a WITH
	// Of UPDATE: what it calls the relation, and its condition, nil for none.
	Alias string
	Where *pgast.Node
}

// Overriding is the OVERRIDING clause of INSERT.
type Overriding byte

const (
	NotOverriding Overriding = iota
	OverridingUser
	OverridingSystem
)

// Target is a column that a statement sets.
type Target struct {
	Column int // attribute number, 0 for a column that an assumed table may have
	Offset int // where it is named
	// Values are what it is set to: one in each row of INSERT … VALUES, else one. COPY has none.
	Values []Value
	// What is among them: a value that is not DEFAULT (always so for COPY), DEFAULT, the constant NULL.
	Given, Default, Null bool
	// Mixed: there is a row with a value that is not the constant NULL.
	Mixed bool
	// NotNull: all values are certain not to be NULL. MayNull: one of them may be, by what is known of it.
	NotNull, MayNull bool
	// Params are the parameters that are the value, each alone or cast.
	Params []int
}

// Value is what a statement gives to a column in one row.
type Value struct {
	// Constant is the expression of a constant, NULL too.
	Constant *pgast.Node
	// Expr is the expression that UPDATE sets a whole column to.
	Expr *pgast.Node
	// Default: it is DEFAULT.
	Default bool
	// Param is the number of the parameter that it is, alone or cast.
	Param int
	Null  bool // the constant NULL
	// NotNull: it is certain not to be NULL.
	NotNull bool
	// Fresh: each row gets a value that no other has, as of gen_random_uuid().
	Fresh bool
	// Excluded, in ON CONFLICT DO UPDATE, is the column of the row proposed for insertion that it is, 0 for anything else.
	Excluded int
	// Type is the type of the expression, zero when it is not known or, as that of a parameter or literal, the column's.
	Type TypeRef
}

// give notes a value for the column.
func (t *Target) give(v value) {
	given := Value{Default: v.isDefault, Param: v.param, Null: v.null, NotNull: v.notNull, Fresh: v.fresh}
	if v.constant {
		given.Constant = v.node
	}
	if v.param == 0 && v.typ.OID != typeUnknown {
		given.Type = v.typ
	}
	t.Values = append(t.Values, given)
	if v.isDefault {
		t.Default = true
		return
	}
	t.Given = true
	t.Null, t.Mixed = t.Null || v.null, t.Mixed || !v.null
	t.NotNull = v.notNull && (t.NotNull || len(t.Values) == 1)
	t.MayNull = t.MayNull || v.mayNull || v.null
	if v.param > 0 {
		t.Params = append(t.Params, v.param)
	}
}

// Conflict is an ON CONFLICT clause.
type Conflict struct {
	DoNothing bool
	// Arbiters are the unique indexes that decide what a conflict is; empty when any does (DO NOTHING without a target).
	Arbiters []OID
	Offset   int
}

// Target finds the target of a column, nil when the statement does not set it.
func (w *Write) Target(column int) *Target {
	for i := range w.Targets {
		if w.Targets[i].Column == column {
			return &w.Targets[i]
		}
	}
	return nil
}

// writes notes a change; what the rewriter says of it comes when all of it is known.
func (b *binder) writes(rel *Relation, op byte, at int32) *Write {
	w := &Write{Relation: rel.OID, Op: op, Offset: int(at), Nested: b.nested > 0}
	if b.ask != nil {
		b.ask.writes = append(b.ask.writes, w)
	}
	return w
}

// rewrite checks the changes as the rewriter does, after all of parse analysis (src/backend/rewrite/rewriteHandler.c).
func (b *binder) rewrite() error {
	for _, w := range b.ask.writes {
		rel := b.c.relationByOID(w.Relation)
		if rel == nil || rel.Assumed {
			continue
		}
		if err := b.goOn(locate(b.c.rewriteTarget(rel, w), int32(w.Offset))); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) rewriteTarget(rel *Relation, w *Write) error {
	name := c.nameOf(rel)
	if why := c.rulesRefuse(rel, w); why != "" {
		return &Error{Code: "0A000", Message: why, Object: name}
	}
	switch rel.Kind {
	case View:
		if w.Op == 't' || c.firesInstead(rel, w.Op) {
			return nil
		}
		base, columns, why := c.viewBase(rel)
		if why != "" {
			return &Error{Code: "55000", Message: "cannot " + changeWord(w.Op) + " view " + quoteMessage(rel.Name), Detail: why, Object: name}
		}
		if base == nil || w.Op == 'd' {
			return nil
		}
		for _, t := range w.Targets {
			if t.Column == 0 || t.Column <= len(columns) && columns[t.Column-1] != 0 || !t.Given {
				continue
			}
			col := rel.Att(t.Column).Name
			verb := "insert into"
			if w.Op == 'u' {
				verb = "update"
			}
			return locate(&Error{
				Code: "0A000", Message: "cannot " + verb + " column " + quoteMessage(col) + " of view " + quoteMessage(rel.Name),
				Detail: "View columns that are not columns of their base relation are not updatable.", Object: name, Column: col,
			}, int32(t.Offset))
		}
		return c.rewriteTarget(base, onBase(w, rel, base, columns))
	case MatView:
		return &Error{Code: "42809", Message: "cannot change materialized view " + quoteMessage(rel.Name), Object: name}
	case Sequence:
		return &Error{Code: "42809", Message: "cannot change sequence " + quoteMessage(rel.Name), Object: name}
	}
	if w.Op == 'd' || w.Op == 't' || w.Copy {
		return nil
	}
	for i := range w.Targets {
		t := &w.Targets[i]
		col := rel.Att(t.Column)
		if col == nil || !t.Given {
			continue
		}
		if err := refusesValue(col, w); err != nil {
			err.Object, err.Column = name, col.Name
			return locate(err, int32(t.Offset))
		}
	}
	return nil
}

// refusesValue is the part of rewriteTargetListIU on generated and identity columns.
func refusesValue(col *Column, w *Write) *Error {
	always := col.Identity == 'a'
	detail := "Column " + quoteMessage(col.Name) + " is an identity column defined as GENERATED ALWAYS."
	if col.Generated != 0 {
		detail = "Column " + quoteMessage(col.Name) + " is a generated column."
	}
	switch {
	case w.Op == 'u' && (always || col.Generated != 0):
		return &Error{Code: "428C9", Message: "column " + quoteMessage(col.Name) + " can only be updated to DEFAULT", Detail: detail}
	case w.Op == 'i' && (always && w.Overriding == NotOverriding || col.Generated != 0):
		e := &Error{Code: "428C9", Message: "cannot insert a non-DEFAULT value into column " + quoteMessage(col.Name), Detail: detail}
		if always {
			e.Hint = "Use OVERRIDING SYSTEM VALUE to override."
		}
		return e
	}
	return nil
}

func changeWord(op byte) string {
	switch op {
	case 'i':
		return "insert into"
	case 'd':
		return "delete from"
	}
	return "update"
}

// firesInstead reports whether an INSTEAD OF trigger or an INSTEAD rule takes the change over.
func (c *Catalog) firesInstead(rel *Relation, op byte) bool {
	for _, t := range c.Triggers(rel.OID) {
		if t.InsteadOf && (op == 'i' && t.Insert || op == 'u' && t.Update || op == 'd' && t.Delete) {
			return true
		}
	}
	return slices.ContainsFunc(c.Rules(rel.OID), func(r *Rule) bool { return r.Instead && r.Fires(op) })
}

// viewBase finds the table behind a view that is automatically updatable, and for each of its columns the number of the
// table's, 0 for one that is not a plain column of it. why is what the server says of a view that is not updatable. base is
// nil, and why empty, when the view is not known well enough.
func (c *Catalog) viewBase(view *Relation) (base *Relation, columns []int, why string) {
	if view.Query == nil || view.Query.Node == nil || view.Query.Unknown {
		return nil, nil, ""
	}
	b := c.newBinder()
	q, err := b.bindQuery(view.Query.Node, nil)
	if err != nil || q.open {
		return nil, nil, ""
	}
	if why := c.notUpdatable(view.Query.Node, q, b); why != "" {
		return nil, nil, why
	}
	base, err = b.relation(view.Query.Node.GetSelectStmt().FromClause[0].GetRangeVar())
	if err != nil || base.Assumed {
		return nil, nil, ""
	}
	// What * stood for when the view was made is what it stands for: columns added to the table since are not in Refs.
	cols := slices.DeleteFunc(slices.Clone(q.cols), func(col boundColumn) bool {
		return len(col.refs) == 1 && col.refs[0].OID == base.OID && !slices.Contains(view.Query.Refs, col.refs[0])
	})
	if len(cols) != len(view.Columns) {
		return nil, nil, ""
	}
	updatable := false
	for _, col := range cols {
		num := 0
		if len(col.refs) == 1 && col.refs[0].OID == base.OID {
			num = col.refs[0].Column
			updatable = true
		}
		columns = append(columns, num)
	}
	if !updatable {
		return nil, nil, "Views that have no updatable columns are not automatically updatable."
	}
	return base, columns, ""
}

// onBase is a change of a view as a change of the table behind it. What UPDATE sets to DEFAULT is the view's own default, NULL where it has
// none, and not the table's (rewriteTargetListIU, src/backend/rewrite/rewriteHandler.c).
func onBase(w *Write, view, base *Relation, columns []int) *Write {
	out := *w
	out.Relation, out.AllColumns = base.OID, false
	out.Targets, out.Alias, out.Where = nil, "", nil // expressions are in terms of the view
	for _, t := range w.Targets {
		t.Values = slices.Clone(t.Values)
		for i := range t.Values {
			t.Values[i].Expr = nil
		}
		if col := view.Att(t.Column); w.Op == 'u' && t.Default && !t.Given && col != nil {
			own := col.Default
			t.Given, t.Default, t.Null, t.Mixed = true, false, own == nil, own != nil
			t.Values = []Value{{Null: own == nil, Constant: nullNode}}
			if own != nil {
				t.Values[0].Constant = nil
			}
		}
		if t.Column >= 1 && t.Column <= len(columns) {
			t.Column = columns[t.Column-1]
		}
		out.Targets = append(out.Targets, t)
	}
	return &out
}

var nullNode = &pgast.Node{Node: &pgast.Node_AConst{AConst: &pgast.A_Const{Isnull: true}}}

// OnTable is a change of a view as the change of the table behind it that the server makes of it, through views over views;
// a change of a table is itself. It is nil when a trigger or rule does something else, or too little is known.
func (c *Catalog) OnTable(w *Write) *Write {
	for range 32 {
		rel, _ := c.Get(w.Relation).(*Relation)
		if rel == nil || rel.Assumed {
			return nil
		}
		if c.firesInstead(rel, w.Op) {
			return nil
		}
		if rel.Kind != View {
			return w
		}
		base, columns, _ := c.viewBase(rel)
		if base == nil {
			return nil
		}
		next := onBase(w, rel, base, columns)
		// The view's own defaults are values.
		for i, num := range columns {
			if col := &rel.Columns[i]; w.Op == 'i' && col.Default != nil && num != 0 && next.Target(num) == nil {
				next.Targets = append(next.Targets, Target{Column: num, Offset: w.Offset, Given: true})
			}
		}
		w = next
	}
	return nil
}
