package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyCreateDomain is DefineDomain (src/backend/commands/typecmds.c).
func (c *Catalog) applyCreateDomain(n *pgast.CreateDomainStmt) error {
	rv := rangeVarOf(n.Domainname)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	if _, taken := c.typeIn(schema, rv.Relname); taken && schema != pgCatalogOID {
		return c.typeExists(schema, rv.Relname)
	}
	base, err := c.resolveType(n.TypeName)
	if err != nil {
		return err
	}
	if ty := c.typeByOID(base.OID); ty != nil && ty.Kind == PseudoType && !base.Array {
		return errorf("42804", "%s is not a valid base type for a domain", quoteMessage(c.typeText(base)))
	}
	t := &Type{OID: c.newOID(), Schema: schema, Name: rv.Relname, Kind: DomainType, Base: base}
	if parent := c.typeByOID(base.OID); parent != nil && parent.Kind == DomainType && !base.Array {
		t.Default = parent.Default
	}
	if n.CollClause != nil {
		if t.Collation, err = c.columnCollation(n.CollClause, base); err != nil {
			return err
		}
	}
	c.put(t)
	at := Address{OID: t.OID}
	c.addDep(at, Address{OID: base.OID}, DepNormal)
	if oid := c.collationOID(t.Collation); oid != 0 {
		c.addDep(at, Address{OID: oid}, DepNormal)
	}
	null, hasDefault := 0, false
	var checks []*pgast.Constraint
	var notNull *pgast.Constraint
	for _, node := range n.Constraints {
		con := node.GetConstraint()
		switch con.Contype {
		case pgast.ConstrType_CONSTR_DEFAULT:
			if hasDefault {
				return errorf("42601", "multiple default expressions")
			}
			hasDefault = true
			e, err := c.domainDefault(con.RawExpr, t)
			if err != nil {
				return err
			}
			t.Default = e
		case pgast.ConstrType_CONSTR_NOTNULL:
			if null < 0 {
				return errorf("42601", "conflicting NULL/NOT NULL constraints")
			}
			null, t.NotNull, notNull = 1, true, con
		case pgast.ConstrType_CONSTR_NULL:
			if null > 0 {
				return errorf("42601", "conflicting NULL/NOT NULL constraints")
			}
			null = -1
		case pgast.ConstrType_CONSTR_CHECK:
			if con.IsNoInherit {
				return errorf("42P16", "check constraints for domains cannot be marked NO INHERIT")
			}
			checks = append(checks, con)
		default:
			if err := domainConstraintError(con.Contype); err != nil {
				return err
			}
		}
	}
	if t.Default != nil {
		c.addDeps(at, t.Default.Refs, DepNormal)
	}
	if notNull != nil {
		if err := c.addDomainNotNull(t, notNull.Conname); err != nil {
			return err
		}
	}
	for _, con := range checks {
		if _, err := c.addDomainCheck(t, con); err != nil {
			return err
		}
	}
	return nil
}

// addDomainNotNull makes the constraint that a domain's NOT NULL is since PostgreSQL 17 (domainAddNotNullConstraint,
// src/backend/commands/typecmds.c); an empty name is chosen.
func (c *Catalog) addDomainNotNull(t *Type, name string) error {
	if c.Version < 17 {
		return nil
	}
	if name == "" {
		name = c.chooseConstraintName(t.Name, "", "not_null", t.Schema)
	} else if c.constraintNamed(t.OID, name) != nil {
		return errorf("42710", "constraint %s for domain %s already exists", quoteMessage(name), quoteMessage(t.Name))
	}
	con := &Constraint{OID: c.newOID(), Name: name, Kind: NotNullCon, Domain: t.OID, Valid: true, Local: true}
	c.setConstraintSchema(con)
	c.put(con)
	c.addDep(Address{OID: con.OID}, Address{OID: t.OID}, DepAuto)
	return nil
}

// domainNotNull is the constraint that addDomainNotNull made, nil for none.
func (c *Catalog) domainNotNull(domain OID) *Constraint {
	for _, con := range c.Constraints(domain) {
		if con.Kind == NotNullCon {
			return con
		}
	}
	return nil
}

func domainConstraintError(kind pgast.ConstrType) error {
	switch kind {
	case pgast.ConstrType_CONSTR_UNIQUE:
		return errorf("42601", "unique constraints not possible for domains")
	case pgast.ConstrType_CONSTR_PRIMARY:
		return errorf("42601", "primary key constraints not possible for domains")
	case pgast.ConstrType_CONSTR_EXCLUSION:
		return errorf("42601", "exclusion constraints not possible for domains")
	case pgast.ConstrType_CONSTR_FOREIGN:
		return errorf("42601", "foreign key constraints not possible for domains")
	case pgast.ConstrType_CONSTR_ATTR_DEFERRABLE, pgast.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE, pgast.ConstrType_CONSTR_ATTR_DEFERRED, pgast.ConstrType_CONSTR_ATTR_IMMEDIATE:
		return errorf("0A000", "specifying constraint deferrability not supported for domains")
	case pgast.ConstrType_CONSTR_GENERATED, pgast.ConstrType_CONSTR_IDENTITY:
		return errorf("42601", "specifying GENERATED not supported for domains")
	}
	return nil
}

// domainDefault prepares a domain's DEFAULT; NULL is none, unless it hides the base domain's.
func (c *Catalog) domainDefault(node *pgast.Node, t *Type) (*Expr, error) {
	if k := node.GetAConst(); k != nil && k.Isnull {
		return nil, nil
	}
	return c.assignExpr(node, nil, t.Name, t.Base)
}

// addDomainCheck adds a CHECK constraint to a domain (domainAddConstraint).
func (c *Catalog) addDomainCheck(t *Type, con *pgast.Constraint) (*Constraint, error) {
	name := con.Conname
	if name == "" {
		name = c.chooseConstraintName(t.Name, "", "check", t.Schema)
	} else if c.constraintNamed(t.OID, name) != nil {
		return nil, errorf("42710", "constraint %s for domain %s already exists", quoteMessage(name), quoteMessage(t.Name))
	}
	e, v, err := c.bindExpr(con.RawExpr, &scope{}, "", t.Base)
	if err != nil {
		return nil, err
	}
	if !con.SkipValidation {
		if err := c.domainUsedInside(t); err != nil {
			return nil, err
		}
	}
	if v.typ.known() && !c.canCoerce(v.typ, scalar(typeBool), byAssignment) {
		return nil, errorf("42804", "argument of CHECK must be type boolean, not type %s", c.typeText(v.typ))
	}
	switch {
	case e.subqueries:
		return nil, errorf("0A000", "cannot use subquery in check constraint")
	case e.aggregates:
		return nil, errorf("42803", "aggregate functions are not allowed in check constraints")
	}
	made := &Constraint{OID: c.newOID(), Name: name, Kind: Check, Domain: t.OID, Check: e, Valid: !con.SkipValidation, Local: true}
	c.setConstraintSchema(made)
	c.put(made)
	c.addDep(Address{OID: made.OID}, Address{OID: t.OID}, DepAuto)
	c.addDeps(Address{OID: made.OID}, e.Refs, DepNormal)
	return made, nil
}

// applyAlterDomain is ALTER DOMAIN, but for RENAME, SET SCHEMA and OWNER.
func (c *Catalog) applyAlterDomain(n *pgast.AlterDomainStmt, eff *Effects) error {
	old, err := c.typeNamedIn(n.TypeName)
	if err != nil {
		return err
	}
	if old == nil || old.Kind != DomainType && !old.Assumed {
		return errorf("42809", "%s is not a domain", joinedName(n.TypeName))
	}
	if old.Assumed && old.Kind != DomainType {
		return nil
	}
	t := *old
	at := Address{OID: t.OID}
	switch n.Subtype {
	case "T":
		if t.Default != nil {
			refs := t.Default.Refs
			c.dropDeps(t.OID, func(d Dep) bool {
				for _, ref := range refs {
					if d.Ref == ref && d.Ref.OID != t.Base.OID {
						return true
					}
				}
				return false
			})
		}
		t.Default = nil
		if n.Def != nil {
			if t.Default, err = c.domainDefault(n.Def, &t); err != nil {
				return err
			}
			if t.Default != nil {
				c.addDeps(at, t.Default.Refs, DepNormal)
			}
		}
		c.put(&t)
	case "N", "O":
		if t.NotNull = n.Subtype == "O"; t.NotNull == old.NotNull {
			return nil
		}
		if t.NotNull {
			if err := c.domainUsedInside(&t); err != nil {
				return err
			}
		}
		c.put(&t)
		if t.NotNull {
			return c.addDomainNotNull(&t, "")
		}
		if con := c.domainNotNull(t.OID); con != nil {
			return c.dropObject(Address{OID: con.OID}, false, eff)
		}
	case "C":
		con := n.Def.GetConstraint()
		switch con.Contype {
		case pgast.ConstrType_CONSTR_CHECK:
			_, err = c.addDomainCheck(&t, con)
			return err
		case pgast.ConstrType_CONSTR_NOTNULL:
			if t.NotNull {
				return nil
			}
			t.NotNull = true
			c.put(&t)
			return c.addDomainNotNull(&t, con.Conname)
		}
		return domainConstraintError(con.Contype)
	case "X":
		con := c.constraintNamed(t.OID, n.Name)
		if con == nil {
			if n.MissingOk {
				eff.note("constraint \"%s\" of domain \"%s\" does not exist, skipping", n.Name, t.Name)
				return nil
			}
			return errorf("42704", "constraint %s of domain %s does not exist", quoteMessage(n.Name), quoteMessage(t.Name))
		}
		if con.Kind == NotNullCon {
			t.NotNull = false
			c.put(&t)
		}
		return c.dropObject(Address{OID: con.OID}, n.Behavior == pgast.DropBehavior_DROP_CASCADE, eff)
	case "V":
		con := c.constraintNamed(t.OID, n.Name)
		if con == nil {
			return errorf("42704", "constraint %s of domain %s does not exist", quoteMessage(n.Name), quoteMessage(t.Name))
		}
		if con.Kind != Check {
			return errorf("42809", "constraint %s of domain %s is not a check constraint", quoteMessage(n.Name), quoteMessage(t.Name))
		}
		if !con.Valid {
			valid := *con
			valid.Valid = true
			c.put(&valid)
		}
	}
	return nil
}

// domainUsedInside refuses to tighten a domain whose values are stored inside others, in an array or a composite value,
// where the server does not look (get_rels_with_domain, src/backend/commands/typecmds.c).
func (c *Catalog) domainUsedInside(t *Type) error {
	for _, d := range c.Dependents(Address{OID: t.OID}) {
		switch o := c.Get(d.OID).(type) {
		case *Relation:
			if d.Column == 0 || o.Att(d.Column) == nil {
				continue
			}
			col := o.Att(d.Column)
			if o.Kind == CompositeRel {
				if outer := c.typeOfRelation(o); outer != nil {
					if err := c.typeUsedByTable(outer); err != nil {
						e := err.(*Error)
						e.Message = strings.Replace(e.Message, quoteMessage(outer.Name), quoteMessage(t.Name), 1)
						return e
					}
				}
			} else if col.Type.OID == t.OID && col.Type.Array && (o.Kind == Table || o.Kind == MatView || o.Kind == PartitionedTable) {
				return errorf("0A000", "cannot alter type %s because column %s uses it", quoteMessage(t.Name), quoteMessage(o.Name+"."+col.Name))
			}
		case *Type:
			if o.Kind == DomainType {
				if err := c.domainUsedInside(o); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func joinedName(nodes []*pgast.Node) string { return rangeVarName(rangeVarOf(nodes)) }
