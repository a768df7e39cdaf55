package catalog

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// ViewMeaning is what a view answers, in a form that is the same for two views (of the same history, or one view at two
// times) that answer the same: what it reads is told by identity, whatever it is called, views over views down to the tables.
// PostgreSQL has a view dropped and made again for many changes of it, so that neither name nor OID tells.
type ViewMeaning struct {
	// Rows says where the rows come from: FROM, WHERE, GROUP BY and the like. Columns say what each column holds, by name.
	Rows    string
	Columns map[string]string
}

// Same reports whether those who read the named columns get the same rows with the same values.
func (v *ViewMeaning) Same(other *ViewMeaning, columns []string) bool {
	return v.Rows == other.Rows && !slices.ContainsFunc(columns, func(name string) bool { return v.Columns[name] != other.Columns[name] })
}

// ViewMeaning is nil for anything but a view, materialized or not, whose query is known.
func (c *Catalog) ViewMeaning(view *Relation) *ViewMeaning { return c.viewMeaning(view, 0) }

func (c *Catalog) viewMeaning(view *Relation, depth int) *ViewMeaning {
	if view == nil || view.Query == nil || view.Query.Unknown || view.Query.Node.GetSelectStmt() == nil || depth > 32 {
		return nil
	}
	b := c.newBinder()
	b.ask = &asked{}
	q, err := b.bindQuery(view.Query.Node, nil)
	if err != nil || q.open || len(b.ask.unknown) > 0 {
		return nil
	}
	m := meanings{c: c, at: map[int32][]Address{}, depth: depth}
	for _, use := range b.ask.uses {
		m.at[int32(use.Offset)] = append(m.at[int32(use.Offset)], use.Address)
	}
	sel := pgast.Clone(view.Query.Node.GetSelectStmt())
	m.replace(&pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: sel}})
	out := &ViewMeaning{Columns: map[string]string{}}
	for i, col := range q.cols {
		name := col.name
		if i < len(view.Columns) {
			name = view.Columns[i].Name // by AS, by the list of the view, or renamed since
		}
		switch {
		case i < len(sel.TargetList) && len(sel.TargetList) == len(q.cols) && !col.star:
			out.Columns[name] = canonicalSQL(sel.TargetList[i].GetResTarget().GetVal())
		case col.origin.OID != 0:
			out.Columns[name] = "col(" + m.identity(col.origin) + ")" // as if it were named
		default:
			out.Columns[name] = fmt.Sprintf("%d of %s", i, canonicalSQL(&pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: sel}}))
		}
		if len(out.Columns) <= i {
			return nil // two of a name
		}
	}
	if len(sel.DistinctClause) == 0 && b.sets == 0 && !byNumber(sel.GroupClause) && !byNumber(sel.SortClause) {
		sel.TargetList = nil // more columns are not other rows
	}
	out.Rows = canonicalSQL(&pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: sel}})
	return out
}

// byNumber tells of GROUP BY 1.
func byNumber(list []*pgast.Node) bool {
	return slices.ContainsFunc(list, func(n *pgast.Node) bool { return n.GetAConst() != nil || n.GetSortBy().GetNode().GetAConst() != nil })
}

// meanings puts what names denote in the place of the names.
type meanings struct {
	c     *Catalog
	at    map[int32][]Address
	depth int
}

func (m *meanings) replace(n *pgast.Node) {
	aliases, times := map[string]int{}, map[string]int{} // how often a name is given, a table read
	pgast.Walk(n, func(n *pgast.Node) bool {
		if rv := n.GetRangeVar(); rv != nil {
			times[m.table(rv)]++
			if rv.Alias != nil {
				aliases[rv.Alias.Aliasname]++
			}
		}
		return true
	})
	pgast.Walk(n, func(n *pgast.Node) bool {
		// The alias of a table that is read once only says what its columns are called, and those are told by identity.
		if rv := n.GetRangeVar(); rv != nil && rv.Alias != nil && times[m.table(rv)] == 1 && m.table(rv) != "" && aliases[rv.Alias.Aliasname] == 1 && len(rv.Alias.Colnames) == 0 {
			delete(aliases, rv.Alias.Aliasname)
			rv.Alias = nil
		}
		return true
	})
	pgast.Walk(n, func(n *pgast.Node) bool {
		switch n := n.GetNode().(type) {
		case *pgast.Node_ColumnRef:
			uses := m.at[n.ColumnRef.Location]
			if len(uses) == 0 || n.ColumnRef.Fields[len(n.ColumnRef.Fields)-1].GetString_() == nil {
				break
			}
			var text []string
			if of := n.ColumnRef.Fields[0].GetString_().GetSval(); len(n.ColumnRef.Fields) == 2 && aliases[of] > 0 {
				text = append(text, of) // of a table that is joined with itself
			}
			for _, a := range uses {
				text = append(text, m.identity(a))
			}
			n.ColumnRef.Fields = []*pgast.Node{{Node: &pgast.Node_String_{String_: &pgast.String{Sval: strings.Join(text, " ")}}}}
		case *pgast.Node_RangeVar:
			if text := m.table(n.RangeVar); text != "" {
				n.RangeVar.Schemaname, n.RangeVar.Relname = "", text
			}
		}
		return true
	})
}

// table is the identity of a table that is read, "" for what is none (a CTE).
func (m *meanings) table(rv *pgast.RangeVar) string {
	text := ""
	for _, a := range m.at[rv.Location] {
		text = m.identity(a)
	}
	return text
}

// identity is text that is the same for the same thing: a table's OID, what a view answers.
func (m *meanings) identity(a Address) string {
	if a.Column > 0 {
		if behind := m.c.Behind(a); behind.OID != 0 {
			a = behind
		}
	}
	rel, _ := m.c.Get(a.OID).(*Relation)
	if v := m.c.viewMeaning(rel, m.depth+1); v != nil {
		if a.Column == 0 {
			return "(" + v.Rows + ")"
		}
		return "(" + v.Columns[rel.Att(a.Column).Name] + ")"
	}
	return fmt.Sprintf("#%d.%d", a.OID, a.Column)
}
