package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// newExpr prepares an expression to be stored: its names are resolved against the columns of scope (nil: there are none,
// as in a DEFAULT), errors are PostgreSQL's.
func (c *Catalog) newExpr(node *pgast.Node, scope *Relation) (*Expr, error) {
	why := ""
	if scope == nil {
		why = "cannot use column reference in DEFAULT expression"
	}
	e, _, err := c.bindExpr(node, scopeOf(scope), why, TypeRef{})
	return e, err
}

func scopeOf(rel *Relation) *scope {
	s := &scope{}
	if rel != nil {
		s.items = []*rangeItem{relationItem(rel, rel.Name, "")}
	}
	return s
}

// bindExpr makes an Expr of a node and tells its type. noColumns is the error for column references when there can be
// none; domain the type of VALUE.
func (c *Catalog) bindExpr(node *pgast.Node, s *scope, noColumns string, domain TypeRef) (*Expr, value, error) {
	b := c.newBinder()
	b.columns, b.domain = noColumns, domain
	v, err := b.bindExpr(node, s)
	if err != nil {
		return nil, value{}, err
	}
	return b.expr(node, v), v, nil
}

// expr is the Expr for what has been bound.
func (b *binder) expr(node *pgast.Node, v value) *Expr {
	e := &Expr{Node: node, Volatility: b.volatility, Constant: v.constant, Unknown: b.unknown, Refs: b.sortedRefs(), aggregates: b.aggregates > 0, windows: b.windows > 0, setReturning: b.sets > 0, subqueries: b.subqueries > 0, system: b.system}
	e.SQL = exprSQL(node)
	if e.Unknown {
		e.Volatility = Volatile
	}
	return e
}

// assignExpr is newExpr for a value that is stored in a column of type target: a DEFAULT or generated column. The
// conversion to target counts for the volatility.
func (c *Catalog) assignExpr(node *pgast.Node, scope *Relation, column string, target TypeRef) (*Expr, error) {
	b := c.newBinder()
	if scope == nil {
		b.columns = "cannot use column reference in DEFAULT expression"
	}
	v, err := b.bindExpr(node, scopeOf(scope))
	if err != nil {
		return nil, err
	}
	constant := v.constant
	if target.known() && v.typ.known() {
		if !b.c.canCoerce(v.typ, target, byAssignment) && !b.rowCoerces(v, target) {
			return nil, &Error{
				Code: "42804", Message: "column " + quoteMessage(column) + " is of type " + c.typeText(target) + " but default expression is of type " + c.typeText(v.typ),
				Hint: "You will need to rewrite or cast the expression.",
			}
		}
		if target.OID == typeRegclass && v.literal != nil && v.typ.OID == typeUnknown {
			if err := b.checkRegclass(*v.literal); err != nil {
				return nil, err
			}
		}
		constant = b.coerce(v, target, byAssignment).constant
		if b.failed != nil {
			return nil, b.failed
		}
	}
	e := b.expr(node, v)
	e.Constant = constant
	return e, nil
}

// exprType is the type of an expression, zero when it cannot be found out.
func (c *Catalog) exprType(node *pgast.Node, scope *Relation) TypeRef {
	_, v, err := c.bindExpr(node, scopeOf(scope), "", TypeRef{})
	if err != nil {
		return TypeRef{}
	}
	return v.typ
}

// resolveCollation finds a collation and returns its name as Column.Collation has it, qualified unless the search path
// finds it, and its OID when it is the catalog's own.
func (c *Catalog) resolveCollation(names []string) (string, OID, error) {
	if len(names) == 0 {
		return "", 0, nil
	}
	schema, name := "", names[len(names)-1]
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	for _, s := range c.path(schema) {
		if oid, ok := c.names.Get(nameKey(inOthers, s, "collation\x00"+name)); ok {
			return name, oid, nil
		}
		if s == pgCatalogOID && knownCollation(name) {
			return name, 0, nil
		}
	}
	if c.Open || schema == "" || schema == "pg_catalog" {
		if c.Open && !strings.ContainsAny(name, " ") {
			return name, 0, nil
		}
	}
	if schema != "" && c.SchemaNamed(schema) == nil {
		return "", 0, errorf("3F000", "schema %s does not exist", quoteMessage(schema))
	}
	return "", 0, errorf("42704", "collation %s for encoding \"UTF8\" does not exist", quoteMessage(strings.Join(names, ".")))
}

// knownCollation accepts the collations of every database, and the operating system's and ICU's, which depend on where
// the server runs and cannot be known here.
func knownCollation(name string) bool {
	switch name {
	case "default", "C", "POSIX", "ucs_basic", "unicode", "pg_c_utf8":
		return true
	}
	if len(name) < 2 || strings.Contains(name, "notexist") {
		return false
	}
	return strings.Contains(name, "-x-icu") || len(name) >= 5 && name[2] == '_' || strings.HasPrefix(name, "C.") || strings.HasPrefix(name, "und")
}

// splitQualified splits a name written in a string, such as nextval's: a.b, "A"."b". Unquoted parts are lower-cased.
func splitQualified(text string) (schema, name string, ok bool) {
	var parts []string
	for {
		text = strings.TrimSpace(text)
		if text == "" {
			return "", "", false
		}
		var part string
		if text[0] == '"' {
			end := 1
			for {
				i := strings.IndexByte(text[end:], '"')
				if i < 0 {
					return "", "", false
				}
				end += i + 1
				if end < len(text) && text[end] == '"' {
					end++
					continue
				}
				break
			}
			part, text = strings.ReplaceAll(text[1:end-1], `""`, `"`), text[end:]
		} else {
			i := strings.IndexByte(text, '.')
			if i < 0 {
				i = len(text)
			}
			part, text = strings.ToLower(strings.TrimSpace(text[:i])), text[i:]
		}
		parts = append(parts, part)
		text = strings.TrimSpace(text)
		if text == "" {
			break
		}
		if text[0] != '.' {
			return "", "", false
		}
		text = text[1:]
	}
	switch len(parts) {
	case 1:
		return "", parts[0], true
	case 2:
		return parts[0], parts[1], true
	case 3:
		return parts[1], parts[2], true
	}
	return "", "", false
}
