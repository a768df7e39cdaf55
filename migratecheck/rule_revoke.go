package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleRevoke = &Rule{
	ID: "revoke", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A privilege is taken away, or an object given to another owner.",
		Why:        "If released code connects as that role, or as a member of it, its queries fail (42501) from the moment of the commit.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY);\nGRANT SELECT, INSERT ON repo TO PUBLIC;",
		Bad:        "REVOKE INSERT ON repo FROM PUBLIC;",
		Good:       "GRANT UPDATE ON repo TO PUBLIC;",
		Exceptions: "Silent for objects that the pending change creates (REVOKE … FROM PUBLIC on a new function is good practice) and for REVOKE GRANT OPTION FOR. A default privilege (ALTER DEFAULT PRIVILEGES … REVOKE) is a warning, since only what is created later lacks it, and silent for EXECUTE of PUBLIC, which the manual advises, and in schemas that are new. What is granted in this database may come from elsewhere, so a REVOKE is reported even when no migration granted it. OWNER TO is a warning, as the owners of objects are not known, and silent for CURRENT_USER and its like, who made what the migrations have made.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, REVOKE.",
	},
	Step: func(s *Step) {
		n := s.Stmt.Node
		if def := n.GetAlterDefaultPrivilegesStmt(); def != nil {
			s.revokesDefault(def)
			return
		}
		if owner, what := s.newOwner(); owner != "" {
			s.ReportAt(0, Warning, fmt.Sprintf("gives %s to %s: unless that owns it already, released code that connects as the former owner, which needed no GRANT, fails (42501) at once", what, owner),
				"Grant the former owner what released code needs in the same transaction, and revoke it when no older code runs.")
			return
		}
		g, role := n.GetGrantStmt(), n.GetGrantRoleStmt()
		what := ""
		switch {
		case g != nil && !g.IsGrant && !g.GrantOption && !s.onNewOnly(g):
			what = privileges(g)
		case role != nil && !role.IsGrant && !hasOption(role.Opt, "admin"):
			what = "membership of " + roleNames(role.GrantedRoles)
		default:
			return
		}
		s.Report(fmt.Sprintf("takes %s from %s: released code that relies on it fails (42501) at once", what, takenFrom(n)),
			"Ship code that does without it first; revoke it when no older code runs.")
	},
}

// newOwner is the role to which OWNER TO gives a table, sequence or view that is in use, or a schema, by
// name; "" when it gives none.
func (s *Step) newOwner() (owner, what string) {
	n := s.Stmt.Node
	if o := n.GetAlterOwnerStmt(); o != nil && o.ObjectType == pgast.ObjectType_OBJECT_SCHEMA {
		schema := s.Before.SchemaNamed(o.Object.GetString_().GetSval())
		if schema != nil && !s.IsNew(schema.OID) {
			return o.Newowner.GetRolename(), "schema " + schema.Name
		}
	}
	for _, c := range n.GetAlterTableStmt().GetCmds() {
		cmd, rv := c.GetAlterTableCmd(), n.GetAlterTableStmt().Relation
		rel := s.Before.Relation(rv.GetSchemaname(), rv.GetRelname())
		if cmd.GetSubtype() == pgast.AlterTableType_AT_ChangeOwner && rel != nil && !s.IsNew(rel.OID) {
			return cmd.Newowner.GetRolename(), s.Name(rel.OID)
		}
	}
	return "", ""
}

// revokesDefault reports that what is created later lacks a privilege.
func (s *Step) revokesDefault(def *pgast.AlterDefaultPrivilegesStmt) {
	g := def.Action
	if g.IsGrant || g.GrantOption || s.inNewSchemas(def) || g.Objtype == pgast.ObjectType_OBJECT_FUNCTION && grantees(g) == "PUBLIC" {
		return
	}
	kind := strings.ToLower(strings.TrimPrefix(g.Objtype.String(), "OBJECT_")) + "s"
	s.ReportAt(0, Warning, fmt.Sprintf("takes %s on %s that are created from now on from %s: code that connects as such a role fails on them (42501), the releases to come must grant it on each", privileges(g), kind, grantees(g)),
		"Make sure that no code relies on the default, and write the GRANT into each migration that creates something.")
}

// inNewSchemas reports whether ALTER DEFAULT PRIVILEGES is about schemas of the pending change only.
func (s *Step) inNewSchemas(def *pgast.AlterDefaultPrivilegesStmt) bool {
	named := false
	for _, n := range def.Options {
		if d := n.GetDefElem(); d.GetDefname() == "schemas" {
			for _, item := range d.Arg.GetList().GetItems() {
				schema := s.Before.SchemaNamed(item.GetString_().GetSval())
				if schema == nil || schema.OID < catalog.FirstUserOID || !s.IsNew(schema.OID) {
					return false
				}
				named = true
			}
		}
	}
	return named
}

// onNewOnly reports whether every object that a REVOKE names is made by the pending change.
func (s *Step) onNewOnly(g *pgast.GrantStmt) bool {
	if g.Targtype != pgast.GrantTargetType_ACL_TARGET_OBJECT {
		return false
	}
	for _, o := range g.Objects {
		var isNew bool
		if rv := o.GetRangeVar(); rv != nil {
			rel := s.Before.Relation(rv.Schemaname, rv.Relname)
			isNew = rel != nil && s.IsNew(rel.OID)
		} else if f := o.GetObjectWithArgs(); f != nil {
			isNew = s.createsFunctionNamed(f)
		} else if name := o.GetString_().GetSval(); name != "" && g.Objtype == pgast.ObjectType_OBJECT_SCHEMA {
			schema := s.Before.SchemaNamed(name)
			isNew = schema != nil && schema.OID >= catalog.FirstUserOID && s.IsNew(schema.OID)
		}
		if !isNew {
			return false
		}
	}
	return true
}

// privileges describes what a REVOKE takes: "INSERT, UPDATE on repo".
func privileges(g *pgast.GrantStmt) string {
	what, prefix := "all privileges", ""
	if len(g.Privileges) > 0 {
		what = privilegeNames(g.Privileges)
	}
	if kind := map[pgast.ObjectType]string{pgast.ObjectType_OBJECT_SCHEMA: "schema ", pgast.ObjectType_OBJECT_FUNCTION: "function ", pgast.ObjectType_OBJECT_SEQUENCE: "sequence ", pgast.ObjectType_OBJECT_TYPE: "type ", pgast.ObjectType_OBJECT_DATABASE: "database "}[g.Objtype]; kind != "" {
		prefix = kind
	}
	if g.Targtype == pgast.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
		prefix = "all objects of schema "
	}
	var on []string
	for _, o := range g.Objects {
		switch {
		case o.GetRangeVar() != nil:
			on = append(on, sqlNameOf(catalog.Name{Schema: o.GetRangeVar().Schemaname, Name: o.GetRangeVar().Relname}))
		case o.GetString_() != nil:
			on = append(on, o.GetString_().Sval)
		case o.GetObjectWithArgs() != nil && len(o.GetObjectWithArgs().Objname) > 0:
			names := o.GetObjectWithArgs().Objname
			on = append(on, names[len(names)-1].GetString_().GetSval())
		}
	}
	if len(on) == 0 {
		return what
	}
	return what + " on " + prefix + strings.Join(on, ", ")
}

func privilegeNames(list []*pgast.Node) string {
	var names []string
	for _, p := range list {
		if name := p.GetAccessPriv().GetPrivName(); name != "" {
			names = append(names, strings.ToUpper(name))
		}
	}
	return strings.Join(names, ", ")
}

// roleNames lists the roles of a GRANT or REVOKE of membership, which the parser keeps as privileges.
func roleNames(list []*pgast.Node) string {
	var names []string
	for _, p := range list {
		names = append(names, p.GetAccessPriv().GetPrivName())
	}
	return strings.Join(names, ", ")
}

// takenFrom names the roles of a REVOKE.
func takenFrom(n *pgast.Node) string {
	if g := n.GetGrantRoleStmt(); g != nil {
		return rolesOf(g.GranteeRoles)
	}
	return grantees(n.GetGrantStmt())
}

func grantees(g *pgast.GrantStmt) string { return rolesOf(g.Grantees) }

func rolesOf(list []*pgast.Node) string {
	var names []string
	for _, g := range list {
		name := g.GetRoleSpec().GetRolename()
		if name == "" {
			name = strings.TrimPrefix(g.GetRoleSpec().GetRoletype().String(), "ROLESPEC_") // PUBLIC, CURRENT_USER
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
