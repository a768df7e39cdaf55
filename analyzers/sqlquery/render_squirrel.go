package sqlquery

import (
	"go/token"
	"slices"
	"strconv"
)

// builder writes what a chain makes (github.com/Masterminds/squirrel v1.5.4: select.go, insert.go, update.go, delete.go,
// case.go). Clauses that only some ways through the code add are all there.
func (r *renderer) builder(b *builder) {
	was := r.squirrel
	r.squirrel, r.built = true, true
	defer func() { r.squirrel = was }()
	for _, o := range b.ops {
		if o.optional {
			r.optional = true
		}
	}
	if b.base != nil {
		why := "a builder that is made elsewhere"
		if u, ok := b.base.(*unknown); ok && u.why != "" {
			why = u.why
		}
		r.partial(why)
		r.out = append(r.out, part{hole: holeOf(b.base, why).hole})
	}
	c := collect(b)
	r.clauses(c["Prefix"], "", " ", " ")
	switch b.verb {
	case "select":
		r.selects(b, c)
	case "insert":
		r.inserts(c)
	case "update":
		r.updates(c)
	case "delete":
		r.lit("DELETE ", r.at(b))
		r.clauses(c["Into"], "FROM ", "", "")
		r.tail(c)
	case "case":
		r.cases(c)
	default:
		r.hole("a builder of which the kind is not known")
	}
	for _, o := range b.ops {
		if clauseOf(o.name) == "" {
			r.partial("the builder's method " + o.name + ", which squirrel does not have")
		}
	}
}

func (r *renderer) at(b *builder) token.Pos {
	if len(b.ops) > 0 {
		return b.ops[0].pos
	}
	return token.NoPos
}

// clauseOf is the part of the statement a method writes; "" when there is no such method.
func clauseOf(name string) string {
	switch name {
	case "PrefixExpr":
		return "Prefix"
	case "SuffixExpr":
		return "Suffix"
	case "Column":
		return "Columns"
	case "LeftJoin", "RightJoin", "InnerJoin", "CrossJoin", "JoinClause":
		return "Join"
	case "OrderByClause":
		return "OrderBy"
	case "Distinct":
		return "Options"
	case "FromSelect":
		return "From"
	case "Table":
		return "Into"
	case "SetMap":
		return "Set"
	case "Prefix", "Suffix", "Columns", "From", "Join", "Where", "Having", "GroupBy", "OrderBy", "Limit", "Offset", "Options", "Into",
		"Values", "Set", "Select", "when", "what", "When", "Else", "RemoveLimit", "RemoveOffset", "RemoveColumns", "PlaceholderFormat", "RunWith", "Returning":
		return name
	}
	return ""
}

// collect sorts the calls by the clause they write.
func collect(b *builder) map[string][]*op {
	c := map[string][]*op{}
	for _, o := range b.ops {
		name := clauseOf(o.name)
		switch {
		case o.name == "RemoveColumns":
			delete(c, "Columns")
			continue
		case o.name == "RemoveLimit" && !o.optional:
			delete(c, "Limit")
			continue
		case o.name == "RemoveOffset" && !o.optional:
			delete(c, "Offset")
			continue
		case o.name == "From" && b.verb == "delete":
			name = "Into"
		case (name == "Limit" || name == "Offset" || name == "From" || name == "Into") && !o.optional:
			delete(c, name) // the last one counts
		}
		c[name] = append(c[name], o)
	}
	return c
}

// clauses writes what some calls give, between what comes before all, between them and after all.
func (r *renderer) clauses(list []*op, before, between, after string) {
	for i, o := range list {
		if i == 0 {
			r.lit(before, o.pos)
		} else {
			r.lit(between, o.pos)
		}
		r.piece(o.args, o.pos)
		if i == len(list)-1 {
			r.lit(after, o.pos)
		}
	}
}

// piece writes a text with its arguments, or SQL.
func (r *renderer) piece(args []arg, pos token.Pos) {
	if len(args) == 0 {
		return
	}
	switch v := args[0].v.(type) {
	case *text:
		r.text(v, args[1:])
	case *choice:
		i := r.choose(v.event, len(v.alts))
		r.piece(append([]arg{args[0].as(v.alts[i])}, args[1:]...), pos)
	case *sqlizer:
		r.sqlizer(v)
	case *builder:
		r.builder(v)
	case *null:
	default:
		r.out = append(r.out, holeOf(args[0].v, "a clause that is known at run time only"))
	}
}

func (r *renderer) selects(b *builder, c map[string][]*op) {
	r.lit("SELECT ", r.at(b))
	for _, o := range c["Options"] {
		if o.name == "Distinct" {
			r.lit("DISTINCT ", o.pos)
			continue
		}
		for _, a := range o.args {
			r.piece([]arg{a}, o.pos)
			r.lit(" ", o.pos)
		}
	}
	r.columns(c["Columns"])
	r.from(c["From"])
	r.joins(c["Join"])
	r.wheres(c["Where"], " WHERE ")
	r.names(c["GroupBy"], " GROUP BY ")
	r.wheres(c["Having"], " HAVING ")
	r.orders(c["OrderBy"])
	r.numbers(c["Limit"], " LIMIT ")
	r.numbers(c["Offset"], " OFFSET ")
	r.clauses(c["Suffix"], " ", " ", "")
	r.returning(c["Returning"])
}

func (r *renderer) from(list []*op) {
	for _, o := range list {
		r.lit(" FROM ", o.pos)
		if o.name == "FromSelect" && len(o.args) == 2 {
			r.aliased(o.args, o.pos)
			continue
		}
		r.piece(o.args, o.pos)
	}
}

// aliased writes SQL in parentheses, and the name it is given.
func (r *renderer) aliased(args []arg, pos token.Pos) {
	r.lit("(", pos)
	r.value(args[0].v)
	r.lit(") AS ", pos)
	r.piece(args[1:], pos)
}

func (r *renderer) columns(list []*op) {
	n := 0
	for _, o := range list {
		args := o.args
		if o.name == "Column" { // Column(text or SQL, args…)
			if n > 0 {
				r.lit(", ", o.pos)
			}
			r.piece(args, o.pos)
			n++
			continue
		}
		for _, a := range args {
			if n > 0 {
				r.lit(", ", o.pos)
			}
			r.piece([]arg{a}, o.pos)
			n++
		}
		if o.open {
			r.partial("columns that are known at run time only")
			r.widths = true
		}
	}
}

func (r *renderer) joins(list []*op) {
	words := map[string]string{"Join": " JOIN ", "LeftJoin": " LEFT JOIN ", "RightJoin": " RIGHT JOIN ", "InnerJoin": " INNER JOIN ", "CrossJoin": " CROSS JOIN ", "JoinClause": " "}
	for _, o := range list {
		r.lit(words[o.name], o.pos)
		r.piece(o.args, o.pos)
	}
}

func (r *renderer) names(list []*op, before string) {
	n := 0
	for _, o := range list {
		for _, a := range o.args {
			if n == 0 {
				r.lit(before, o.pos)
			} else {
				r.lit(", ", o.pos)
			}
			n++
			r.piece([]arg{a}, o.pos)
		}
		if o.open {
			r.partial("names that are known at run time only")
		}
	}
}

// orders writes ORDER BY; what is not known is left out.
func (r *renderer) orders(list []*op) {
	n := 0
	for _, o := range list {
		items := [][]arg{}
		if o.name == "OrderByClause" {
			items = append(items, o.args)
		} else {
			for _, a := range o.args {
				items = append(items, []arg{a})
			}
		}
		for _, item := range items {
			if len(item) > 0 {
				if u, ok := item[0].v.(*unknown); ok {
					r.partial("an order: " + holeOf(u, "a value that is known at run time only").hole.why)
					continue
				}
			}
			if n == 0 {
				r.lit(" ORDER BY ", o.pos)
			} else {
				r.lit(", ", o.pos)
			}
			n++
			r.piece(item, o.pos)
		}
		if o.open {
			r.partial("an order that is known at run time only")
		}
	}
}

// numbers writes LIMIT and OFFSET. Squirrel writes the number, which need not be known: then a placeholder stands for it.
func (r *renderer) numbers(list []*op, before string) {
	if len(list) == 0 {
		return
	}
	o := list[len(list)-1]
	r.lit(before, o.pos)
	a := arg{}
	if len(o.args) > 0 {
		a = o.args[0]
	}
	if n, ok := intOf(a.v); ok {
		r.lit(strconv.FormatInt(n, 10), o.pos)
		return
	}
	r.bind(a, o.pos)
}

func (r *renderer) returning(list []*op) {
	if len(list) > 0 {
		r.lit(" RETURNING ", list[0].pos)
		r.columns(list)
	}
}

func (r *renderer) tail(c map[string][]*op) {
	r.wheres(c["Where"], " WHERE ")
	r.orders(c["OrderBy"])
	r.numbers(c["Limit"], " LIMIT ")
	r.numbers(c["Offset"], " OFFSET ")
	r.clauses(c["Suffix"], " ", " ", "")
	r.returning(c["Returning"])
}

func (r *renderer) inserts(c map[string][]*op) {
	pos := token.NoPos
	if into := c["Into"]; len(into) > 0 {
		pos = into[0].pos
	}
	r.lit("INSERT ", pos)
	r.clauses(c["Options"], "", " ", " ")
	r.lit("INTO ", pos)
	r.clauses(c["Into"], "", "", "")
	columns, rows := c["Columns"], c["Values"]
	if maps := c["Set"]; len(maps) > 0 && maps[0].name == "SetMap" { // SetMap sets both
		if tab := r.table(maps[0].args); tab != nil {
			cols := &op{name: "Columns", pos: maps[0].pos}
			vals := &op{name: "Values", pos: maps[0].pos}
			for _, i := range sortedKeys(tab) {
				cols.args = append(cols.args, arg{v: tab.keys[i]})
				vals.args = append(vals.args, tab.vals[i])
			}
			columns, rows = []*op{cols}, []*op{vals}
			if tab.open != "" {
				r.partial("columns that are known at run time only")
			}
		} else {
			r.partial("a map of columns that is made at run time")
		}
	}
	if len(columns) > 0 {
		r.lit(" (", columns[0].pos)
		r.columns(columns)
		r.lit(")", columns[0].pos)
	}
	if sub := c["Select"]; len(sub) > 0 {
		r.lit(" ", sub[0].pos)
		if len(sub[0].args) > 0 {
			r.value(sub[0].args[0].v)
		}
	} else {
		r.zero = r.zero || len(rows) == 0 // squirrel refuses to send it
		for i, o := range rows {
			if i == 0 {
				r.lit(" VALUES ", o.pos)
			} else {
				r.lit(", ", o.pos)
			}
			r.lit("(", o.pos)
			r.row(o, columns)
			r.lit(")", o.pos)
		}
	}
	r.clauses(c["Suffix"], " ", " ", "")
	r.returning(c["Returning"])
}

// row writes one row of VALUES. How many values a slice holds that is filled at run time is not known: it is taken for as many
// as there are columns left.
func (r *renderer) row(o *op, columns []*op) {
	args := o.args
	if o.open {
		r.partial("values that are known at run time only")
		if last := len(args) - 1; last >= 0 && args[last].typ != nil && isSliceType(args[last].typ) {
			args = args[:last] // the slice itself
		}
		n := 0
		for _, c := range columns {
			if n += len(c.args); c.open {
				n = 0
				break
			}
		}
		if n == 0 {
			r.out = append(r.out, holeOf(&unknown{}, "values that are known at run time only"))
			return
		}
		for args = slices.Clip(args); len(args) < n; {
			args = append(args, arg{})
		}
	}
	for i, a := range args {
		if i > 0 {
			r.lit(", ", o.pos)
		}
		r.bind(a, posOf(a, o.pos))
	}
}

func posOf(a arg, otherwise token.Pos) token.Pos {
	if a.expr != nil {
		return a.expr.Pos()
	}
	return otherwise
}

// table is the map that SetMap is given; nil when it is not known.
func (r *renderer) table(args []arg) *table {
	if len(args) != 1 {
		return nil
	}
	v := args[0].v
	for {
		c, ok := v.(*choice)
		if !ok {
			break
		}
		v = c.alts[r.choose(c.event, len(c.alts))]
	}
	tab, _ := v.(*table)
	return tab
}

// updates writes UPDATE. A column that different ways through the code set differently is set once, each way in a text of
// its own.
func (r *renderer) updates(c map[string][]*op) {
	pos := token.NoPos
	if into := c["Into"]; len(into) > 0 {
		pos = into[0].pos
	}
	r.lit("UPDATE ", pos)
	r.clauses(c["Into"], "", "", "")
	type set struct {
		col  arg
		vals []arg
		pos  token.Pos
	}
	var sets []*set
	byName := map[string]*set{}
	add := func(col, val arg, pos token.Pos) {
		name, ok := literal(col.v)
		if have := byName[name]; ok && have != nil {
			have.vals = append(have.vals, val)
			return
		}
		s := &set{col, []arg{val}, pos}
		if ok {
			byName[name] = s
		}
		sets = append(sets, s)
	}
	for _, o := range c["Set"] {
		if o.name == "SetMap" {
			tab := r.table(o.args)
			if tab == nil {
				r.partial("a map of columns that is made at run time")
				continue
			}
			for _, i := range sortedKeys(tab) {
				add(arg{v: tab.keys[i]}, tab.vals[i], o.pos)
			}
			if tab.open != "" {
				r.partial("columns that are known at run time only")
			}
			continue
		}
		if len(o.args) == 2 {
			add(o.args[0], o.args[1], o.pos)
		}
	}
	for i, s := range sets {
		if i == 0 {
			r.lit(" SET ", s.pos)
		} else {
			r.lit(", ", s.pos)
		}
		r.piece([]arg{s.col}, s.pos)
		r.lit(" = ", s.pos)
		val := s.vals[0]
		if len(s.vals) > 1 {
			val = s.vals[r.choose("sets", len(s.vals))]
		}
		if b, ok := val.v.(*builder); ok && b.verb == "select" {
			r.lit("(", s.pos)
			r.builder(b)
			r.lit(")", s.pos)
			continue
		}
		r.bind(val, posOf(val, s.pos))
	}
	r.from(c["From"])
	r.tail(c)
}

func (r *renderer) cases(c map[string][]*op) {
	r.lit("CASE ", token.NoPos)
	for _, o := range c["what"] {
		if len(o.args) > 0 {
			r.piece(o.args[:1], o.pos)
			r.lit(" ", o.pos)
		}
	}
	for _, o := range c["When"] {
		if len(o.args) == 2 {
			r.lit("WHEN ", o.pos)
			r.condition(o.args[:1], o.pos)
			r.lit(" THEN ", o.pos)
			r.piece(o.args[1:], o.pos)
			r.lit(" ", o.pos)
		}
	}
	for _, o := range c["Else"] {
		r.lit("ELSE ", o.pos)
		r.piece(o.args, o.pos)
		r.lit(" ", o.pos)
	}
	r.lit("END", token.NoPos)
}
