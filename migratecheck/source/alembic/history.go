package alembic

import (
	"fmt"
	"path"
	"sort"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// history is all files of one Read.
type history struct {
	modules []*python.Module
	byPath  map[string]*python.Module
	early   map[*python.Module][]Gap        // SQL sent while a file is imported
	used    map[*python.Module]map[int]bool // the comments that suppress something, by their offset

	conventions map[*python.Module]convention // by env.py
}

func newHistory(modules []*python.Module) *history {
	h := &history{modules: modules, byPath: map[string]*python.Module{}, early: map[*python.Module][]Gap{}, used: map[*python.Module]map[int]bool{}, conventions: map[*python.Module]convention{}}
	for _, m := range modules {
		h.byPath[m.Path] = m
	}
	return h
}

// revision is a Revision on its way to being read.
type revision struct {
	Revision
	mod       *python.Module
	upgrade   *python.Function
	downgrade *python.Function
	ownTx     bool // env.py asks for one transaction for each revision
	names     convention
}

// globals runs a module's top level, once.
func (h *history) globals(m *python.Module) *python.Env {
	if m.Env == nil {
		m.Env = python.NewEnv(nil)
		x := &python.Interp{State: newState(&run{h: h}), Mod: m, Env: m.Env}
		x.Block(m.Root)
	}
	return m.Env
}

func newState(r *run) *python.State {
	r.seen, r.used = map[gapKey]bool{}, map[usedIgnore]bool{}
	return &python.State{Host: r, Effects: r.script != nil}
}

// sibling is the file beside m that `import name` finds: alembic puts the directory of versions on no path, but some
// revisions do so themselves.
func (h *history) sibling(m *python.Module, name string) python.Value {
	first, rest, _ := strings.Cut(strings.TrimLeft(name, "."), ".")
	other := h.byPath[path.Join(path.Dir(m.Path), first+".py")]
	if other == nil || other == m {
		return nil
	}
	s := &python.Imported{Env: h.globals(other)}
	if rest == "" {
		return s
	}
	v, _ := s.Env.Get(rest)
	return v
}

// load finds out which revision a file is. It returns nil for a file that is none.
func (h *history) load(m *python.Module) (*revision, error) {
	g := h.globals(m)
	id, ok := g.Vars["revision"]
	if !ok {
		return nil, nil
	}
	t, ok := id.(python.Text)
	if !ok || t.S == "" {
		return nil, failure(m, "revision", "its revision identifier cannot be told without running it")
	}
	r := &revision{mod: m}
	r.ID, r.File = t.S, m.File
	for _, f := range []struct {
		name string
		to   *[]string
	}{{"down_revision", &r.Parents}, {"depends_on", &r.DependsOn}, {"branch_labels", &r.Labels}} {
		v, ok := g.Vars[f.name]
		if !ok {
			continue
		}
		if *f.to, ok = names(v); !ok {
			return nil, failure(m, f.name, "its "+f.name+" cannot be told without running it")
		}
	}
	r.Message = docstring(h, m)
	r.upgrade, r.downgrade = asFunction(g.Vars["upgrade"]), asFunction(g.Vars["downgrade"])
	r.ownTx, r.names = h.perRevision(m), h.conventionOf(m)
	return r, nil
}

// asFunction is v as a function that alembic calls, nil when it is none. What its decorators do is taken not to matter.
func asFunction(v python.Value) *python.Function {
	if d, ok := v.(python.Decorated); ok {
		return d.Fn
	}
	f, _ := v.(*python.Function)
	return f
}

// names reads a revision's reference to others: a string, a sequence of them, or nothing.
func names(v python.Value) ([]string, bool) {
	switch v := v.(type) {
	case python.None:
		return nil, true
	case python.Text:
		if v.S == "" {
			return nil, true
		}
		return []string{v.S}, true
	case *python.List:
		var out []string
		for _, it := range v.Items {
			s, ok := it.(python.Text)
			if !ok {
				return nil, false
			}
			out = append(out, s.S)
		}
		return out, v.Why == ""
	}
	return nil, false
}

func docstring(h *history, m *python.Module) string {
	if len(m.Root.Kids) == 0 || m.Root.Kids[0].Kind != "expression_statement" || len(m.Root.Kids[0].Kids) == 0 {
		return ""
	}
	s := m.Root.Kids[0].Kids[0]
	if s.Kind != "string" {
		return ""
	}
	x := &python.Interp{State: newState(&run{h: h}), Mod: m, Env: python.NewEnv(nil)}
	t, _ := x.EvalString(s).(python.Text)
	line, _, _ := strings.Cut(strings.TrimSpace(t.S), "\n")
	return strings.TrimSpace(line)
}

// perRevision reports whether the env.py above the directory of versions asks for one transaction for each revision
// (EnvironmentContext.configure, transaction_per_migration); otherwise a run is one transaction, since alembic knows
// PostgreSQL's DDL to be transactional (alembic/ddl/postgresql.py, transactional_ddl).
func (h *history) perRevision(m *python.Module) bool {
	e := h.envOf(m)
	if e == nil {
		return false
	}
	found := false
	python.Walk(e.Root, func(k *python.Node) bool {
		if k.Kind == "keyword_argument" {
			name, v := k.Child("name"), k.Child("value")
			if name != nil && v != nil && e.Src(name) == "transaction_per_migration" && v.Kind == "true" {
				found = true
			}
		}
		return !found
	})
	return found
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
			now := &run{h: h, script: script, tx: tx, enums: enums, names: r.names}
			x := &python.Interp{State: newState(now), Mod: r.mod, Env: r.mod.Env}
			if r.mod.ErrorAt >= 0 {
				script.Gaps = append(script.Gaps, Gap{File: r.File, At: r.mod.ErrorAt, Refused: true, Source: lineAt(r.mod, r.mod.ErrorAt),
					Reason: fmt.Sprintf("Python syntax error on line %d", r.mod.Line(r.mod.ErrorAt))})
			}
			if way == "upgrade" {
				script.Gaps = append(script.Gaps, h.early[r.mod]...)
			}
			h.runOne(x, r, f, way)
			stop := len(script.Statements) == 0 && len(script.Gaps) == 1 && strings.HasPrefix(script.Gaps[0].Reason, selfStop)
			if way == "downgrade" {
				r.HasDown = !stop && (r.mod.Env.Vars[way] != nil || r.mod.ErrorAt >= 0 && strings.Contains(r.mod.Text, "def downgrade"))
				if r.NoWayBack = stop; stop {
					script.Gaps = nil
				}
			}
			sort.SliceStable(script.Gaps, func(a, b int) bool {
				ga, gb := script.Gaps[a], script.Gaps[b]
				return ga.File < gb.File || ga.File == gb.File && ga.At < gb.At
			})
			h.note(r, now)
		}
	}
	for _, r := range revs {
		h.stray(r)
	}
}

// selfStop begins the reason of a gap where a migration raises an error of its own.
const selfStop = "the migration stops here by itself"

func (h *history) runOne(x *python.Interp, r *revision, f *python.Function, way string) {
	if f == nil {
		v, ok := r.mod.Env.Vars[way]
		if ok && !python.IsNone(v) {
			x.Gap(r.mod.Root, way+" is not a function of this file: "+python.OrWhy(v, "a value that is not understood"), false)
			fixGapSource(x, way)
		}
		return
	}
	x.CallFunction(f, python.Args{N: f.Def, Kw: map[string]python.Value{}})
}

// fixGapSource points the last gap, which covers the whole file, at the line that mentions name.
func fixGapSource(x *python.Interp, name string) {
	script := x.Host.(*run).script
	if script == nil || len(script.Gaps) == 0 {
		return
	}
	g := &script.Gaps[len(script.Gaps)-1]
	for _, k := range x.Mod.Root.Kids {
		if strings.HasPrefix(x.Mod.Src(k), name) {
			g.At, g.Source = k.Start, python.Shorten(x.Mod.Src(k))
		}
	}
}

func lineAt(m *python.Module, at int) string {
	start := strings.LastIndexByte(m.Text[:at], '\n') + 1
	end := len(m.Text)
	if i := strings.IndexByte(m.Text[at:], '\n'); i >= 0 {
		end = at + i
	}
	return python.Shorten(m.Text[start:end])
}
