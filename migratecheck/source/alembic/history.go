package alembic

import (
	"fmt"
	"path"
	"sort"
	"strings"
)

// history is all files of one Read.
type history struct {
	modules []*module
	byPath  map[string]*module
}

func newHistory(modules []*module) *history {
	h := &history{modules: modules, byPath: map[string]*module{}}
	for _, m := range modules {
		h.byPath[m.path] = m
	}
	return h
}

// revision is a Revision on its way to being read.
type revision struct {
	Revision
	mod       *module
	upgrade   *function
	downgrade *function
	ownTx     bool // env.py asks for one transaction for each revision
}

// globals runs a module's top level, once.
func (h *history) globals(m *module) *env {
	if m.env == nil {
		m.env = newEnv(nil)
		x := &interp{state: newState(h, nil, nil, nil), mod: m, env: m.env}
		x.block(m.root)
	}
	return m.env
}

func newState(h *history, s *Script, tx *transaction, enums map[string]bool) *state {
	return &state{h: h, script: s, seen: map[gapKey]bool{}, used: map[usedIgnore]bool{}, tx: tx, enums: enums}
}

// sibling is the file beside m that `import name` finds: alembic puts the directory of versions on no path, but some
// revisions do so themselves.
func (h *history) sibling(m *module, name string) value {
	first, rest, _ := strings.Cut(name, ".")
	other := h.byPath[path.Join(path.Dir(m.path), first+".py")]
	if other == nil || other == m {
		return nil
	}
	s := &sibling{env: h.globals(other)}
	if rest == "" {
		return s
	}
	v, _ := s.env.get(rest)
	return v
}

// load finds out which revision a file is. It returns nil for a file that is none.
func (h *history) load(m *module) (*revision, error) {
	g := h.globals(m)
	id, ok := g.vars["revision"]
	if !ok {
		return nil, nil
	}
	t, ok := id.(text)
	if !ok || t.s == "" {
		return nil, m.failure("revision", "its revision identifier cannot be told without running it")
	}
	r := &revision{mod: m}
	r.ID, r.File = t.s, m.file
	for _, f := range []struct {
		name string
		to   *[]string
	}{{"down_revision", &r.Parents}, {"depends_on", &r.DependsOn}, {"branch_labels", &r.Labels}} {
		v, ok := g.vars[f.name]
		if !ok {
			continue
		}
		if *f.to, ok = names(v); !ok {
			return nil, m.failure(f.name, "its "+f.name+" cannot be told without running it")
		}
	}
	r.Message = docstring(h, m)
	r.upgrade, _ = g.vars["upgrade"].(*function)
	r.downgrade, _ = g.vars["downgrade"].(*function)
	r.ownTx = h.perRevision(m)
	return r, nil
}

// names reads a revision's reference to others: a string, a sequence of them, or nothing.
func names(v value) ([]string, bool) {
	switch v := v.(type) {
	case none:
		return nil, true
	case text:
		if v.s == "" {
			return nil, true
		}
		return []string{v.s}, true
	case *list:
		var out []string
		for _, it := range v.items {
			s, ok := it.(text)
			if !ok {
				return nil, false
			}
			out = append(out, s.s)
		}
		return out, v.why == ""
	}
	return nil, false
}

func docstring(h *history, m *module) string {
	if len(m.root.kids) == 0 || m.root.kids[0].kind != "expression_statement" || len(m.root.kids[0].kids) == 0 {
		return ""
	}
	s := m.root.kids[0].kids[0]
	if s.kind != "string" {
		return ""
	}
	x := &interp{state: newState(h, nil, nil, nil), mod: m, env: newEnv(nil)}
	t, _ := x.evalString(s).(text)
	line, _, _ := strings.Cut(strings.TrimSpace(t.s), "\n")
	return strings.TrimSpace(line)
}

// perRevision reports whether the env.py above the directory of versions asks for one transaction for each revision
// (EnvironmentContext.configure, transaction_per_migration); otherwise a run is one transaction, since alembic knows
// PostgreSQL's DDL to be transactional (alembic/ddl/postgresql.py, transactional_ddl).
func (h *history) perRevision(m *module) bool {
	for dir := path.Dir(m.path); ; dir = path.Dir(dir) {
		if e := h.byPath[path.Join(dir, "env.py")]; e != nil {
			found := false
			walk(e.root, func(k *node) bool {
				if k.kind == "keyword_argument" {
					name, v := k.child("name"), k.child("value")
					if name != nil && v != nil && e.src(name) == "transaction_per_migration" && v.kind == "true" {
						found = true
					}
				}
				return !found
			})
			return found
		}
		if dir == "." || dir == "/" || dir == path.Dir(dir) {
			return false
		}
	}
}

// run reads upgrade() of all revisions in order and downgrade() in the opposite one, as `alembic upgrade heads` and
// `alembic downgrade base` would run them.
func (h *history) run(revs []*revision) {
	for _, way := range []string{"upgrade", "downgrade"} {
		tx, enums := &transaction{}, map[string]bool{}
		tx.begin()
		for i := range revs {
			r := revs[i]
			f, script := r.upgrade, &r.Up
			if way == "downgrade" {
				r = revs[len(revs)-1-i]
				f, script = r.downgrade, &r.Down
			}
			if r.ownTx && i > 0 {
				tx.begin()
			}
			x := &interp{state: newState(h, script, tx, enums), mod: r.mod, env: r.mod.env}
			if r.mod.errorAt >= 0 {
				script.Gaps = append(script.Gaps, Gap{File: r.File, At: r.mod.errorAt, Refused: true, Source: lineAt(r.mod, r.mod.errorAt),
					Reason: fmt.Sprintf("Python syntax error on line %d", r.mod.line(r.mod.errorAt))})
			}
			if way == "upgrade" {
				script.Gaps = append(script.Gaps, r.mod.early...)
			}
			h.runOne(x, r, f, way)
			stop := len(script.Statements) == 0 && len(script.Gaps) == 1 && strings.HasPrefix(script.Gaps[0].Reason, selfStop)
			if way == "downgrade" {
				r.HasDown = !stop && (r.mod.env.vars[way] != nil || r.mod.errorAt >= 0 && strings.Contains(r.mod.text, "def downgrade"))
				if stop {
					script.Gaps = nil
				}
			}
			sort.SliceStable(script.Gaps, func(a, b int) bool {
				ga, gb := script.Gaps[a], script.Gaps[b]
				return ga.File < gb.File || ga.File == gb.File && ga.At < gb.At
			})
			r.note(x.state)
		}
	}
	for _, r := range revs {
		r.stray()
	}
}

// selfStop begins the reason of a gap where a migration raises an error of its own.
const selfStop = "the migration stops here by itself"

func (h *history) runOne(x *interp, r *revision, f *function, way string) {
	if f == nil {
		v, ok := r.mod.env.vars[way]
		if ok && !isNone(v) {
			x.gap(r.mod.root, way+" is not a function of this file: "+orWhy(v, "a value that is not understood"), false)
			x.fixGapSource(way)
		}
		return
	}
	x.callFunction(f, args{n: f.def, kw: map[string]value{}})
}

// fixGapSource points the last gap, which covers the whole file, at the line that mentions name.
func (x *interp) fixGapSource(name string) {
	if x.script == nil || len(x.script.Gaps) == 0 {
		return
	}
	g := &x.script.Gaps[len(x.script.Gaps)-1]
	for _, k := range x.mod.root.kids {
		if strings.HasPrefix(x.mod.src(k), name) {
			g.At, g.Source = k.start, shorten(x.mod.src(k))
		}
	}
}

func isNone(v value) bool { _, ok := v.(none); return ok }

func lineAt(m *module, at int) string {
	start := strings.LastIndexByte(m.text[:at], '\n') + 1
	end := len(m.text)
	if i := strings.IndexByte(m.text[at:], '\n'); i >= 0 {
		end = at + i
	}
	return shorten(m.text[start:end])
}
