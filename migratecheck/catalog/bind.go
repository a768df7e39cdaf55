package catalog

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// The binder does what PostgreSQL's parse analysis does (src/backend/parser): it resolves the names in a query or
// expression against the catalog, finds the types, and notes what a stored query would depend on. What it cannot find
// out it says (unknown, a zero TypeRef) instead of guessing.
//
//	bind_scope.go   the namespace: tables, columns, CTEs
//	bind_expr.go    expressions
//	bind_func.go    function calls, bind_oper.go operators: overload resolution
//	bind_query.go   SELECT, bind_from.go its FROM, bind_modify.go INSERT, UPDATE, DELETE, MERGE
//	bind_analyze.go what a caller with a query of its own is told (Analysis)
type binder struct {
	c    *Catalog
	refs map[Address]struct{}
	// unknown is set when a function, column or relation could not be found in a catalog that may lack some.
	unknown    bool
	volatility Volatility
	// aggregates and windows count the calls of such functions, sets those of set-returning ones, subqueries SubLinks.
	aggregates, windows, sets, subqueries int
	// grouped: the query at hand has GROUP BY, so that each group has a row.
	grouped bool
	// system has the names of the system columns that were met.
	system []string
	// failed is an error that a conversion met on the way, such as a label that an enum does not have.
	failed error

	params  []param    // of the function whose body is bound
	routine string     // its name, by which arguments can be qualified
	body    bool       // a function's body is bound: there are no other parameters
	vars    *bodyNames // of a body in PL/pgSQL; nil for others
	nested  int        // how many WITH lists the statement at hand stands in
	around  *scope     // what stands around the statement: OLD and NEW of a rule; nil for others
	inline  bool       // calls of simple SQL functions are as volatile as their bodies (bind_inline.go)
	domain  TypeRef    // type of VALUE in a domain's CHECK
	columns string     // why there are no columns ("cannot use column reference in DEFAULT expression"), "" when there are

	sublinkNames map[*pgast.SubLink]string // the name of a scalar subquery's column
	negated      *pgast.SubLink            // the x IN (SELECT …) whose NOT was met last
	depth        int

	at     int32 // where in the text the expression or name at hand stands
	wide   bool  // it is a * that stands for several columns
	lastID int   // the newest boundColumn.id
	// present has the boundColumn.id of columns that a condition keeps from being NULL in the rows at hand (bind_null.go).
	present map[int]bool
	// literals, unless nil, is told of the type that each string literal is taken for.
	literals func(v value, target TypeRef)
	// operands, unless nil, is told of the type that an operator or function takes an operand of another type for; value.node is then set
	// of every expression.
	operands func(n *pgast.Node, target TypeRef)
	// stars, unless nil, is told of the columns that each * of a target list stands for.
	stars func(n *pgast.Node, columns []*pgast.Node)
	// ask is what Analyze fills; nil where an expression is bound to be stored.
	ask *asked
}

// param is an argument of a function, in a body.
type param struct {
	name string
	typ  TypeRef
}

// value is a bound expression.
type value struct {
	typ       TypeRef
	collation string        // "" the type's own
	explicit  bool          // collation comes from a COLLATE clause
	constant  bool          // a literal, or casts of one
	literal   *string       // the text of a string literal that has no type yet, or was given one
	fields    []boundColumn // of a record whose columns are known
	columns   []Address     // the table columns that the value is, when it is nothing but a column
	origin    Address       // the table column that the value is, through subqueries too (resorigtbl, resorigcol)
	held      []Address     // the table columns of which it may be the text: cast to a type of texts, or one of several results
	id        int           // boundColumn.id of the column that the value is
	param     int           // n of $n, and of casts of it
	null      bool          // the constant NULL, and casts of it
	notNull   bool          // it cannot be NULL (bind_null.go)
	mayNull   bool          // something is known by which it may be NULL; never with notNull
	full      bool          // an array of which no element can be NULL (bind_null.go)
	isDefault bool          // DEFAULT
	at        int32         // where it stands, plus 1; 0 is not known
	node      *pgast.Node   // the expression, of a constant (but see binder.operands)
	fresh     bool          // each row gets another: what a volatile function of the server answers
}

// boundColumn is a column of something in FROM, or of a query's output.
type boundColumn struct {
	name      string
	typ       TypeRef
	collation string
	refs      []Address     // the table columns behind it; two for a merged USING column
	fields    []boundColumn // of a record
	id        int           // tells the columns of FROM items apart: of one table read twice, each has its own
	origin    Address
	held      []Address // as in value
	star      bool      // of a query's output: it comes from a *
	system    bool      // tableoid and its like
	hidden    bool      // a * does not stand for it (p_dontexpand)

	// As in value, of a query's output whose expression is looked at again.
	constant, null, notNull, mayNull bool
	full                             bool
	literal                          *string
	param                            int
	at                               int32
	node                             *pgast.Node
	fresh                            bool
}

// columnOfValue is an output column that holds v.
func columnOfValue(name string, v value) boundColumn {
	return boundColumn{
		name: name, typ: v.typ, collation: v.collation, refs: v.columns, fields: v.fields, id: v.id, origin: v.origin, held: v.held,
		constant: v.constant, null: v.null, notNull: v.notNull, mayNull: v.mayNull, full: v.full, literal: v.literal, param: v.param, at: v.at, node: v.node, fresh: v.fresh,
	}
}

// value is the column as an expression that has not been converted yet.
func (col *boundColumn) value() value {
	return value{
		typ: col.typ, collation: col.collation, fields: col.fields, origin: col.origin, held: col.held, id: col.id,
		constant: col.constant, null: col.null, notNull: col.notNull, mayNull: col.mayNull, full: col.full, literal: col.literal, param: col.param, at: col.at, node: col.node, fresh: col.fresh,
	}
}

func (c *Catalog) newBinder() *binder {
	return &binder{c: c, refs: map[Address]struct{}{}, volatility: Immutable, sublinkNames: map[*pgast.SubLink]string{}}
}

// ref notes that the object or column is needed. The server's own are pinned and not noted.
func (b *binder) ref(a Address) {
	if a.OID >= FirstUserOID {
		b.refs[a] = struct{}{}
		if b.ask != nil {
			b.ask.use(a, b.at, b.wide)
		}
	}
}

// refType notes the type of a value, when it is a user's.
func (b *binder) refType(t TypeRef) { b.ref(Address{OID: t.OID}) }

func (b *binder) noteVolatility(v Volatility) { b.volatility = moreVolatile(b.volatility, v) }

// sortedRefs lists what was noted, as pg_depend keeps it: without the whole of a relation of which columns are listed
// (eliminate_duplicate_dependencies in src/backend/catalog/dependency.c).
func (b *binder) sortedRefs() []Address {
	list := make([]Address, 0, len(b.refs))
	for a := range b.refs {
		list = append(list, a)
	}
	slices.SortFunc(list, func(x, y Address) int {
		if x.OID != y.OID {
			return int(int64(x.OID) - int64(y.OID))
		}
		return x.Column - y.Column
	})
	out := list[:0]
	for i, a := range list {
		if a.Column == 0 && i+1 < len(list) && list[i+1].OID == a.OID {
			continue
		}
		out = append(out, a)
	}
	return slices.Clip(out)
}

// maxBindDepth bounds recursion into expressions and subqueries; PostgreSQL's own limit is max_stack_depth.
const maxBindDepth = 2000

func (b *binder) enter() error {
	b.depth++
	if b.depth > maxBindDepth {
		return errorf("54001", "stack depth limit exceeded")
	}
	return nil
}

func (b *binder) leave() { b.depth-- }

// unsure notes, with the reason for a person, that something could not be found out.
func (b *binder) unsure(format string, args ...any) {
	b.unknown = true
	if b.ask != nil {
		b.ask.unsure(fmt.Sprintf(format, args...))
	}
}

// newID tells one column of FROM from all others.
func (b *binder) newID() int {
	b.lastID++
	return b.lastID
}

// identify gives the columns of a FROM item ids of their own.
func (b *binder) identify(it *rangeItem) {
	for i := range it.cols {
		it.cols[i].id = b.newID()
	}
}
