package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Grants lists the privileges that were granted on an object or column, by grantee. The owner's are not among them. Of a
// function or type that nothing was granted on or revoked from, the list is empty, although PUBLIC may use it: see
// PublicByDefault.
func (c *Catalog) Grants(on Address) []Grant {
	list, _ := c.grants.Get(on.key())
	return list
}

// PublicByDefault reports whether PUBLIC has its built-in privilege on a function or type (EXECUTE, USAGE) because no
// GRANT or REVOKE has touched it.
func (c *Catalog) PublicByDefault(oid OID) bool {
	_, touched := c.grants.Get(Address{OID: oid}.key())
	return !touched && len(c.publicPrivileges(c.Get(oid))) > 0
}

// publicPrivileges are what PUBLIC may do with an object by itself (acldefault, src/backend/utils/adt/acl.c; of schema
// public what initdb grants, which was CREATE too before 15), sorted.
func (c *Catalog) publicPrivileges(o Object) []string {
	switch o := o.(type) {
	case *Func:
		return []string{"EXECUTE"}
	case *Type:
		return []string{"USAGE"}
	case *Schema:
		switch {
		case o.OID != publicOID:
		case c.Version < 15:
			return []string{"CREATE", "USAGE"}
		default:
			return []string{"USAGE"}
		}
	}
	return nil
}

// privileges lists what can be granted on objects of a kind.
func (c *Catalog) privileges(kind pgast.ObjectType, column bool) []string {
	switch kind {
	case pgast.ObjectType_OBJECT_TABLE:
		if column {
			return []string{"INSERT", "REFERENCES", "SELECT", "UPDATE"}
		}
		list := []string{"DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"}
		if c.Version >= 17 {
			list = append(list, "MAINTAIN")
			slices.Sort(list)
		}
		return list
	case pgast.ObjectType_OBJECT_SEQUENCE:
		return []string{"SELECT", "UPDATE", "USAGE"}
	case pgast.ObjectType_OBJECT_FUNCTION, pgast.ObjectType_OBJECT_PROCEDURE, pgast.ObjectType_OBJECT_ROUTINE:
		return []string{"EXECUTE"}
	case pgast.ObjectType_OBJECT_SCHEMA:
		return []string{"CREATE", "USAGE"}
	case pgast.ObjectType_OBJECT_TYPE, pgast.ObjectType_OBJECT_DOMAIN:
		return []string{"USAGE"}
	}
	return nil
}

func kindPlural(kind pgast.ObjectType) string {
	switch kind {
	case pgast.ObjectType_OBJECT_SEQUENCE:
		return "sequence"
	case pgast.ObjectType_OBJECT_FUNCTION:
		return "function"
	case pgast.ObjectType_OBJECT_PROCEDURE:
		return "procedure"
	case pgast.ObjectType_OBJECT_ROUTINE:
		return "function"
	case pgast.ObjectType_OBJECT_SCHEMA:
		return "schema"
	case pgast.ObjectType_OBJECT_TYPE:
		return "type"
	case pgast.ObjectType_OBJECT_DOMAIN:
		return "domain"
	}
	return "relation"
}

// applyGrant is ExecuteGrantStmt (src/backend/catalog/aclchk.c): GRANT and REVOKE.
func (c *Catalog) applyGrant(n *pgast.GrantStmt) error {
	switch n.Objtype {
	case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_SEQUENCE, pgast.ObjectType_OBJECT_FUNCTION, pgast.ObjectType_OBJECT_PROCEDURE,
		pgast.ObjectType_OBJECT_ROUTINE, pgast.ObjectType_OBJECT_SCHEMA, pgast.ObjectType_OBJECT_TYPE, pgast.ObjectType_OBJECT_DOMAIN:
	default:
		return nil // databases, languages, servers, …: not kept
	}
	oids, err := c.grantTargets(n)
	if err != nil {
		return err
	}
	for _, oid := range oids {
		if err := c.grantOn(oid, n); err != nil {
			return err
		}
	}
	return nil
}

// grantTargets lists the objects of a GRANT.
func (c *Catalog) grantTargets(n *pgast.GrantStmt) ([]OID, error) {
	var oids []OID
	if n.Targtype == pgast.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
		for _, object := range n.Objects {
			s, err := c.lookupSchema(object.GetString_().GetSval())
			if err != nil {
				return nil, err
			}
			oids = append(oids, c.allInSchema(s.OID, n.Objtype)...)
		}
		return oids, nil
	}
	for _, object := range n.Objects {
		switch n.Objtype {
		case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_SEQUENCE:
			kind := Table
			if n.Objtype == pgast.ObjectType_OBJECT_SEQUENCE {
				kind = Sequence
			}
			rv := object.GetRangeVar()
			r, err := c.lookupKind(rv, kind)
			if err != nil {
				if c.builtinRelation(rv.Schemaname, rv.Relname) != nil {
					continue
				}
				return nil, err
			}
			switch {
			case r.Kind == Index || r.Kind == PartitionedIndex:
				return nil, errorf("42809", "%s is an index", quoteMessage(r.Name))
			case r.Kind == CompositeRel:
				return nil, errorf("42809", "%s is a composite type", quoteMessage(r.Name))
			case kind == Sequence && r.Kind != Sequence && !r.Assumed:
				return nil, errorf("42809", "%s is not a sequence", quoteMessage(r.Name))
			}
			oids = append(oids, r.OID)
		default:
			a, err := c.objectAddress(n.Objtype, object, false)
			if err != nil {
				return nil, err
			}
			if a.OID >= FirstUserOID || a.OID == publicOID {
				oids = append(oids, a.OID)
			}
		}
	}
	return oids, nil
}

// allInSchema is objectsInSchemaToOids.
func (c *Catalog) allInSchema(schema OID, kind pgast.ObjectType) []OID {
	var oids []OID
	for _, o := range c.schemaMembers(schema) {
		ok := false
		switch o := o.(type) {
		case *Relation:
			if kind == pgast.ObjectType_OBJECT_SEQUENCE {
				ok = o.Kind == Sequence
			} else {
				ok = kind == pgast.ObjectType_OBJECT_TABLE && o.Kind != Sequence
			}
		case *Func:
			switch kind {
			case pgast.ObjectType_OBJECT_FUNCTION:
				ok = o.Kind != Procedure
			case pgast.ObjectType_OBJECT_PROCEDURE:
				ok = o.Kind == Procedure
			case pgast.ObjectType_OBJECT_ROUTINE:
				ok = true
			}
		}
		if ok {
			oids = append(oids, o.ObjectID())
		}
	}
	return oids
}

// grantOn changes the privileges on one object and its columns.
func (c *Catalog) grantOn(oid OID, n *pgast.GrantStmt) error {
	kind := n.Objtype
	rel := c.relation(oid)
	if rel != nil {
		kind = pgast.ObjectType_OBJECT_TABLE
		if rel.Kind == Sequence {
			kind = pgast.ObjectType_OBJECT_SEQUENCE
		}
	}
	var whole []string
	if len(n.Privileges) == 0 {
		whole = c.privileges(kind, false)
	}
	for _, node := range n.Privileges {
		p := node.GetAccessPriv()
		columns := stringList(p.Cols)
		list := []string{strings.ToUpper(p.PrivName)}
		if p.PrivName == "" {
			list = c.privileges(kind, len(columns) > 0)
		}
		for _, priv := range list {
			if err := c.checkPrivilege(priv, kind, n.Objtype, len(columns) > 0); err != nil {
				return err
			}
		}
		if len(columns) == 0 {
			whole = append(whole, list...)
			continue
		}
		for _, name := range columns {
			col := c.findColumn(oid, name)
			if col == nil {
				return errorf("42703", "column %s of relation %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
			}
			c.changeGrants(Address{oid, col.Num}, list, n)
		}
	}
	if len(whole) == 0 {
		return nil
	}
	c.changeGrants(Address{OID: oid}, whole, n)
	if !n.IsGrant && rel != nil {
		// REVOKE from the table takes the columns' privileges of the kind along.
		for i := range rel.Columns {
			if at := (Address{oid, i + 1}); len(c.Grants(at)) > 0 {
				c.changeGrants(at, whole, n)
			}
		}
	}
	return nil
}

func (c *Catalog) checkPrivilege(priv string, kind, named pgast.ObjectType, column bool) error {
	if slices.Contains(c.privileges(kind, column), priv) {
		return nil
	}
	all := []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "EXECUTE", "USAGE", "CREATE", "TEMPORARY", "TEMP", "CONNECT", "SET", "ALTER SYSTEM", "MAINTAIN"}
	if !slices.Contains(all, priv) {
		return errorf("42601", "unrecognized privilege type %s", quoteMessage(strings.ToLower(priv)))
	}
	if kind == pgast.ObjectType_OBJECT_SEQUENCE && named == pgast.ObjectType_OBJECT_TABLE {
		return nil // GRANT … ON TABLE of a sequence: allowed with a warning, the privilege does nothing
	}
	if column {
		return errorf("0LP01", "invalid privilege type %s for column", priv)
	}
	return errorf("0LP01", "invalid privilege type %s for %s", priv, kindPlural(kind))
}

// changeGrants grants or revokes privileges on one address.
func (c *Catalog) changeGrants(at Address, privileges []string, n *pgast.GrantStmt) {
	list, touched := c.grants.Get(at.key())
	list = slices.Clone(list)
	if !touched && at.Column == 0 {
		if p := c.publicPrivileges(c.Get(at.OID)); len(p) > 0 {
			list = []Grant{{Privileges: p}}
		}
	}
	for _, node := range n.Grantees {
		role := roleName(node.GetRoleSpec())
		if role == "current_user" || role == "session_user" {
			continue // most likely the owner, whose privileges are not kept
		}
		list = changeGrant(list, role, privileges, n.IsGrant, n.GrantOption)
	}
	c.ownRecords()
	c.grants.Set(at.key(), list)
	c.touch(at.OID, nil)
}

func changeGrant(list []Grant, role string, privileges []string, grant, option bool) []Grant {
	i := slices.IndexFunc(list, func(g Grant) bool { return g.Grantee == role })
	if i < 0 {
		if !grant {
			return list
		}
		i = len(list)
		list = append(list, Grant{Grantee: role})
	}
	g := list[i]
	drop := func(from []string) []string {
		return slices.DeleteFunc(slices.Clone(from), func(p string) bool { return slices.Contains(privileges, p) })
	}
	add := func(to []string) []string {
		to = append(drop(to), privileges...)
		slices.Sort(to)
		return slices.Compact(to)
	}
	switch {
	case grant:
		g.Privileges = add(g.Privileges)
		if option {
			g.Grantable = add(g.Grantable)
		}
	default:
		g.Grantable = drop(g.Grantable)
		if !option { // REVOKE GRANT OPTION FOR leaves the privilege itself
			g.Privileges = drop(g.Privileges)
		}
	}
	if len(g.Grantable) == 0 {
		g.Grantable = nil
	}
	list[i] = g
	if len(g.Privileges) == 0 {
		list = slices.Delete(list, i, i+1)
	}
	slices.SortFunc(list, func(a, b Grant) int { return strings.Compare(a.Grantee, b.Grantee) })
	return list
}

// defaultsAt is where ALTER DEFAULT PRIVILEGES for what a role creates are kept: with the schema (0: all), under a column number
// no column has.
func (c *Catalog) defaultsAt(role string, schema OID, kind pgast.ObjectType) Address {
	const kinds = 256 // more than there are of pgast.ObjectType
	n := slices.Index(c.creators, role) + 1
	if role != "" && n == 0 {
		c.creators = append(slices.Clip(c.creators), role)
		n = len(c.creators)
	}
	return Address{OID: schema, Column: -int(kind) - kinds*n}
}

// applyDefaultPrivileges is ALTER DEFAULT PRIVILEGES: about what the role creates that it names, or the one that runs it. Who
// runs the migrations is not known, but when it is SET.
func (c *Catalog) applyDefaultPrivileges(n *pgast.AlterDefaultPrivilegesStmt) error {
	schemas, roles := []OID{0}, []string{c.currentRole()}
	for _, node := range n.Options {
		d := node.GetDefElem()
		switch d.Defname {
		case "roles":
			roles = nil
			for _, item := range d.Arg.GetList().GetItems() {
				role := roleName(item.GetRoleSpec())
				if item.GetRoleSpec().GetRoletype() != pgast.RoleSpecType_ROLESPEC_CSTRING {
					role = c.currentRole()
				}
				roles = append(roles, role)
			}
		case "schemas":
			schemas = nil
			for _, item := range d.Arg.GetList().GetItems() {
				s, err := c.lookupSchema(item.GetString_().GetSval())
				if err != nil {
					return err
				}
				schemas = append(schemas, s.OID)
			}
		}
	}
	kind := n.Action.Objtype
	var privileges []string
	if len(n.Action.Privileges) == 0 {
		privileges = c.privileges(kind, false)
	}
	for _, node := range n.Action.Privileges {
		p := strings.ToUpper(node.GetAccessPriv().GetPrivName())
		if err := c.checkPrivilege(p, kind, kind, false); err != nil {
			return err
		}
		privileges = append(privileges, p)
	}
	for _, role := range roles {
		for _, schema := range schemas {
			c.changeDefaults(c.defaultsAt(role, schema, kind), kind, privileges, n.Action)
		}
	}
	return nil
}

// changeDefaults changes what new objects of a kind are given. In a schema that is added to what they get everywhere.
func (c *Catalog) changeDefaults(at Address, kind pgast.ObjectType, privileges []string, action *pgast.GrantStmt) {
	list, touched := c.grants.Get(at.key())
	list = slices.Clone(list)
	if !touched && at.OID == 0 {
		switch kind {
		case pgast.ObjectType_OBJECT_FUNCTION:
			list = []Grant{{Privileges: []string{"EXECUTE"}}}
		case pgast.ObjectType_OBJECT_TYPE:
			list = []Grant{{Privileges: []string{"USAGE"}}}
		}
	}
	for _, node := range action.Grantees {
		list = changeGrant(list, roleName(node.GetRoleSpec()), privileges, action.IsGrant, action.GrantOption)
	}
	c.ownRecords()
	c.grants.Set(at.key(), list)
}

// defaultGrants gives a new object what ALTER DEFAULT PRIVILEGES say (get_user_default_acl).
func (c *Catalog) defaultGrants(o Object) {
	var kind pgast.ObjectType
	switch o := o.(type) {
	case *Relation:
		switch o.Kind {
		case Sequence:
			kind = pgast.ObjectType_OBJECT_SEQUENCE
		case Index, PartitionedIndex, CompositeRel:
			return
		default:
			kind = pgast.ObjectType_OBJECT_TABLE
		}
	case *Func:
		kind = pgast.ObjectType_OBJECT_FUNCTION
	case *Type:
		kind = pgast.ObjectType_OBJECT_TYPE
	case *Schema:
		kind = pgast.ObjectType_OBJECT_SCHEMA
	default:
		return
	}
	role := c.currentRole()
	if role != "" && !slices.Contains(c.creators, role) {
		return // no privileges were given for what it creates
	}
	everywhere, ok1 := c.grants.Get(c.defaultsAt(role, 0, kind).key())
	here, ok2 := c.grants.Get(c.defaultsAt(role, o.ObjectSchema(), kind).key())
	if o.ObjectSchema() == 0 {
		here, ok2 = nil, false
	}
	if !ok1 && !ok2 {
		return
	}
	list := slices.Clone(everywhere)
	if !ok1 {
		if p := c.publicPrivileges(o); len(p) > 0 {
			list = []Grant{{Privileges: p}}
		}
	}
	for _, g := range here {
		list = changeGrant(list, g.Grantee, g.Privileges, true, false)
		if len(g.Grantable) > 0 {
			list = changeGrant(list, g.Grantee, g.Grantable, true, true)
		}
	}
	if p := c.publicPrivileges(o); len(list) == 1 && list[0].Grantee == "" && len(list[0].Grantable) == 0 && slices.Equal(list[0].Privileges, p) {
		return // what it has without
	}
	c.ownRecords()
	c.grants.Set(Address{OID: o.ObjectID()}.key(), list)
}
