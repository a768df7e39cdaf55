package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// DDL and changes of rows hide in code: DO blocks, and functions that a migration calls. Their bodies are followed as far as
// they are static; of what is not, DDL is a gap in the Effects, and changes of rows are noted as if they were run.
//
//	plpgsql_run.go    statements
//	plpgsql_rows.go   changes of rows in what is passed over
//	plpgsql_eval.go   expressions, as far as they are constant
//	plpgsql_query.go  queries of the system catalogs, answered from ours
//	plpgsql_tables.go the system catalogs as tables

// maxCodeDepth bounds calls within calls, maxCodeSteps the statements run by one statement of the migration.
const (
	maxCodeDepth = 16
	maxCodeSteps = 10000
)

// changingWord finds the words, and calls, without which a body changes neither the schema nor rows. It is only a filter: the body is
// parsed afterwards.
var changingWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(create|alter|drop|execute|grant|revoke|comment|rename|truncate|reindex|cluster|refresh|security|import|perform|call|set_config|insert|update|delete|merge|copy|lock)\b|\bselect\s+\w|[\w"]\s*\(`)
})

// applyDo runs a DO block.
func (c *Catalog) applyDo(n *pgast.DoStmt, eff *Effects) error {
	language, body := "plpgsql", ""
	for _, node := range n.Args {
		switch d := node.GetDefElem(); d.Defname {
		case "language":
			language = d.Arg.GetString_().GetSval()
		case "as":
			body = d.Arg.GetString_().GetSval()
		}
	}
	if language != "plpgsql" {
		if !builtinLanguage(language) {
			if _, err := c.otherNamed("language", []string{language}); err != nil {
				return err
			}
		}
		eff.Gaps = append(eff.Gaps, "DO block in language "+language)
		return nil
	}
	tag := bodyTag(body)
	tree, err := parsePL("DO " + tag + body + tag)
	if err != nil {
		if !isSyntaxError(err) {
			return errorf(NotUnderstood, "the DO block could not be read: %s", err)
		}
		return err
	}
	r := &codeRunner{c: c, eff: eff, via: "DO block", at: Place{Body: body}, vars: map[string]plValue{}, steps: new(int)}
	return r.failed(r.function(tree))
}

// bodyTag is a dollar quote that does not occur in the body.
func bodyTag(body string) string {
	tag := "$body$"
	for i := 0; strings.Contains(body, tag); i++ {
		tag = fmt.Sprintf("$body%d$", i)
	}
	return tag
}

// plNode is an object of libpg_query's JSON.
type plNode map[string]any

// cursorRefused is what libpg_query, which looks up no type, says of OPEN, FETCH, MOVE and CLOSE of a variable that DECLARE calls a
// refcursor (cursor_variable in src/pl/plpgsql/src/pl_gram.y).
var cursorRefused = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^variable (".*") must be of type cursor or refcursor`)
})

// parsePL parses a DO statement or CREATE FUNCTION and returns the PLpgSQL_function.
func parsePL(sql string) (plNode, error) {
	text, err := pgast.PLpgSQL(sql)
	if err != nil {
		var syntax *pgast.SyntaxError
		if errors.As(err, &syntax) {
			if m := cursorRefused().FindStringSubmatch(syntax.Message); m != nil {
				return nil, errorf(NotUnderstood, "the parser known here has no types, and cannot tell whether variable %s is a cursor", m[1])
			}
			return nil, errorf("42601", "%s", syntax.Message)
		}
		return nil, errorf("42601", "%s", err)
	}
	var list []map[string]plNode
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) == 0 {
		return nil, errorf(NotUnderstood, "the parser's answer for a plpgsql body could not be read")
	}
	return list[0]["PLpgSQL_function"], nil
}

// applyCall is CALL p(…).
func (c *Catalog) applyCall(n *pgast.CallStmt, eff *Effects) error {
	b := c.newBinder()
	b.columns = callContext
	_, f, err := b.call(n.Funccall, &scope{})
	if err != nil {
		return err
	}
	if f == nil {
		if b.unknown {
			eff.Gaps = append(eff.Gaps, "CALL of a procedure that is not known")
		}
		return nil
	}
	r := &codeRunner{c: c, eff: eff, vars: map[string]plValue{}, steps: new(int)}
	return r.call(f, n.Funccall)
}

// applyQuery follows the functions that a query or a change of rows in the migration calls.
func (c *Catalog) applyQuery(n *pgast.Node, eff *Effects) error {
	r := &codeRunner{c: c, eff: eff, vars: map[string]plValue{}, steps: new(int)}
	return r.query(n)
}

// codeRunner runs one body.
type codeRunner struct {
	c    *Catalog
	eff  *Effects
	via  string
	at   Place // of the statement being run
	vars map[string]plValue
	// datums are the variables by number.
	datums  []string
	records map[string]bool // those that hold rows
	commits bool            // the body ends transactions itself
	mayEnd  bool            // before the statement being run: something not known has decided over a RETURN or EXIT
	loops   int             // that stand around the statement being run, also in the bodies that called this one
	steps   *int
	gaps    int // found in this body or those it called
}

func (r *codeRunner) gap(format string, args ...any) {
	r.gaps++
	text := fmt.Sprintf(format, args...)
	if r.via != "" {
		text = r.via + ": " + text
	}
	if !slices.Contains(r.eff.Gaps, text) {
		r.eff.Gaps = append(r.eff.Gaps, text)
		if r.via != "" {
			if r.eff.gapsIn == nil {
				r.eff.gapsIn = map[string]Place{}
			}
			r.eff.gapsIn[text] = r.at
		}
	}
}

// failed notes where a body has failed, unless one that it called has done so.
func (r *codeRunner) failed(err error) error {
	var e *Error
	if errors.As(err, &e) && e.In == nil {
		at := r.at
		e.In = &at
	}
	return err
}

// mayChange reports whether calling f could run DDL, or change rows.
func (r *codeRunner) mayChange(f *Func) bool {
	switch {
	case f.OID < FirstUserOID || f.Kind == Aggregate || f.Assumed:
		return false
	case f.Language != "plpgsql" && f.Language != "sql":
		return false
	}
	return f.BodyNode != nil || changingWord().MatchString(f.Body)
}

// query runs what a query does besides reading: the functions it calls.
func (r *codeRunner) query(n *pgast.Node) error {
	once := callsOnce(n)
	for _, call := range callsIn(n) {
		f := r.resolve(call)
		switch {
		case f == nil || !r.mayChange(f):
		case once:
			if err := r.call(f, call); err != nil {
				return err
			}
		case r.bodyChanges(f):
			r.gap("%s() is called once per row of a query", f.Name)
		default:
			r.callOver(f, n)
		}
	}
	return nil
}

// callsOnce reports whether a query calls its functions once, and surely: it has no rows but its own.
func callsOnce(n *pgast.Node) bool {
	sel := n.GetSelectStmt()
	if insert := n.GetInsertStmt(); insert != nil {
		sel = insert.SelectStmt.GetSelectStmt()
	}
	if sel == nil || len(sel.ValuesLists) > 1 || sel.WhereClause != nil || len(sel.GroupClause) > 0 || sel.Op > pgast.SetOperation_SETOP_NONE {
		return false
	}
	return !slices.ContainsFunc(sel.FromClause, func(from *pgast.Node) bool { return from.GetRangeFunction() == nil })
}

// callsIn lists the calls of functions in a statement, and the one that a CALL is.
func callsIn(n *pgast.Node) []*pgast.FuncCall {
	var calls []*pgast.FuncCall
	if call := n.GetCallStmt(); call != nil {
		calls = append(calls, call.Funccall)
	}
	pgast.Walk(n, func(n *pgast.Node) bool {
		if call := n.GetFuncCall(); call != nil {
			calls = append(calls, call)
		}
		return true
	})
	return calls
}

// resolve finds the user's function that a call means, nil when it is the server's or not known.
func (r *codeRunner) resolve(call *pgast.FuncCall) *Func {
	schema, name := splitName(call.Funcname)
	var user []*Func
	for _, f := range r.c.functionsNamed(schema, name) {
		if f.OID < FirstUserOID {
			return nil
		}
		if len(f.passed()) >= len(call.Args) {
			user = append(user, f)
		}
	}
	if len(user) == 1 {
		return user[0]
	}
	if len(user) == 0 {
		return nil
	}
	b := r.c.newBinder()
	b.columns = callContext
	for name, v := range r.vars {
		b.params = append(b.params, param{name: name, typ: v.typeRef()})
	}
	_, f, err := b.call(call, &scope{})
	if err != nil || f == nil {
		return nil
	}
	return f
}

// call runs the body of a function.
func (r *codeRunner) call(f *Func, call *pgast.FuncCall) error {
	if !r.mayChange(f) {
		return nil
	}
	if r.c.depth >= maxCodeDepth {
		r.gap("calls are nested too deeply at %s()", f.Name)
		return nil
	}
	inner := &codeRunner{c: r.c, eff: r.eff, via: bodyOf(f), at: Place{Body: f.Body, Function: f.Name}, vars: map[string]plValue{}, loops: r.loops, steps: r.steps}
	in := f.passed()
	for i, arg := range call.Args {
		v := r.eval(arg)
		at := i
		if named := arg.GetNamedArgExpr(); named != nil {
			v = r.eval(named.Arg)
			at = slices.IndexFunc(in, func(a FuncArg) bool { return a.Name == named.Name })
		}
		if at >= 0 && at < len(in) {
			inner.vars[fmt.Sprintf("$%d", at+1)] = v
			if in[at].Name != "" {
				inner.vars[in[at].Name] = v
			}
		}
	}
	for i, a := range in {
		key := fmt.Sprintf("$%d", i+1)
		if _, ok := inner.vars[key]; !ok && a.Default != nil && a.Default.Node != nil {
			v := r.eval(a.Default.Node)
			inner.vars[key] = v
			if a.Name != "" {
				inner.vars[a.Name] = v
			}
		}
	}
	restore := r.c.withSettings(f.Settings)
	defer restore()
	var err error
	if f.Language == "sql" {
		err = inner.sqlBody(f)
	} else {
		var tree plNode
		if tree, err = parsePL(r.c.functionSQL(f)); err == nil {
			err = inner.function(tree)
		} else { // the server has taken the function as it is: our parser knows no types
			inner.gap("the body could not be read: %s", err)
			err = nil
		}
	}
	r.gaps += inner.gaps
	return inner.failed(err)
}

// bodyOf is the Via of the statements in a function's body.
func bodyOf(f *Func) string {
	word := "function"
	if f.Kind == Procedure {
		word = "procedure"
	}
	return word + " " + f.Name + "()"
}

// withSettings puts a function's SET clauses in force and returns what undoes it.
func (c *Catalog) withSettings(settings []string) func() {
	type kept struct {
		name string
		old  setting
	}
	var undo []kept
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		old, had := c.settings.Get(name)
		undo = append(undo, kept{name, setting{old, had}})
		c.changeSetting(name, setting{value, true})
	}
	return func() {
		for _, k := range undo {
			c.changeSetting(k.name, k.old)
		}
	}
}

// functionSQL is a CREATE FUNCTION that the plpgsql parser can read the body from. Types that only a server knows would
// stop it, so arguments are called text; what matters is their names.
func (c *Catalog) functionSQL(f *Func) string {
	var args []string
	for _, a := range f.Args {
		mode := map[byte]string{'o': "OUT ", 'b': "INOUT ", 'v': "VARIADIC "}[a.Mode]
		if a.Mode == 't' {
			continue
		}
		t := "text"
		if a.Type.Array {
			t = "text[]"
		}
		args = append(args, mode+quoteIdent(a.Name)+" "+t)
		if a.Name == "" {
			args[len(args)-1] = mode + t
		}
	}
	tag := bodyTag(f.Body)
	body := " LANGUAGE plpgsql AS " + tag + f.Body + tag
	if f.Kind == Procedure {
		return "CREATE PROCEDURE f(" + strings.Join(args, ", ") + ")" + body
	}
	returns := ""
	if len(f.outputs()) == 0 {
		returns = " RETURNS "
		if f.ReturnsSet {
			returns += "SETOF "
		}
		switch f.Returns.OID {
		case typeVoid, typeTrigger, typeEventTrig:
			returns += c.typeText(f.Returns)
		case typeRecord:
			returns += "record"
		default:
			returns += "text"
		}
	} else if slices.ContainsFunc(f.Args, func(a FuncArg) bool { return a.Mode == 't' }) {
		var cols []string
		for _, a := range f.outputs() {
			cols = append(cols, quoteIdent(a.Name)+" text")
		}
		returns = " RETURNS TABLE (" + strings.Join(cols, ", ") + ")"
	} else if f.ReturnsSet {
		returns = " RETURNS SETOF record"
		if len(f.outputs()) == 1 {
			returns = " RETURNS SETOF text"
		}
	}
	return "CREATE FUNCTION f(" + strings.Join(args, ", ") + ")" + returns + body
}

// bodyChanges reports whether a function's body holds statements that change the schema.
func (r *codeRunner) bodyChanges(f *Func) bool {
	if f.Language == "sql" {
		stmts, err := sqlStatements(f)
		if err != nil {
			return false
		}
		return slices.ContainsFunc(stmts, func(s pgast.Stmt) bool { return !isData(s.Node) })
	}
	tree, err := parsePL(r.c.functionSQL(f))
	return err == nil && r.changes(tree, 0)
}

// sqlBody runs the statements of an SQL function.
func (r *codeRunner) sqlBody(f *Func) error {
	stmts, err := sqlStatements(f)
	if err != nil {
		return errorf("42601", "%s", err)
	}
	for _, stmt := range stmts {
		if err := r.statement(stmt); err != nil {
			return err
		}
	}
	return nil
}

// sqlStatements are the statements of an SQL function's body. Those of BEGIN ATOMIC … END, which are trees in the catalog,
// have no text; RETURN is a query of its value.
func sqlStatements(f *Func) ([]pgast.Stmt, error) {
	if f.BodyNode == nil {
		return pgast.Parse(f.Body)
	}
	var list []pgast.Stmt
	var add func(n *pgast.Node)
	add = func(n *pgast.Node) {
		switch {
		case n.GetList() != nil:
			for _, item := range n.GetList().Items {
				add(item)
			}
		case n.GetReturnStmt() != nil:
			target := pgast.ResTarget{Val: n.GetReturnStmt().Returnval}
			query := pgast.SelectStmt{TargetList: []*pgast.Node{{Node: &pgast.Node_ResTarget{ResTarget: &target}}}}
			list = append(list, pgast.Stmt{Node: &pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: &query}}})
		default:
			list = append(list, pgast.Stmt{Node: n})
		}
	}
	add(f.BodyNode)
	return list, nil
}

// isData reports whether a statement only reads or writes rows.
func isData(n *pgast.Node) bool {
	switch n := n.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		return n.SelectStmt.IntoClause == nil
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt, *pgast.Node_CopyStmt,
		*pgast.Node_NotifyStmt, *pgast.Node_LockStmt, *pgast.Node_VariableShowStmt, *pgast.Node_ConstraintsSetStmt:
		return true
	}
	return false
}

// statement runs one statement of a body.
func (r *codeRunner) statement(stmt pgast.Stmt) error {
	*r.steps++
	r.at.SQL, r.at.Offset = stmt.SQL, stmt.Offset
	if *r.steps > maxCodeSteps {
		r.gap("more than %d statements", maxCodeSteps)
		return nil
	}
	if call := stmt.Node.GetCallStmt(); call != nil {
		if f := r.resolve(call.Funccall); f != nil {
			return r.call(f, call.Funccall)
		}
		return nil
	}
	if isData(stmt.Node) {
		if stmt.Node.GetSelectStmt() == nil || writesRows(stmt.Node) {
			r.eff.Inner = append(r.eff.Inner, Inner{Stmt: stmt, Via: r.via, At: r.at, Before: r.c.Clone(), After: r.c.Clone(), Loop: r.loops > 0, Commits: r.commits})
		}
		if r.gaps == 0 { // what was not followed may have made it
			if err := r.c.missingRelation(stmt.Node); err != nil {
				return err
			}
		}
		return r.query(stmt.Node)
	}
	before := r.c.Clone()
	at := len(r.eff.Inner)
	r.c.depth++
	err := r.c.apply(stmt, r.eff)
	r.c.depth--
	if err == nil {
		inner := Inner{Stmt: stmt, Via: r.via, At: r.at, Before: before, After: r.c.Clone(), Loop: r.loops > 0, Commits: r.commits}
		// A statement that itself ran others comes before them.
		r.eff.Inner = slices.Insert(r.eff.Inner, at, inner)
		return nil
	}
	var e *Error
	if errors.As(err, &e) && (e.Code == NotUnderstood || r.gaps > 0) {
		// Either it is not followed, or it may only seem wrong because of what was not followed before.
		r.c.restore(before)
		r.eff.Inner = r.eff.Inner[:at]
		r.gap("%s", e.Message)
		return nil
	}
	return err
}
