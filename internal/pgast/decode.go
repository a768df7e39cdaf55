package pgast

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unsafe"

	"google.golang.org/protobuf/proto"
)

// decoder reads libpg_query's JSON into pg_query's structs; the functions per message are in decode_gen.go. JSON,
// because writing protobuf takes libpg_query longer than parsing does, and reading it by reflection as long again:
// see BenchmarkParse and BenchmarkParseProtobuf. Nor does it know protobuf's limit on depth.
//
// It reads what libpg_query writes, without white space, and takes anything else for an error, at which it sets bad
// and every loop ends; it never panics. What the JSON leaves out is put back by checkConst and checkInteger.
type decoder struct {
	json string
	pos  int
	sql  string // the text that was parsed
	base int32  // added to every location, so that a part of a text can be parsed by itself
	bad  bool
	// lossy is set when the JSON leaves open what a value is.
	lossy                        bool
	surveyed, negates, zeroBound bool // see surveyNumbers
	inBounds                     bool
	*Parser
}

var errMalformed = errors.New("malformed parse tree from libpg_query")

// slab allocates values in groups that double up to about a kilobyte; one value that is kept keeps its group.
type slab[T any] struct {
	free []T
	size int
}

func (s *slab[T]) new() *T {
	if len(s.free) == 0 {
		var zero T
		s.size = min(max(1, 2*s.size), max(1, 1<<10/int(unsafe.Sizeof(zero))))
		s.free = make([]T, s.size)
	}
	x := &s.free[0]
	s.free = s.free[1:]
	return x
}

// arenaSize is the size of the buffers that short strings share: small, because one string that is kept keeps its
// buffer.
const arenaSize = 512

func (d *decoder) fail() {
	d.bad = true
	d.pos = len(d.json)
}

// take consumes c if it comes next.
func (d *decoder) take(c byte) bool {
	if d.pos < len(d.json) && d.json[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) expect(c byte) {
	if !d.take(c) {
		d.fail()
	}
}

// open begins an object and reports whether it has a field.
func (d *decoder) open() bool {
	d.expect('{')
	return !d.take('}') && !d.bad
}

// more ends a field and reports whether another follows in the object.
func (d *decoder) more() bool {
	if d.take(',') {
		return true
	}
	d.expect('}')
	return false
}

func (d *decoder) openList() bool {
	d.expect('[')
	return !d.take(']') && !d.bad
}

func (d *decoder) moreList() bool {
	if d.take(',') {
		return true
	}
	d.expect(']')
	return false
}

// name reads a string without escapes and does not copy it.
func (d *decoder) name() string {
	d.expect('"')
	rest := d.json[d.pos:]
	end := strings.IndexByte(rest, '"')
	if end < 0 {
		d.fail()
		return ""
	}
	d.pos += end + 1
	return rest[:end]
}

func (d *decoder) key() string {
	name := d.name()
	d.expect(':')
	return name
}

func (d *decoder) nodes() []*Node {
	var first [8]*Node
	nodes := first[:0]
	for more := d.openList(); more; more = d.moreList() {
		nodes = append(nodes, d.node())
	}
	if len(nodes) == 0 {
		return nil
	}
	return append([]*Node(nil), nodes...)
}

func (d *decoder) number() string {
	start := d.pos
	for d.pos < len(d.json) {
		switch c := d.json[d.pos]; {
		case isDigit(c), c == '-', c == '.', c == 'e', c == '+':
			d.pos++
			continue
		}
		break
	}
	return d.json[start:d.pos]
}

func (d *decoder) integer() int64 {
	negative := d.take('-')
	start, x := d.pos, int64(0)
	for d.pos < len(d.json) && isDigit(d.json[d.pos]) {
		x = 10*x + int64(d.json[d.pos]-'0')
		d.pos++
	}
	if d.pos == start {
		d.fail()
	}
	if negative {
		return -x
	}
	return x
}

func (d *decoder) float() float64 {
	x, err := strconv.ParseFloat(d.number(), 64)
	if err != nil {
		d.fail()
	}
	return x
}

// location reads a location, of which -1 means unknown.
func (d *decoder) location() int32 {
	if v := int32(d.integer()); v < 0 {
		return v
	} else {
		return v + d.base
	}
}

func (d *decoder) boolean() bool {
	for _, word := range [...]string{"true", "false"} {
		if strings.HasPrefix(d.json[d.pos:], word) {
			d.pos += len(word)
			return word == "true"
		}
	}
	d.fail()
	return false
}

// text reads a string.
func (d *decoder) text() string {
	if strings.HasPrefix(d.json[d.pos:], "null") {
		d.pos += len("null")
		return ""
	}
	d.expect('"')
	start := d.pos
	for d.pos < len(d.json) {
		switch d.json[d.pos] {
		case '"':
			d.pos++
			return d.keep(d.json[start : d.pos-1])
		case '\\':
			return d.escaped(start)
		}
		d.pos++
	}
	d.fail()
	return ""
}

// keep copies a piece of the JSON, so that a name that is kept does not keep all of it.
func (d *decoder) keep(s string) string {
	if len(s) > arenaSize/8 {
		return strings.Clone(s)
	}
	if d.arena.Cap()-d.arena.Len() < len(s) {
		d.arena = strings.Builder{}
		d.arena.Grow(arenaSize)
	}
	start := d.arena.Len()
	d.arena.WriteString(s)
	return d.arena.String()[start:]
}

// escaped reads the rest of a string that begins at start and has its first escape at d.pos. The escapes are those
// of _outToken in pg_query_json_helper.c.
func (d *decoder) escaped(start int) string {
	var b strings.Builder
	b.WriteString(d.json[start:d.pos])
	for d.pos < len(d.json) {
		rest := d.json[d.pos:]
		i := strings.IndexAny(rest, `"\`)
		if i < 0 || i+1 >= len(rest) {
			break
		}
		b.WriteString(rest[:i])
		if rest[i] == '"' {
			d.pos += i + 1
			return b.String()
		}
		d.pos += i + 2
		switch c := rest[i+1]; c {
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'u':
			if len(rest) < i+6 {
				d.fail()
				return ""
			}
			x, err := strconv.ParseUint(rest[i+2:i+6], 16, 8)
			if err != nil {
				d.fail()
				return ""
			}
			b.WriteByte(byte(x))
			d.pos += 4
		default:
			b.WriteByte(c)
		}
	}
	d.fail()
	return ""
}

// checkConst restores a negative integer constant: libpg_query's JSON omits an Integer's value unless it is positive
// (_outInteger in pg_query_outfuncs_json.c). A constant's location is that of its minus sign (doNegateConst in gram.y).
func (d *decoder) checkConst(m *A_Const) {
	ival := m.GetIval()
	if ival == nil || ival.Ival != 0 {
		return
	}
	at := int(m.Location - d.base)
	if at < 0 || at >= len(d.sql) {
		d.lossy = true
		return
	}
	if d.sql[at] == '-' {
		value, ok := negated(d.sql[at:])
		ival.Ival = value
		d.lossy = d.lossy || !ok
	}
}

// negated returns the value of an integer constant with its signs and parentheses, which sql begins with.
func negated(sql string) (int32, bool) {
	scanner := Scanner{sql: sql}
	negative := false
	for {
		tok, ok := scanner.Next()
		if !ok {
			return 0, false
		}
		switch text := sql[tok.Start:tok.End]; {
		case tok.IsComment(), text == "(":
		case text == "-":
			negative = !negative
		case tok.Kind == KindNumber:
			base := 10
			if len(text) > 2 && text[0] == '0' && !isDigit(text[1]) && text[1] != '_' {
				base = 0 // 0x, 0o, 0b, which mean the same to Go
			}
			if base == 10 {
				text = strings.ReplaceAll(text, "_", "")
			}
			value, err := strconv.ParseInt(text, base, 32)
			if err != nil || !negative && value != 0 {
				return 0, false
			}
			return int32(-value), true
		default:
			return 0, false
		}
	}
}

// bounds reads a type's array bounds. Those of int[] are -1 (opt_array_bounds in gram.y), which the JSON omits, as it
// does the 0 of int[0].
func (d *decoder) bounds() []*Node {
	d.inBounds = true
	nodes := d.nodes()
	d.inBounds = false
	return nodes
}

// checkInteger is checkConst for an Integer that is not a constant, such as the -1 of INCREMENT BY -1. It has no
// location, so a 0 is only believed when the text negates no number at all.
func (d *decoder) checkInteger(m *Integer) {
	if m.Ival != 0 || d.lossy {
		return
	}
	if !d.surveyed {
		d.surveyed = true
		d.negates, d.zeroBound = surveyNumbers(d.sql)
	}
	if !d.inBounds {
		d.lossy = d.negates
		return
	}
	m.Ival = -1
	d.lossy = d.zeroBound
}

// surveyNumbers says whether a number follows a minus sign anywhere in sql, and whether one that may be 0 follows a
// bracket or the word ARRAY and a bracket.
func surveyNumbers(sql string) (negates, zeroBound bool) {
	scanner := Scanner{sql: sql}
	var prev byte
	for {
		tok, ok := scanner.Next()
		if !ok {
			return negates, zeroBound
		}
		if tok.IsComment() {
			continue
		}
		if tok.Kind == KindNumber {
			negates = negates || prev == '-'
			zeroBound = zeroBound || prev == '[' && sql[tok.Start] == '0'
		}
		prev = sql[tok.End-1]
	}
}

// checkDefine gives up on the arguments of CREATE AGGREGATE, which end in the number of direct arguments or -1
// (aggr_args in gram.y).
func (d *decoder) checkDefine(m *DefineStmt) {
	d.lossy = d.lossy || m.Kind == ObjectType_OBJECT_AGGREGATE
}

// rawStmt is a RawStmt with what is known about it.
type rawStmt struct {
	RawStmt
	lossy bool // an Integer in it may have lost its value
}

// decode reads the JSON of a ParseResult, of the text sql, whose statements are about as many as expected.
func (p *Parser) decode(json, sql string, base, expected int) ([]rawStmt, error) {
	d := decoder{Parser: p, json: json, sql: sql, base: int32(base)}
	stmts := make([]rawStmt, 0, expected)
	for more := d.open(); more; more = d.more() {
		switch d.key() {
		case "version":
			d.integer()
		case "stmts":
			for more := d.openList(); more; more = d.moreList() {
				d.lossy = false
				stmts = append(stmts, rawStmt{})
				stmt := &stmts[len(stmts)-1]
				d.decodeRawStmt(&stmt.RawStmt)
				stmt.lossy = d.lossy
			}
		default:
			d.fail()
		}
	}
	if d.bad || d.pos != len(d.json) {
		return nil, errMalformed
	}
	return stmts, nil
}

// restore copies the Integers of one tree into another of the same shape that has lost some of them.
func restore(lossy, whole *Node) error {
	to, from := integers(lossy), integers(whole)
	if len(to) != len(from) {
		return errMalformed
	}
	for i, m := range to {
		m.Ival = from[i].Ival
	}
	return nil
}

// integers returns all Integers of a tree, in an order that depends on its shape alone.
func integers(n *Node) []*Integer {
	var list []*Integer
	WalkMessages(n, func(m proto.Message) bool {
		if m, ok := m.(*Integer); ok {
			list = append(list, m)
		}
		return true
	})
	return list
}

// decodeProtobuf is decode for the encoding that loses nothing.
func decodeProtobuf(wire []byte) (*ParseResult, error) {
	result := new(ParseResult)
	// The limit is the guard's business: the default of 10,000 levels of messages would be an obscure error.
	if err := (proto.UnmarshalOptions{RecursionLimit: math.MaxInt32}).Unmarshal(wire, result); err != nil {
		return nil, fmt.Errorf("decoding libpg_query's parse tree: %w", err)
	}
	return result, nil
}
