package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyCreatePolicy is CreatePolicy (src/backend/commands/policy.c).
func (c *Catalog) applyCreatePolicy(n *pgast.CreatePolicyStmt) error {
	rel, err := c.policyTable(n.Table)
	if err != nil {
		return err
	}
	p := &Policy{Table: rel.OID, Name: n.PolicyName, Permissive: n.Permissive, Command: strings.ToUpper(n.CmdName), Roles: roleNames(n.Roles)}
	if p.Command == "" {
		p.Command = "ALL"
	}
	if n.WithCheck != nil && (p.Command == "SELECT" || p.Command == "DELETE") {
		return errorf("42601", "WITH CHECK cannot be applied to SELECT or DELETE")
	}
	if n.Qual != nil && p.Command == "INSERT" {
		return errorf("42601", "only WITH CHECK expression allowed for INSERT")
	}
	if p.Using, err = c.policyExpr(n.Qual, rel); err != nil {
		return err
	}
	if p.WithCheck, err = c.policyExpr(n.WithCheck, rel); err != nil {
		return err
	}
	if c.policyNamed(rel.OID, p.Name) != nil {
		return errorf("42710", "policy %s for table %s already exists", quoteMessage(p.Name), quoteMessage(rel.Name))
	}
	p.OID = c.newOID()
	c.put(p)
	c.addPolicyDeps(p)
	return nil
}

func (c *Catalog) policyTable(rv *pgast.RangeVar) (*Relation, error) {
	rel, err := c.lookupRelation(rv)
	if err != nil {
		return nil, err
	}
	if rel.Kind != Table && rel.Kind != PartitionedTable {
		return nil, errorf("42809", "%s is not a table", quoteMessage(rel.Name))
	}
	return rel, nil
}

func (c *Catalog) policyNamed(table OID, name string) *Policy {
	for _, p := range c.Policies(table) {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (c *Catalog) policyExpr(node *pgast.Node, rel *Relation) (*Expr, error) {
	if node == nil {
		return nil, nil
	}
	e, v, err := c.bindExpr(node, scopeOf(rel), "", TypeRef{})
	if err != nil {
		return nil, err
	}
	if v.typ.known() && !c.canCoerce(v.typ, scalar(typeBool), byAssignment) {
		return nil, errorf("42804", "argument of POLICY must be type boolean, not type %s", c.typeText(v.typ))
	}
	return e, nil
}

func (c *Catalog) addPolicyDeps(p *Policy) {
	at := Address{OID: p.OID}
	c.addDep(at, Address{OID: p.Table}, DepAuto)
	for _, e := range []*Expr{p.Using, p.WithCheck} {
		if e != nil {
			c.addDeps(at, e.Refs, DepNormal)
		}
	}
}

// roleNames lists roles as written; PUBLIC is "public", and alone when it is among them.
func roleNames(nodes []*pgast.Node) []string {
	var list []string
	for _, n := range nodes {
		name := roleName(n.GetRoleSpec())
		if name == "" {
			return []string{"public"}
		}
		list = append(list, name)
	}
	if len(list) == 0 {
		return []string{"public"}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// roleName is a role's name, "" for PUBLIC.
func roleName(r *pgast.RoleSpec) string {
	switch r.GetRoletype() {
	case pgast.RoleSpecType_ROLESPEC_PUBLIC:
		return ""
	case pgast.RoleSpecType_ROLESPEC_CURRENT_USER, pgast.RoleSpecType_ROLESPEC_CURRENT_ROLE:
		return "current_user"
	case pgast.RoleSpecType_ROLESPEC_SESSION_USER:
		return "session_user"
	}
	return r.GetRolename()
}

func (c *Catalog) applyAlterPolicy(n *pgast.AlterPolicyStmt) error {
	rel, err := c.policyTable(n.Table)
	if err != nil {
		return err
	}
	old := c.policyNamed(rel.OID, n.PolicyName)
	if old == nil {
		if rel.Assumed {
			return nil
		}
		return errorf("42704", "policy %s for table %s does not exist", quoteMessage(n.PolicyName), quoteMessage(rel.Name))
	}
	p := *old
	if n.Qual != nil {
		if p.Command == "INSERT" {
			return errorf("42601", "only WITH CHECK expression allowed for INSERT")
		}
		if p.Using, err = c.policyExpr(n.Qual, rel); err != nil {
			return err
		}
	}
	if n.WithCheck != nil {
		if p.Command == "SELECT" || p.Command == "DELETE" {
			return errorf("42601", "only USING expression allowed for SELECT, DELETE")
		}
		if p.WithCheck, err = c.policyExpr(n.WithCheck, rel); err != nil {
			return err
		}
	}
	if len(n.Roles) > 0 {
		p.Roles = roleNames(n.Roles)
	}
	c.clearDeps(p.OID)
	c.put(&p)
	c.addPolicyDeps(&p)
	return nil
}
