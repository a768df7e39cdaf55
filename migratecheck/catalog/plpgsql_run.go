package catalog

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

func (n plNode) child(key string) plNode {
	m, _ := n[key].(map[string]any)
	return m
}

func (n plNode) list(key string) []plNode {
	items, _ := n[key].([]any)
	list := make([]plNode, 0, len(items))
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			list = append(list, m)
		}
	}
	return list
}

func (n plNode) text(key string) string {
	s, _ := n[key].(string)
	return s
}

func (n plNode) number(key string) int {
	f, _ := n[key].(float64)
	return int(f)
}

// sole is the one entry of a tagged node: {"PLpgSQL_stmt_if": {…}}.
func (n plNode) sole() (string, plNode) {
	for tag, v := range n {
		m, _ := v.(map[string]any)
		return tag, m
	}
	return "", nil
}

// query is the text of an expression child.
func (n plNode) query(key string) string { return n.child(key).child("PLpgSQL_expr").text("query") }

// flow is how a statement ends.
type flow int

const (
	flowNext flow = iota
	flowExit
	flowContinue
	flowReturn
	flowUnknown // it cannot be said whether what follows runs
)

// function runs a parsed body.
func (r *codeRunner) function(tree plNode) error {
	r.records = map[string]bool{}
	r.commits = mentions(tree, "PLpgSQL_stmt_commit") || mentions(tree, "PLpgSQL_stmt_rollback")
	for _, d := range tree.list("datums") {
		tag, v := d.sole()
		name := strings.ToLower(v.text("refname"))
		r.datums = append(r.datums, name)
		if t := strings.ToLower(strings.TrimSpace(v.child("datatype").child("PLpgSQL_type").text("typname"))); tag == "PLpgSQL_rec" || t == "record" || strings.HasSuffix(t, "%rowtype") {
			r.records[name] = true
		}
		if _, ok := r.vars[name]; ok || tag != "PLpgSQL_var" {
			continue
		}
		value := plNull()
		if q := v.query("default_val"); q != "" {
			value = r.evalText(q)
		}
		if name == "found" || strings.HasPrefix(name, "sql") {
			value = plValue{}
		}
		r.vars[name] = value
	}
	_, err := r.run([]plNode{tree.child("action")})
	var e *Error
	if r.mayEnd && errors.As(err, &e) {
		if e.Code != "2D000" || len(r.eff.Inner) == 0 { // Inner.Commits says as much
			r.gap("%s, where that is reached", e.Message)
		}
		return nil
	}
	return err
}

func (r *codeRunner) variable(varno int) string {
	if varno >= 0 && varno < len(r.datums) {
		return r.datums[varno]
	}
	return ""
}

// set assigns a variable or the fields of a row.
func (r *codeRunner) set(name string, v plValue) { r.vars[name] = v }

// run runs a list of statements.
func (r *codeRunner) run(list []plNode) (flow, error) {
	for _, node := range list {
		tag, n := node.sole()
		f, err := r.step(tag, n)
		if err != nil || f != flowNext {
			return f, err
		}
	}
	return flowNext, nil
}

// stand notes the place of a statement of plpgsql, which begins with a word.
func (r *codeRunner) stand(n plNode, word string) {
	r.at.Line, r.at.Dynamic, r.at.SQL, r.at.Offset = n.number("lineno"), false, word, 0
}

// firstWord is the first word of a kind of statement (plpgsql_stmt_typename in src/pl/plpgsql/src/pl_funcs.c), "" where it is the statement's own.
func firstWord(kind string) string {
	switch kind {
	case "fori", "fors", "forc", "dynfors":
		return "FOR"
	case "foreach_a":
		return "FOREACH"
	case "block":
		return "BEGIN"
	case "return_next", "return_query":
		return "RETURN"
	case "if", "case", "loop", "while", "perform", "return", "raise", "commit", "rollback":
		return strings.ToUpper(kind)
	}
	return ""
}

func (r *codeRunner) step(tag string, n plNode) (flow, error) {
	kind := strings.TrimPrefix(tag, "PLpgSQL_stmt_")
	r.stand(n, firstWord(kind))
	switch kind {
	case "block":
		return r.block(n)
	case "if":
		return r.branch(n)
	case "case":
		return r.cases(n)
	case "execsql":
		return flowNext, r.sql(n.query("sqlstmt"), n)
	case "perform":
		return flowNext, r.sql(n.query("expr"), nil)
	case "call":
		r.forget(n)
		return flowNext, r.sql(n.query("expr"), nil)
	case "dynexecute":
		return flowNext, r.dynamic(n)
	case "assign":
		return flowNext, r.assign(n)
	case "fori", "fors", "foreach_a", "dynfors", "forc":
		return r.loop(kind, n)
	case "while", "loop":
		return r.repeat(n)
	case "exit":
		f := flowContinue
		if n["is_exit"] == true {
			f = flowExit
		}
		if cond := n.query("cond"); cond != "" {
			v, err := r.condition(cond)
			switch {
			case err != nil:
				return flowNext, err
			case !v.known():
				return flowUnknown, nil
			case !v.truth():
				return flowNext, nil
			}
		}
		return f, nil
	case "return":
		return flowReturn, r.calls(n.query("expr"))
	case "return_next":
		return flowNext, r.calls(n.query("expr"))
	case "return_query":
		if text := n.query("query"); text != "" {
			return flowNext, r.sql(text, nil)
		}
		return flowNext, r.dynamic(plNode{"query": n["dynquery"]})
	case "getdiag", "open", "fetch":
		r.forget(n)
	case "close", "assert", "set":
	case "commit", "rollback":
		// spi.c, _SPI_commit: what runs inside of a transaction block, or is called by a query, cannot end it.
		if r.c.InTransaction() || r.c.wrapped || strings.HasPrefix(r.via, "function ") {
			return flowNext, errorf("2D000", "invalid transaction termination")
		}
	case "raise":
		if n.number("elog_level") >= 21 { // ERROR (src/include/utils/elog.h)
			e := errorf("P0001", "%s", n.text("message"))
			if cond := n.text("condname"); cond != "" {
				e.Code = conditionState(cond)
			}
			return flowNext, e
		}
	default:
		r.gap("a %s statement", kind)
	}
	return flowNext, nil
}

// block runs BEGIN … EXCEPTION … END.
func (r *codeRunner) block(n plNode) (flow, error) {
	handlers := n.child("exceptions").child("PLpgSQL_exception_block").list("exc_list")
	if len(handlers) == 0 {
		return r.run(n.list("body"))
	}
	before, inner := r.c.Clone(), len(r.eff.Inner)
	f, err := r.run(n.list("body"))
	if err == nil {
		if f == flowUnknown {
			r.unsure(n, "BEGIN", "the end of a block")
		}
		return f, nil
	}
	var e *Error
	if !errors.As(err, &e) {
		return flowNext, err
	}
	for _, h := range handlers {
		_, h = h.sole()
		for _, cond := range h.list("conditions") {
			_, cond = cond.sole()
			name := cond.text("condname")
			if name == "others" || conditionState(name) == e.Code || cond.text("sqlerrstate") == e.Code {
				// The block's changes are undone, as by ROLLBACK TO SAVEPOINT.
				r.c.restore(before)
				r.eff.Inner = r.eff.Inner[:inner]
				r.set("sqlerrm", plText(e.Message))
				r.set("sqlstate", plText(e.Code))
				return r.run(h.list("action"))
			}
		}
	}
	return flowNext, err
}

// branch runs IF: the branch that is taken when the conditions are known.
func (r *codeRunner) branch(n plNode) (flow, error) {
	type arm struct {
		cond string
		body []plNode
	}
	arms := []arm{{n.query("cond"), n.list("then_body")}}
	for _, elsif := range n.list("elsif_list") {
		_, elsif = elsif.sole()
		arms = append(arms, arm{elsif.query("cond"), elsif.list("stmts")})
	}
	for _, a := range arms {
		v, err := r.condition(a.cond)
		if err != nil {
			return flowNext, err
		}
		if !v.known() {
			return r.unsure(n, "IF", "IF "+a.cond)
		}
		if v.truth() {
			return r.run(a.body)
		}
	}
	return r.run(n.list("else_body"))
}

func (r *codeRunner) cases(n plNode) (flow, error) {
	test := n.query("t_expr")
	if test != "" {
		r.set(r.variable(n.number("t_varno")), r.evalText(test))
	}
	for _, when := range n.list("case_when_list") {
		_, when = when.sole()
		v := r.evalText(when.query("expr"))
		if !v.known() {
			return r.unsure(n, "CASE", "CASE "+test)
		}
		if v.truth() {
			return r.run(when.list("stmts"))
		}
	}
	return r.run(n.list("else_stmts"))
}

// condition evaluates an expression for whose value something is decided, and runs the functions it calls.
func (r *codeRunner) condition(expr string) (plValue, error) {
	return r.evalText(expr), r.calls(expr)
}

// calls runs the functions that an expression calls.
func (r *codeRunner) calls(expr string) error {
	if !strings.Contains(expr, "(") {
		return nil
	}
	if query := parseOne("SELECT " + expr); query != nil {
		return r.query(query)
	}
	return nil
}

// unsure passes over code of which it is not known whether it runs. That is a gap when it holds DDL; what it does to rows is
// noted, and variables that it assigns are not known afterwards.
func (r *codeRunner) unsure(n plNode, word, what string) (flow, error) {
	r.stand(n, word)
	if r.changes(n, 0) {
		r.gap("%s could not be decided", oneLineText(what))
	}
	r.passOver(n)
	r.forget(n)
	// What follows is taken to run, but may not.
	r.mayEnd = r.mayEnd || mentions(n, "PLpgSQL_stmt_return") || mentions(n, "PLpgSQL_stmt_exit")
	if (word == "IF" || word == "CASE") && exits(map[string]any(n)) {
		return flowUnknown, nil
	}
	return flowNext, nil
}

// exits reports whether code may leave, or go on with, a loop that stands around it.
func exits(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for tag, child := range v {
			switch strings.TrimPrefix(tag, "PLpgSQL_stmt_") {
			case "exit":
				return true
			case "loop", "while", "fori", "fors", "forc", "dynfors", "foreach_a":
				continue // has exits of its own
			}
			if exits(child) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, exits)
	}
	return false
}

func oneLineText(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 120 {
		s = s[:117] + "..."
	}
	return s
}

// each visits all nodes below v.
func each(v any, visit func(tag string, n plNode)) {
	switch v := v.(type) {
	case plNode:
		each(map[string]any(v), visit)
	case map[string]any:
		for tag, child := range v {
			if m, ok := child.(map[string]any); ok {
				visit(tag, m)
			}
			each(child, visit)
		}
	case []any:
		for _, item := range v {
			each(item, visit)
		}
	}
}

func mentions(n plNode, tag string) bool {
	found := false
	each(n, func(t string, _ plNode) { found = found || t == tag })
	return found
}

// forget makes the variables unknown that code assigns.
func (r *codeRunner) forget(n plNode) {
	each(n, func(tag string, n plNode) {
		switch tag {
		case "PLpgSQL_stmt_assign":
			r.set(r.variable(n.number("varno")), plValue{})
		case "PLpgSQL_diag_item":
			r.set(r.variable(n.number("target")), plValue{})
		case "PLpgSQL_stmt_execsql", "PLpgSQL_stmt_perform", "PLpgSQL_stmt_fetch", "PLpgSQL_stmt_fors":
			r.set("found", plValue{})
		case "target":
			for _, f := range n.child("PLpgSQL_row").list("fields") {
				r.set(f.text("name"), plValue{})
			}
			if name := n.child("PLpgSQL_rec").text("refname"); name != "" {
				r.set(name, plValue{})
			}
		}
	})
}

// changes reports whether code may change the schema.
func (r *codeRunner) changes(n plNode, depth int) bool {
	found := false
	each(n, func(tag string, n plNode) {
		if found {
			return
		}
		switch tag {
		case "PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors":
			v := r.evalText(n.query("query"))
			found = v.kind != plString || !onlyData(v.s)
		case "PLpgSQL_expr":
			q := n.text("query")
			if n.number("parseMode") != 0 {
				q = "SELECT " + q
				if n.number("parseMode") > 2 {
					return
				}
			}
			stmts, err := pgast.Parse(q)
			if err != nil {
				return
			}
			for _, s := range stmts {
				if !isData(s.Node) && s.Node.GetCallStmt() == nil {
					found = true
				}
				pgast.Walk(s.Node, func(n *pgast.Node) bool {
					if call := n.GetFuncCall(); call != nil && depth < maxCodeDepth && !found {
						if f := r.resolve(call); f != nil && r.mayChange(f) {
							if f.Language == "sql" {
								found = r.bodyChanges(f)
							} else if tree, err := parsePL(r.c.functionSQL(f)); err == nil {
								found = r.changes(tree, depth+4)
							}
						}
					}
					return !found
				})
			}
		}
	})
	return found
}

func onlyData(sql string) bool {
	stmts, err := pgast.Parse(sql)
	if err != nil {
		return false
	}
	for _, s := range stmts {
		if !isData(s.Node) {
			return false
		}
	}
	return true
}

// sql runs a static SQL statement; n is the node with its INTO target, or nil.
func (r *codeRunner) sql(text string, n plNode) error {
	r.at.SQL = text
	stmts, err := pgast.Parse(text)
	if err != nil {
		return errorf("42601", "%s", err)
	}
	for _, stmt := range stmts {
		if n != nil && n["into"] == true {
			r.into(stmt.Node, n.child("target"))
		}
		if err := r.statement(stmt); err != nil {
			return err
		}
		if sel := stmt.Node.GetSelectStmt(); sel != nil {
			rows, ok := r.selectRows(sel, nil)
			found := plValue{}
			if ok {
				found = plBool(len(rows) > 0)
			}
			r.set("found", found)
		} else if isData(stmt.Node) {
			r.set("found", plValue{})
		}
	}
	return nil
}

// into assigns the result of a query.
func (r *codeRunner) into(query *pgast.Node, target plNode) {
	tag, t := target.sole()
	var rows []plRow
	ok := false
	if sel := query.GetSelectStmt(); sel != nil {
		rows, ok = r.selectRows(sel, nil)
	}
	if tag == "PLpgSQL_rec" {
		v := plValue{}
		if ok && len(rows) > 0 {
			v = rows[0].value()
		}
		r.set(strings.ToLower(t.text("refname")), v)
		return
	}
	fields := t.list("fields")
	if len(fields) == 1 && ok && len(rows) > 0 && len(rows[0].values) > 1 {
		r.set(fields[0].text("name"), rows[0].value())
		return
	}
	for i, f := range fields {
		v := plValue{}
		switch {
		case ok && len(rows) == 0:
			v = plNull()
		case ok && i < len(rows[0].values):
			v = rows[0].values[i]
		}
		r.set(f.text("name"), v)
	}
}

// dynamic is EXECUTE of a string.
func (r *codeRunner) dynamic(n plNode) error {
	r.at.Dynamic = true
	v := r.evalText(n.query("query"))
	if v.kind != plString {
		r.gap("EXECUTE of a string that is not known: %s", oneLineText(n.query("query")))
		r.forget(n)
		return nil
	}
	stmts, err := pgast.Parse(v.s)
	if err != nil {
		return errorf("42601", "%s", err)
	}
	if n["into"] == true {
		r.forget(n)
	}
	for _, stmt := range stmts {
		if err := r.statement(stmt); err != nil {
			return err
		}
	}
	return nil
}

func (r *codeRunner) assign(n plNode) error {
	name := r.variable(n.number("varno"))
	_, expr, ok := assignment(n.query("expr"))
	if !ok {
		r.set(name, plValue{})
		return nil
	}
	r.set(name, r.evalText(expr))
	return r.calls(expr)
}

// loop runs FOR over numbers, an array or the rows of a query.
func (r *codeRunner) loop(kind string, n plNode) (flow, error) {
	values, name, ok := r.loopValues(kind, n)
	if !ok {
		if r.changes(n, 0) {
			r.gap("a loop over values that are not known")
		}
		r.passOver(plNode{"PLpgSQL_stmt_" + kind: map[string]any(n)})
		r.forget(n)
		return flowNext, nil
	}
	saved := maps.Clone(r.vars)
	r.loops++
	defer func() { r.loops-- }()
	for _, v := range values {
		r.set(name, v)
		f, err := r.run(n.list("body"))
		if err != nil || f == flowReturn {
			return f, err
		}
		if f == flowUnknown {
			return r.unsure(n, firstWord(kind), "the end of a loop")
		}
		if f == flowExit {
			break
		}
		if *r.steps > maxCodeSteps {
			break
		}
	}
	if v, ok := saved[name]; ok && kind == "fori" {
		r.set(name, v)
	}
	r.set("found", plBool(len(values) > 0))
	return flowNext, nil
}

func (r *codeRunner) loopValues(kind string, n plNode) (values []plValue, name string, ok bool) {
	switch kind {
	case "fori":
		_, v := n.child("var").sole()
		low, high, step := r.evalText(n.query("lower")), r.evalText(n.query("upper")), plInt(1)
		if q := n.query("step"); q != "" {
			step = r.evalText(q)
		}
		if low.kind != plInteger || high.kind != plInteger || step.kind != plInteger || step.i <= 0 {
			return nil, "", false
		}
		if n["reverse"] == true || n.number("reverse") == 1 {
			for i := low.i; i >= high.i && len(values) <= maxCodeSteps; i -= step.i {
				values = append(values, plInt(i))
			}
		} else {
			for i := low.i; i <= high.i && len(values) <= maxCodeSteps; i += step.i {
				values = append(values, plInt(i))
			}
		}
		return values, strings.ToLower(v.text("refname")), true
	case "foreach_a":
		v := r.evalText(n.query("expr"))
		return v.list, r.variable(n.number("varno")), v.kind == plArray && n.number("slice") == 0
	case "fors", "dynfors":
		tag, v := n.child("var").sole()
		name = strings.ToLower(v.text("refname"))
		fields := v.list("fields")
		if tag == "PLpgSQL_row" && len(fields) == 1 {
			name = strings.ToLower(fields[0].text("name"))
		} else if tag == "PLpgSQL_row" {
			return nil, "", false
		}
		text := n.query("query")
		if kind == "dynfors" {
			q := r.evalText(text)
			if q.kind != plString {
				return nil, "", false
			}
			text = q.s
		}
		stmts, err := pgast.Parse(text)
		if err != nil || len(stmts) != 1 || stmts[0].Node.GetSelectStmt() == nil {
			return nil, "", false
		}
		rows, known := r.selectRows(stmts[0].Node.GetSelectStmt(), nil)
		if !known {
			return nil, "", false
		}
		for _, row := range rows {
			v := row.value()
			if r.scalarVariable(name) && len(row.values) == 1 {
				v = row.values[0]
			}
			values = append(values, v)
		}
		return values, name, true
	}
	return nil, "", false
}

// scalarVariable reports whether a variable was declared with a scalar type.
func (r *codeRunner) scalarVariable(name string) bool { return !r.records[name] }

// repeat runs WHILE and LOOP as long as their conditions are known.
func (r *codeRunner) repeat(n plNode) (flow, error) {
	r.loops++
	defer func() { r.loops-- }()
	word := "LOOP"
	if n["cond"] != nil {
		word = "WHILE"
	}
	for range 1000 {
		r.stand(n, word)
		if cond := n.query("cond"); cond != "" {
			v, err := r.condition(cond)
			if err != nil {
				return flowNext, err
			}
			if !v.known() {
				return r.unsure(n, word, "WHILE "+cond)
			}
			if !v.truth() {
				return flowNext, nil
			}
		}
		*r.steps++
		f, err := r.run(n.list("body"))
		switch {
		case err != nil || f == flowReturn:
			return f, err
		case f == flowExit:
			return flowNext, nil
		case f == flowUnknown:
			return r.unsure(n, word, "the end of a loop")
		}
	}
	r.stand(n, word)
	r.gap("a loop of more than 1000 rounds")
	return flowNext, nil
}

// conditionState is the SQLSTATE of a condition's name (src/backend/utils/errcodes.txt), for those that DDL raises.
func conditionState(name string) string {
	switch name {
	case "duplicate_object":
		return "42710"
	case "duplicate_table":
		return "42P07"
	case "duplicate_column":
		return "42701"
	case "duplicate_function":
		return "42723"
	case "duplicate_schema":
		return "42P06"
	case "duplicate_alias":
		return "42712"
	case "undefined_object":
		return "42704"
	case "undefined_table":
		return "42P01"
	case "undefined_column":
		return "42703"
	case "undefined_function":
		return "42883"
	case "invalid_schema_name":
		return "3F000"
	case "invalid_table_definition":
		return "42P16"
	case "invalid_object_definition":
		return "42P17"
	case "dependent_objects_still_exist":
		return "2BP01"
	case "unique_violation":
		return "23505"
	case "feature_not_supported":
		return "0A000"
	case "raise_exception":
		return "P0001"
	case "wrong_object_type":
		return "42809"
	case "syntax_error":
		return "42601"
	case "datatype_mismatch":
		return "42804"
	case "object_not_in_prerequisite_state":
		return "55000"
	case "insufficient_privilege":
		return "42501"
	case "syntax_error_or_access_rule_violation":
		return "42000"
	}
	return name
}
