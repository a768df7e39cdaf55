package sqlquery

import (
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

func tokenPos(n int) token.Pos { return token.Pos(n) }

// position is a place as a Site has it. //line comments do not count: the SQL stands where it stands.
func (p *program) position(pos token.Pos) query.Position {
	at := p.fset.PositionFor(pos, false)
	return query.Position{File: p.file(at.Filename), Line: at.Line, Column: at.Column}
}

// file is the name of a file relative to Dir; of a dependency, its module's path and the name in it.
func (p *program) file(name string) string {
	if p.dir == "" {
		return filepath.ToSlash(name)
	}
	if rest, ok := strings.CutPrefix(name, p.modCache+string(filepath.Separator)); ok && p.modCache != "" {
		return filepath.ToSlash(rest)
	}
	return p.rel(name)
}

// sites makes sites of what was observed, sorted: the user's own first.
func (m *machine) sites() []query.Site {
	// What depends on a parameter of a function is not shown when a caller of that function was looked at.
	type way struct {
		origin  token.Pos
		through *funcInfo
	}
	called := map[way]bool{}
	for _, o := range m.obs {
		for _, f := range o.through {
			called[way{o.origin, f}] = true
		}
	}
	groups := map[token.Pos][]*observation{}
	var order []token.Pos
	for _, o := range m.obs {
		if called[way{o.origin, o.root}] && dependsOnParam(o.sql) {
			continue
		}
		if m.toldByCallers(o.root) {
			continue
		}
		if u, ok := o.sql.(*unknown); ok && u.exact && m.pass != nil {
			continue // a fact tells the callers
		}
		if groups[o.pos] == nil {
			order = append(order, o.pos)
		}
		groups[o.pos] = append(groups[o.pos], o)
	}
	var list []query.Site
	for _, pos := range order {
		if s, ok := m.site(pos, groups[pos]); ok {
			list = append(list, s)
		}
	}
	list = append(list, m.names...)
	slices.SortStableFunc(list, func(a, b query.Site) int {
		switch {
		case (a.Module == "") != (b.Module == ""):
			if a.Module == "" {
				return -1
			}
			return 1
		case a.Pos.File != b.Pos.File:
			return strings.Compare(a.Pos.File, b.Pos.File)
		case a.Pos.Line != b.Pos.Line:
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	return list
}

// site makes one site of all observations at a place; it is false when the place sends nothing.
func (m *machine) site(pos token.Pos, group []*observation) (query.Site, bool) {
	first := group[0]
	s := query.Site{Pos: m.p.position(pos), Lang: "go", Kind: first.kind, Func: first.fn.funcName(), Tx: m.tx(first)}
	if k := first.pkg; k != nil && !k.own {
		if s.Module = k.place.module; s.Module == "" {
			return s, false // a package of the user's, beside what was to be read
		}
	}
	for _, o := range group[1:] {
		if tx := m.tx(o); tx != s.Tx {
			s.Tx = query.TxUnknown
		}
	}
	type text struct {
		rendered
		o *observation
	}
	var all []text
	var reasons []string
	tooMany := false
	met := slices.ContainsFunc(group, func(o *observation) bool { return !o.gate.empty() })
	for _, o := range group {
		if met && o.gate.empty() {
			continue // no schema lets the code send it from there
		}
		list, more := m.render(o)
		tooMany = tooMany || more
		for _, r := range list {
			if r.reason != "" && !slices.Contains(reasons, r.reason) {
				reasons = append(reasons, r.reason)
			}
			if o.escaped && r.reason == "" {
				reasons = append(reasons, "the builder goes to code that is not here, which may add to it")
				r.reason = reasons[len(reasons)-1]
			}
			all = append(all, text{r, o})
		}
	}
	parses := func(sql string) bool {
		_, err := pgast.Parse(sql)
		return err == nil
	}
	good := 0
	ok := make([]bool, len(all))
	for i, t := range all {
		if !t.unknown && strings.TrimSpace(t.sql) != "" && parses(t.sql) {
			ok[i] = true
			good++
		}
	}
	partial := tooMany
	for i, t := range all {
		switch {
		case t.unknown:
			partial = true
			continue
		case strings.TrimSpace(t.sql) == "":
			continue
		case !ok[i] && t.zero && good > 0:
			continue // a variable that was never set makes no SQL: the code counts on it being set
		case !ok[i] && t.reason != "":
			partial = true
			continue // what is certain is not a statement
		}
		v := query.Variant{SQL: t.sql, Segments: t.segments, Optional: t.optional, Prepared: t.o.prepared, Gate: m.gate(t.o, t.gate)}
		if t.o.argsKnown || t.argsKnown {
			v.Args = m.argTypes(t.args)
		}
		if !t.widths {
			v.Scan = m.scanOf(t.o.scanAt(t.gate))
		}
		if t.reason != "" {
			partial = true
		}
		if have := slices.IndexFunc(s.Variants, func(o query.Variant) bool { return o.SQL == v.SQL && sameArgs(o.Args, v.Args) }); have >= 0 {
			s.Variants[have].Scan = mergeScan(s.Variants[have].Scan, v.Scan)
			s.Variants[have].Gate = s.Variants[have].Gate.Or(v.Gate)
			continue // the same text from another caller
		}
		s.Variants = append(s.Variants, v)
	}
	if first.kind == query.Statement && len(s.Variants) > 0 && strings.HasPrefix(s.Variants[0].SQL, "COPY ") && strings.HasSuffix(s.Variants[0].SQL, "FROM STDIN") {
		s.Kind = query.Copy
	}
	s.Gate = s.Shared()
	switch {
	case len(s.Variants) == 0 && len(reasons) == 0:
		return s, false // an empty text, such as a test of the connection
	case len(s.Variants) == 0:
		s.Status = query.Dynamic
	case partial:
		s.Status = query.Partial
	case distinct(s.Variants) == 1:
		s.Status = query.Static
	default:
		s.Status = query.Finite
	}
	if s.Status == query.Partial || s.Status == query.Dynamic {
		if tooMany {
			reasons = append(reasons, "more combinations than are shown")
		}
		s.Reason = strings.Join(reasons[:min(len(reasons), 3)], "; ")
	}
	if s.Module != "" && (s.Status == query.Dynamic || first.escaped) {
		return s, false // a library's own plumbing
	}
	return s, true
}

func distinct(list []query.Variant) int {
	seen := map[string]bool{}
	for _, v := range list {
		seen[v.SQL] = true
	}
	return len(seen)
}

func sameArgs(a, b []query.GoType) bool {
	return slices.EqualFunc(a, b, func(x, y query.GoType) bool {
		return x.Name == y.Name && x.Kind == y.Kind && x.Bits == y.Bits && x.Nullable == y.Nullable && x.Null == y.Null && slices.Equal(x.Labels, y.Labels)
	})
}

// mergeScan is where a result goes that is scanned in two places: nothing is certain that only one says.
func mergeScan(a, b *query.Scan) *query.Scan {
	if a == nil {
		return b
	}
	if b != nil && (a.Kind != b.Kind || len(a.Dests) != len(b.Dests)) {
		return nil
	}
	return a
}

// tx is the transaction of an observation: its own, or what all callers agree on.
func (m *machine) tx(o *observation) query.Tx {
	if o.txParam == nil || o.tx != query.TxUnknown {
		return o.tx
	}
	return m.txOf(o.txParam, map[*types.Var]bool{})
}

func (m *machine) txOf(param *types.Var, seen map[*types.Var]bool) query.Tx {
	if seen[param] {
		return query.TxUnknown
	}
	seen[param] = true
	var tx query.Tx
	for i, a := range m.txArgs[param] {
		got := a.tx
		if got == query.TxUnknown && a.param != nil {
			got = m.txOf(a.param, seen)
		}
		if i > 0 && got != tx {
			return query.TxUnknown
		}
		tx = got
	}
	return tx
}
