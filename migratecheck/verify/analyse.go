package verify

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// analysis is what a statement's text says of the values that its parameters must have to do something. It is a guess that
// serves to find a witness quickly: the server decides whether it is one.
type analysis struct {
	relations []*table
	params    map[int]param
	reads     bool // it is a SELECT
	modifies  bool // a SELECT that changes something in its WITH
}

// param is the place of a parameter.
type param struct {
	table  *table
	column string
	use    use
}

type use int

const (
	other    use = iota
	written      // it goes into the column
	compared     // it is compared with the column
	anyOf        // an array of values to compare with the column
	limit        // LIMIT
	offset       // OFFSET
)

type analyser struct {
	schema  *schema
	aliases map[string]*table
	ctes    map[string]bool
	out     analysis
}

func analyse(s *schema, stmt *pgast.Node) analysis {
	a := &analyser{schema: s, aliases: map[string]*table{}, ctes: map[string]bool{}, out: analysis{params: map[int]param{}}}
	a.out.reads = stmt.GetSelectStmt() != nil
	pgast.WalkMessages(stmt, func(m pgast.Message) bool {
		if c, ok := m.(*pgast.CommonTableExpr); ok {
			a.ctes[c.Ctename] = true
			a.out.modifies = a.out.modifies || a.out.reads && c.Ctequery.GetSelectStmt() == nil
		}
		return true
	})
	pgast.WalkMessages(stmt, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.RangeVar:
			a.relation(m)
		case *pgast.SelectStmt:
			a.whole(m.LimitCount, param{use: limit})
			a.whole(m.LimitOffset, param{use: offset})
		}
		return true
	})
	pgast.WalkMessages(stmt, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.InsertStmt:
			a.insert(m)
		case *pgast.UpdateStmt:
			a.set(a.named(m.Relation), m.TargetList)
		case *pgast.MergeStmt:
			a.merge(m)
		case *pgast.A_Expr:
			a.expression(m)
		case *pgast.CopyStmt:
			a.relation(m.Relation)
		}
		return true
	})
	return a.out
}

func (a *analyser) relation(r *pgast.RangeVar) {
	if r == nil || r.Schemaname == "" && a.ctes[r.Relname] {
		return
	}
	t := a.schema.find(r.Schemaname, r.Relname)
	if t == nil {
		return
	}
	a.aliases[r.Relname] = t
	if r.Alias != nil {
		a.aliases[r.Alias.Aliasname] = t
	}
	if !slices.Contains(a.out.relations, t) {
		a.out.relations = append(a.out.relations, t)
	}
}

func (a *analyser) named(r *pgast.RangeVar) *table {
	if r == nil {
		return nil
	}
	return a.schema.find(r.Schemaname, r.Relname)
}

// whole notes the parameter that an expression is, but for casts and functions around it.
func (a *analyser) whole(n *pgast.Node, p param) {
	if ref := bare(n); ref != nil {
		if _, ok := a.out.params[int(ref.Number)]; !ok {
			a.out.params[int(ref.Number)] = p
		}
	}
}

func bare(n *pgast.Node) *pgast.ParamRef {
	for n != nil {
		switch {
		case n.GetParamRef() != nil:
			return n.GetParamRef()
		case n.GetTypeCast() != nil:
			n = n.GetTypeCast().Arg
		case n.GetFuncCall() != nil && len(n.GetFuncCall().Args) > 0:
			n = n.GetFuncCall().Args[0]
		case n.GetCoalesceExpr() != nil && len(n.GetCoalesceExpr().Args) > 0:
			n = n.GetCoalesceExpr().Args[0]
		default:
			return nil
		}
	}
	return nil
}

func (a *analyser) insert(m *pgast.InsertStmt) {
	t := a.named(m.Relation)
	if t == nil {
		return
	}
	names := targets(t, m.Cols)
	write := func(i int, n *pgast.Node) {
		if i < len(names) {
			a.whole(n, param{table: t, column: names[i], use: written})
		}
	}
	if s := m.SelectStmt.GetSelectStmt(); s != nil {
		for _, values := range s.ValuesLists {
			for i, v := range values.GetList().GetItems() {
				write(i, v)
			}
		}
		for i, target := range s.TargetList {
			write(i, target.GetResTarget().GetVal())
		}
	}
	if m.OnConflictClause != nil {
		a.set(t, m.OnConflictClause.TargetList)
	}
}

// targets are the columns that an INSERT fills, in order.
func targets(t *table, cols []*pgast.Node) []string {
	var names []string
	for _, c := range cols {
		names = append(names, c.GetResTarget().GetName())
	}
	if len(cols) == 0 {
		for _, c := range t.columns {
			names = append(names, c.name)
		}
	}
	return names
}

func (a *analyser) set(t *table, list []*pgast.Node) {
	if t == nil {
		return
	}
	for _, target := range list {
		r := target.GetResTarget()
		a.whole(r.GetVal(), param{table: t, column: r.GetName(), use: written})
	}
}

func (a *analyser) merge(m *pgast.MergeStmt) {
	t := a.named(m.Relation)
	if t == nil {
		return
	}
	for _, n := range m.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		if len(w.GetValues()) == 0 {
			a.set(t, w.GetTargetList())
			continue
		}
		names := targets(t, w.GetTargetList())
		for i, v := range w.GetValues() {
			if i < len(names) {
				a.whole(v, param{table: t, column: names[i], use: written})
			}
		}
	}
}

func (a *analyser) expression(e *pgast.A_Expr) {
	left, right := e.Lexpr, e.Rexpr
	if left.GetColumnRef() == nil && right.GetColumnRef() != nil {
		left, right = right, left
	}
	t, column := a.column(left)
	if t == nil {
		return
	}
	p := param{table: t, column: column, use: compared}
	switch e.Kind {
	case pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_BETWEEN:
		for _, item := range right.GetList().GetItems() {
			a.whole(item, p)
		}
	case pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_OP_ALL:
		p.use = anyOf
		a.whole(right, p)
	default:
		a.whole(right, p)
	}
}

// column finds the table of a column reference, by its alias or by which table has such a column.
func (a *analyser) column(n *pgast.Node) (*table, string) {
	for n.GetTypeCast() != nil || n.GetFuncCall() != nil && len(n.GetFuncCall().Args) == 1 {
		if n.GetTypeCast() != nil {
			n = n.GetTypeCast().Arg
		} else {
			n = n.GetFuncCall().Args[0]
		}
	}
	fields := n.GetColumnRef().GetFields()
	if len(fields) == 0 {
		return nil, ""
	}
	name := fields[len(fields)-1].GetString_().GetSval()
	if len(fields) > 1 {
		t := a.aliases[fields[len(fields)-2].GetString_().GetSval()]
		if t == nil || t.column(name) == nil {
			return nil, ""
		}
		return t, name
	}
	for _, t := range a.out.relations {
		if t.column(name) != nil {
			return t, name
		}
	}
	return nil, ""
}
