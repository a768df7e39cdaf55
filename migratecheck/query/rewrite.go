package query

import (
	"cmp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Edit puts another text for Length bytes of a variant's SQL.
type Edit struct {
	Variant, Offset, Length int
	Text                    string
}

// Renamed lists the edits after which the texts of a site name by its name on schema to what they name on schema from, sorted. What a
// query calls its columns and tables stays: new AS old. ok is false when a text cannot be read on from. Whether the texts then
// mean the same [Bound.Same] tells.
func (b *Bound) Renamed(from, to *catalog.Catalog) (edits []Edit, ok bool) {
	for i := range b.Site.Variants {
		m := b.read(i, from)
		if b.errs[i] != nil || len(m.readings) < len(b.stmts[i]) {
			return nil, false
		}
		for _, r := range m.readings {
			if r.an == nil || r.fails() {
				return nil, false
			}
			edits = append(edits, r.renamed(to)...)
		}
	}
	slices.SortFunc(edits, func(a, b Edit) int { return cmp.Or(cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Offset, b.Offset)) })
	return slices.Compact(edits), true
}

// renamed is Renamed for one statement.
func (r *reading) renamed(to *catalog.Catalog) []Edit {
	sql := r.sql().SQL
	var edits []Edit
	name := func(at int, old, now, also string) {
		if start, end, word := lastName(sql, at); word == old && old != now {
			edits = append(edits, r.rename(start, end, now, also))
		}
	}
	t := r.naming()
	for _, use := range r.an.Uses {
		was, _ := r.cat.Get(use.Address.OID).(*catalog.Relation)
		is, _ := to.Get(use.Address.OID).(*catalog.Relation)
		if was == nil || is == nil || use.Star {
			continue
		}
		if use.Address.Column == 0 {
			also := ""
			if t.bare[use.Offset] && t.qualifies[was.Name] {
				also = " AS " + pgast.QuoteIdent(was.Name)
			}
			name(use.Offset, was.Name, is.Name, also)
			continue
		}
		old, now := was.Att(use.Address.Column), is.Att(use.Address.Column)
		if old == nil || now == nil || now.Dropped {
			continue
		}
		also := ""
		if t.output[use.Offset] {
			also = " AS " + pgast.QuoteIdent(old.Name)
		}
		name(use.Offset, old.Name, now.Name, also)
	}
	return slices.Concat(edits, r.renamedTarget(to), r.renamedCopy(to), r.renamedUsing(to))
}

// rename is the edit of a name. One in quotes stays in them: what stands between them may come from a program that adds them.
func (r *reading) rename(start, end int, now, also string) Edit {
	if sql := r.sql().SQL; sql[start] == '"' && also == "" && !strings.Contains(now, `"`) {
		return Edit{r.variant, start + 1, end - start - 2, now}
	}
	return Edit{r.variant, start, end - start, pgast.QuoteIdent(now) + also}
}

// renamedTarget are the edits of ON CONFLICT (a, b), whose names have no places of their own. Those in expressions have.
func (r *reading) renamedTarget(to *catalog.Catalog) []Edit {
	infer := r.stmt.Node.GetInsertStmt().GetOnConflictClause().GetInfer()
	if infer == nil || infer.Conname != "" || len(r.an.Writes) == 0 {
		return nil
	}
	names := make([]string, len(infer.IndexElems))
	for i, n := range infer.IndexElems {
		names[i] = n.GetIndexElem().GetName()
	}
	return r.renamedList(int(infer.Location), names, r.an.Writes[0].Relation, to)
}

// renamedCopy are the edits of COPY t (a, b).
func (r *reading) renamedCopy(to *catalog.Catalog) []Edit {
	c := r.stmt.Node.GetCopyStmt()
	if c == nil || c.Relation == nil || len(c.Attlist) == 0 {
		return nil
	}
	i := slices.IndexFunc(r.an.Uses, func(u catalog.Use) bool { return u.Offset == int(c.Relation.Location) && u.Address.Column == 0 })
	_, end, _ := lastName(r.sql().SQL, int(c.Relation.Location))
	if i < 0 || end == 0 {
		return nil
	}
	names := make([]string, len(c.Attlist))
	for i, n := range c.Attlist {
		names[i] = n.GetString_().GetSval()
	}
	return r.renamedList(end, names, r.an.Uses[i].Address.OID, to)
}

// renamedList are the edits of a list of columns of a relation, whose parenthesis opens at an offset. An element that is no
// name, "", has its own.
func (r *reading) renamedList(at int, names []string, relation catalog.OID, to *catalog.Catalog) []Edit {
	was, _ := r.cat.Get(relation).(*catalog.Relation)
	is, _ := to.Get(relation).(*catalog.Relation)
	list := elements(r.sql().SQL, at)
	if was == nil || is == nil || len(list) != len(names) {
		return nil
	}
	var edits []Edit
	for i, name := range names {
		start, end, word := lastName(r.sql().SQL, list[i])
		old := was.Column(name)
		if name == "" || word != name || old == nil {
			continue
		}
		if now := is.Att(old.Num); now != nil && !now.Dropped && now.Name != name {
			edits = append(edits, r.rename(start, end, now.Name, ""))
		}
	}
	return edits
}

// elements are where the elements of a list in parentheses begin; nil when no list opens at the offset.
func elements(sql string, at int) []int {
	var starts []int
	depth, begins := 0, false
	for s := pgast.NewScanner(sql[at:]); ; {
		tok, ok := s.Next()
		if !ok {
			return nil
		}
		if tok.IsComment() {
			continue
		}
		if begins {
			starts, begins = append(starts, at+tok.Start), false
		}
		switch text := sql[at+tok.Start : at+tok.End]; {
		case text == "(":
			depth++
			begins = depth == 1
		case depth == 0:
			return nil
		case text == "," && depth == 1:
			begins = true
		case text == ")":
			if depth--; depth == 0 {
				return starts
			}
		}
	}
}

// renamedUsing are the edits of JOIN … USING (a, b): the columns of both sides have to have the same other name. Neither the
// join nor what it names has a place of its own, so that every such list in the text is taken for those of the joins.
func (r *reading) renamedUsing(to *catalog.Catalog) []Edit {
	var lists [][]string
	pgast.WalkMessages(r.stmt.Node, func(m pgast.Message) bool {
		if join, ok := m.(*pgast.JoinExpr); ok && len(join.UsingClause) > 0 {
			var names []string
			for _, n := range join.UsingClause {
				names = append(names, n.GetString_().GetSval())
			}
			lists = append(lists, names)
		}
		return true
	})
	if lists == nil {
		return nil
	}
	now := map[string]string{} // "" where a column of the name has another one than the rest
	for _, use := range r.an.Uses {
		was, _ := r.cat.Get(use.Address.OID).(*catalog.Relation)
		is, _ := to.Get(use.Address.OID).(*catalog.Relation)
		if was == nil || is == nil || use.Address.Column == 0 || was.Att(use.Address.Column) == nil || is.Att(use.Address.Column) == nil {
			continue
		}
		old, name := was.Att(use.Address.Column).Name, is.Att(use.Address.Column).Name
		if other, there := now[old]; there && other != name {
			name = ""
		}
		now[old] = name
	}
	var edits []Edit
	sql := r.sql().SQL
	for s := pgast.NewScanner(sql); ; {
		tok, ok := s.Next()
		if !ok {
			return edits
		}
		if tok.Kind != pgast.KindWord || !strings.EqualFold(sql[tok.Start:tok.End], "using") {
			continue
		}
		var names []string
		starts := elements(sql, tok.End)
		for _, start := range starts {
			_, _, name := lastName(sql, start)
			names = append(names, name)
		}
		if !slices.ContainsFunc(lists, func(list []string) bool { return slices.Equal(list, names) }) {
			continue
		}
		for i, name := range names {
			if to := now[name]; to != "" && to != name {
				start, end, _ := lastName(sql, starts[i])
				edits = append(edits, r.rename(start, end, to, ""))
			}
		}
	}
}

// naming is which places of a statement give names to others.
type naming struct {
	output    map[int]bool    // columns after which a column of a result is called
	bare      map[int]bool    // tables without an alias
	qualifies map[string]bool // names of tables that stand before a column, or for a row
}

func (r *reading) naming() naming {
	t := naming{map[int]bool{}, map[int]bool{}, map[string]bool{}}
	positional := r.sql().Scan != nil && r.sql().Scan.Kind == ByPosition
	unread := map[*pgast.SelectStmt]bool{} // queries whose columns nobody calls by name
	targets := func(list []*pgast.Node) {
		for _, n := range list {
			if ref := n.GetResTarget().GetVal().GetColumnRef(); ref != nil && n.GetResTarget().Name == "" {
				t.output[int(ref.Location)] = true
			}
		}
	}
	returning := func(top *pgast.Node, list []*pgast.Node) {
		if !positional || r.stmt.Node != top {
			targets(list)
		}
	}
	if positional {
		unread[r.stmt.Node.GetSelectStmt()] = true
	}
	pgast.WalkMessages(r.stmt.Node, func(m pgast.Message) bool {
		switch n := m.(type) {
		case *pgast.Node:
			returning(n, n.GetInsertStmt().GetReturningList())
			returning(n, n.GetUpdateStmt().GetReturningList())
			returning(n, n.GetDeleteStmt().GetReturningList())
		case *pgast.InsertStmt:
			unread[n.SelectStmt.GetSelectStmt()] = true
		case *pgast.SubLink:
			unread[n.Subselect.GetSelectStmt()] = true
		case *pgast.SelectStmt:
			// Clauses that sort and group go by the names of the result, too.
			if !unread[n] || len(n.SortClause)+len(n.GroupClause)+len(n.DistinctClause) > 0 {
				targets(n.TargetList)
			}
		case *pgast.RangeVar:
			t.bare[int(n.Location)] = n.Alias == nil
		case *pgast.LockingClause:
			for _, rel := range n.LockedRels {
				t.qualifies[rel.GetRangeVar().GetRelname()] = true
			}
		case *pgast.ColumnRef:
			for i, f := range n.Fields {
				if i < len(n.Fields)-1 || i == 0 {
					t.qualifies[f.GetString_().GetSval()] = true
				}
			}
		}
		return true
	})
	return t
}

// lastName reads the dotted name at an offset: where its last part is, and which name that means; "" when there is none, or
// one written in a way that is not followed.
func lastName(sql string, at int) (start, end int, name string) {
	if at < 0 {
		return 0, 0, ""
	}
	for i := at; i < len(sql); i++ {
		start, name = i, ""
		if sql[i] == '"' {
			for i++; i < len(sql) && (sql[i] != '"' || i+1 < len(sql) && sql[i+1] == '"'); i++ {
				if sql[i] == '"' {
					i++
				}
				name += sql[i : i+1]
			}
			i++
		} else {
			for i < len(sql) && inWord(sql[i]) {
				i++
			}
			name = asciiLower(sql[start:min(i, len(sql))])
		}
		end = min(i, len(sql))
		if i >= len(sql) || sql[i] != '.' || i+1 < len(sql) && sql[i+1] == '*' {
			return start, end, name
		}
	}
	return 0, 0, ""
}

func inWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// asciiLower folds as the server's scanner does where the encoding is UTF-8 (downcase_identifier in src/backend/parser/scansup.c).
func asciiLower(s string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}

// Edited is the site as it is after edits, sorted as [Bound.Renamed] sorts them.
func (b *Bound) Edited(edits []Edit) *Bound {
	site := *b.Site
	site.Variants = slices.Clone(site.Variants)
	for _, e := range slices.Backward(edits) {
		v := &site.Variants[e.Variant]
		v.SQL, v.Segments = v.SQL[:e.Offset]+e.Text+v.SQL[e.Offset+e.Length:], nil
	}
	out := Parse(&site)
	out.made, out.without = b.made, b.without
	return out
}

// Same reports whether a site on one schema means what it means, edited, on another: each place names the same object, and each
// column of the result is the same one under the same name, but for those of a *.
func (b *Bound) Same(from *catalog.Catalog, edited *Bound, edits []Edit, to *catalog.Catalog) bool {
	for i := range b.Site.Variants {
		was, is := b.read(i, from), edited.read(i, to)
		if len(was.readings) != len(is.readings) || !slices.Equal(was.unknown, is.unknown) {
			return false
		}
		for j, r := range was.readings {
			if !r.same(is.readings[j], edits) {
				return false
			}
		}
	}
	return true
}

func (r *reading) same(now *reading, edits []Edit) bool {
	if r.an == nil || now.an == nil || r.fails() || now.fails() || len(r.an.Columns) != len(now.an.Columns) {
		return false
	}
	moved := func(at int) int {
		to := at
		for _, e := range edits {
			if e.Variant == r.variant && e.Offset < at {
				to += len(e.Text) - e.Length
			}
		}
		return to
	}
	was, is := map[catalog.Use]bool{}, map[catalog.Use]bool{}
	for _, use := range r.an.Uses {
		use.Offset = moved(use.Offset)
		was[use] = true
	}
	for _, use := range now.an.Uses {
		is[use] = true
	}
	for use := range was {
		if !is[use] {
			return false
		}
	}
	positional := r.sql().Scan != nil && r.sql().Scan.Kind == ByPosition
	for i, col := range r.an.Columns {
		n := now.an.Columns[i]
		if col.Origin != n.Origin || col.Name != n.Name && !positional && !(col.Star && n.Star) {
			return false
		}
	}
	return len(was) == len(is)
}
