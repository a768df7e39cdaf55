package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// plpgsql lists what a body in PL/pgSQL looks up, in the order in which it would come to it.
func (b *Body) plpgsql(tree plNode) {
	f := b.function
	b.prefers = strings.Contains(strings.ToLower(f.Body), "#variable_conflict")
	for _, name := range []string{"found", "sqlstate", "sqlerrm", "tg_name", "tg_when", "tg_level", "tg_op", "tg_relid", "tg_relname", "tg_table_name", "tg_table_schema", "tg_nargs", "tg_argv", "tg_event", "tg_tag"} {
		if _, ok := b.vars[name]; !ok {
			b.vars[name] = bodyVariable{}
		}
	}
	blocks := 0
	each(tree, func(tag string, n plNode) {
		if tag == "PLpgSQL_stmt_block" {
			blocks++
		}
		if label := n.text("label"); label != "" {
			b.labels[label] = true
		}
	})
	b.records = map[string][]int{}
	args := map[string]bool{}
	for _, a := range f.Args {
		args[a.Name] = true
	}
	for _, d := range tree.list("datums") {
		tag, v := d.sole()
		name := v.text("refname")
		for _, f := range v.list("fields") {
			b.assigns(f.text("name")) // INTO
		}
		if name == "" || tag == "PLpgSQL_row" || tag == "PLpgSQL_recfield" {
			continue
		}
		if q := v.query("cursor_explicit_expr"); q != "" {
			b.statement(q, true)
		}
		declared := strings.TrimSpace(v.child("datatype").child("PLpgSQL_type").text("typname"))
		if strings.EqualFold(declared, "record") && blocks == 1 && b.vars[name] == (bodyVariable{}) {
			b.records[name] = nil
			if v.query("default_val") != "" {
				b.records[name] = []int{-1}
			}
		}
		if declared == "UNKNOWN" || strings.EqualFold(declared, "record") || strings.EqualFold(declared, "refcursor") {
			declared = ""
		}
		if q := v.query("default_val"); q != "" {
			b.expression(q, blocks > 1)
		}
		if declared != "" {
			b.Statements = append(b.Statements, BodyStatement{declares: declared, Expression: true})
		}
		switch old, twice := b.vars[name]; {
		case args[name] && declared == "":
		case twice && old != (bodyVariable{declared: declared, certain: old.certain}):
			b.vars[name] = bodyVariable{} // it depends on where it is named
		default:
			b.vars[name] = bodyVariable{declared: declared, certain: blocks == 1}
		}
	}
	b.run([]plNode{tree.child("action")}, false)
}

// run lists what statements send. It reports whether what comes after them may not be reached.
func (b *Body) run(list []plNode, maybe bool) (mayEnd bool) {
	for _, node := range list {
		tag, n := node.sole()
		ends, over := b.step(strings.TrimPrefix(tag, "PLpgSQL_stmt_"), n, maybe)
		if over {
			return true
		}
		maybe, mayEnd = maybe || ends, mayEnd || ends
	}
	return mayEnd
}

// step lists what one statement sends. over says that nothing comes after it.
func (b *Body) step(kind string, n plNode, maybe bool) (mayEnd, over bool) {
	expression := func(keys ...string) {
		for _, key := range keys {
			if q := n.query(key); q != "" {
				b.expression(q, maybe)
			}
		}
	}
	switch kind {
	case "block":
		handlers := n.child("exceptions").child("PLpgSQL_exception_block").list("exc_list")
		mayEnd = b.run(n.list("body"), maybe || len(handlers) > 0) || len(handlers) > 0 && leaves(n)
		for _, h := range handlers {
			_, h = h.sole()
			b.run(h.list("action"), true)
		}
		return mayEnd, false
	case "if":
		expression("cond")
		b.run(n.list("then_body"), true)
		for _, elsif := range n.list("elsif_list") {
			_, elsif = elsif.sole()
			if q := elsif.query("cond"); q != "" {
				b.expression(q, true)
			}
			b.run(elsif.list("stmts"), true)
		}
		b.run(n.list("else_body"), true)
		return leaves(n), false
	case "case":
		expression("t_expr")
		for i, when := range n.list("case_when_list") {
			_, when = when.sole()
			b.expression(when.query("expr"), maybe || i > 0)
			b.run(when.list("stmts"), true)
		}
		b.run(n.list("else_stmts"), true)
		return leaves(n), false
	case "fori", "foreach_a", "while":
		expression("lower", "upper", "step", "expr", "cond")
		b.run(n.list("body"), true)
		return leaves(n), false
	case "fors", "forc", "dynfors":
		one := b.statement(n.query("query"), maybe)
		if kind == "dynfors" {
			b.dynamic(n.query("query"), maybe)
		}
		b.fills(n.child("var"), one && kind == "fors")
		b.run(n.list("body"), true)
		return leaves(n), false
	case "loop":
		b.run(n.list("body"), maybe)
		return leaves(n), false
	case "exit":
		expression("cond")
		return true, n.query("cond") == ""
	case "return":
		if e := n.query("expr"); !strings.EqualFold(e, "NEW") && !strings.EqualFold(e, "OLD") && !strings.EqualFold(e, "NULL") {
			b.sets[""] = true
		}
		expression("expr")
		return true, true
	case "return_next":
		expression("expr")
	case "return_query":
		if q := n.query("query"); q != "" {
			b.statement(q, maybe)
			if i := len(b.Statements) - 1; i >= 0 {
				b.Statements[i].Returned = true
			}
		}
		if q := n.query("dynquery"); q != "" {
			b.dynamic(q, maybe)
		}
	case "perform", "call":
		b.statement(n.query("expr"), maybe)
		b.fills(n.child("target"), false) // of CALL
	case "execsql":
		b.fills(n.child("target"), b.statement(n.query("sqlstmt"), maybe))
		b.targets(n, maybe)
	case "dynexecute":
		b.dynamic(n.query("query"), maybe)
		b.fills(n.child("target"), false)
		b.targets(n, maybe)
	case "fetch":
		b.fills(n.child("target"), false)
	case "assign":
		if target, value, ok := assignment(n.query("expr")); ok {
			if b.assigns(target); b.isRecord(target) {
				b.records[target] = append(b.records[target], -1)
			}
			if row, _, field := strings.Cut(target, "."); field && !strings.Contains(row, "[") {
				b.expression(target, maybe)
			}
			b.expression(value, maybe)
		}
	case "raise":
		for _, p := range n.list("params") {
			b.expression(p.child("PLpgSQL_expr").text("query"), maybe)
		}
		return n.number("elog_level") >= 21, n.number("elog_level") >= 21 // ERROR (src/include/utils/elog.h)
	case "assert":
		expression("cond")
	case "open":
		b.statement(n.query("query"), maybe)
		if q := n.query("dynquery"); q != "" {
			b.dynamic(q, maybe)
		}
	}
	return false, false
}

// leaves reports whether code may end the function, a loop or a block.
func leaves(n plNode) bool {
	found := mentions(n, "PLpgSQL_stmt_return") || mentions(n, "PLpgSQL_stmt_exit")
	each(n, func(tag string, n plNode) {
		found = found || tag == "PLpgSQL_stmt_raise" && n.number("elog_level") >= 21
	})
	return found
}

// assigns notes that NEW or a column of it gets a value.
func (b *Body) assigns(target string) {
	stmts, err := pgast.Parse("SELECT " + target)
	if err != nil || len(stmts) != 1 {
		return // a slice of an array, which is no row
	}
	var names []string
	pgast.Walk(stmts[0].Node, func(n *pgast.Node) bool {
		if ref := n.GetColumnRef(); ref != nil && names == nil {
			names = stringList(ref.Fields)
		}
		return names == nil
	})
	switch {
	case len(names) == 0 || names[0] != "new":
	case len(names) == 1:
		b.sets[""] = true
	default:
		b.sets[names[1]] = true
	}
}

func (b *Body) isRecord(name string) bool {
	_, ok := b.records[name]
	return ok
}

// fills notes that a record gets the rows of a query: of the last statement, when that is one, else of one that is not known.
func (b *Body) fills(target plNode, known bool) {
	fields := target.child("PLpgSQL_row").list("fields")
	for _, f := range fields {
		name := f.text("name")
		if !b.isRecord(name) {
			continue
		}
		i := len(b.Statements) - 1
		if !known || len(fields) > 1 {
			i = -1
		}
		b.records[name] = append(b.records[name], i)
	}
}

// targets are the fields of rows that INTO sets.
func (b *Body) targets(n plNode, maybe bool) {
	for _, f := range n.child("target").child("PLpgSQL_row").list("fields") {
		if name := f.text("name"); strings.Contains(name, ".") {
			b.expression(name, maybe)
		}
	}
}

// assignment takes "x := y" and "x = y" apart.
func assignment(text string) (target, value string, ok bool) {
	if target, value, ok = strings.Cut(text, ":="); !ok {
		target, value, ok = strings.Cut(text, "=")
	}
	return strings.TrimSpace(target), value, ok
}

func (b *Body) expression(text string, maybe bool) { b.add("SELECT "+text, maybe, true) }

// statement adds a statement, and reports whether it is one.
func (b *Body) statement(text string, maybe bool) bool {
	before := len(b.Statements)
	if text != "" {
		b.add(text, maybe, false)
	}
	return len(b.Statements) == before+1
}

func (b *Body) add(text string, maybe, expression bool) {
	stmts, err := pgast.Parse(text)
	if err != nil {
		b.unknown(err.Error())
		return
	}
	for _, stmt := range stmts {
		b.Statements = append(b.Statements, BodyStatement{Stmt: stmt, Maybe: maybe, Expression: expression})
	}
}

// dynamic is EXECUTE: what it sends is known when it is a constant.
func (b *Body) dynamic(text string, maybe bool) {
	b.expression(text, maybe)
	stmts, err := pgast.Parse("SELECT " + text)
	if err == nil && len(stmts) == 1 {
		if list := stmts[0].Node.GetSelectStmt().GetTargetList(); len(list) == 1 {
			if s := list[0].GetResTarget().GetVal().GetAConst().GetSval(); s != nil && !strings.Contains(s.Sval, "$") {
				b.statement(s.Sval, maybe)
				return
			}
		}
	}
	b.unknown("it executes SQL that is made at run time")
}
