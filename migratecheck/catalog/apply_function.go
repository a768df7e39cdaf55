package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// builtinLanguage names the languages of every database; of the others in Debian's packages a database has none until
// CREATE EXTENSION or CREATE LANGUAGE.
func builtinLanguage(name string) bool {
	return name == "sql" || name == "plpgsql" || name == "c" || name == "internal"
}

// applyCreateFunction is CreateFunction (src/backend/commands/functioncmds.c).
func (c *Catalog) applyCreateFunction(n *pgast.CreateFunctionStmt, eff *Effects) error {
	rv := rangeVarOf(n.Funcname)
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	f := &Func{Schema: schema, Name: rv.Relname, Kind: Function, Volatility: Volatile, Parallel: 'u', BodyNode: n.SqlBody}
	if n.IsProcedure {
		f.Kind = Procedure
	}
	if err := c.functionOptions(f, n.Options); err != nil {
		return err
	}
	if f.Language == "" {
		if n.SqlBody == nil {
			return errorf("42P13", "no language specified")
		}
		f.Language = "sql"
	}
	if !builtinLanguage(f.Language) {
		if _, err := c.otherNamed("language", []string{f.Language}); err != nil {
			e := err.(*Error)
			e.Message = "language " + quoteMessage(f.Language) + " does not exist"
			if slices.Contains([]string{"plpython3u", "plperl", "plperlu", "pltcl", "pltclu"}, f.Language) {
				e.Hint = "Use CREATE EXTENSION to load the language into the database."
			}
			return e
		}
	}
	native := f.Language == "c" || f.Language == "internal"
	if err := c.functionArgs(f, n.Parameters); err != nil {
		return err
	}
	if err := c.functionResult(f, n.ReturnType, native, eff); err != nil {
		return err
	}
	if err := checkPolymorphicResult(f); err != nil {
		return err
	}
	if f.BodyNode == nil && f.Body == "" && !hasOption(n.Options, "as") {
		return errorf("42P13", "no function body specified")
	}
	var bodyRefs []Address
	if f.BodyNode != nil {
		b := c.bodyBinder(f)
		if err := b.statements(f.BodyNode); err != nil {
			return err
		}
		bodyRefs = b.sortedRefs()
	}
	if err := c.defineFunction(f, n.Replace, bodyRefs, eff); err != nil || f.BodyNode != nil {
		return err
	}
	return c.checkBody(f) // which may call the function itself
}

// checkPolymorphicResult is check_valid_polymorphic_signature: a polymorphic result needs an argument to tell its type.
func checkPolymorphicResult(f *Func) error {
	simple, compatible, ranges, compatibleRanges := false, false, false, false
	for _, a := range f.inputs() {
		switch a.Type.OID {
		case typeAnyelement, typeAnyarray, typeAnynonarray, typeAnyenum:
			simple = true
		case typeAnyrange, typeAnymultirange:
			simple, ranges = true, true
		case typeAnycompatible, typeAnycompatiblearray, typeAnycompatiblenonarray:
			compatible = true
		case typeAnycompatiblerange, typeAnycompatiblemultirange:
			compatible, compatibleRanges = true, true
		}
	}
	results := []TypeRef{f.Returns}
	for _, a := range f.outputs() {
		results = append(results, a.Type)
	}
	for _, t := range results {
		ok := true
		detail := ""
		switch t.OID {
		case typeAnyelement, typeAnyarray, typeAnynonarray, typeAnyenum:
			ok, detail = simple, "A result of type anyelement requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange."
		case typeAnyrange, typeAnymultirange:
			ok, detail = ranges, "A result of type anyrange requires at least one input of type anyrange or anymultirange."
		case typeAnycompatible, typeAnycompatiblearray, typeAnycompatiblenonarray:
			ok, detail = compatible, "A result of type anycompatible requires at least one input of type anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange."
		case typeAnycompatiblerange, typeAnycompatiblemultirange:
			ok, detail = compatibleRanges, "A result of type anycompatiblerange requires at least one input of type anycompatiblerange or anycompatiblemultirange."
		}
		if !ok {
			return &Error{Code: "42P13", Message: "cannot determine result data type", Detail: detail}
		}
	}
	return nil
}

func hasOption(options []*pgast.Node, name string) bool {
	return slices.ContainsFunc(options, func(n *pgast.Node) bool { return n.GetDefElem().GetDefname() == name })
}

// defineFunction is ProcedureCreate (src/backend/catalog/pg_proc.c).
func (c *Catalog) defineFunction(f *Func, replace bool, refs []Address, eff *Effects) error {
	if oid, taken := c.names.Get(nameKeyOf(f)); taken {
		old, _ := c.Get(oid).(*Func)
		if !replace {
			return &Error{Code: "42723", Message: "function " + quoteMessage(f.Name) + " already exists with same argument types", Object: c.NameOf(oid)}
		}
		if old != nil && !old.Assumed {
			if err := c.checkReplace(old, f); err != nil {
				return err
			}
		}
		f.OID = oid
		c.dropDeps(oid, func(d Dep) bool { return d.Type != DepExtension })
	} else {
		f.OID = c.newOID()
	}
	c.put(f)
	c.addFunctionDeps(f)
	c.addDeps(Address{OID: f.OID}, refs, DepNormal)
	c.keepBody(f)
	return nil
}

// addFunctionDeps records the types and defaults that a function needs.
func (c *Catalog) addFunctionDeps(f *Func) {
	at := Address{OID: f.OID}
	c.addDep(at, Address{OID: f.Returns.OID}, DepNormal)
	for _, a := range f.Args {
		c.addDep(at, Address{OID: a.Type.OID}, DepNormal)
		if a.Default != nil {
			c.addDeps(at, a.Default.Refs, DepNormal)
		}
	}
	if oid, ok := c.names.Get(nameKey(inOthers, 0, "language\x00"+f.Language)); ok {
		c.addDep(at, Address{OID: oid}, DepNormal)
	}
}

// checkReplace refuses what OR REPLACE may not change.
func (c *Catalog) checkReplace(old, f *Func) error {
	b := c.newBinder()
	refuse := func(message, detail string) error {
		word := "FUNCTION"
		switch old.Kind {
		case Procedure:
			word = "PROCEDURE"
		case Aggregate:
			word = "AGGREGATE"
		}
		return &Error{
			Code: "42P13", Message: message, Detail: detail,
			Hint: "Use DROP " + word + " " + b.signature([]string{f.Name}, f.inputTypes(), nil) + " first.", Object: c.NameOf(old.OID),
		}
	}
	if old.Kind != f.Kind {
		word := map[FunctionKind]string{Function: "a function", Procedure: "a procedure", Aggregate: "an aggregate function", Window: "a window function"}[old.Kind]
		return &Error{Code: "42809", Message: "cannot change routine kind", Detail: quoteMessage(f.Name) + " is " + word + "."}
	}
	if old.Returns.bare() != f.Returns.bare() || old.ReturnsSet != f.ReturnsSet {
		if f.Kind == Procedure {
			return refuse("cannot change whether a procedure has output parameters", "")
		}
		return refuse("cannot change return type of existing function", "")
	}
	if f.Returns.OID == typeRecord {
		same := slices.EqualFunc(old.outputs(), f.outputs(), func(x, y FuncArg) bool { return x.Type.bare() == y.Type.bare() && x.Name == y.Name })
		if !same {
			return refuse("cannot change return type of existing function", "Row type defined by OUT parameters is different.")
		}
	}
	oldIn, newIn := old.inputs(), f.inputs()
	for i, a := range oldIn {
		if i < len(newIn) && a.Name != "" && a.Name != newIn[i].Name {
			return refuse("cannot change name of input parameter "+quoteMessage(a.Name), "")
		}
	}
	for i, a := range oldIn {
		if a.Default != nil && i < len(newIn) && newIn[i].Default == nil {
			return refuse("cannot remove parameter defaults from existing function", "")
		}
	}
	return nil
}

// functionArgs reads the parameters (interpret_function_parameter_list).
func (c *Catalog) functionArgs(f *Func, params []*pgast.Node) error {
	variadic, defaults := false, false
	for _, node := range params {
		p := node.GetFunctionParameter()
		a := FuncArg{Name: p.Name, Mode: 'i'}
		switch p.Mode {
		case pgast.FunctionParameterMode_FUNC_PARAM_OUT:
			a.Mode = 'o'
		case pgast.FunctionParameterMode_FUNC_PARAM_INOUT:
			a.Mode = 'b'
		case pgast.FunctionParameterMode_FUNC_PARAM_VARIADIC:
			a.Mode = 'v'
		case pgast.FunctionParameterMode_FUNC_PARAM_TABLE:
			a.Mode = 't'
		}
		t, err := c.findType(p.ArgType)
		if err != nil {
			return err
		}
		if ty := c.typeByOID(t.OID); ty != nil && ty.Shell && f.Language == "sql" {
			return errorf("42P13", "SQL function cannot accept shell type %s", typeNameText(p.ArgType))
		}
		if p.ArgType.Setof {
			return errorf("42P13", "functions cannot accept set arguments")
		}
		a.Type = t.bare()
		input := a.Mode != 'o' && a.Mode != 't'
		if input && variadic {
			return errorf("42P13", "VARIADIC parameter must be the last input parameter")
		}
		if a.Mode == 'v' {
			variadic = true
			if !a.Type.Array && a.Type.OID != typeAny && a.Type.OID != typeAnyarray && a.Type.OID != typeAnycompatiblearray && !c.assumedType(a.Type) {
				return errorf("42P13", "VARIADIC parameter must be an array")
			}
		}
		if a.Name != "" {
			for _, other := range f.Args {
				if other.Name == a.Name && !separate(a.Mode, other.Mode) {
					return errorf("42P13", "parameter name %s used more than once", quoteMessage(a.Name))
				}
			}
		}
		switch {
		case p.Defexpr != nil && !input:
			return errorf("42P13", "only input parameters can have default values")
		case p.Defexpr != nil:
			if a.Default, err = c.parameterDefault(p.Defexpr, a.Type); err != nil {
				return err
			}
			defaults = true
		case input && defaults:
			return errorf("42P13", "input parameters after one with a default value must also have defaults")
		}
		f.Args = append(f.Args, a)
	}
	return nil
}

// separate: an IN and an OUT or TABLE parameter may share a name; INOUT ones count as both.
func separate(a, b byte) bool {
	in := func(m byte) bool { return m == 'i' || m == 'v' }
	out := func(m byte) bool { return m == 'o' || m == 't' }
	return in(a) && out(b) || in(b) && out(a)
}

func (c *Catalog) parameterDefault(node *pgast.Node, target TypeRef) (*Expr, error) {
	b := c.newBinder()
	b.columns = "cannot use table references in parameter default value"
	v, err := b.bindExpr(node, &scope{})
	if err != nil {
		return nil, err
	}
	if v.typ.known() && !isPolymorphic(target) && !c.canCoerce(v.typ, target, byAssignment) {
		return nil, errorf("42804", "argument of DEFAULT must be type %s, not type %s", c.typeText(target), c.typeText(v.typ))
	}
	if b.subqueries > 0 {
		return nil, errorf("0A000", "cannot use subquery in DEFAULT expression")
	}
	constant := v.constant
	if !isPolymorphic(target) {
		constant = b.coerce(v, target, byAssignment).constant
	}
	if b.failed != nil {
		return nil, b.failed
	}
	e := b.expr(node, v)
	e.Constant = constant
	return e, nil
}

// functionResult settles the result type from RETURNS and the OUT parameters.
func (c *Catalog) functionResult(f *Func, returns *pgast.TypeName, native bool, eff *Effects) error {
	var implied TypeRef
	switch out := f.outputs(); {
	case len(out) == 1 && f.Kind != Procedure:
		implied = out[0].Type
	case len(out) > 0:
		implied = scalar(typeRecord)
	}
	if f.Kind == Procedure {
		f.Returns = scalar(typeVoid)
		if implied.known() {
			f.Returns = implied
		}
		return nil
	}
	if returns == nil {
		if !implied.known() {
			return errorf("42P13", "function result type must be specified")
		}
		f.Returns = implied
		return nil
	}
	t, err := c.findType(returns)
	if err != nil {
		// A C function may return a type that its definition will use it for: that makes a shell type.
		e, ok := err.(*Error)
		if !native || !ok || e.Code != "42704" || returns.PctType || len(returns.Typmods) > 0 {
			return err
		}
		schema, serr := c.creationSchema(rangeVarOf(returns.Names))
		if serr != nil {
			return serr
		}
		name := rangeVarOf(returns.Names).Relname
		eff.note("type \"%s\" is not yet defined", typeNameText(returns))
		shell := &Type{OID: c.newOID(), Schema: schema, Name: name, Kind: PseudoType, Shell: true}
		c.put(shell)
		t = scalar(shell.OID)
	}
	if ty := c.typeByOID(t.OID); ty != nil && ty.Shell && f.Language == "sql" {
		return errorf("42P13", "SQL function cannot return shell type %s", typeNameText(returns))
	}
	f.Returns, f.ReturnsSet = t.bare(), returns.Setof
	if implied.known() && implied.bare() != f.Returns && !slices.ContainsFunc(f.Args, func(a FuncArg) bool { return a.Mode == 't' }) {
		return errorf("42P13", "function result type must be %s because of OUT parameters", c.typeText(implied))
	}
	return nil
}

// functionOptions reads the attributes of CREATE or ALTER FUNCTION.
func (c *Catalog) functionOptions(f *Func, options []*pgast.Node) error {
	seen := map[string]bool{}
	for _, node := range options {
		d := node.GetDefElem()
		if seen[d.Defname] && d.Defname != "set" {
			return errorf("42601", "conflicting or redundant options")
		}
		seen[d.Defname] = true
		if f.Kind == Procedure {
			switch d.Defname {
			case "volatility", "strict", "leakproof", "cost", "rows", "support", "parallel", "window":
				return errorf("42P13", "invalid attribute in procedure definition")
			}
		}
		on := d.Arg.GetBoolean().GetBoolval()
		switch d.Defname {
		case "as":
			if items := d.Arg.GetList().GetItems(); len(items) > 0 {
				// Of a C function the first is the library, the second the symbol: pg_proc.prosrc.
				f.Body = items[len(items)-1].GetString_().GetSval()
			}
		case "language":
			f.Language = d.Arg.GetString_().GetSval()
		case "volatility":
			f.Volatility = map[string]Volatility{"immutable": Immutable, "stable": Stable, "volatile": Volatile}[d.Arg.GetString_().GetSval()]
		case "strict":
			f.Strict = on
		case "security":
			f.SecurityDefiner = on
		case "leakproof":
			f.Leakproof = on
		case "window":
			if on {
				f.Kind = Window
			}
		case "parallel":
			word := d.Arg.GetString_().GetSval()
			if word != "safe" && word != "unsafe" && word != "restricted" {
				return errorf("42601", "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE")
			}
			f.Parallel = word[0]
		case "set":
			f.Settings = changeSettings(f.Settings, d.Arg.GetVariableSetStmt())
		}
	}
	return nil
}

// changeSettings applies a SET clause to proconfig.
func changeSettings(settings []string, s *pgast.VariableSetStmt) []string {
	if s == nil {
		return settings
	}
	if s.Kind == pgast.VariableSetKind_VAR_RESET_ALL {
		return nil
	}
	name := settingName(s.Name)
	out := slices.DeleteFunc(slices.Clone(settings), func(x string) bool { return strings.HasPrefix(x, name+"=") })
	if s.Kind == pgast.VariableSetKind_VAR_SET_VALUE {
		out = append(out, name+"="+settingText(s))
	}
	slices.Sort(out)
	return out
}

// applyAlterFunction is ALTER FUNCTION … with attributes; renaming and moving are elsewhere.
func (c *Catalog) applyAlterFunction(n *pgast.AlterFunctionStmt) error {
	old, err := c.functionWithArgs(n.Objtype, n.Func)
	if err != nil || old == nil {
		return err
	}
	if old.Kind == Aggregate {
		return errorf("42809", "%s is an aggregate function", quoteMessage(old.Name))
	}
	if old.OID < FirstUserOID {
		return nil
	}
	f := *old
	if err := c.functionOptions(&f, n.Actions); err != nil {
		return err
	}
	c.put(&f)
	return nil
}

// bodyBinder binds the statements of a function's body.
func (c *Catalog) bodyBinder(f *Func) *binder {
	b := c.newBinder()
	b.body, b.routine = true, f.Name
	for _, a := range f.inputs() {
		b.params = append(b.params, param{name: a.Name, typ: a.Type})
	}
	return b
}

// statements binds an SQL-standard body: RETURN, or a list of statements.
func (b *binder) statements(n *pgast.Node) error {
	switch n := n.GetNode().(type) {
	case *pgast.Node_ReturnStmt:
		_, err := b.bindExpr(n.ReturnStmt.Returnval, &scope{})
		return err
	case *pgast.Node_List:
		for _, item := range n.List.Items {
			if err := b.statements(item); err != nil {
				return err
			}
		}
		return nil
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		_, err := b.bindQuery(&pgast.Node{Node: n}, &scope{})
		return err
	}
	return nil
}

// isSyntaxError tells mistakes in a plpgsql body from what only libpg_query, which knows no types, stumbles over.
func isSyntaxError(err error) bool {
	for _, start := range []string{"syntax error at", "unexpected end of function definition", "unterminated ", "missing \"", "end label "} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

// checkBody is what the language's validator says of a string body when check_function_bodies is on: an SQL body is
// analysed, a plpgsql one only parsed.
func (c *Catalog) checkBody(f *Func) error {
	if v := c.Setting("check_function_bodies"); v == "off" || v == "false" {
		return nil
	}
	if f.Language == "plpgsql" && !strings.Contains(strings.ToLower(f.Body), "cursor") { // bound cursors confuse libpg_query
		if _, err := parsePL(c.functionSQL(f)); err != nil && isSyntaxError(err) {
			return err
		}
	}
	if f.Language != "sql" {
		return nil
	}
	stmts, err := pgast.Parse(f.Body)
	if err != nil {
		return errorf("42601", "%s", err)
	}
	for _, a := range f.Args {
		if isPolymorphic(a.Type) {
			return nil // bodies with polymorphic arguments are only parsed (fmgr_sql_validator)
		}
	}
	for _, stmt := range stmts {
		b := c.bodyBinder(f)
		if err := b.statements(stmt.Node); err != nil {
			return err
		}
	}
	return nil
}
