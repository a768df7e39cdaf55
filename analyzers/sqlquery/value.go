package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// value is what the evaluator knows of a Go expression. Every kind is a pointer and is never changed once made, so that two
// values are the same if and only if the pointers are; what a variable or a field holds is the state's affair.
type value interface{}

// unknown is a value of which nothing is known but, perhaps, its type.
type unknown struct {
	typ types.Type // nil when that is not known either
	why string     // for a person: "a value read at run time"
	// param is the parameter of the function under evaluation that the value is, or comes from; exact says which.
	param *types.Var
	exact bool
}

// number is a constant that is no string: numbers and truth values.
type number struct{ v constant.Value }

// null is nil.
type null struct{}

// choice is one of several values, decided by one event: values with the same event are decided together.
type choice struct {
	event *event
	alts  []value
}

// event is something that decides which of several ways the code takes.
type event struct {
	// gates are the schemas that each way can meet, when they are not the same ones; nil otherwise.
	gates []span
}

// gate is the schemas at which way i is taken.
func (e *event) gate(i int) span {
	if i < len(e.gates) {
		return e.gates[i]
	}
	return span{}
}

// text is a string in parts.
type text struct{ parts []part }

// part is a piece of a string: text as written, or something in its place.
type part struct {
	lit    string
	pos    token.Pos      // where lit stands; NoPos when nowhere
	linear bool           // and it is there byte for byte
	at     query.Position // where it stands when pos cannot say: in another package, in go vet
	zero   bool           // the zero value of a variable that was never set

	hole    *hole    // a piece that is not known
	choice  *choice  // one of several texts
	builder *builder // the SQL of a builder
}

// hole is a piece of a string that is not known.
type hole struct {
	why    string
	number bool // it is written as a number
	repeat bool // it is nothing, or more of what stands before it
	param  *types.Var
	exact  bool
}

// object is a struct that the code under evaluation made: its fields are cells of the state.
type object struct {
	typ types.Type
	lit *ast.CompositeLit
	// known: it was made here, so a field never set has its zero value.
	known bool
}

// field is the key of an object's field in a state.
type field struct {
	of   *object
	name string
}

// list is a slice or an array.
type list struct {
	elems []arg
	open  string // why there may be more elements; "" when there are not
}

// table is a map literal.
type table struct {
	keys []value
	vals []arg
	typ  types.Type
	open string
}

// function is a function value.
type function struct {
	lit  *ast.FuncLit
	pkg  *pkg
	in   *funcInfo // the declared function that the literal stands in
	decl *types.Func
	at   token.Pos // where its name stands
	recv *arg
}

// arg is an argument: its value, and the expression it was made from.
type arg struct {
	v     value
	typ   types.Type
	expr  ast.Expr
	pkg   *pkg
	field *types.Var   // of a destination, the struct's
	fact  query.GoType // of a destination in a model of another package, in go vet
}

// handle is a connection to a database, or a transaction.
type handle struct {
	typ   *apiType
	tx    query.Tx
	param *types.Var // the parameter it came in by, when tx depends on the caller
	do    int        // of a transaction, the call of gate.Do in which it came to be, 0 for none
	// opened: it is seen where it comes from, so that unsafe, sqlx's mode in which columns without a field are left out, is known.
	opened, unsafe bool
	// dest: NamedStmt and the like keep the text of what was prepared.
	prepared []*observation
}

// result is what a query returned: rows, or one row.
type result struct{ of []*observation }

// tuple is what a call with several results returned.
type tuple struct{ vals []value }

// destinations is core-go's database.Scan(ctx, model): pointers to every mapped field.
type destinations struct{ of *model }

// rowFunc is one of pgx's functions that make a value of a row.
type rowFunc struct{ kind string }

// gated is a truth value that depends on the schema: a question to migratecheck/gate, or what code made of one.
type gated struct {
	gate span // the schemas at which it may be true
	not  span // and at which it may be false
}

// snapshot is a gate.Schema, taken in a call of gate.Do (see span) or, with 0, in none.
type snapshot struct{ do int }

// schemaVersion is what Version of a gate.Schema returns.
type schemaVersion struct{ snapshot }

// failure is an error that is one for certain.
type failure struct{}

// sqlizer is a piece of SQL with arguments (squirrel's Sqlizer).
type sqlizer struct {
	kind string // expr, eq, noteq, lt, …, and, or, alias, concat
	args []arg
	tab  *table
	pos  token.Pos
}

// column is a mapped column of a model.
type column struct {
	name string
	gql  string
	pos  token.Pos
	typ  types.Type
	expr ast.Expr
	pkg  *pkg
	// Of a model of another package, in go vet: what a fact says.
	at     query.Position
	goType query.GoType
}

// model is a struct with core-go's Fields method.
type model struct {
	typ     types.Type
	columns []column
	alias   value
	table   value
}

func known(s string, pos token.Pos, linear bool) *text {
	return &text{[]part{{lit: s, pos: pos, linear: linear}}}
}

func holeOf(v value, why string) part {
	h := &hole{why: why}
	if u, ok := v.(*unknown); ok {
		if u.why != "" {
			h.why = u.why
		}
		h.param, h.exact = u.param, u.exact
		if u.typ != nil {
			if b, ok := u.typ.Underlying().(*types.Basic); ok && b.Info()&(types.IsInteger|types.IsFloat) != 0 {
				h.number = true
			}
		}
	}
	return part{hole: h}
}

// textOf is a value as a string: exactly when it is one, with a hole where not.
func textOf(v value) *text {
	switch v := v.(type) {
	case *text:
		return v
	case *choice:
		return &text{[]part{{choice: v}}}
	case *number:
		return known(numberText(v.v), token.NoPos, false)
	}
	return &text{[]part{holeOf(v, "a value that is known at run time only")}}
}

func numberText(v constant.Value) string {
	if v.Kind() == constant.Float {
		if i := constant.ToInt(v); i.Kind() == constant.Int {
			return i.ExactString()
		}
	}
	return v.String()
}

func concat(a, b *text) *text {
	if len(a.parts) == 0 {
		return b
	}
	if len(b.parts) == 0 {
		return a
	}
	parts := make([]part, 0, len(a.parts)+len(b.parts))
	return &text{append(append(parts, a.parts...), b.parts...)}
}

// literal is the text of a value that is one string for certain.
func literal(v value) (string, bool) {
	switch v := v.(type) {
	case *text:
		s := ""
		for _, p := range v.parts {
			if p.hole != nil || p.choice != nil || p.builder != nil {
				return "", false
			}
			s += p.lit
		}
		return s, true
	}
	return "", false
}

// dependsOnParam reports whether a value would be better known by a caller.
func dependsOnParam(v value) bool {
	return depends(v, 0)
}

func depends(v value, depth int) bool {
	if depth > 20 {
		return false
	}
	switch v := v.(type) {
	case *unknown:
		return v.param != nil
	case *choice:
		for _, a := range v.alts {
			if depends(a, depth+1) {
				return true
			}
		}
	case *text:
		for _, p := range v.parts {
			if p.hole != nil && p.hole.param != nil || p.choice != nil && depends(p.choice, depth+1) || p.builder != nil && depends(p.builder, depth+1) {
				return true
			}
		}
	case *builder:
		if v.base != nil && depends(v.base, depth+1) {
			return true
		}
		for _, o := range v.ops {
			if dependsAny(o.args, depth+1) {
				return true
			}
		}
	case *sqlizer:
		if v.tab != nil && depends(v.tab, depth+1) {
			return true
		}
		return dependsAny(v.args, depth+1)
	case *list:
		return dependsAny(v.elems, depth+1)
	case *table:
		for _, k := range v.keys {
			if depends(k, depth+1) {
				return true
			}
		}
		return dependsAny(v.vals, depth+1)
	case *tuple:
		for _, e := range v.vals {
			if depends(e, depth+1) {
				return true
			}
		}
	case *model:
		return v.alias != nil && depends(v.alias, depth+1) || v.table != nil && depends(v.table, depth+1)
	}
	return false
}

func dependsAny(list []arg, depth int) bool {
	for _, a := range list {
		// An argument that is bound, and no text, is the same for every caller.
		switch a.v.(type) {
		case *unknown:
			if !isTextual(a.typ) {
				continue
			}
		}
		if depends(a.v, depth) {
			return true
		}
	}
	return false
}

func isTextual(t types.Type) bool {
	if t == nil {
		return true
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0 || types.IsInterface(t) || ok && b.Kind() == types.Invalid
}

// as is the same argument with another value.
func (a arg) as(v value) arg {
	a.v = v
	return a
}
