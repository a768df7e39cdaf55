package catalog

import (
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Body is what the body of a function sends to the server. One in PL/pgSQL, or a string in SQL, is looked up when it is called, and
// PL/pgSQL does so statement by statement (plpgsql-implementation.html): it follows no rename, and nothing keeps what it names from
// being dropped. A body of BEGIN ATOMIC is stored like a view, and has no Body.
type Body struct {
	Statements []BodyStatement
	// Unknown says what of it is not known, for a person.
	Unknown []string
	// Makes are the relations that it creates itself.
	Makes map[string]bool

	function *Func
	vars     map[string]bodyVariable
	labels   map[string]bool
	records  map[string][]int // by record: the statements whose rows it gets, -1 for what is not known
	unread   bool             // it could not be parsed
	sets     map[string]bool  // the columns of NEW that it gives a value, "" for the row as a whole
	prefers  bool             // #variable_conflict says which of a column and a variable is meant: none is ambiguous
}

// BodyStatement is a statement of a body, or an expression as a SELECT of it.
type BodyStatement struct {
	pgast.Stmt
	// Maybe: whether the call comes to it depends on values and rows, or the body catches what goes wrong there.
	Maybe bool
	// Expression: it is an expression of the body.
	Expression bool
	// Returned: its rows are what the function returns, and must be like what it is declared to return.
	Returned bool

	declares string // the type of a variable, of no statement: the server looks it up at the first call
}

// bodyVariable is a name that the expressions of a body may use besides columns.
type bodyVariable struct {
	typ      TypeRef // of an argument
	declared string  // the type as DECLARE has it, "" for what is not known
	certain  bool    // it is visible in the whole body
}

// code is what is kept with a function of its body.
type code struct {
	made *Catalog // the schema that it was made on
	read func() *Body
}

// keepBody notes the schema that a function is made on, the function included.
func (c *Catalog) keepBody(f *Func) {
	if f.BodyNode == nil && (f.Language == "plpgsql" || f.Language == "sql") {
		made := c.Clone()
		f.code = &code{made, sync.OnceValue(func() *Body { return readBody(made, f) })}
	}
}

// Sends reads the body of a function, nil for one that is the server's, that is not known, or of which nothing has to be looked up. The catalog
// is the schema that it was made on.
func (f *Func) Sends() (*Body, *Catalog) {
	if f.code == nil || f.Assumed {
		return nil, nil
	}
	body := *f.code.read()
	body.function = f
	return &body, f.code.made
}

func readBody(c *Catalog, f *Func) *Body {
	b := &Body{function: f, vars: map[string]bodyVariable{}, labels: map[string]bool{f.Name: true}, sets: map[string]bool{}, Makes: map[string]bool{}}
	for _, a := range f.Args {
		if a.Name != "" {
			b.vars[a.Name] = bodyVariable{typ: a.Type, certain: true}
		}
	}
	if f.Language == "sql" {
		b.sql(f)
	} else if tree, err := parsePL(c.functionSQL(f)); err != nil {
		b.unread = true
		b.unknown("the body could not be read: " + err.Error())
	} else {
		b.plpgsql(tree)
	}
	for i := range b.Statements {
		b.makes(b.Statements[i].Node)
	}
	return b
}

// Sets reports whether the function of a trigger may give a column of NEW another value.
func (b *Body) Sets(column string) bool { return b.unread || b.sets[""] || b.sets[column] }

func (b *Body) unknown(what string) { b.Unknown = append(b.Unknown, what) }

// sql lists the statements of a body in SQL, which are all looked up before the first of them runs (init_execution_state in
// src/backend/executor/functions.c).
func (b *Body) sql(f *Func) {
	stmts, err := pgast.Parse(f.Body)
	if err != nil {
		b.unknown(err.Error())
		return
	}
	for i, stmt := range stmts {
		b.Statements = append(b.Statements, BodyStatement{Stmt: stmt, Returned: i == len(stmts)-1 && f.Returns.OID != typeVoid})
	}
}

// makes notes a relation that a statement creates.
func (b *Body) makes(n *pgast.Node) {
	switch n := n.GetNode().(type) {
	case *pgast.Node_CreateStmt:
		b.Makes[n.CreateStmt.Relation.GetRelname()] = true
	case *pgast.Node_CreateTableAsStmt:
		b.Makes[n.CreateTableAsStmt.Into.GetRel().GetRelname()] = true
	case *pgast.Node_ViewStmt:
		b.Makes[n.ViewStmt.View.GetRelname()] = true
	}
}

// AnalyzeBody is [Catalog.Analyze] for statement i of a body, which runs for a call, or for a row or statement of a trigger's table.
// Its variables have the types that they are declared to have, as far as that is known, and are not known otherwise. It is nil without an error
// for a statement that is not looked up before it runs. Of a variable that is declared as table.column%TYPE, Columns is that column.
func (c *Catalog) AnalyzeBody(body *Body, i int, t *Trigger) (*Analysis, error) {
	stmt := body.Statements[i]
	if stmt.Node != nil && !looksUp(stmt.Node) {
		return nil, nil
	}
	scratch := c
	if len(body.function.Settings) > 0 || c.Open || c.hasUnknownExtension() {
		scratch = c.Clone()
		scratch.withSettings(body.function.Settings)
	}
	b := scratch.bodyBinder(body.function)
	b.ask = &asked{untyped: true, all: true}
	for i := range b.params {
		if isPolymorphic(b.params[i].typ) {
			b.params[i].typ = TypeRef{}
		}
	}
	if body.function.Language == "plpgsql" {
		b.vars = &bodyNames{Body: body, trigger: t}
	}
	if stmt.declares != "" {
		t, table, err := b.declared(stmt.declares)
		if err != nil {
			return nil, asError(err)
		}
		a := &Analysis{Refs: []Address{{OID: table}}}
		if name := declaredType(stmt.declares); name.GetPctType() {
			column := stringsOf(name.Names)
			if rel, ok := scratch.Get(table).(*Relation); ok && rel.Column(column[len(column)-1]) != nil {
				a.Columns = []OutputColumn{{Name: column[len(column)-1], Type: t, Origin: Address{table, rel.Column(column[len(column)-1]).Num}}}
			}
		}
		return a, nil
	}
	return b.analyze(withTransitions(stmt.Stmt, scratch, t), func(q *boundQuery) error {
		if stmt.Returned {
			return b.returns(body.function, q)
		}
		return nil
	})
}

// looksUp reports whether a statement is about what is there, and changes no schema.
func looksUp(n *pgast.Node) bool {
	return isData(n) || n.GetCallStmt() != nil || n.GetTruncateStmt() != nil || n.GetRefreshMatViewStmt() != nil
}

// bodyNames are the names that an expression of a body may use.
type bodyNames struct {
	*Body
	trigger *Trigger
}

// conflicts reports whether a name is a variable's for certain, and not said to be a column's where it may be both.
func (n *bodyNames) conflicts(name string) bool {
	return n != nil && !n.prefers && n.vars[name].certain
}

// variable finds a variable of a body, or a field of one.
func (b *binder) variable(names []string) (value, bool) {
	if b.vars.labels[names[0]] && len(names) > 1 {
		if _, shadowed := b.vars.vars[names[0]]; !shadowed {
			names = names[1:]
		}
	}
	if t := b.vars.trigger; t != nil && (names[0] == "new" || names[0] == "old") {
		return b.rowVariable(t, names), true
	}
	v, ok := b.vars.vars[names[0]]
	if !ok {
		return value{}, false
	}
	typ := v.typ
	if v.declared != "" {
		typ, _, _ = b.declared(v.declared) // an error of its own statement
	}
	if list := b.vars.records[names[0]]; len(names) > 1 && len(list) > 0 {
		return b.recordField(names[0], names[1], list), true
	}
	out := value{typ: typ}
	if isPolymorphic(typ) || typ.OID == typeRecord {
		out.typ = TypeRef{}
	}
	for _, f := range names[1:] {
		if b.c.compositeOf(out.typ) == nil {
			return value{}, true // of a record, which has the fields that it gets
		}
		var err error
		if out, err = b.field(out, f); err != nil {
			b.fails(err)
			return value{}, true
		}
	}
	return out, true
}

// rowVariable is NEW or OLD, or a column of it ("record "new" has no field": make_datum_param and exec_assign_value in
// src/pl/plpgsql/src).
func (b *binder) rowVariable(t *Trigger, names []string) value {
	rel := b.c.relationByOID(t.Table)
	if rel == nil || !t.Row || rel.Assumed {
		return value{}
	}
	row := value{typ: scalar(rel.OID)}
	if len(names) == 1 {
		return row
	}
	col := rel.Column(names[1])
	if col == nil {
		b.fails(&Error{Code: "42703", Message: "record " + quoteMessage(names[0]) + " has no field " + quoteMessage(names[1]), Object: b.c.nameOf(rel), Column: names[1]})
		return value{}
	}
	v := value{typ: col.Type, collation: col.Collation} // of the row at hand: nothing is read of the table
	for _, f := range names[2:] {
		var err error
		if v, err = b.field(v, f); err != nil {
			b.fails(err)
			return value{}
		}
	}
	return v
}

// recordField is a field of a record, which has the columns of the queries that it gets rows of (make_datum_param and
// plpgsql_exec_get_datum_type in src/pl/plpgsql/src).
func (b *binder) recordField(record, field string, queries []int) value {
	var typ TypeRef
	found := false
	for _, i := range queries {
		if i < 0 {
			return value{}
		}
		body := *b.vars.Body
		body.records = nil // of the query's own nothing is asked in turn
		inner := b.c.bodyBinder(body.function)
		inner.ask, inner.vars = &asked{untyped: true, all: true}, &bodyNames{Body: &body, trigger: b.vars.trigger}
		q, err := inner.statement(withTransitions(body.Statements[i].Stmt, b.c, b.vars.trigger).Node)
		if err != nil || q == nil || q.open || len(inner.ask.errors) > 0 || inner.failed != nil {
			return value{}
		}
		for _, col := range q.cols {
			if col.name == field {
				found, typ = true, col.typ
			}
		}
	}
	if !found {
		b.fails(&Error{Code: "42703", Message: "record " + quoteMessage(record) + " has no field " + quoteMessage(field), Column: field})
	}
	if len(queries) > 1 {
		typ = TypeRef{}
	}
	return value{typ: typ}
}

// fails notes an error where none can be answered.
func (b *binder) fails(err error) {
	if err = b.goOn(locate(err, b.at)); err != nil && b.failed == nil {
		b.failed = err
	}
}

// declared is a type as DECLARE writes it: table.column%TYPE and table%ROWTYPE too, with the table.
func (b *binder) declared(text string) (t TypeRef, table OID, err error) {
	text, row := cutSuffixFold(strings.TrimSpace(text), "%rowtype")
	name := declaredType(text)
	if name == nil {
		return TypeRef{}, 0, nil
	}
	names := name.Names
	if name.PctType {
		names = names[:len(names)-1]
	}
	if row || name.PctType && len(names) > 0 {
		rel, err := b.relation(rangeVarOf(names))
		if err != nil {
			return TypeRef{}, 0, err
		}
		if table = rel.OID; row {
			return scalar(table), table, nil
		}
	}
	t, err = b.c.findType(name)
	return t, table, err
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n >= 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n], true
	}
	return s, false
}

// declaredType parses a type, nil for what is none.
func declaredType(text string) *pgast.TypeName {
	stmts, err := pgast.Parse("CREATE FUNCTION f(a " + text + ") RETURNS void LANGUAGE sql AS ''")
	if err != nil || len(stmts) != 1 {
		return nil
	}
	params := stmts[0].Node.GetCreateFunctionStmt().GetParameters()
	if len(params) != 1 {
		return nil
	}
	return params[0].GetFunctionParameter().GetArgType()
}

// withTransitions puts the trigger's table in the place of the transition tables that its function may read.
func withTransitions(stmt pgast.Stmt, c *Catalog, t *Trigger) pgast.Stmt {
	if t == nil || t.OldTable == "" && t.NewTable == "" {
		return stmt
	}
	table := c.NameOf(t.Table)
	stmt.Node = pgast.Clone(stmt.Node)
	pgast.Walk(stmt.Node, func(n *pgast.Node) bool {
		if rv := n.GetRangeVar(); rv != nil && rv.Schemaname == "" && (rv.Relname == t.OldTable || rv.Relname == t.NewTable) {
			if rv.Alias == nil {
				rv.Alias = &pgast.Alias{Aliasname: rv.Relname}
			}
			rv.Schemaname, rv.Relname = table.Schema, table.Name
		}
		return true
	})
	return stmt
}

// returns compares the rows that a function returns with what it is declared to return. Of PL/pgSQL the types must be the same
// (convert_tuples_by_position in src/backend/access/common/attmap.c); of SQL they are converted by assignment (check_sql_fn_retval in
// src/backend/executor/functions.c).
func (b *binder) returns(f *Func, q *boundQuery) error {
	if q == nil || q.open {
		return nil
	}
	var want []TypeRef
	switch rel := b.c.compositeOf(f.Returns); {
	case len(f.outputs()) > 0:
		for _, a := range f.outputs() {
			want = append(want, a.Type)
		}
	case f.Returns.OID == typeRecord || f.Returns.OID == typeTrigger:
		return nil
	case rel != nil && rel.Assumed:
		return nil
	case rel != nil:
		if len(q.cols) == 1 && b.c.compositeOf(q.cols[0].typ) == rel {
			return nil // the row as a whole
		}
		for i := range rel.Columns {
			if !rel.Columns[i].Dropped {
				want = append(want, rel.Columns[i].Type)
			}
		}
	default:
		want = []TypeRef{f.Returns}
	}
	plain := f.Language == "plpgsql"
	fails := func(detail string) error {
		if plain {
			return &Error{Code: "42804", Message: "structure of query does not match function result type", Detail: detail}
		}
		return &Error{Code: "42P13", Message: "return type mismatch in function declared to return " + b.c.typeText(f.Returns), Detail: detail}
	}
	if len(q.cols) != len(want) {
		return fails("Number of returned columns (" + itoa(len(q.cols)) + ") does not match expected column count (" + itoa(len(want)) + ").")
	}
	for i, t := range want {
		got := q.cols[i].typ
		if !got.known() || !t.known() || isPolymorphic(t) {
			continue
		}
		if got.OID == typeUnknown {
			got = scalar(typeText)
			if !plain {
				continue
			}
		}
		ok := got.bare() == t.bare()
		if !plain {
			ok = ok || b.c.canCoerce(got, t, byAssignment)
		}
		if !ok {
			return fails("Returned type " + b.c.typeText(got) + " does not match expected type " + b.c.typeText(t) + " in column " + itoa(i+1) + ".")
		}
	}
	return nil
}
