package catalog

import (
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
	old, new := relationItem(rel, "old", ""), relationItem(rel, "new", "")
	old.schema, new.schema, old.colsVisible, new.colsVisible = "alias", "alias", false, false
	s := &scope{}
	if r.Event != "INSERT" {
		s.items = append(s.items, old)
	}
	if r.Event != "DELETE" {
		s.items = append(s.items, new)
	}
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
