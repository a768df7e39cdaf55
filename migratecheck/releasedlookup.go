package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// releasedLabels lists the labels of an enum that released code knows.
func (s *Step) releasedLabels(enum catalog.OID) []string {
	if t, ok := s.File.Run.released(s.File).Get(enum).(*catalog.Type); ok {
		return t.Labels
	}
	return nil
}

// renamesConstraintOf reports whether the statement renames the constraint that an index belongs to.
func (s *Step) renamesConstraintOf(index catalog.OID) bool {
	for _, c := range s.Changes {
		if con, ok := c.Old.(*catalog.Constraint); ok && c.Op == catalog.Renamed && con.Index == index {
			return true
		}
	}
	return false
}

// functionLike reports whether a catalog has a function of the same name that takes the same arguments.
func functionLike(c *catalog.Catalog, want *catalog.Func) bool {
	for o := range c.All() {
		f, ok := o.(*catalog.Func)
		if !ok || f.Name != want.Name || f.Schema != want.Schema || len(f.Args) < len(want.Args) {
			continue
		}
		same := true
		for i, a := range want.Args {
			same = same && f.Args[i].Type == a.Type
		}
		for _, a := range f.Args[len(want.Args):] {
			same = same && a.Default != nil
		}
		if same {
			return true
		}
	}
	return false
}

// hadTrigger reports whether a table has a trigger of that name.
func hadTrigger(c *catalog.Catalog, want *catalog.Trigger) bool {
	for _, t := range c.Triggers(want.Table) {
		if t.Name == want.Name {
			return true
		}
	}
	return false
}

// createsFunctionNamed reports whether the file has created the function already.
func (s *Step) createsFunctionNamed(f *pgast.ObjectWithArgs) bool {
	if len(f.Objname) == 0 {
		return false
	}
	name := f.Objname[len(f.Objname)-1].GetString_().GetSval()
	for _, e := range s.File.Up {
		for _, c := range e.Changes {
			if fn, ok := c.New.(*catalog.Func); ok && c.Op == catalog.Created && fn.Name == name {
				return true
			}
		}
	}
	return false
}

// grantees names the roles of a GRANT or REVOKE.
func grantees(n *pgast.Node) string {
	list := n.GetGrantStmt().GetGrantees()
	if g := n.GetGrantRoleStmt(); g != nil {
		list = g.GranteeRoles
	}
	var names []string
	for _, g := range list {
		name := g.GetRoleSpec().GetRolename()
		if name == "" {
			name = "any role"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// onlyAddsColumns reports whether a view's new query is the old one with more columns behind it.
func onlyAddsColumns(old, now *pgast.Node) bool {
	a, b := old.GetSelectStmt(), now.GetSelectStmt()
	if a == nil || b == nil || len(a.TargetList) > len(b.TargetList) || a.Larg != nil || b.Larg != nil {
		return false
	}
	all := b.TargetList
	defer func() { b.TargetList = all }()
	b.TargetList = all[:len(a.TargetList)]
	x, err1 := pgast.Deparse(old)
	y, err2 := pgast.Deparse(now)
	return err1 == nil && err2 == nil && x == y
}
