package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// plRow is a row of an answer.
type plRow struct {
	names  []string
	values []plValue
}

func (row plRow) value() plValue {
	v := plValue{kind: plRecord, row: map[string]plValue{}}
	for i, name := range row.names {
		v.row[name] = row.values[i]
	}
	return v
}

// plScope is a row being looked at, one part per item of FROM.
type plScope struct {
	outer *plScope
	parts []plPart
	// group evaluates aggregates, when rows are grouped.
	group func(n *pgast.FuncCall, name string) plValue
}

type plPart struct {
	alias string
	row   map[string]plValue
}

// column finds t.c or c; ok is false when there is no such column.
func (s *plScope) column(names []string) (plValue, bool) {
	for ; s != nil; s = s.outer {
		for _, p := range s.parts {
			name := names[len(names)-1]
			if len(names) > 1 && names[len(names)-2] != p.alias {
				continue
			}
			if v, ok := p.row[name]; ok {
				return v, true
			}
			if len(names) == 1 && name == p.alias {
				return plValue{kind: plRecord, row: p.row}, true
			}
		}
	}
	return plValue{}, false
}

// selectRows answers a query of the system catalogs or of constants; ok is false when the answer is not known. Rows come
// in no particular order unless the query sorts by a column.
func (r *codeRunner) selectRows(n *pgast.SelectStmt, outer *plScope) (rows []plRow, ok bool) {
	if n == nil || n.WithClause != nil || n.Op > pgast.SetOperation_SETOP_NONE || len(n.GroupClause) > 0 || n.HavingClause != nil || n.LimitOffset != nil {
		return nil, false
	}
	if len(n.ValuesLists) > 0 {
		for _, list := range n.ValuesLists {
			var row plRow
			for i, item := range list.GetList().GetItems() {
				row.names = append(row.names, "column"+itoa(i+1))
				row.values = append(row.values, r.evalIn(item, outer))
			}
			rows = append(rows, row)
		}
		return rows, true
	}
	scopes := []*plScope{{outer: outer}}
	complete := true
	for _, from := range n.FromClause {
		var all bool
		if scopes, all, ok = r.fromRows(from, scopes); !ok {
			return nil, false
		}
		complete = complete && all
	}
	var kept []*plScope
	for _, s := range scopes {
		if n.WhereClause != nil {
			v := r.evalIn(n.WhereClause, s)
			if !v.known() {
				return nil, false
			}
			if !v.truth() {
				continue
			}
		}
		kept = append(kept, s)
	}
	if !complete && (len(kept) == 0 || !existsOnly(n)) {
		return nil, false // an open catalog may have more
	}
	if isAggregateQuery(n) {
		s := &plScope{outer: outer, group: func(call *pgast.FuncCall, name string) plValue { return r.aggregate(call, name, kept) }}
		kept = []*plScope{s}
	} else if !r.sortRows(n.SortClause, kept) {
		return nil, false
	}
	for _, s := range kept {
		row, ok := r.targetRow(n.TargetList, s)
		if !ok {
			return nil, false
		}
		rows = append(rows, row)
	}
	if len(n.DistinctClause) > 0 {
		rows = distinctRows(rows)
	}
	if n.LimitCount != nil {
		limit := r.evalIn(n.LimitCount, outer)
		if limit.kind != plInteger {
			return nil, false
		}
		if int(limit.i) < len(rows) {
			rows = rows[:limit.i]
		}
	}
	return rows, true
}

// existsOnly: what is selected does not matter, only that there is a row (SELECT 1 FROM …).
func existsOnly(n *pgast.SelectStmt) bool {
	for _, t := range n.TargetList {
		if t.GetResTarget().GetVal().GetAConst() == nil {
			return false
		}
	}
	return true
}

func distinctRows(rows []plRow) []plRow {
	var out []plRow
	seen := map[string]bool{}
	for _, row := range rows {
		var key strings.Builder
		for _, v := range row.values {
			s, _ := v.text()
			key.WriteString(s + "\x00")
		}
		if !seen[key.String()] {
			seen[key.String()] = true
			out = append(out, row)
		}
	}
	return out
}

// sortRows sorts by columns of one kind.
func (r *codeRunner) sortRows(list []*pgast.Node, rows []*plScope) bool {
	if len(list) == 0 {
		return true
	}
	slices.SortStableFunc(rows, func(a, b *plScope) int {
		for _, node := range list {
			sort := node.GetSortBy()
			x, y := r.evalIn(sort.Node, a), r.evalIn(sort.Node, b)
			order := 0
			if x.kind == plInteger && y.kind == plInteger {
				order = int(x.i - y.i)
			} else {
				xs, _ := x.text()
				ys, _ := y.text()
				order = strings.Compare(xs, ys)
			}
			if sort.SortbyDir == pgast.SortByDir_SORTBY_DESC {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	return true
}

func isAggregateQuery(n *pgast.SelectStmt) bool {
	found := false
	for _, t := range n.TargetList {
		pgast.Walk(t.GetResTarget().GetVal(), func(n *pgast.Node) bool {
			if call := n.GetFuncCall(); call != nil && call.Over == nil {
				_, name := splitName(call.Funcname)
				found = found || slices.Contains([]string{"count", "max", "min", "array_agg", "string_agg", "bool_or", "bool_and"}, name)
			}
			return n.GetSubLink() == nil
		})
	}
	return found
}

func (r *codeRunner) aggregate(call *pgast.FuncCall, name string, rows []*plScope) plValue {
	var values []plValue
	if !call.AggStar {
		if len(call.Args) == 0 || len(call.AggOrder) > 0 || call.AggFilter != nil {
			return plValue{}
		}
		for _, s := range rows {
			v := r.evalIn(call.Args[0], s)
			if !v.known() {
				return plValue{}
			}
			if v.kind != plNullKind {
				values = append(values, v)
			}
		}
	}
	switch name {
	case "count":
		if call.AggStar {
			return plInt(int64(len(rows)))
		}
		if !call.AggDistinct {
			return plInt(int64(len(values)))
		}
	case "bool_or", "bool_and":
		if len(values) == 0 {
			return plNull()
		}
		for _, v := range values {
			if v.truth() == (name == "bool_or") {
				return plBool(name == "bool_or")
			}
		}
		return plBool(name != "bool_or")
	case "max", "min":
		if len(values) == 0 {
			return plNull()
		}
		if len(values) == 1 {
			return values[0]
		}
	case "array_agg":
		if len(values) == 0 {
			return plNull()
		}
		return plValue{kind: plArray, list: values}
	}
	return plValue{}
}

func (r *codeRunner) targetRow(list []*pgast.Node, s *plScope) (plRow, bool) {
	var row plRow
	b := r.c.newBinder()
	for _, node := range list {
		t := node.GetResTarget()
		if ref := t.GetVal().GetColumnRef(); ref != nil && ref.Fields[len(ref.Fields)-1].GetAStar() != nil {
			names := stringList(ref.Fields[:len(ref.Fields)-1])
			for _, p := range s.parts {
				if len(names) > 0 && names[len(names)-1] != p.alias {
					continue
				}
				keys := make([]string, 0, len(p.row))
				for name := range p.row {
					keys = append(keys, name)
				}
				slices.Sort(keys)
				for _, name := range keys {
					row.names = append(row.names, name)
					row.values = append(row.values, p.row[name])
				}
			}
			continue
		}
		name := t.Name
		if name == "" {
			name = b.outputName(t.Val)
		}
		row.names = append(row.names, name)
		row.values = append(row.values, r.evalIn(t.Val, s))
	}
	return row, true
}

// fromRows joins an item of FROM to each of the rows so far. all is false when the catalog may have more rows than known.
func (r *codeRunner) fromRows(n *pgast.Node, scopes []*plScope) (out []*plScope, all, ok bool) {
	all = true
	switch n := n.GetNode().(type) {
	case *pgast.Node_RangeVar:
		rows, complete, ok := r.tableRows(n.RangeVar)
		if !ok {
			return nil, false, false
		}
		alias := n.RangeVar.Relname
		if n.RangeVar.Alias != nil {
			alias = n.RangeVar.Alias.Aliasname
		}
		return extend(scopes, alias, rows), complete, true
	case *pgast.Node_JoinExpr:
		if n.JoinExpr.IsNatural || n.JoinExpr.Jointype != pgast.JoinType_JOIN_INNER && n.JoinExpr.Jointype != pgast.JoinType_JOIN_LEFT {
			return nil, false, false
		}
		for _, s := range scopes {
			left, all1, ok := r.fromRows(n.JoinExpr.Larg, []*plScope{s})
			if !ok {
				return nil, false, false
			}
			for _, l := range left {
				joined, all2, ok := r.joinRow(n.JoinExpr, l)
				if !ok {
					return nil, false, false
				}
				all = all && all1 && all2
				out = append(out, joined...)
			}
			all = all && all1
		}
		return out, all, true
	case *pgast.Node_RangeSubselect:
		for _, s := range scopes {
			rows, ok := r.selectRows(n.RangeSubselect.Subquery.GetSelectStmt(), s)
			if !ok {
				return nil, false, false
			}
			names := stringList(n.RangeSubselect.GetAlias().GetColnames())
			var maps []map[string]plValue
			for _, row := range rows {
				m := map[string]plValue{}
				for i, v := range row.values {
					name := row.names[i]
					if i < len(names) {
						name = names[i]
					}
					m[name] = v
				}
				maps = append(maps, m)
			}
			out = append(out, extend([]*plScope{s}, n.RangeSubselect.GetAlias().GetAliasname(), maps)...)
		}
		return out, true, true
	case *pgast.Node_RangeFunction:
		return r.functionRows(n.RangeFunction, scopes)
	}
	return nil, false, false
}

func (r *codeRunner) joinRow(n *pgast.JoinExpr, left *plScope) (out []*plScope, all, ok bool) {
	right, all, ok := r.fromRows(n.Rarg, []*plScope{left})
	if !ok {
		return nil, false, false
	}
	for _, s := range right {
		match := plBool(true)
		if n.Quals != nil {
			match = r.evalIn(n.Quals, s)
		}
		for _, name := range stringList(n.UsingClause) {
			lv, _ := left.column([]string{name})
			last := s.parts[len(s.parts)-1]
			if v := compare("=", lv, last.row[name]); !v.truth() {
				match = v
			}
		}
		if !match.known() {
			return nil, false, false
		}
		if match.truth() {
			out = append(out, s)
		}
	}
	if len(out) == 0 && n.Jointype == pgast.JoinType_JOIN_LEFT {
		s := &plScope{outer: left.outer, parts: append(slices.Clone(left.parts), nullPart(right, len(left.parts)))}
		out = append(out, s)
	}
	return out, all, true
}

// nullPart is the row of NULLs of a left join.
func nullPart(rows []*plScope, at int) plPart {
	p := plPart{row: map[string]plValue{}}
	if len(rows) > 0 && at < len(rows[0].parts) {
		p.alias = rows[0].parts[at].alias
		for name := range rows[0].parts[at].row {
			p.row[name] = plNull()
		}
	}
	return p
}

func extend(scopes []*plScope, alias string, rows []map[string]plValue) []*plScope {
	var out []*plScope
	for _, s := range scopes {
		for _, row := range rows {
			out = append(out, &plScope{outer: s.outer, parts: append(slices.Clone(s.parts), plPart{alias, row})})
		}
	}
	return out
}

// functionRows is unnest() and generate_series() in FROM.
func (r *codeRunner) functionRows(n *pgast.RangeFunction, scopes []*plScope) (out []*plScope, all, ok bool) {
	if len(n.Functions) != 1 || n.Ordinality {
		return nil, false, false
	}
	call := n.Functions[0].GetList().GetItems()[0].GetFuncCall()
	if call == nil {
		return nil, false, false
	}
	_, name := splitName(call.Funcname)
	alias, column := name, name
	if n.Alias != nil {
		alias, column = n.Alias.Aliasname, n.Alias.Aliasname
		if names := stringList(n.Alias.Colnames); len(names) > 0 {
			column = names[0]
		}
	}
	for _, s := range scopes {
		var values []plValue
		switch {
		case name == "unnest" && len(call.Args) == 1:
			v := r.evalIn(call.Args[0], s)
			if v.kind != plArray {
				return nil, false, false
			}
			values = v.list
		case name == "generate_series" && len(call.Args) == 2:
			from, to := r.evalIn(call.Args[0], s), r.evalIn(call.Args[1], s)
			if from.kind != plInteger || to.kind != plInteger || to.i-from.i > maxCodeSteps {
				return nil, false, false
			}
			for i := from.i; i <= to.i; i++ {
				values = append(values, plInt(i))
			}
		default:
			return nil, false, false
		}
		var rows []map[string]plValue
		for _, v := range values {
			rows = append(rows, map[string]plValue{column: v})
		}
		out = append(out, extend([]*plScope{s}, alias, rows)...)
	}
	return out, true, true
}

// evalSubLink is EXISTS, IN (SELECT …), ARRAY(SELECT …) and a scalar subquery.
func (r *codeRunner) evalSubLink(n *pgast.SubLink, row *plScope) plValue {
	rows, ok := r.selectRows(n.Subselect.GetSelectStmt(), row)
	if !ok {
		return plValue{}
	}
	switch n.SubLinkType {
	case pgast.SubLinkType_EXISTS_SUBLINK:
		return plBool(len(rows) > 0)
	case pgast.SubLinkType_EXPR_SUBLINK:
		if len(rows) == 0 {
			return plNull()
		}
		if len(rows) == 1 && len(rows[0].values) == 1 {
			return rows[0].values[0]
		}
	case pgast.SubLinkType_ARRAY_SUBLINK:
		v := plValue{kind: plArray}
		for _, row := range rows {
			v.list = append(v.list, row.values[0])
		}
		return v
	case pgast.SubLinkType_ANY_SUBLINK:
		if _, op := splitOperator(n.OperName); op != "=" {
			return plValue{}
		}
		var list []plValue
		for _, row := range rows {
			list = append(list, row.values[0])
		}
		return anyEqual(r.evalIn(n.Testexpr, row), list)
	}
	return plValue{}
}
