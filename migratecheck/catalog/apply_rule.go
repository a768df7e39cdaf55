package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyCreateRule is DefineRule (src/backend/rewrite/rewriteDefine.c).
func (c *Catalog) applyCreateRule(n *pgast.RuleStmt) error {
	rel, err := c.lookupRelation(n.Relation)
	if err != nil {
		return err
	}
	switch rel.Kind {
	case Table, PartitionedTable, View, MatView, ForeignTable:
	default:
		return errorf("42809", "relation %s cannot have rules", quoteMessage(rel.Name))
	}
	r := &Rule{Table: rel.OID, Name: n.Rulename, Instead: n.Instead, Enabled: 'O', Node: n}
	switch n.Event {
	case pgast.CmdType_CMD_SELECT:
		return errorf(NotUnderstood, "CREATE RULE … ON SELECT is not followed")
	case pgast.CmdType_CMD_INSERT:
		r.Event = "INSERT"
	case pgast.CmdType_CMD_UPDATE:
		r.Event = "UPDATE"
	case pgast.CmdType_CMD_DELETE:
		r.Event = "DELETE"
	}
	b := c.newBinder()
	s := ruleScope(rel, r.Event)
	// In the condition the columns are known by their bare names too, in the actions only by OLD and NEW.
	where := &scope{}
	for _, it := range s.items {
		in := *it
		in.colsVisible = true
		where.items = append(where.items, &in)
	}
	if err := b.condition(n.WhereClause, where, "WHERE"); err != nil {
		return err
	}
	for _, action := range n.Actions {
		switch action.Node.(type) {
		case *pgast.Node_NotifyStmt:
			continue
		}
		if _, err := b.bindQuery(action, s); err != nil {
			return err
		}
	}
	// OLD and NEW stand for the table, which the rule belongs to.
	b.ref(Address{OID: rel.OID})
	r.Refs = b.sortedRefs()
	for _, other := range c.Rules(rel.OID) {
		if other.Name != r.Name {
			continue
		}
		if !n.Replace {
			return errorf("42710", "rule %s for relation %s already exists", quoteMessage(r.Name), quoteMessage(rel.Name))
		}
		r.OID, r.Enabled = other.OID, other.Enabled
		c.clearDeps(r.OID)
	}
	if r.OID == 0 {
		r.OID = c.newOID()
	}
	c.put(r)
	at := Address{OID: r.OID}
	c.addDep(at, Address{OID: rel.OID}, DepAuto)
	c.addDeps(at, r.Refs, DepNormal)
	return nil
}

// ruleScope holds OLD and NEW, as far as the event has them.
func ruleScope(rel *Relation, event string) *scope {
	old, new := relationItem(rel, "old", ""), relationItem(rel, "new", "")
	old.schema, new.schema, old.colsVisible, new.colsVisible = "alias", "alias", false, false
	s := &scope{}
	if event != "INSERT" {
		s.items = append(s.items, old)
	}
	if event != "DELETE" {
		s.items = append(s.items, new)
	}
	return s
}

// Actions lists the statements that a rule sends besides or instead.
func (r *Rule) Actions() []*pgast.Node { return r.Node.GetActions() }

// Fires reports whether the rule is for changes of the kind (Write.Op), and on.
func (r *Rule) Fires(op byte) bool {
	return r.Enabled != 'D' && r.Enabled != 'R' && r.Event == map[byte]string{'i': "INSERT", 'u': "UPDATE", 'd': "DELETE"}[op]
}

// AnalyzeRule is [Catalog.Analyze] for an action of a rule; nothing is known of the rows that OLD and NEW are.
func (c *Catalog) AnalyzeRule(r *Rule, action int) (*Analysis, error) {
	rel := c.relationByOID(r.Table)
	if rel == nil || rel.Assumed || r.Assumed {
		return nil, errorf(NotUnderstood, "rule %s of a relation that is not known", quoteMessage(r.Name))
	}
	scratch := c
	if c.Open || c.hasUnknownExtension() {
		scratch = c.Clone()
	}
	b := scratch.newBinder()
	b.ask, b.around = &asked{untyped: true, all: true}, ruleScope(rel, r.Event)
	return b.analyze(pgast.Stmt{Node: r.Actions()[action]}, func(*boundQuery) error { return nil })
}

// rulesRefuse is what the rules of a relation do not go together with, "" when there is nothing (RewriteQuery in
// src/backend/rewrite/rewriteHandler.c).
func (c *Catalog) rulesRefuse(rel *Relation, w *Write) string {
	if w.Copy || w.Op == 't' {
		return ""
	}
	var fires []*Rule
	update := false
	for _, r := range c.Rules(rel.OID) {
		update = update || r.Event == "UPDATE"
		if r.Fires(w.Op) && !r.Assumed {
			fires = append(fires, r)
		}
	}
	var also, instead, maybe, returns bool
	sends := 0 // statements of the rules, with the condition or without
	for _, r := range fires {
		sends += len(r.Actions())
		switch {
		case !r.Instead:
			also = also || len(r.Actions()) > 0
		case r.Node.WhereClause != nil:
			maybe = true
		default:
			instead = true
			returns = returns || slices.ContainsFunc(r.Actions(), returning)
		}
	}
	const nested = " rules are not supported for data-modifying statements in WITH"
	switch {
	case w.Conflict != nil && (sends > 0 || update && rel.Kind != View):
		return "INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules"
	case (instead || maybe) && w.Returning && !returns:
		return "cannot perform " + map[byte]string{'i': "INSERT", 'u': "UPDATE", 'd': "DELETE"}[w.Op] + " RETURNING on relation " + quoteMessage(rel.Name)
	case !w.Nested || !instead && sends == 0 || instead && sends == 1:
		return "" // one statement is left
	case sends == 0:
		return "DO INSTEAD NOTHING" + nested
	case also:
		return "DO ALSO" + nested
	case maybe:
		return "conditional DO INSTEAD" + nested
	}
	return "multi-statement DO INSTEAD" + nested
}

// returning tells of an action with RETURNING.
func returning(n *pgast.Node) bool {
	return len(n.GetInsertStmt().GetReturningList())+len(n.GetUpdateStmt().GetReturningList())+len(n.GetDeleteStmt().GetReturningList()) > 0
}
