package catalog

import (
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// addDefault checks and stores DEFAULT or, of a generated column, its expression (AddRelationNewConstraints,
// cookDefault: src/backend/catalog/heap.c).
func (c *Catalog) addDefault(rel OID, num int, node *pgast.Node) error {
	e, err := c.newDefault(rel, num, node)
	if e != nil {
		c.setDefault(rel, num, e)
	}
	return err
}

// newDefault is the default that addDefault stores, nil for none.
func (c *Catalog) newDefault(rel OID, num int, node *pgast.Node) (*Expr, error) {
	r := c.relation(rel)
	col := r.Att(num)
	scope := r
	if col.Generated == 0 {
		scope = nil
	}
	e, err := c.assignExpr(node, scope, col.Name, col.Type)
	if err != nil {
		return nil, err
	}
	what := "DEFAULT expression"
	if col.Generated != 0 {
		what = "column generation expression"
	}
	if err := e.checkPlain(what); err != nil {
		return nil, err
	}
	if col.Generated != 0 {
		if e.Volatility != Immutable && !e.Unknown {
			return nil, errorf("42P17", "generation expression is not immutable")
		}
		for _, ref := range e.Refs {
			if ref.OID != rel || ref.Column == 0 {
				continue
			}
			if other := r.Att(ref.Column); other != nil && other.Generated != 0 {
				err := errorf("42P17", "cannot use generated column \"%s\" in column generation expression", other.Name)
				err.Detail = "A generated column cannot reference another generated column."
				return nil, err
			}
		}
	}
	const interval = 1186 // its precision is applied on input, without a function (coerce_type)
	if col.Generated == 0 && (col.Type.Mod == -1 || col.Type.OID == interval) && isNullConst(node) {
		// A constant NULL is no default (heap.c: "If the expression is just a NULL constant, we do not bother"), except for a
		// domain, whose default it overrides, and for a type with a length, to which it is coerced by a function.
		if t := c.typeByOID(col.Type.OID); t == nil || t.Kind != DomainType || col.Type.Array {
			return nil, nil
		}
	}
	return e, nil
}

// setDefault replaces a column's default; nil takes it away.
func (c *Catalog) setDefault(rel OID, num int, e *Expr) {
	c.dropDeps(rel, func(d Dep) bool { return d.Default && d.Column == num })
	c.editColumn(rel, num, func(col *Column) { col.Default = e })
	if e != nil {
		c.addDefaultDeps(rel, num, e)
	}
}

// setFirstDefault is setDefault for a new column of a relation that the statement at hand has put into the catalog: as no
// clone has it yet, it is changed in place.
func (c *Catalog) setFirstDefault(rel OID, num int, e *Expr) {
	c.relation(rel).Att(num).Default = e
	c.addDefaultDeps(rel, num, e)
}

// addDefaultDeps records what a column's default needs.
func (c *Catalog) addDefaultDeps(rel OID, num int, e *Expr) {
	generated := c.relation(rel).Att(num).Generated != 0
	for _, ref := range e.Refs {
		if ref.OID == rel && ref.Column == num || ref.OID < FirstUserOID {
			continue
		}
		dep := Dep{Column: num, Ref: ref, Type: DepNormal, Default: true}
		if generated {
			// What a generated column is computed from takes the column along, up to 14 silently, since 15 with CASCADE
			// (StoreAttrDefault, src/backend/catalog/pg_attrdef.c).
			dep.Default = false
			if c.Version < 15 {
				dep.Type = DepAuto
			}
			dep.generation = true
		}
		c.addDepRow(rel, dep)
	}
}

// dropGeneration forgets what a generation expression needed.
func (c *Catalog) dropGeneration(rel OID, num int) {
	c.dropDeps(rel, func(d Dep) bool { return d.generation && d.Column == num })
}

// isNullConst tells whether an expression is NULL, perhaps cast.
func isNullConst(n *pgast.Node) bool {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	return n.GetAConst().GetIsnull()
}

// fitsLength refuses a string, as the default of a column that is added, that is longer than its type: ADD COLUMN computes it for the
// rows that are there (ATExecAddColumn in src/backend/commands/tablecmds.c), CREATE TABLE and SET DEFAULT do not.
func (c *Catalog) fitsLength(r *Relation, col *newColumn) error {
	if col.def.GetAConst().GetSval() == nil || r.Kind != Table {
		return nil
	}
	text, typ := col.def.GetAConst().GetSval().Sval, c.baseType(col.Type)
	if typ.Array || typ.OID != typeVarchar && typ.OID != typeBpchar || typ.Mod < 0 {
		return nil
	}
	// The length is kept with a header of 4 bytes; spaces are cut (varchar and bpchar in src/backend/utils/adt/varchar.c).
	if length := int(typ.Mod) - 4; utf8.RuneCountInString(strings.TrimRight(text, " ")) > length {
		return errorf("22001", "value too long for type %s", c.typeText(typ))
	}
	return nil
}
