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
		start, end, word := lastName(sql, at)
		if word == old && old != now {
			edits = append(edits, Edit{r.variant, start, end - start, pgast.QuoteIdent(now) + also})
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
	return append(edits, r.renamedTarget(to)...)
}

// renamedTarget are the edits of ON CONFLICT (a, b). An expression there has no place of its own, and stays.
func (r *reading) renamedTarget(to *catalog.Catalog) []Edit {
	infer := r.stmt.Node.GetInsertStmt().GetOnConflictClause().GetInfer()
	if infer == nil || infer.Conname != "" || len(r.an.Writes) == 0 {
		return nil
	}
	w := r.an.Writes[0]
	was, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	is, _ := to.Get(w.Relation).(*catalog.Relation)
	if was == nil || is == nil {
		return nil
	}
	var edits []Edit
	at := int(infer.Location)
	sql := r.sql().SQL
	for i, n := range infer.IndexElems {
		if at = nextName(sql, at); at < 0 || n.GetIndexElem().GetName() == "" {
			return nil
		}
		start, end, word := lastName(sql, at)
		if word != n.GetIndexElem().Name || i > 0 && n.GetIndexElem().Collation != nil {
			return nil
		}
		if old := was.Column(word); old != nil {
			if now := is.Att(old.Num); now != nil && !now.Dropped && now.Name != word {
				edits = append(edits, Edit{r.variant, start, end - start, pgast.QuoteIdent(now.Name)})
			}
		}
		at = end
	}
	return edits
}

// nextName is where the name after an opening parenthesis or a comma begins, -1 when there is none.
func nextName(sql string, at int) int {
	rest := strings.TrimLeft(sql[at:], " \t\r\n")
	if rest == "" || rest[0] != '(' && rest[0] != ',' {
		return -1
	}
	return len(sql) - len(strings.TrimLeft(rest[1:], " \t\r\n"))
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
