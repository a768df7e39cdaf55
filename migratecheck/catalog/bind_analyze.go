package catalog

import (
	"errors"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Analysis is what a statement asks of a catalog and what it answers, as PostgreSQL's parse analysis and rewriter find it.
type Analysis struct {
	// Rows says that the statement answers rows; Columns are theirs, in order. With Open there may be more.
	Rows    bool
	Columns []OutputColumn
	Open    bool
	// Params are $1, $2, … with the types that the server infers.
	Params []Parameter
	// Writes are the changes that the statement and those in its WITH make, in the order of the text.
	Writes []*Write
	// Uses are the places that name an object or a column of the catalog (the server's own are not among them).
	Uses []Use
	// Compared are the columns that =, <>, <, >, LIKE and the like (IN and CASE too) compare with a constant or a parameter.
	Compared []Comparison
	// Natural are the columns that NATURAL JOINs of the statement join on.
	Natural []NaturalColumn
	// NotIn are its NOT IN (SELECT …), in the order in which they are bound.
	NotIn []NotIn
	// Refs are the objects and columns that the statement needs, sorted.
	Refs []Address
	// Unknown lists what could not be found out, for a person. When it is empty the Analysis is complete.
	Unknown []string
	// Errors are what the server would answer, in the order in which each would come once those before it are put right
	// (Ask.All only). With any, the types of computed columns and what is Unknown are left out: they would tell of the errors.
	Errors []*Error
}

// OutputColumn is a column of a result.
type OutputColumn struct {
	Name string
	Type TypeRef // zero when not known
	// Origin is the table column that it is, through subqueries too; zero for anything computed.
	Origin Address
	// Held are the table columns of whose values it may be the text: Origin, and those that are cast to a type of texts or are one
	// of several results, as of COALESCE and UNION.
	Held []Address
	// NotNull is set when it cannot be NULL for certain.
	NotNull bool
	// Full is set when it is an array of which no element can be NULL for certain.
	Full bool
	// Star: it comes from a *.
	Star bool
}

// Parameter is a parameter of a statement. Type is zero when it could not be found out.
type Parameter struct {
	Type   TypeRef
	Offset int // its first use, in bytes; -1 for a number that is left out
}

// Use is a place in the text that names something. Offset is in bytes; Star says that a * stands there for several columns.
type Use struct {
	Offset  int
	Address Address
	Star    bool
}

// Comparison is a column of a table beside a value, the text of a string literal or a parameter.
type Comparison struct {
	Column Address // through subqueries too
	Text   string  // without Param
	Param  int     // the number of the parameter, 0 for a literal
	Cast   bool    // it is the column's text that is compared, or one of several results: see OutputColumn.Held
	Offset int     // of the value; 0 is not known
}

// NaturalColumn is a column of a NATURAL JOIN, the same on both sides.
type NaturalColumn struct {
	Name   string
	Refs   []Address // the table columns that it is, left and right; fewer where a side computes it
	Offset int       // of the right side
}

// NotIn is a NOT IN (SELECT …) or <> ALL (SELECT …) of one column: with a NULL among the rows of the subquery no value passes.
type NotIn struct {
	Offset  int
	NotNull bool // the column cannot be NULL for certain
}

// comparing are the operators that answer otherwise when the text is another: LIKE tells a case of letters from the other as = does,
// and so may the order of texts.
var comparing = []string{"=", "<>", "<", "<=", ">", ">=", "~~", "!~~"}

// compared notes a comparison of a column, or of its text, with a string literal or a parameter.
func (b *binder) compared(operator string, left, right value) {
	if b.ask == nil || !slices.Contains(comparing, operator) {
		return
	}
	if len(left.held) == 0 {
		left, right = right, left
	}
	if len(right.held) > 0 || right.literal == nil && right.param == 0 {
		return
	}
	for _, column := range left.held {
		c := Comparison{Column: column, Param: right.param, Cast: left.origin != column, Offset: int(max(right.at-1, 0))}
		if right.literal != nil {
			c.Text = *right.literal
		}
		if !slices.Contains(b.ask.compared, c) {
			b.ask.compared = append(b.ask.compared, c)
		}
	}
}

// holding adds columns to a list that is not changed.
func holding(list, more []Address) []Address {
	for _, a := range more {
		if !slices.Contains(list, a) {
			list = append(slices.Clip(list), a)
		}
	}
	return list
}

// isText: values of the type are told by their texts, those of enumerations too.
func (c *Catalog) isText(t TypeRef) bool {
	category, _ := c.typeCategory(t)
	return category == 'S' || category == 'E'
}

// Ask says how a statement is to be analysed. The zero value is the way of drivers that leave the types of parameters to
// the server.
type Ask struct {
	// Untyped: parameters are put into the text as literals before it is sent (psycopg2), so that nothing is inferred.
	Untyped bool
	// All: an error of a part of the statement, such as a column that is not there, does not end the analysis. The part is
	// taken for something that is not known, and all such errors are listed, the first being what the server answers.
	All bool
	// Args says of what is bound to $1, $2, … whether it may be NULL; those after its end are not known.
	Args []Nullness
	// Literals are the types of the literals that stand for $1, $2, … (Untyped only); zero where a string does, or it is not known.
	Literals []TypeRef
	// Texts are the strings that stand for $1, $2, … as literals (Untyped only), nil where another value does, or it is not known.
	Texts []*string
}

// Nullness is what is known of a value being NULL.
type Nullness int

const (
	UnknownNullness Nullness = iota
	NeverNull
	MayBeNull
)

// asked collects the parts of an Analysis while a statement is bound.
type asked struct {
	untyped  bool
	all      bool
	args     []Nullness
	literals []TypeRef
	texts    []*string
	errors   []*Error
	params   parameters
	writes   []*Write
	uses     []Use
	unknown  []string
	compared []Comparison
	natural  []NaturalColumn
	notIn    []NotIn
	// late holds errors of the rewriter and planner, which come after all of parse analysis.
	late []error
}

func (a *asked) use(addr Address, at int32, star bool) {
	a.uses = append(a.uses, Use{Offset: int(at), Address: addr, Star: star})
}

func (a *asked) unsure(reason string) {
	if len(a.errors) > 0 {
		return // it may come of them
	}
	for _, r := range a.unknown {
		if r == reason {
			return
		}
	}
	a.unknown = append(a.unknown, reason)
}

// maxErrors bounds Analysis.Errors.
const maxErrors = 20

// goOn notes an error after which the rest of the statement still means something, what was in error being taken for
// something unknown. It answers the error when it does not, or when only the first is asked for.
func (b *binder) goOn(err error) error {
	e := asError(err)
	if err == nil || b.ask == nil || !b.ask.all || len(b.ask.errors) >= maxErrors || !ofPart(e) {
		return err
	}
	if b.failed == err {
		b.failed = nil
	}
	for _, old := range b.ask.errors {
		if old.Position == e.Position && old.Code == e.Code && old.Message == e.Message {
			return nil // the part is bound twice
		}
	}
	b.ask.errors = append(b.ask.errors, e)
	return nil
}

// ofPart tells of an error about one name, value or operator, which a change of the schema can bring about.
func ofPart(e *Error) bool {
	switch e.Code {
	case "42703", "42P01", "3F000", "42883", "42725", "42704", "42702", "42804", "42846", "22P02", "42P10", "55000", "0A000", "42809", "428C9":
		return true
	}
	return false
}

func asError(err error) *Error {
	var e *Error
	if err != nil && !errors.As(err, &e) {
		e = errorf(NotUnderstood, "%s", err)
	}
	return e
}

// refAt is ref for a name that stands at a place of its own.
func (b *binder) refAt(a Address, at int32) {
	around := b.at
	b.at = at
	b.ref(a)
	b.at = around
}

// Analyze binds one statement to the catalog, which it leaves as it is. The error is an *Error: what PostgreSQL would
// answer when the statement is prepared or planned, NotUnderstood when the statement is of a kind that is not followed. What
// only running it shows (a NOT NULL column left out, a duplicate key) is not looked for; the Writes tell what would decide it.
// With Ask.All there is an Analysis, and no error, as soon as one error did not end it.
func (c *Catalog) Analyze(stmt pgast.Stmt, ask Ask) (*Analysis, error) {
	scratch := c
	if c.Open || c.hasUnknownExtension() {
		scratch = c.Clone() // what is assumed on the way must not stay
	}
	b := scratch.newBinder()
	b.ask = &asked{untyped: ask.Untyped, all: ask.All, args: ask.Args, literals: ask.Literals, texts: ask.Texts}
	b.at = int32(stmt.Offset)
	q, err := b.statement(stmt.Node)
	if err == nil {
		err = b.failed
	}
	if err == nil && len(b.ask.errors) == 0 {
		err = b.unresolved()
	}
	if err == nil {
		err = b.rewrite()
	}
	if err == nil && isQuery(stmt.Node) {
		err = b.goOn(b.c.recursion(b.sortedRefs()))
	}
	for _, late := range b.ask.late {
		if err == nil {
			err = b.goOn(late)
		}
	}
	if err != nil {
		e := asError(err)
		locate(e, int32(stmt.Offset))
		if len(b.ask.errors) == 0 {
			return nil, e
		}
		b.ask.errors = append(b.ask.errors, e)
		q = &boundQuery{open: true}
	}
	a := &Analysis{Writes: b.ask.writes, Uses: b.ask.uses, Compared: b.ask.compared, Natural: b.ask.natural, NotIn: b.ask.notIn, Refs: b.sortedRefs(), Unknown: b.ask.unknown, Errors: b.ask.errors}
	for _, e := range a.Errors {
		locate(e, int32(stmt.Offset))
	}
	switch {
	case len(a.Errors) > 0:
		a.Unknown = nil
	case b.unknown && len(a.Unknown) == 0:
		a.Unknown = []string{"an object that the catalog does not know"}
	}
	for _, p := range b.ask.params.list {
		if p.typ.OID == typeUnknown {
			p.typ = TypeRef{}
		}
		a.Params = append(a.Params, Parameter{Type: p.typ, Offset: int(p.at)})
	}
	if q != nil && (q.open || len(q.cols) > 0) {
		a.Rows, a.Open = true, q.open
		a.Columns = make([]OutputColumn, len(q.cols))
		for i, col := range q.cols {
			a.Columns[i] = OutputColumn{Name: col.name, Type: col.typ, Origin: col.origin, Held: col.held, NotNull: col.notNull, Full: col.full, Star: col.star}
			if len(a.Errors) > 0 && col.origin.OID == 0 {
				a.Columns[i].Type = TypeRef{}
			}
		}
	}
	return a, nil
}

// isQuery tells of the statements that are rewritten as soon as they are analysed.
func isQuery(n *pgast.Node) bool {
	switch n := n.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		return true
	case *pgast.Node_ExplainStmt:
		return isQuery(n.ExplainStmt.Query)
	}
	return false
}
