package catalog

import (
	"math/big"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// worlds are the cases that make a difference to some conditions: what each operand and each comparison of theirs may be.
type worlds struct {
	c    *Catalog
	row  *Row
	vars []*worldVar
	keys map[string]*worldVar
	// doms are what the values of an operand are told apart by, the same before a statement and after it.
	doms map[string]*domain
	// collecting: the variables are being looked for, and nothing is known of them.
	collecting bool
}

// maxWorlds bounds how many cases are tried, maxRegions into how many one operand's values are divided.
const (
	maxWorlds  = 4096
	maxRegions = 64
)

// domain divides the values of an operand into regions: 0 is NULL. Of numbers, 2i+2 is constant i, in order, and 2i+1 what lies
// before it; of others i+1 is constant i, and the last one any other value.
type domain struct {
	class     valueClass
	whole     bool     // numbers without fractions
	labels    []string // of an enum: all that there are
	constants []worldConstant
}

type valueClass int

const (
	anyClass    valueClass = iota // only NULL is told from the rest
	textClass                     // told apart by equality
	numberClass                   // ordered
	truthClass                    // regions 1 and 2 are true and false
)

type worldConstant struct {
	null bool
	text string
	num  *big.Rat
}

// worldVar is an operand in a row, before the statement or after it, or a condition that is taken as a whole.
type worldVar struct {
	*domain
	column *Column // nil of an expression
	after  bool    // as the statement leaves it
	at     int     // its region in this world
}

func (c *Catalog) newWorlds(row *Row) *worlds {
	return &worlds{c: c, row: row, keys: map[string]*worldVar{}, doms: map[string]*domain{}}
}

// violates looks for a world in which the condition may be false, and all that must hold may hold. tried is false when there
// are too many.
func (w *worlds) violates(q *violation) (may, tried bool) {
	w.collecting = true
	w.possible(q)
	for n, cell := range w.row.Cells {
		if col := w.row.Relation.Att(n); col != nil {
			if v := w.keys[columnKey(col, true)]; v != nil {
				w.given(v, cell)
			}
		}
	}
	w.collecting = false
	count := 1
	for _, d := range w.doms {
		d.settle()
		if d.size() > maxRegions {
			return true, false
		}
	}
	for _, v := range w.vars {
		if count *= v.size(); count > maxWorlds {
			return true, false
		}
	}
	return w.try(0, q), true
}

// try goes through the regions of the variables from the i-th on.
func (w *worlds) try(i int, q *violation) bool {
	if i == len(w.vars) {
		return w.consistent() && w.possible(q)
	}
	v := w.vars[i]
	for v.at = range v.size() {
		if v.exists(v.at) && !(v.at == 0 && v.column != nil && v.column.NotNull) && w.try(i+1, q) {
			return true
		}
	}
	return false
}

// consistent reports whether the columns that the statement sets hold what it sets them to.
func (w *worlds) consistent() bool {
	for _, v := range w.vars {
		if v.column == nil || !v.after {
			continue
		}
		if cell, ok := w.row.Cells[v.column.Num]; ok && w.given(v, cell)&(1<<v.at) == 0 {
			return false
		}
	}
	return true
}

// given are the regions that a cell may put its column into.
func (w *worlds) given(v *worldVar, cell Cell) uint64 {
	m := w.value(cell.Expr, v)
	if cell.NotNull {
		m &^= 1
	}
	return m
}

// possible reports whether in this world the condition may be false and the others may hold. All of them are looked at, so that
// their variables are found.
func (w *worlds) possible(q *violation) bool {
	ok := true
	for _, n := range q.held {
		ok = w.truth(n, checkAfter)&^isFalse != 0 && ok
	}
	for _, n := range q.standing {
		ok = w.truth(n, checkBefore)&^isFalse != 0 && ok
	}
	for _, n := range q.where {
		ok = w.truth(n, ofStatement)&isTrue != 0 && ok
	}
	return w.truth(q.condition, checkAfter)&isFalse != 0 && ok
}

func (d *domain) size() int {
	switch d.class {
	case numberClass:
		return 2*len(d.constants) + 2
	case truthClass:
		return 3
	}
	return len(d.constants) + 2
}

// exists reports whether there is a value in a region.
func (d *domain) exists(region int) bool {
	switch {
	case region == 0:
		return true
	case d.class == textClass && region == len(d.constants)+1 && d.labels != nil:
		return slices.ContainsFunc(d.labels, func(label string) bool {
			return !slices.ContainsFunc(d.constants, func(k worldConstant) bool { return k.text == label })
		})
	case d.class == numberClass && d.whole && region%2 == 1 && region > 1 && region < d.size()-1:
		low, high := d.constants[region/2-1].num, d.constants[region/2].num
		return new(big.Rat).Sub(high, low).Cmp(big.NewRat(1, 1)) > 0
	}
	return true
}

// all is the set of regions.
func (d *domain) all() uint64 { return 1<<d.size() - 1 }

// add notes a constant. settle puts them in order.
func (d *domain) add(k worldConstant) {
	if !k.null && d.class != truthClass && d.index(k) < 0 {
		d.constants = append(d.constants, k)
	}
}

func (d *domain) settle() {
	if d.class == numberClass {
		slices.SortFunc(d.constants, func(a, b worldConstant) int { return a.num.Cmp(b.num) })
	}
}

func (d *domain) index(k worldConstant) int {
	return slices.IndexFunc(d.constants, func(o worldConstant) bool {
		if d.class == numberClass {
			return o.num.Cmp(k.num) == 0
		}
		return o.text == k.text
	})
}

// region is where a constant lies.
func (d *domain) region(k worldConstant) int {
	switch {
	case k.null:
		return 0
	case d.class == truthClass:
		if k.text == "true" {
			return 1
		}
		return 2
	}
	i := d.index(k)
	if d.class == numberClass {
		return 2*i + 2
	}
	return i + 1
}

// constant reads a constant of the domain's class.
func (d *domain) constant(n *pgast.Node) (worldConstant, bool) {
	for n.GetTypeCast() != nil {
		cast := n.GetTypeCast()
		if !d.keeps(cast.TypeName) {
			return worldConstant{}, false
		}
		n = cast.Arg
	}
	sign := ""
	if e := n.GetAExpr(); e != nil && e.Kind == pgast.A_Expr_Kind_AEXPR_OP && e.Lexpr == nil && operatorOf(e) == "-" && d.class == numberClass {
		sign, n = "-", e.Rexpr
	}
	k := n.GetAConst()
	switch {
	case k == nil:
		return worldConstant{}, false
	case k.Isnull:
		return worldConstant{null: true}, sign == ""
	}
	switch d.class {
	case textClass:
		if s, ok := k.Val.(*pgast.A_Const_Sval); ok {
			return worldConstant{text: s.Sval.Sval}, true
		}
	case truthClass:
		switch s := k.Val.(type) {
		case *pgast.A_Const_Boolval:
			if s.Boolval.Boolval {
				return worldConstant{text: "true"}, true
			}
			return worldConstant{text: "false"}, true
		case *pgast.A_Const_Sval:
			return worldConstant{text: s.Sval.Sval}, s.Sval.Sval == "true" || s.Sval.Sval == "false"
		}
	case numberClass:
		text := ""
		switch s := k.Val.(type) {
		case *pgast.A_Const_Ival:
			text = itoa(int(s.Ival.Ival))
		case *pgast.A_Const_Fval:
			text = s.Fval.Fval
		case *pgast.A_Const_Sval:
			text = strings.TrimSpace(s.Sval.Sval)
		}
		if len(text) > 40 {
			return worldConstant{}, false // an exponent may make it any size
		}
		num, ok := new(big.Rat).SetString(sign + text)
		if ok && !strings.ContainsAny(text, "eE/_") {
			return worldConstant{num: num}, true
		}
	}
	return worldConstant{}, false
}

// keeps reports whether a cast of a constant to a type leaves it as it is.
func (d *domain) keeps(t *pgast.TypeName) bool {
	if len(t.Typmods) > 0 || len(t.ArrayBounds) > 0 || len(t.Names) == 0 {
		return false
	}
	name := t.Names[len(t.Names)-1].GetString_().GetSval()
	switch d.class {
	case textClass:
		return name == "text" || name == "varchar" || d.labels != nil
	case truthClass:
		return name == "bool"
	case numberClass:
		return name == "numeric" || d.whole && (name == "int2" || name == "int4" || name == "int8")
	}
	return false
}

// domainOf is how the values of a type are told apart.
func (c *Catalog) domainOf(t TypeRef) *domain {
	if t = c.baseType(t); t.Array {
		return &domain{}
	}
	switch t.OID {
	case typeText, typeVarchar:
		return &domain{class: textClass}
	case typeInt2, typeInt4, typeInt8:
		return &domain{class: numberClass, whole: true}
	case typeNumeric:
		return &domain{class: numberClass}
	case typeBool:
		return &domain{class: truthClass}
	}
	if e := c.typeByOID(t.OID); e != nil && e.Kind == EnumType && !e.Assumed {
		return &domain{class: textClass, labels: append([]string{}, e.Labels...)}
	}
	return &domain{}
}

// operatorOf is the name of a server's operator, "" for one of a schema.
func operatorOf(e *pgast.A_Expr) string {
	schema, name := splitOperator(e.Name)
	if schema != "" && schema != "pg_catalog" {
		return ""
	}
	return name
}
