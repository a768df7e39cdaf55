package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// createOther stores an object by name, in a schema or in none (0).
func (c *Catalog) createOther(kind string, schema OID, name string, ifNotExists bool, eff *Effects) error {
	_, err := c.newOther(kind, schema, name, ifNotExists, eff)
	return err
}

// newOther is createOther that answers the object, nil when IF NOT EXISTS found one.
func (c *Catalog) newOther(kind string, schema OID, name string, ifNotExists bool, eff *Effects) (*Other, error) {
	if _, taken := c.names.Get(nameKey(inOthers, schema, kind+"\x00"+name)); taken {
		word := kind
		if kind == "statistics" {
			word = "statistics object"
		}
		if ifNotExists {
			eff.note("%s \"%s\" already exists, skipping", word, name)
			return nil, nil
		}
		return nil, errorf("42710", "%s %s already exists", word, quoteMessage(name))
	}
	o := &Other{OID: c.newOID(), Schema: schema, Kind: kind, Name: name}
	c.put(o)
	return o, nil
}

// createNamed is createOther for a possibly qualified name.
func (c *Catalog) createNamed(kind string, names []*pgast.Node, eff *Effects) error {
	rv := rangeVarOf(names)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	return c.createOther(kind, schema, rv.Relname, false, eff)
}

func (c *Catalog) needOther(kind, name string) error {
	_, err := c.otherNamed(kind, []string{name})
	return err
}

func (c *Catalog) dropOther(kind, name string, missingOK bool, eff *Effects) error {
	o, err := c.otherNamed(kind, []string{name})
	if err != nil {
		if missingOK {
			eff.note("%s, skipping", err)
			return nil
		}
		return err
	}
	if o == nil {
		a := c.assumeUnseen(&Other{OID: c.newOID(), Kind: kind, Name: name, Assumed: true})
		if a.OID == 0 {
			return nil
		}
		return c.dropObject(a, false, eff)
	}
	return c.dropObject(Address{OID: o.OID}, false, eff)
}

func (c *Catalog) applyCreateServer(n *pgast.CreateForeignServerStmt, eff *Effects) error {
	wrapper, err := c.otherNamed("foreign-data wrapper", []string{n.Fdwname})
	if err != nil {
		return err
	}
	o, err := c.newOther("server", 0, n.Servername, n.IfNotExists, eff)
	if err != nil || o == nil {
		return err
	}
	if wrapper != nil {
		c.addDep(Address{OID: o.OID}, Address{OID: wrapper.OID}, DepNormal)
	}
	return nil
}

func (c *Catalog) applyCreateLanguage(n *pgast.CreatePLangStmt, eff *Effects) error {
	if builtinLanguage(n.Plname) {
		if n.Replace {
			return nil
		}
		return errorf("42710", "language %s already exists", quoteMessage(n.Plname))
	}
	if _, taken := c.names.Get(nameKey(inOthers, 0, "language\x00"+n.Plname)); taken && n.Replace {
		return nil
	}
	return c.createOther("language", 0, n.Plname, false, eff)
}

func (c *Catalog) applyCreateOpClass(n *pgast.CreateOpClassStmt, eff *Effects) error {
	rv := rangeVarOf(n.Opclassname)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	t, err := c.resolveType(n.Datatype)
	if err != nil {
		return err
	}
	o := &Other{OID: c.newOID(), Schema: schema, Kind: "operator class", Name: rv.Relname, opclass: &operatorClass{method: n.Amname, input: t, isDefault: n.IsDefault}}
	if _, taken := c.names.Get(nameKeyOf(o)); taken {
		return errorf("42710", "operator class %s for access method %s already exists", quoteMessage(rv.Relname), quoteMessage(n.Amname))
	}
	c.put(o)
	c.addMethodDep(o.OID, n.Amname, DepAuto)
	c.addDep(Address{OID: o.OID}, Address{OID: t.OID}, DepNormal)
	// Without FAMILY one of the class's name is made, unless there is one.
	if len(n.Opfamilyname) == 0 {
		family := &Other{Schema: schema, Kind: "operator family", Name: rv.Relname, opclass: &operatorClass{method: n.Amname}}
		if _, taken := c.names.Get(nameKeyOf(family)); !taken {
			family.OID = c.newOID()
			c.put(family)
			c.addMethodDep(family.OID, n.Amname, DepAuto)
			c.addDep(Address{OID: o.OID}, Address{OID: family.OID}, DepAuto)
		}
	}
	return nil
}

func (c *Catalog) applyCreateOpFamily(n *pgast.CreateOpFamilyStmt) error {
	rv := rangeVarOf(n.Opfamilyname)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	o := &Other{OID: c.newOID(), Schema: schema, Kind: "operator family", Name: rv.Relname, opclass: &operatorClass{method: n.Amname}}
	if _, taken := c.names.Get(nameKeyOf(o)); taken {
		return errorf("42710", "operator family %s for access method %s already exists", quoteMessage(rv.Relname), quoteMessage(n.Amname))
	}
	c.put(o)
	c.addMethodDep(o.OID, n.Amname, DepAuto)
	return nil
}

func (c *Catalog) applyCreateStatistics(n *pgast.CreateStatsStmt, eff *Effects) error {
	_, err := c.createStatistics(n, eff)
	return err
}

// createStatistics answers the object, nil when IF NOT EXISTS found one.
func (c *Catalog) createStatistics(n *pgast.CreateStatsStmt, eff *Effects) (*Other, error) {
	if len(n.Relations) != 1 || n.Relations[0].GetRangeVar() == nil {
		return nil, errorf("0A000", "only a single relation is allowed in CREATE STATISTICS")
	}
	rel, err := c.lookupRelation(n.Relations[0].GetRangeVar())
	if err != nil {
		return nil, err
	}
	b := c.newBinder()
	var names []string
	var columns []int
	var exprs []Expr
	s := scopeOf(rel)
	for _, node := range n.Exprs {
		e := node.GetStatsElem()
		if e.Name != "" {
			col := c.findColumn(rel.OID, e.Name)
			if col == nil {
				return nil, errorf("42703", "column %s does not exist", quoteMessage(e.Name))
			}
			b.ref(Address{rel.OID, col.Num})
			names, columns = append(names, e.Name), append(columns, col.Num)
			continue
		}
		if _, err := b.bindExpr(e.Expr, s); err != nil {
			return nil, err
		}
		expr, err := c.newExpr(e.Expr, rel)
		if err != nil {
			return nil, err
		}
		names, exprs = append(names, "expr"), append(exprs, *expr)
	}
	schema, name := rel.Schema, ""
	if len(n.Defnames) > 0 {
		rv := rangeVarOf(n.Defnames)
		if schema, err = c.creationSchema(rv); err != nil {
			return nil, err
		}
		name = rv.Relname
	} else {
		label := "stat"
		for pass := 1; ; pass++ {
			name = makeObjectName(rel.Name, joinNames(names), label)
			if _, taken := c.names.Get(nameKey(inOthers, schema, "statistics\x00"+name)); !taken {
				break
			}
			label = "stat" + itoa(pass)
		}
	}
	o, err := c.newOther("statistics", schema, name, n.IfNotExists, eff)
	if err != nil || o == nil {
		return nil, err
	}
	made := *o
	made.Table, made.columns, made.exprs = rel.OID, columns, exprs
	c.put(&made)
	for _, ref := range b.sortedRefs() {
		typ := DepNormal
		if ref.OID == rel.OID {
			typ = DepAuto
		}
		c.addDep(Address{OID: o.OID}, ref, typ)
	}
	if len(b.refs) == 0 {
		c.addDep(Address{OID: o.OID}, Address{OID: rel.OID}, DepAuto)
	}
	return &made, nil
}

func (c *Catalog) applyCreateCast(n *pgast.CreateCastStmt) error {
	source, err := c.resolveType(n.Sourcetype)
	if err != nil {
		return err
	}
	target, err := c.resolveType(n.Targettype)
	if err != nil {
		return err
	}
	cast := &Cast{Source: source.bare(), Target: target.bare(), Context: 'e', Method: 'b', Volatility: Immutable}
	switch n.Context {
	case pgast.CoercionContext_COERCION_IMPLICIT:
		cast.Context = 'i'
	case pgast.CoercionContext_COERCION_ASSIGNMENT:
		cast.Context = 'a'
	}
	switch {
	case n.Func != nil:
		f, err := c.functionWithArgs(pgast.ObjectType_OBJECT_FUNCTION, n.Func)
		if err != nil {
			return err
		}
		cast.Method, cast.Volatility = 'f', Volatile
		if f != nil {
			cast.Volatility, cast.Function = f.Volatility, f.OID
		}
	case n.Inout:
		cast.Method = 'i'
	}
	if c.cast(source, target) != nil {
		return errorf("42710", "cast from type %s to type %s already exists", c.typeText(source), c.typeText(target))
	}
	o := &Other{OID: c.newOID(), Kind: "cast", Name: c.castName(source, target), cast: cast}
	c.put(o)
	for _, oid := range []OID{source.OID, target.OID, cast.Function} {
		c.addDep(Address{OID: o.OID}, Address{OID: oid}, DepNormal)
	}
	return nil
}

// applyDefine is the CREATEs that share DefineStmt: aggregates, operators, base types, collations, text search.
func (c *Catalog) applyDefine(n *pgast.DefineStmt, eff *Effects) error {
	switch n.Kind {
	case pgast.ObjectType_OBJECT_AGGREGATE:
		return c.defineAggregate(n, eff)
	case pgast.ObjectType_OBJECT_OPERATOR:
		return c.defineOperator(n)
	case pgast.ObjectType_OBJECT_TYPE:
		return c.defineBaseType(n)
	case pgast.ObjectType_OBJECT_COLLATION:
		rv := rangeVarOf(n.Defnames)
		schema, err := c.creationSchema(rv)
		if err != nil {
			return err
		}
		for _, node := range n.Definition {
			if d := node.GetDefElem(); d.Defname == "from" {
				if _, _, err := c.resolveCollation(stringList(defNames(d))); err != nil {
					return err
				}
			}
		}
		if _, taken := c.names.Get(nameKey(inOthers, schema, "collation\x00"+rv.Relname)); taken {
			if n.IfNotExists {
				eff.note("collation \"%s\" for encoding \"UTF8\" already exists, skipping", rv.Relname)
				return nil
			}
			return errorf("42710", "collation %s for encoding \"UTF8\" already exists", quoteMessage(rv.Relname))
		}
		return c.createOther("collation", schema, rv.Relname, false, eff)
	}
	if kind := otherKind(n.Kind); kind != "" {
		return c.createNamed(kind, n.Defnames, eff)
	}
	return errorf(NotUnderstood, "CREATE of this kind is not followed")
}

// definition finds an option of a DefineStmt.
func definition(n *pgast.DefineStmt, names ...string) *pgast.DefElem {
	for _, node := range n.Definition {
		if d := node.GetDefElem(); slices.Contains(names, strings.ToLower(d.Defname)) {
			return d
		}
	}
	return nil
}

// definedType resolves an option that names a type.
func (c *Catalog) definedType(d *pgast.DefElem) (TypeRef, error) {
	if d == nil {
		return TypeRef{}, nil
	}
	tn := d.Arg.GetTypeName()
	if tn == nil {
		tn = &pgast.TypeName{Names: defNames(d)}
	}
	t, err := c.resolveType(tn)
	return t.bare(), err
}

func (c *Catalog) defineAggregate(n *pgast.DefineStmt, eff *Effects) error {
	rv := rangeVarOf(n.Defnames)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	f := &Func{Schema: schema, Name: rv.Relname, Kind: Aggregate, Language: "internal", Volatility: Immutable, Parallel: 'u', Body: "aggregate_dummy", aggKind: 'n'}
	if n.Oldstyle {
		base := definition(n, "basetype")
		if base != nil && strings.EqualFold(constText(base.Arg), "any") {
			base = nil // basetype = 'ANY': no arguments
		}
		t, err := c.definedType(base)
		if err != nil {
			return err
		}
		if t.OID != typeAny && t.known() {
			f.Args = []FuncArg{{Type: t, Mode: 'i'}}
		}
	} else if len(n.Args) > 0 {
		if err := c.functionArgs(f, n.Args[0].GetList().GetItems()); err != nil {
			return err
		}
		if len(n.Args) > 1 && n.Args[1].GetInteger().GetIval() >= 0 {
			f.aggKind = 'o'
		}
	}
	if d := definition(n, "hypothetical"); d != nil && f.aggKind == 'o' {
		f.aggKind = 'h'
	}
	if d := definition(n, "parallel"); d != nil {
		f.Parallel = constText(d.Arg)[0]
	}
	state, err := c.definedType(definition(n, "stype", "stype1"))
	if err != nil {
		return err
	}
	if !state.known() {
		return errorf("42P13", "aggregate stype must be specified")
	}
	f.Returns = state
	var refs []Address
	find := func(args []TypeRef, names ...string) (*Func, error) {
		d := definition(n, names...)
		if d == nil {
			return nil, nil
		}
		s, name := splitName(defNames(d))
		cand, _, kind := c.resolveCall(s, name, args, nil, false, false)
		if kind == callFunction {
			refs = append(refs, Address{OID: cand.f.OID})
			return cand.f, nil
		}
		if c.mayHaveFunction(s, name) || len(c.functionsNamed(s, name)) > 0 {
			return nil, nil
		}
		b := c.newBinder()
		return nil, errorf("42883", "function %s does not exist", b.signature([]string{name}, args, nil))
	}
	args := append([]TypeRef{state}, f.inputTypes()...)
	if f.aggKind != 'n' {
		args = args[:1]
	}
	if definition(n, "sfunc", "sfunc1") == nil {
		return errorf("42P13", "aggregate sfunc must be specified")
	}
	if _, err := find(args, "sfunc", "sfunc1"); err != nil {
		return err
	}
	finalArgs := []TypeRef{state}
	if f.aggKind != 'n' {
		finalArgs = append(finalArgs, f.inputTypes()[:min(len(f.inputs()), int(n.Args[1].GetInteger().GetIval()))]...)
	}
	if d := definition(n, "finalfunc_extra"); d != nil && constText(d.Arg) != "false" {
		finalArgs = append([]TypeRef{state}, f.inputTypes()...)
	}
	final, err := find(finalArgs, "finalfunc")
	if err != nil {
		return err
	}
	if final != nil {
		f.Returns = c.resultType(final, final.inputTypes(), finalArgs)
	}
	return c.defineFunction(f, n.Replace, refs, eff)
}

func (c *Catalog) defineOperator(n *pgast.DefineStmt) error {
	rv := rangeVarOf(n.Defnames)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	o := &Operator{Name: rv.Relname, Volatility: Volatile}
	if o.Left, err = c.definedType(definition(n, "leftarg")); err != nil {
		return err
	}
	if o.Right, err = c.definedType(definition(n, "rightarg")); err != nil {
		return err
	}
	d := definition(n, "procedure", "function")
	if d == nil {
		return errorf("42P13", "operator function must be specified")
	}
	args := []TypeRef{o.Left, o.Right}
	if !o.Left.known() {
		args = args[1:]
	}
	s, name := splitName(defNames(d))
	for _, f := range c.functionsNamed(s, name) {
		if sameTypes(f.inputTypes(), args) {
			o.Function, o.Volatility, o.Result = f.OID, f.Volatility, f.Returns
		}
	}
	if o.Function == 0 && !c.mayHaveFunction(s, name) {
		return errorf("42883", "function %s does not exist", c.newBinder().signature(stringList(defNames(d)), args, nil))
	}
	other := &Other{Schema: schema, Kind: "operator", Name: c.operatorSignature(o), operator: o}
	if oid, taken := c.names.Get(nameKeyOf(other)); taken {
		if old, ok := c.Get(oid).(*Other); !ok || old.operator == nil || !old.operator.shell {
			return errorf("42723", "operator %s already exists", o.Name)
		}
		other.OID = oid
	} else {
		other.OID = c.newOID()
	}
	c.put(other)
	for _, oid := range []OID{o.Left.OID, o.Right.OID, o.Result.OID, o.Function} {
		c.addDep(Address{OID: other.OID}, Address{OID: oid}, DepNormal)
	}
	if d := definition(n, "commutator"); d != nil && o.Left.known() {
		if err := c.otherOperator(defNames(d), o.Right, o.Left, other, true); err != nil {
			return err
		}
	}
	if d := definition(n, "negator"); d != nil {
		return c.otherOperator(defNames(d), o.Left, o.Right, other, false)
	}
	return nil
}

// otherOperator makes the shell of an operator that another names before it is there (get_other_operator, OperatorShellMake in
// src/backend/catalog/pg_operator.c).
func (c *Catalog) otherOperator(names []*pgast.Node, left, right TypeRef, of *Other, commutator bool) error {
	schemaName, name := splitOperator(names)
	o := &Operator{Name: name, Left: left, Right: right, Volatility: Volatile, shell: true}
	for _, known := range c.operatorsNamed(schemaName, name, !left.known()) {
		if known.oid != of.OID && known.Left.bare() == left && known.Right.bare() == right {
			return nil
		}
	}
	schema, err := c.creationSchema(rangeVarOf(names))
	if err != nil {
		return err
	}
	other := &Other{Schema: schema, Kind: "operator", Name: c.operatorSignature(o), operator: o}
	if oid, taken := c.names.Get(nameKeyOf(other)); taken {
		if oid == of.OID && !commutator {
			return errorf("42P13", "operator cannot be its own negator")
		}
		return nil
	}
	other.OID = c.newOID()
	c.put(other)
	for _, oid := range []OID{left.OID, right.OID} {
		c.addDep(Address{OID: other.OID}, Address{OID: oid}, DepNormal)
	}
	return nil
}

// defineBaseType is CREATE TYPE x, a shell, and CREATE TYPE x (INPUT = …), which fills it.
func (c *Catalog) defineBaseType(n *pgast.DefineStmt) error {
	schema, name, shell, err := c.newTypeName(n.Defnames)
	if err != nil {
		return err
	}
	t := &Type{OID: c.typeOID(shell), Schema: schema, Name: name, Kind: BaseType, category: 'U'}
	if len(n.Definition) == 0 {
		if shell != nil {
			return c.typeExists(schema, name)
		}
		t.Kind, t.Shell = PseudoType, true
		c.put(t)
		return nil
	}
	if shell == nil && !c.Open {
		return errorf("42710", "type %s does not exist", quoteMessage(name))
	}
	if d := definition(n, "category"); d != nil {
		if s := constText(d.Arg); s != "" {
			t.category = s[0]
		}
	}
	if d := definition(n, "preferred"); d != nil {
		t.preferred = constText(d.Arg) != "false"
	}
	if d := definition(n, "collatable"); d != nil {
		t.collatable = constText(d.Arg) != "false"
	}
	t.typmodIn = definition(n, "typmod_in") != nil
	if t.element, err = c.definedType(definition(n, "element")); err != nil {
		return err
	}
	c.put(t)
	for _, option := range []string{"input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze"} {
		if d := definition(n, option); d != nil {
			s, name := splitName(defNames(d))
			for _, f := range c.functionsNamed(s, name) {
				c.addDep(Address{OID: t.OID}, Address{OID: f.OID}, DepNormal)
			}
		}
	}
	return nil
}
