package sqlquery

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

const tokenEQL = token.EQL

// Bounds of the evaluation. What lies beyond is reported as not known.
const (
	maxDepth    = 10     // calls within calls
	maxSteps    = 150000 // expressions and statements for one function of the user's and all it calls
	maxSize     = 400    // nodes of a function that is looked into only for what it returns
	maxUnroll   = 48     // iterations over a literal
	maxVariants = 64     // texts of one site
)

// machine evaluates functions without running them. Every function that may matter is evaluated by itself, with unknown
// parameters; where that leaves open what is sent, it is evaluated again at each call.
type machine struct {
	p     *program
	funcs map[*types.Func]*funcInfo
	list  []*funcInfo    // in the order of the source
	pass  *analysis.Pass // in go vet; nil otherwise

	consts  map[types.Object]declared
	vars    map[types.Object]declared
	changed map[types.Object]bool // package variables that are assigned outside their declaration
	sets    map[types.Object]*fieldSets
	reading map[types.Object]bool
	models  map[types.Type]*model

	stack []*frame
	steps int
	doing []int // the calls of gate.Do around what is evaluated; see span
	dos   int   // how many there have been
	// inDo are the calls in a gate.Do of functions that ask a gate; inside is what follows of it, once all is evaluated.
	inDo   map[*types.Func][]extent
	inside map[*funcInfo]bool
	// calledAt are the calls of functions that send SQL, by where their names stand; entries is what follows of it; see entry.
	// toldOf what toldByCallers answered; asksGates: some function asks a gate.
	calledAt  map[token.Pos][]*gatedCall
	entries   map[*funcInfo]query.Gate
	toldOf    map[*funcInfo]bool
	asksGates bool
	uses      map[string][]funcUse // see usesNamed
	// laterRound: the body of a loop is evaluated for the second time.
	laterRound    bool
	byName        map[string][]*funcInfo // methods
	implement     map[*types.Func][]*funcInfo
	obs           []*observation
	litSeen       map[*ast.FuncLit]bool
	lits          []pendingLit
	txArgs        map[*types.Var][]txArg
	shapes        map[string]bool // import path → is it a fork of squirrel?
	apis          map[string]*apiType
	embeds        map[types.Object]*embeds
	embeddedTexts map[string]value          // by file
	preparedAs    map[string][]*observation // pgx's prepared statements by name
	callsUnsafe   *bool                     // whether the program has sqlx leave out columns; nil before anybody asked
	names         []query.Site
	batches       map[*types.Var]*queue              // see holdBatch
	switches      map[*pkg]map[types.Object][]string // see switchLabels
}

// pendingLit is a function literal and what its variables held where it was made.
type pendingLit struct {
	fn    *function
	st    *state
	stack []*frame
}

// frame is a function under evaluation.
type frame struct {
	info  *funcInfo
	lit   *ast.FuncLit
	pkg   *pkg
	call  token.Pos // where the caller calls it; NoPos for the outermost
	entry *layer    // what was known before it
	bound []value   // what its parameters were given
	typ   *ast.FuncType

	returns []returned
	loops   []*target
	label   string

	decisions []decision
}

type returned struct {
	vals []value
	st   *state
}

// target is a statement that break and continue leave.
type target struct {
	label     string
	loop      bool
	breaks    []*state
	continues []*state
}

func newMachine(p *program) *machine {
	m := &machine{p: p, funcs: map[*types.Func]*funcInfo{}, consts: map[types.Object]declared{}, vars: map[types.Object]declared{},
		changed: map[types.Object]bool{}, reading: map[types.Object]bool{}, models: map[types.Type]*model{},
		apis: apiTypes(), byName: map[string][]*funcInfo{}, implement: map[*types.Func][]*funcInfo{}, litSeen: map[*ast.FuncLit]bool{}, txArgs: map[*types.Var][]txArg{}, shapes: map[string]bool{},
		preparedAs: map[string][]*observation{}}
	for _, k := range p.order {
		if k.bodies && k.info != nil {
			m.index(k)
		}
	}
	return m
}

// runAll evaluates every function that may send SQL, then those that call one whose callers know more, until there are no
// more of them.
func (m *machine) runAll() {
	m.markReaching()
	for _, f := range m.list {
		if f.direct {
			m.run(f)
		}
	}
	for again := true; again; {
		again = false
		for _, f := range m.list {
			if f.done || m.p.ctx.Err() != nil {
				continue
			}
			for callee := range f.callees {
				if c := m.funcs[callee]; c != nil && (f.reachesGate && c.reaches || c.done && (c.depends || c.calls || c.asks || c.answers && c.reaches || m.returnsQuery(c))) || m.funcs[callee] == nil && m.hasFact(callee) {
					m.run(f)
					again = true
					break
				}
			}
		}
	}
	m.sweep()
	m.runVars()
	m.runNames()
}

// returnsQuery reports whether a function returns something that its callers may send or scan.
func (m *machine) returnsQuery(f *funcInfo) bool {
	return carriesQuery(f.result)
}

func carriesQuery(v value) bool {
	switch v := v.(type) {
	case *builder, *result, *sqlizer:
		return true
	case *handle:
		return len(v.prepared) > 0
	case *choice:
		return slices.ContainsFunc(v.alts, carriesQuery)
	case *tuple:
		return slices.ContainsFunc(v.vals, carriesQuery)
	}
	return false
}

// packageVars calls f for each declaration of variables at the top of the packages that are looked into.
func (m *machine) packageVars(f func(k *pkg, decl *ast.GenDecl, v *ast.ValueSpec)) {
	for _, k := range m.p.order {
		if !k.bodies || k.info == nil {
			continue
		}
		for _, file := range k.files {
			for _, d := range file.Decls {
				decl, ok := d.(*ast.GenDecl)
				if !ok || decl.Tok != token.VAR {
					continue
				}
				for _, s := range decl.Specs {
					f(k, decl, s.(*ast.ValueSpec))
				}
			}
		}
	}
}

// runVars evaluates what package variables are initialized with.
func (m *machine) runVars() {
	m.packageVars(func(k *pkg, _ *ast.GenDecl, v *ast.ValueSpec) {
		for _, e := range v.Values {
			info := &funcInfo{pkg: k, callees: map[*types.Func]bool{}}
			m.survey(info, e)
			if info.direct {
				m.steps = 0
				m.stack = []*frame{{info: info, pkg: k}}
				m.eval(e, newState())
				m.runLits()
				m.stack = nil
			}
		}
	})
}

// run evaluates a function by itself.
func (m *machine) run(f *funcInfo) {
	if f.done || f.evaluating || m.p.ctx.Err() != nil {
		return
	}
	f.evaluating = true
	defer m.survive(f, m.stack, m.steps, m.lits, m.laterRound, m.doing)
	stack, steps, lits, later, doing := m.stack, m.steps, m.lits, m.laterRound, m.doing
	m.stack, m.steps, m.lits, m.laterRound, m.doing = nil, 0, nil, false, nil
	st := newState()
	fr := &frame{info: f, pkg: f.pkg, typ: f.decl.Type}
	m.stack = append(m.stack, fr)
	bind := func(list *ast.FieldList) {
		if list == nil {
			return
		}
		for _, field := range list.List {
			for _, name := range field.Names {
				if v, ok := f.pkg.info.Defs[name].(*types.Var); ok {
					st.set(v, m.parameter(v, field.Type, f.pkg))
				}
			}
		}
	}
	bind(f.decl.Recv)
	bind(f.decl.Type.Params)
	m.bindResults(f.decl.Type, f.pkg, st)
	m.execBlock(f.decl.Body.List, st)
	f.result = m.leave(fr, st)
	if returnsText(f.decl.Type, f.result) && dependsOnParam(f.result) {
		f.answers = true
	}
	m.runLits()
	m.stack, m.steps, m.lits, m.laterRound, m.doing = stack, steps, lits, later, doing
	f.evaluating, f.done = false, true
}

// survive ends the evaluation of a function that a mistake of ours would end the process in: the function is a gap.
func (m *machine) survive(f *funcInfo, stack []*frame, steps int, lits []pendingLit, later bool, doing []int) {
	if r := recover(); r != nil {
		m.stack, m.steps, m.lits, m.laterRound, m.doing = stack, steps, lits, later, doing
		f.evaluating, f.done = false, true
		at := m.p.position(f.decl.Pos())
		m.p.gap(at.File, fmt.Sprintf("line %d: evaluating %s failed, which is a mistake in srhtvet: %v", at.Line, f.decl.Name.Name, r))
	}
}

// returnsText reports whether what a function returns can be, or hold, SQL: a number made of a parameter is not worth a
// second look.
func returnsText(typ *ast.FuncType, v value) bool {
	if t, ok := v.(*tuple); ok {
		return slices.ContainsFunc(t.vals, func(v value) bool { return returnsText(typ, v) })
	}
	if u, ok := v.(*unknown); ok && u.typ != nil {
		switch t := u.typ.Underlying().(type) {
		case *types.Basic:
			return t.Info()&types.IsString != 0 || t.Kind() == types.Invalid
		case *types.Signature, *types.Chan:
			return false
		}
	}
	return true
}

// parameter is what is known of a parameter before anyone calls.
func (m *machine) parameter(v *types.Var, typ ast.Expr, k *pkg) value {
	if b := m.builderType(v.Type(), typ, k); b != "" {
		return &builder{verb: b, base: &unknown{typ: v.Type(), param: v, exact: true}}
	}
	if at := m.handleType(v.Type()); at != nil {
		return &handle{typ: at, tx: at.tx, param: v}
	}
	return &unknown{typ: v.Type(), param: v, exact: true, why: "the parameter " + v.Name() + ", which no caller here gives a known value"}
}

// bindResults gives named results their zero values.
func (m *machine) bindResults(typ *ast.FuncType, k *pkg, st *state) {
	if typ.Results == nil {
		return
	}
	for _, field := range typ.Results.List {
		for _, name := range field.Names {
			if v, ok := k.info.Defs[name].(*types.Var); ok {
				st.set(v, m.zero(v.Type()))
			}
		}
	}
}

// leave ends a frame: st becomes what is known behind the call, the value is what it returns.
func (m *machine) leave(fr *frame, st *state) value {
	if !st.dead { // fell off the end
		fr.returns = append(fr.returns, returned{nil, st.clone()})
	}
	m.stack = m.stack[:len(m.stack)-1]
	rets := possible(fr.returns)
	if len(rets) == 0 {
		// It never returns, or was not looked into to the end.
		st.dead = m.steps <= maxSteps && (fr.info == nil || fr.info.size <= maxSize)
		return &unknown{}
	}
	ev := &event{}
	st.dead = false
	join(st, ev, statesOf(rets))
	v := joinReturns(ev, rets)
	if fr.lit == nil && fr.info != nil && fr.info.decl != nil && len(m.stack) > 0 && !holdsFunction(v) {
		// Nobody sees its variables any more.
		st.forget(fr.entry, func(key any) bool {
			obj, ok := key.(*types.Var)
			return ok && fr.info.decl.Pos() <= obj.Pos() && obj.Pos() < fr.info.decl.End()
		})
	}
	return v
}

func holdsFunction(v value) bool {
	switch v := v.(type) {
	case *function, *object, *list, *table:
		return true
	case *tuple:
		return slices.ContainsFunc(v.vals, holdsFunction)
	case *choice:
		return slices.ContainsFunc(v.alts, holdsFunction)
	}
	return false
}

func statesOf(rets []returned) []*state {
	states := make([]*state, len(rets))
	for i, r := range rets {
		states[i] = r.st
	}
	return states
}

// possible leaves out the ways back that no schema lets the code take, unless there are no others.
func possible(rets []returned) []returned {
	list := slices.DeleteFunc(slices.Clone(rets), func(r returned) bool { return r.st.gate.empty() })
	if len(list) == 0 {
		return rets
	}
	return list
}

// joinReturns is what a function returns. A way that returns an error returns nothing else worth looking at, unless the
// schema decides whether it does.
func joinReturns(ev *event, rets []returned) value {
	n := 0
	for _, r := range rets {
		n = max(n, len(r.vals))
	}
	if n == 0 {
		return &unknown{}
	}
	var good []returned
	for _, r := range rets {
		if len(r.vals) != n {
			continue
		}
		if n > 1 && ev.gates == nil {
			if _, isNull := r.vals[n-1].(*null); !isNull && allEmpty(r.vals[:n-1]) {
				continue
			}
		}
		good = append(good, r)
	}
	if len(good) == 0 {
		good = rets
	}
	vals := make([]value, n)
	for i := range vals {
		var list []value
		same := true
		for _, r := range good {
			if i < len(r.vals) {
				list = append(list, r.vals[i])
				same = same && equal(r.vals[i], list[0])
			}
		}
		if same && len(list) > 0 {
			vals[i] = list[0]
		} else {
			vals[i] = joinValues(ev, list)
		}
	}
	if n == 1 {
		return vals[0]
	}
	return &tuple{vals}
}

func allEmpty(vals []value) bool {
	for _, v := range vals {
		switch v := v.(type) {
		case *null, *unknown:
		case *text:
			if s, ok := literal(v); !ok || s != "" {
				return false
			}
		case *number:
		case *object:
			if v.lit != nil && len(v.lit.Elts) > 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// runLits evaluates the function literals that nobody was seen to call.
func (m *machine) runLits() {
	for len(m.lits) > 0 {
		l := m.lits[0]
		m.lits = m.lits[1:]
		if m.litSeen[l.fn.lit] {
			continue
		}
		stack := m.stack
		m.stack = slices.Clone(l.stack)
		m.callLit(l.fn, nil, l.fn.lit.Pos(), l.st.clone())
		m.stack = stack
	}
}

func (m *machine) top() *frame { return m.stack[len(m.stack)-1] }

// exhausted counts a step and reports whether there have been too many.
func (m *machine) exhausted() bool {
	m.steps++
	return m.steps > maxSteps
}

// zero is the zero value of a type.
func (m *machine) zero(t types.Type) value {
	if t == nil {
		return &unknown{}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return zeroText
		case u.Info()&types.IsInteger != 0:
			return &number{constant.MakeInt64(0)}
		case u.Info()&types.IsBoolean != 0:
			return &number{constant.MakeBool(false)}
		}
	case *types.Struct:
		return &object{typ: t, known: true}
	case *types.Pointer, *types.Interface, *types.Signature:
		return &null{}
	case *types.Slice:
		return &list{}
	}
	return &unknown{typ: t}
}

// txArg is a transaction given to a parameter.
type txArg struct {
	tx    query.Tx
	param *types.Var
}
