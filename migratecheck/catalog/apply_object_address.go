package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// objectAddress is get_object_address (src/backend/catalog/objectaddress.c): the object that a DROP, COMMENT, ALTER …
// RENAME names. The address is zero for objects that are not kept, and for those an open catalog lets pass unseen.
func (c *Catalog) objectAddress(kind pgast.ObjectType, object *pgast.Node, drop bool) (Address, error) {
	switch kind {
	case pgast.ObjectType_OBJECT_TYPE, pgast.ObjectType_OBJECT_DOMAIN:
		return c.typeAddress(kind, object)
	case pgast.ObjectType_OBJECT_FUNCTION, pgast.ObjectType_OBJECT_PROCEDURE, pgast.ObjectType_OBJECT_ROUTINE, pgast.ObjectType_OBJECT_AGGREGATE:
		f, err := c.functionWithArgs(kind, object.GetObjectWithArgs())
		if f == nil || err != nil {
			return Address{}, err
		}
		return Address{OID: f.OID}, nil
	case pgast.ObjectType_OBJECT_OPERATOR:
		return c.operatorAddress(object.GetObjectWithArgs())
	case pgast.ObjectType_OBJECT_TRIGGER, pgast.ObjectType_OBJECT_RULE, pgast.ObjectType_OBJECT_POLICY, pgast.ObjectType_OBJECT_TABCONSTRAINT:
		return c.partAddress(kind, stringList(object.GetList().GetItems()))
	case pgast.ObjectType_OBJECT_DOMCONSTRAINT:
		items := object.GetList().GetItems()
		t, err := c.typeNamedBy(items[0].GetTypeName())
		if err != nil || t == nil {
			return Address{}, err
		}
		name := items[1].GetString_().GetSval()
		if con := c.constraintNamed(t.OID, name); con != nil {
			return Address{OID: con.OID}, nil
		}
		return Address{}, errorf("42704", "constraint %s for domain %s does not exist", quoteMessage(name), quoteMessage(t.Name))
	case pgast.ObjectType_OBJECT_SCHEMA:
		s, err := c.lookupSchema(object.GetString_().GetSval())
		if err != nil {
			return Address{}, err
		}
		return Address{OID: s.OID}, nil
	case pgast.ObjectType_OBJECT_EXTENSION:
		name := object.GetString_().GetSval()
		if oid, ok := c.names.Get(nameKey(inExtensions, 0, name)); ok {
			return Address{OID: oid}, nil
		}
		if c.Open || name == "plpgsql" {
			return Address{}, nil
		}
		return Address{}, errorf("42704", "extension %s does not exist", quoteMessage(name))
	case pgast.ObjectType_OBJECT_CAST:
		return c.castAddress(object)
	case pgast.ObjectType_OBJECT_TRANSFORM, pgast.ObjectType_OBJECT_ROLE, pgast.ObjectType_OBJECT_DATABASE, pgast.ObjectType_OBJECT_TABLESPACE,
		pgast.ObjectType_OBJECT_LARGEOBJECT, pgast.ObjectType_OBJECT_USER_MAPPING:
		return Address{}, nil
	case pgast.ObjectType_OBJECT_TABLE, pgast.ObjectType_OBJECT_VIEW, pgast.ObjectType_OBJECT_MATVIEW, pgast.ObjectType_OBJECT_SEQUENCE,
		pgast.ObjectType_OBJECT_INDEX, pgast.ObjectType_OBJECT_FOREIGN_TABLE:
		r, err := c.lookupRelation(rangeVarOf(object.GetList().GetItems()))
		if err != nil {
			return Address{}, err
		}
		return Address{OID: r.OID}, nil
	}
	if word := otherKind(kind); word != "" {
		return c.otherAddress(word, object)
	}
	return Address{}, errorf(NotUnderstood, "objects of kind %s are not followed", kind)
}

// otherKind is Other.Kind for an object type, "" when it is not one of those.
func otherKind(kind pgast.ObjectType) string {
	switch kind {
	case pgast.ObjectType_OBJECT_COLLATION:
		return "collation"
	case pgast.ObjectType_OBJECT_CONVERSION:
		return "conversion"
	case pgast.ObjectType_OBJECT_OPCLASS:
		return "operator class"
	case pgast.ObjectType_OBJECT_OPFAMILY:
		return "operator family"
	case pgast.ObjectType_OBJECT_PUBLICATION:
		return "publication"
	case pgast.ObjectType_OBJECT_SUBSCRIPTION:
		return "subscription"
	case pgast.ObjectType_OBJECT_EVENT_TRIGGER:
		return "event trigger"
	case pgast.ObjectType_OBJECT_FDW:
		return "foreign-data wrapper"
	case pgast.ObjectType_OBJECT_FOREIGN_SERVER:
		return "server"
	case pgast.ObjectType_OBJECT_LANGUAGE:
		return "language"
	case pgast.ObjectType_OBJECT_ACCESS_METHOD:
		return "access method"
	case pgast.ObjectType_OBJECT_STATISTIC_EXT:
		return "statistics"
	case pgast.ObjectType_OBJECT_TSCONFIGURATION:
		return "text search configuration"
	case pgast.ObjectType_OBJECT_TSDICTIONARY:
		return "text search dictionary"
	case pgast.ObjectType_OBJECT_TSPARSER:
		return "text search parser"
	case pgast.ObjectType_OBJECT_TSTEMPLATE:
		return "text search template"
	}
	return ""
}

// typeNamedBy resolves a type's name to a type of the catalog; nil for a built-in or row type.
func (c *Catalog) typeNamedBy(name *pgast.TypeName) (*Type, error) {
	ref, err := c.findType(name)
	if err != nil {
		return nil, err
	}
	t, _ := c.Get(ref.OID).(*Type)
	if ref.Array {
		return nil, nil
	}
	return t, nil
}

// typeNamedIn is typeNamedBy for a list of names.
func (c *Catalog) typeNamedIn(names []*pgast.Node) (*Type, error) {
	return c.typeNamedBy(&pgast.TypeName{Names: names})
}

func (c *Catalog) typeAddress(kind pgast.ObjectType, object *pgast.Node) (Address, error) {
	name := object.GetTypeName()
	if name == nil {
		name = &pgast.TypeName{Names: object.GetList().GetItems()}
	}
	ref, err := c.findType(name)
	if err != nil {
		return Address{}, err
	}
	if ref.Array {
		e := errorf("2BP01", "cannot drop type %s because type %s requires it", c.typeText(ref), c.typeText(ref.element()))
		e.Hint = "You can drop type " + c.typeText(ref.element()) + " instead."
		return Address{}, e
	}
	t, _ := c.Get(ref.OID).(*Type)
	if kind == pgast.ObjectType_OBJECT_DOMAIN && (t == nil || t.Kind != DomainType && !t.Assumed) {
		return Address{}, errorf("42809", "%s is not a domain", quoteMessage(c.typeText(ref)))
	}
	if r, ok := c.Get(ref.OID).(*Relation); ok {
		e := errorf("2BP01", "cannot drop type %s because %s requires it", c.typeText(ref), c.describe(Address{OID: r.OID}, false))
		e.Hint = "You can drop " + c.describe(Address{OID: r.OID}, false) + " instead."
		return Address{}, e
	}
	return Address{OID: ref.OID}, nil
}

// functionWithArgs is LookupFuncWithArgs: f(integer), or just f when there is only one. nil without an error: an open
// catalog has not seen it.
func (c *Catalog) functionWithArgs(kind pgast.ObjectType, o *pgast.ObjectWithArgs) (*Func, error) {
	names := stringList(o.GetObjname())
	if len(names) == 0 {
		return nil, errorf(NotUnderstood, "a function without a name")
	}
	schema, name := "", names[len(names)-1]
	if len(names) > 1 {
		schema = names[len(names)-2]
		if c.SchemaNamed(schema) == nil && !c.Open {
			return nil, errorf("3F000", "schema %s does not exist", quoteMessage(schema))
		}
	}
	word := map[pgast.ObjectType]string{pgast.ObjectType_OBJECT_PROCEDURE: "procedure", pgast.ObjectType_OBJECT_AGGREGATE: "aggregate"}[kind]
	if word == "" {
		word = "function"
	}
	list := c.functionsNamed(schema, name)
	ofKind := func(f *Func) bool {
		switch kind {
		case pgast.ObjectType_OBJECT_PROCEDURE:
			return f.Kind == Procedure
		case pgast.ObjectType_OBJECT_FUNCTION:
			return f.Kind != Procedure
		}
		return true
	}
	if o.ArgsUnspecified {
		var found *Func
		for _, f := range list {
			if !ofKind(f) {
				continue
			}
			if found != nil {
				return nil, &Error{
					Code: "42725", Message: word + " name " + quoteMessage(strings.Join(names, ".")) + " is not unique",
					Hint: "Specify the argument list to select the " + word + " unambiguously.", Object: Name{schema, name},
				}
			}
			found = f
		}
		if found == nil {
			if c.Open || c.hasUnknownExtension() {
				return nil, nil
			}
			return nil, &Error{Code: "42883", Message: "could not find a " + word + " named " + quoteMessage(strings.Join(names, ".")), Object: Name{schema, name}}
		}
		return found, c.checkRoutine(found, kind, names)
	}
	var args []TypeRef
	for _, n := range o.Objargs {
		t, err := c.findType(n.GetTypeName())
		if err != nil {
			return nil, err
		}
		args = append(args, t.bare())
	}
	var all []TypeRef // with OUT arguments, which a procedure may be named with
	for _, n := range o.Objfuncargs {
		p := n.GetFunctionParameter()
		t, err := c.findType(p.GetArgType())
		if err != nil {
			return nil, err
		}
		if p.Mode != pgast.FunctionParameterMode_FUNC_PARAM_TABLE {
			all = append(all, t.bare())
		}
	}
	for _, f := range list {
		if sameTypes(f.inputTypes(), args) && ofKind(f) {
			return f, c.checkRoutine(f, kind, names)
		}
	}
	for _, f := range list {
		if f.Kind == Procedure && ofKind(f) && sameTypes(f.allTypes(), all) {
			return f, nil
		}
	}
	for _, f := range list {
		if sameTypes(f.inputTypes(), args) {
			return nil, c.checkRoutine(f, kind, names)
		}
	}
	if c.Open || c.hasUnknownExtension() {
		return nil, nil
	}
	b := c.newBinder()
	return nil, &Error{Code: "42883", Message: word + " " + b.signature(names, args, nil) + " does not exist", Object: Name{schema, name}}
}

// checkRoutine refuses a function that is not of the kind named.
func (c *Catalog) checkRoutine(f *Func, kind pgast.ObjectType, names []string) error {
	what := ""
	switch {
	case kind == pgast.ObjectType_OBJECT_AGGREGATE && f.Kind != Aggregate:
		what = "an aggregate"
		return errorf("42809", "function %s is not %s", c.newBinder().signature(names, f.inputTypes(), nil), what)
	case kind == pgast.ObjectType_OBJECT_FUNCTION && f.Kind == Procedure:
		what = "a function"
	case kind == pgast.ObjectType_OBJECT_PROCEDURE && f.Kind != Procedure:
		what = "a procedure"
	default:
		return nil
	}
	return errorf("42809", "%s is not %s", c.newBinder().signature(names, f.inputTypes(), nil), what)
}

// inputTypes lists the types that tell overloads apart.
func (f *Func) inputTypes() []TypeRef {
	in := f.inputs()
	types := make([]TypeRef, len(in))
	for i, a := range in {
		types[i] = a.Type.bare()
	}
	return types
}

func (f *Func) allTypes() []TypeRef {
	types := make([]TypeRef, len(f.Args))
	for i, a := range f.Args {
		types[i] = a.Type.bare()
	}
	return types
}

// operatorAddress finds an operator by name and operand types; a missing operand is a prefix operator's.
func (c *Catalog) operatorAddress(o *pgast.ObjectWithArgs) (Address, error) {
	schema, name := splitOperator(o.GetObjname())
	var args [2]TypeRef
	for i, n := range o.GetObjargs() {
		if i < 2 && n.GetTypeName() != nil {
			t, err := c.resolveType(n.GetTypeName())
			if err != nil {
				return Address{}, err
			}
			args[i] = t.bare()
		}
	}
	for _, op := range c.operatorsNamed(schema, name, !args[0].known()) {
		if op.Left.bare() == args[0] && op.Right.bare() == args[1] {
			return Address{OID: op.oid}, nil
		}
	}
	shell := &Other{Kind: "operator", Name: c.operatorSignature(&Operator{Name: name, Left: args[0], Right: args[1]})}
	for _, shell.Schema = range c.path(schema) {
		if oid, ok := c.names.Get(nameKeyOf(shell)); ok {
			return Address{OID: oid}, nil
		}
	}
	if c.Open || c.hasUnknownExtension() {
		return Address{}, nil
	}
	text := name + " " + c.typeText(args[1])
	if args[0].known() {
		text = c.typeText(args[0]) + " " + text
	}
	return Address{}, errorf("42883", "operator does not exist: %s", text)
}

// partAddress finds a trigger, rule, policy or constraint: names are those of the relation, then its own.
func (c *Catalog) partAddress(kind pgast.ObjectType, names []string) (Address, error) {
	name := names[len(names)-1]
	rv := &pgast.RangeVar{Relname: names[len(names)-2]}
	if len(names) > 2 {
		rv.Schemaname = names[len(names)-3]
	}
	rel, err := c.lookupRelation(rv)
	if err != nil {
		return Address{}, err
	}
	for o := range c.childrenOf(rel.OID) {
		if o.ObjectName() != name {
			continue
		}
		switch o := o.(type) {
		case *Trigger:
			if kind == pgast.ObjectType_OBJECT_TRIGGER {
				return Address{OID: o.OID}, nil
			}
		case *Rule:
			if kind == pgast.ObjectType_OBJECT_RULE {
				return Address{OID: o.OID}, nil
			}
		case *Policy:
			if kind == pgast.ObjectType_OBJECT_POLICY {
				return Address{OID: o.OID}, nil
			}
		case *Constraint:
			if kind == pgast.ObjectType_OBJECT_TABCONSTRAINT && o.Table == rel.OID {
				return Address{OID: o.OID}, nil
			}
		}
	}
	if rel.Assumed {
		return Address{}, nil
	}
	switch kind {
	case pgast.ObjectType_OBJECT_TRIGGER:
		return Address{}, errorf("42704", "trigger %s for table %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
	case pgast.ObjectType_OBJECT_RULE:
		return Address{}, errorf("42704", "rule %s for relation %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
	case pgast.ObjectType_OBJECT_POLICY:
		return Address{}, errorf("42704", "policy %s for table %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
	}
	return Address{}, errorf("42704", "constraint %s for table %s does not exist", quoteMessage(name), quoteMessage(rel.Name))
}

func (c *Catalog) castAddress(object *pgast.Node) (Address, error) {
	items := object.GetList().GetItems()
	source, err := c.resolveType(items[0].GetTypeName())
	if err != nil {
		return Address{}, err
	}
	target, err := c.resolveType(items[1].GetTypeName())
	if err != nil {
		return Address{}, err
	}
	if oid, ok := c.names.Get(nameKey(inOthers, 0, "cast\x00"+c.castName(source, target))); ok {
		return Address{OID: oid}, nil
	}
	if c.Open {
		return Address{}, nil
	}
	return Address{}, errorf("42704", "cast from type %s to type %s does not exist", c.typeText(source), c.typeText(target))
}

// otherAddress finds an Other by its possibly qualified name; operator classes and families have the access method first.
func (c *Catalog) otherAddress(kind string, object *pgast.Node) (Address, error) {
	names := []string{object.GetString_().GetSval()}
	method := ""
	if items := object.GetList().GetItems(); len(items) > 0 {
		names = stringList(items)
		if kind == "operator class" || kind == "operator family" {
			method, names = names[0], names[1:]
		}
	}
	o, err := c.otherOfMethod(kind, names, method)
	if o == nil || err != nil {
		return Address{}, err
	}
	return Address{OID: o.OID}, nil
}

// otherNamed finds an Other, nil without an error when an open catalog may have it.
func (c *Catalog) otherNamed(kind string, names []string) (*Other, error) {
	return c.otherOfMethod(kind, names, "")
}

// otherOfMethod is otherNamed for operator classes and families, which have names per access method.
func (c *Catalog) otherOfMethod(kind string, names []string, method string) (*Other, error) {
	suffix := ""
	if method != "" {
		suffix = "\x00" + method
	}
	schema, name := "", names[len(names)-1]
	if len(names) > 1 {
		schema = names[len(names)-2]
		if c.SchemaNamed(schema) == nil && !c.Open {
			return nil, errorf("3F000", "schema %s does not exist", quoteMessage(schema))
		}
	}
	for _, s := range append([]OID{0}, c.path(schema)...) {
		if oid, ok := c.names.Get(nameKey(inOthers, s, kind+"\x00"+name+suffix)); ok {
			o, _ := c.Get(oid).(*Other)
			return o, nil
		}
	}
	if c.Open || c.hasUnknownExtension() {
		return nil, nil
	}
	text := strings.Join(names, ".")
	switch kind {
	case "collation":
		if knownCollation(name) {
			return nil, nil
		}
		return nil, errorf("42704", "collation %s for encoding \"UTF8\" does not exist", quoteMessage(text))
	case "language":
		if builtinLanguage(name) {
			return nil, nil
		}
	case "statistics":
		return nil, errorf("42704", "statistics object %s does not exist", quoteMessage(text))
	}
	if method != "" {
		return nil, errorf("42704", "%s %s does not exist for access method %s", kind, quoteMessage(text), quoteMessage(method))
	}
	return nil, errorf("42704", "%s %s does not exist", kind, quoteMessage(text))
}
