package sqlquery

import (
	"go/token"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// rendered is one text that a site may send.
type rendered struct {
	sql      string
	segments []query.Segment
	args     []arg
	// argsKnown: args are what is bound to $1, $2, …, and the last of them.
	argsKnown bool
	optional  bool
	reason    string // why this is not all; "" when it is
	unknown   bool   // nothing worth showing is known
	zero      bool   // it has the zero value of a variable that was never set
	widths    bool   // the number of columns is not certain
	gate      span   // the schemas at which it is sent
}

// renderer writes a value as SQL, one alternative of each choice at a time.
type renderer struct {
	m     *machine
	pick  map[any]int
	trail []pick // the choices met, in order
	gate  span   // the schemas at which what was picked is sent
	out   []part
	args  []arg
	// bound: args came from the builder. marks counts the placeholders written.
	marks    int
	optional bool
	reason   string
	zero     bool
	widths   bool
	depth    int
	squirrel bool // inside a builder: ? is a placeholder
	built    bool // a builder was written, so args are all that is bound
}

type pick struct {
	key  any
	n, i int // it is the i-th of n that go with what was picked before
	alt  int
}

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// render lists the texts that a value may be: all combinations of its choices, or, when there are too many, so many that
// each alternative of each is among them.
func (m *machine) render(o *observation) (list []rendered, tooMany bool) {
	write := func(picks map[any]int) *renderer {
		r := &renderer{m: m, pick: picks, gate: o.gate}
		r.value(o.sql)
		list = append(list, r.finish(o.named, o.args))
		return r
	}
	picks := map[any]int{}
	for len(list) < maxVariants {
		r := write(picks)
		trail := r.trail
		i := len(trail) - 1
		for i >= 0 && trail[i].i+1 >= trail[i].n {
			i--
		}
		if i < 0 {
			return list, false
		}
		picks = map[any]int{}
		for _, p := range trail[:i] {
			picks[p.key] = p.i
		}
		picks[trail[i].key] = trail[i].i + 1
	}
	// Each alternative once.
	list = nil
	most := 1
	for i := 0; i < most && i < maxVariants; i++ {
		for _, p := range write(map[any]int{everything: i}).trail {
			most = max(most, p.n)
		}
	}
	return list, true
}

// everything as a key of picks decides all choices alike.
const everything = "everything"

// choose is the alternative of a choice in this text: one that no schema rules out that the earlier ones leave.
func (r *renderer) choose(key any, n int) int {
	for _, p := range r.trail {
		if p.key == key {
			return min(p.alt, n-1)
		}
	}
	ev, _ := key.(*event)
	var left []int
	for i := range n {
		if ev == nil || r.gate.empty() || !r.gate.meet(ev.gate(i)).empty() {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		r.gate = nowhere
		left = append(left, 0)
	}
	i, ok := r.pick[key]
	if !ok {
		i = r.pick[everything]
	}
	i = min(i, len(left)-1)
	if ev != nil {
		r.gate = r.gate.meet(ev.gate(left[i]))
	}
	r.trail = append(r.trail, pick{key, len(left), i, left[i]})
	return left[i]
}

func (r *renderer) partial(reason string) {
	if r.reason == "" {
		r.reason = reason
	}
}

func (r *renderer) lit(s string, pos token.Pos) {
	if s != "" {
		r.out = append(r.out, part{lit: s, pos: pos})
	}
}

func (r *renderer) hole(why string) { r.out = append(r.out, part{hole: &hole{why: why}}) }

// value writes what is sent.
func (r *renderer) value(v value) {
	if r.depth++; r.depth > 60 {
		r.hole("a text nested too deeply")
		return
	}
	defer func() { r.depth-- }()
	switch v := v.(type) {
	case *text:
		r.text(v, nil)
	case *choice:
		r.value(v.alts[r.choose(v.event, len(v.alts))])
	case *builder:
		r.builder(v)
	case *sqlizer:
		r.sqlizer(v)
	default:
		r.out = append(r.out, holeOf(v, "a text that is known at run time only"))
	}
}

// text writes a string; inside a builder its ? take the args, in order.
func (r *renderer) text(t *text, args []arg) (used int) {
	for _, p := range t.parts {
		switch {
		case p.choice != nil:
			alt := p.choice.alts[r.choose(p.choice.event, len(p.choice.alts))]
			switch alt := alt.(type) {
			case *text:
				used += r.text(alt, args[min(used, len(args)):])
			default:
				r.value(alt)
			}
		case p.builder != nil:
			r.builder(p.builder)
		case p.hole != nil:
			r.out = append(r.out, p)
		case r.squirrel && strings.Contains(p.lit, "?"):
			used += r.marked(p, args[min(used, len(args)):])
		default:
			r.zero = r.zero || p.zero
			if p.lit != "" {
				r.out = append(r.out, p)
			}
		}
	}
	return used
}

// marked writes text with placeholders: ? is the next argument, ?? a question mark (squirrel 1.5.4, placeholder.go).
func (r *renderer) marked(p part, args []arg) (used int) {
	s, pos := p.lit, p.pos
	step := func(n int) token.Pos {
		if p.linear && pos.IsValid() {
			return token.Pos(n)
		}
		return 0
	}
	for s != "" {
		i := strings.IndexByte(s, '?')
		if i < 0 {
			r.out = append(r.out, part{lit: s, pos: pos, linear: p.linear})
			break
		}
		if i > 0 {
			r.out = append(r.out, part{lit: s[:i], pos: pos, linear: p.linear})
		}
		at := pos + step(i)
		if strings.HasPrefix(s[i:], "??") {
			r.lit("?", at)
			pos += step(i + 2)
			s = s[i+2:]
			continue
		}
		a := arg{}
		if used < len(args) {
			a = args[used]
		}
		used++
		r.bind(a, at)
		pos += step(i + 1)
		s = s[i+1:]
	}
	return used
}

// bind writes a placeholder for a value, or the SQL of a value that is SQL.
func (r *renderer) bind(a arg, pos token.Pos) {
	switch v := a.v.(type) {
	case *sqlizer:
		r.sqlizer(v)
		return
	case *builder:
		r.builder(v)
		return
	case *choice:
		if sendsSQL(v) {
			i := r.choose(v.event, len(v.alts))
			r.bind(a.as(v.alts[i]), pos)
			return
		}
	}
	r.marks++
	r.args = append(r.args, a)
	r.lit(placeholder(r.marks), pos)
}

func sendsSQL(c *choice) bool {
	for _, a := range c.alts {
		switch a := a.(type) {
		case *sqlizer, *builder:
			return true
		case *choice:
			if sendsSQL(a) {
				return true
			}
		}
	}
	return false
}

// finish makes SQL of what was written: holes are filled with something that parses, or left out.
func (r *renderer) finish(named string, given []arg) rendered {
	out := rendered{optional: r.optional, reason: r.reason, zero: r.zero, widths: r.widths, args: r.args, gate: r.gate}
	fromBuilder := r.built
	parts := r.out
	if named != "" {
		parts, out.args = r.renameMarks(parts, named, given)
		fromBuilder = true
	}
	if !fromBuilder {
		out.args = given
	}
	out.argsKnown = fromBuilder
	holes := 0
	highest := 0
	for _, p := range parts {
		if p.hole != nil {
			holes++
		} else {
			highest = max(highest, highestMark(p.lit))
		}
	}
	if holes == 0 {
		out.sql, out.segments = r.join(parts, nil)
		return out
	}
	known := 0
	for _, p := range parts {
		known += len(strings.TrimSpace(p.lit))
	}
	for _, p := range parts {
		if p.hole != nil && out.reason == "" {
			out.reason = p.hole.why
		}
	}
	if known == 0 {
		out.unknown = true
		return out
	}
	fills := make([]string, len(parts))
	before := ""
	exact := true
	for i, p := range parts {
		if p.hole == nil {
			before += p.lit
			continue
		}
		if !p.hole.repeat && partOfName(before, parts[i+1:]) {
			out.unknown = true // a name of which only a part is known is no name
			return out
		}
		switch {
		case p.hole.repeat:
			fills[i] = ""
		case p.hole.number && strings.HasSuffix(before, "$"):
			highest++
			fills[i] = strconv.Itoa(highest)
		case p.hole.number:
			fills[i] = "1"
		default:
			exact = false
			fills[i] = ""
		}
		before += fills[i]
	}
	try := func() bool {
		out.sql, out.segments = r.join(parts, fills)
		_, err := pgast.Parse(out.sql)
		return err == nil
	}
	if try() {
		out.widths = out.widths || !exact && r.inColumns(parts, fills)
		return out
	}
	for i, p := range parts {
		if p.hole != nil && !p.hole.repeat && !p.hole.number {
			fills[i] = filler(parts, fills, i, &highest)
		}
	}
	if try() {
		out.widths = out.widths || r.inColumns(parts, fills)
		return out
	}
	out.unknown = true
	return out
}

// filler is an expression for a hole, by what stands before it: a parameter, since that fits wherever a value does and is
// not NULL for certain, or true for a condition.
func filler(parts []part, fills []string, i int, highest *int) string {
	before := ""
	for j := range parts[:i] {
		before += parts[j].lit + fills[j]
	}
	trimmed := strings.ToUpper(strings.TrimRight(before, " \t\r\n"))
	parameter := func() string {
		*highest++
		return placeholder(*highest)
	}
	switch {
	case inString(before):
		return ""
	case strings.HasSuffix(trimmed, "ORDER BY"), strings.HasSuffix(trimmed, "GROUP BY"):
		return "(SELECT NULL)"
	case strings.HasSuffix(trimmed, "VALUES"), strings.HasSuffix(trimmed, "VALUES ("):
		values := make([]string, max(insertColumns(before), 1))
		for k := range values {
			values[k] = parameter()
		}
		row := strings.Join(values, ", ")
		if strings.HasSuffix(trimmed, "VALUES") {
			row = "(" + row + ")"
		}
		return row
	}
	for _, word := range []string{"WHERE", "AND", "OR", "ON", "HAVING", "NOT"} {
		if strings.HasSuffix(trimmed, word) {
			return "true"
		}
	}
	return parameter()
}

// partOfName reports whether what stands between a text and the parts after it belongs to a name of which they are parts.
func partOfName(before string, rest []part) bool {
	if inString(before) {
		return false
	}
	if before != "" {
		if c := before[len(before)-1]; isNameByte(c) || c == '"' || c == '.' {
			return true
		}
	}
	for _, p := range rest {
		if p.hole != nil {
			return false
		}
		if p.lit != "" {
			return isNameByte(p.lit[0]) || p.lit[0] == '"' || p.lit[0] == '.'
		}
	}
	return false
}

// inString reports whether a text ends inside a string.
func inString(s string) bool { return strings.Count(s, "'")%2 == 1 }

// insertColumns counts the columns that an INSERT lists.
func insertColumns(s string) int {
	_, rest, ok := strings.Cut(s, "(")
	columns, _, closed := strings.Cut(rest, ")")
	if !ok || !closed {
		return 0
	}
	return strings.Count(columns, ",") + 1
}

func isNameByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// inColumns reports whether a hole stands where it may add columns to the result: before FROM or after RETURNING.
func (r *renderer) inColumns(parts []part, fills []string) bool {
	before := ""
	for i, p := range parts {
		if p.hole != nil && !p.hole.number {
			upper := strings.ToUpper(before)
			if strings.Contains(upper, "RETURNING") || !strings.Contains(upper, "FROM") && !strings.Contains(upper, "INSERT") && !strings.Contains(upper, "UPDATE") {
				return true
			}
		}
		before += p.lit + fills[i]
	}
	return false
}

// highestMark is the highest n of the placeholders $n in a text.
func highestMark(s string) int {
	best := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			continue
		}
		j := i + 1
		for j < len(s) && s[j] >= '0' && s[j] <= '9' && j < i+6 {
			j++
		}
		if n, err := strconv.Atoi(s[i+1 : j]); err == nil {
			best = max(best, n)
		}
	}
	return best
}

// join puts the parts together and says where they stand.
func (r *renderer) join(parts []part, fills []string) (string, []query.Segment) {
	var b strings.Builder
	var segments []query.Segment
	for i, p := range parts {
		s := p.lit
		if p.hole != nil {
			s = fills[i]
		}
		if s == "" {
			continue
		}
		if p.at.Line > 0 {
			segments = append(segments, query.Segment{Offset: b.Len(), Pos: p.at})
		} else if p.pos.IsValid() {
			segments = append(segments, query.Segment{Offset: b.Len(), Pos: r.m.p.position(p.pos), Linear: p.linear})
		} else if n := len(segments); n > 0 && segments[n-1].Linear {
			segments = append(segments, query.Segment{Offset: b.Len(), Pos: r.endOf(parts[:i]), Linear: false})
		}
		b.WriteString(s)
	}
	return b.String(), segments
}

// endOf is where the last part with a place ends.
func (r *renderer) endOf(parts []part) query.Position {
	for i := len(parts) - 1; i >= 0; i-- {
		if p := parts[i]; p.pos.IsValid() {
			if p.linear && len(p.lit) > 0 {
				return r.m.p.position(p.pos + token.Pos(len(p.lit)-1))
			}
			return r.m.p.position(p.pos)
		}
	}
	return query.Position{}
}
