package pgast

import (
	"strings"
	"unicode/utf8"
)

// libpg_query's C code (16-5.1.0) calls itself once per level of the tree when it writes the tree out, walks it or
// deparses it, and has no check of the stack: a long left-recursive chain such as 1+1+1… kills the process
// (libpg_query issues 348 and 366). The guard estimates that depth from the tokens, before any C code sees the text.
//
// BenchmarkStack measures what the limits rest on, for every recursive production of the grammar with a stack of
// 128 KiB, musl's for threads: writing JSON crashes from a depth of 820 on, writing protobuf from 256, deparsing from
// less than 64, everything else lasts longer. Bison keeps its own stack on the heap and ends at 10,000 symbols with a
// clean error, which bounds whatever nests to the right. TestGuardHolds shows that the limits are enough.
const (
	// shallowDepth is the depth up to which C parses on the calling thread.
	shallowDepth = 120
	// maxDepth is the depth up to which C parses, and deparses, on a thread with a stack of our own, see onBigStack.
	maxDepth = 5000
	// maxText bounds what one call of the C parser gets; its tree takes some fifty times as much memory.
	maxText = 64 << 20
)

// piece is one top-level statement as the scanner sees it.
type piece struct {
	start, end int // without leading and trailing space and comments, without the semicolon
	// depth bounds the depth of its tree from above, in units of one binary operator.
	depth      int
	crossed    int  // where depth passed maxDepth, or -1
	what       what // what crossed it
	unbalanced bool // a parenthesis or a BEGIN ATOMIC is left open at its end
}

type what uint8

const (
	whatOperators what = iota
	whatSetOperations
	whatJoins
	whatNesting
)

func (w what) String() string {
	switch w {
	case whatSetOperations:
		return "set operations (UNION, INTERSECT, EXCEPT) in one query"
	case whatJoins:
		return "joins in one FROM list"
	case whatNesting:
		return "levels of nesting"
	default:
		return "operators in one expression"
	}
}

func (p piece) limitError() error {
	if p.crossed < 0 {
		return nil
	}
	return &LimitError{What: p.what.String(), Limit: maxDepth, Offset: p.crossed}
}

// What a nested construct adds to the depth of a tree, in the same units: two levels of messages.
const (
	weightParen = 3 // a function's arguments; the key and the value of a JSON_OBJECT
	weightCase  = 3 // CaseExpr, CaseWhen, and an AND or OR in it
	weightQuery = 4 // SubLink, SelectStmt, its target
)

// level is what an open parenthesis, bracket or CASE holds so far.
type level struct {
	open    byte // '(', '[' or 'C' for CASE, 0 for the statement
	weight  int  // what the level itself adds
	between int  // BETWEENs whose AND has not come yet
	above   int  // the links of the levels around it
	sets    int  // set operations: a chain through the whole level
	joins   int  // joins since the last comma or SELECT
	ops     int  // links since the last comma, AND, OR, SELECT …
	inner   int  // the deepest closed level since then, it may be an operand of the links
	deepest int  // the deepest finished segment
}

func (l *level) segment() int { return l.joins + l.ops + l.inner }

// cut ends a segment: what comes after is not part of the same chain.
func (l *level) cut() {
	l.deepest = max(l.deepest, l.segment())
	l.ops, l.inner = 0, 0
}

func (l *level) depth() int { return l.weight + l.sets + max(l.deepest, l.segment()) }

// survey finds the statements of sql and estimates the depth of each.
func survey(sql string) []piece { return new(surveyor).survey(sql) }

// survey is the function of that name; its result is good until it is called again.
func (s *surveyor) survey(sql string) []piece {
	s.sql, s.pieces = sql, s.pieces[:0]
	s.reset()
	scanner := Scanner{sql: sql}
	for {
		tok, ok := scanner.Next()
		if !ok {
			break
		}
		if tok.IsComment() {
			continue
		}
		s.add(tok)
	}
	s.finish()
	return s.pieces
}

type surveyor struct {
	sql     string
	pieces  []piece
	cur     piece // the open statement; start is -1 before its first token
	levels  []level
	parens  int // open ( and [
	atomic  int // open BEGIN ATOMIC, and the CASEs in it
	prev    Token
	hasPrev bool
}

func (s *surveyor) reset() {
	s.cur = piece{start: -1, crossed: -1}
	s.levels = append(s.levels[:0], level{})
	s.parens, s.atomic, s.hasPrev = 0, 0, false
}

func (s *surveyor) finish() {
	if s.cur.start >= 0 {
		s.cur.unbalanced = s.parens > 0 || s.atomic > 0
		for len(s.levels) > 1 {
			s.pop()
		}
		s.cur.depth = s.levels[0].depth()
		s.check(whatOperators, s.cur.end)
		s.pieces = append(s.pieces, s.cur)
	}
	s.reset()
}

// check records where the limit is crossed, if it is now.
func (s *surveyor) check(w what, offset int) {
	if s.cur.crossed < 0 {
		if top := &s.levels[len(s.levels)-1]; top.above+top.depth() > maxDepth {
			s.cur.crossed, s.cur.what = offset, w
		}
	}
}

func (s *surveyor) push(open byte, weight, offset int) {
	top := &s.levels[len(s.levels)-1]
	if s.cur.crossed >= 0 && open != 'C' && len(s.levels) > 2*maxDepth {
		return // the statement is refused already; only the balance of parentheses is still of interest
	}
	s.levels = append(s.levels, level{open: open, weight: weight, above: top.above + top.weight + top.sets + top.joins + top.ops})
	s.check(whatNesting, offset)
}

func (s *surveyor) pop() {
	n := len(s.levels) - 1
	parent := &s.levels[n-1]
	parent.inner = max(parent.inner, s.levels[n].depth())
	s.levels = s.levels[:n]
}

func (s *surveyor) link(w what, offset int) {
	top := &s.levels[len(s.levels)-1]
	switch w {
	case whatSetOperations:
		top.sets++
	case whatJoins:
		top.joins++
	default:
		top.ops++
	}
	s.check(w, offset)
}

func (s *surveyor) add(tok Token) {
	if tok.Kind == KindPunct && s.sql[tok.Start] == ';' && s.parens == 0 && s.atomic == 0 {
		s.finish()
		return
	}
	if s.cur.start < 0 {
		s.cur.start = tok.Start
	}
	s.cur.end = tok.End
	switch tok.Kind {
	case KindOperator:
		s.link(whatOperators, tok.Start)
	case KindPunct:
		s.addPunct(tok)
	case KindWord:
		// After a dot even a reserved word is a column (attr_name in gram.y), and must not end a chain.
		if !s.hasPrev || s.prev.Kind != KindPunct || s.sql[s.prev.Start] != '.' {
			s.addWord(tok)
		}
	}
	s.prev, s.hasPrev = tok, true
}

func (s *surveyor) addPunct(tok Token) {
	switch c := s.sql[tok.Start]; c {
	case '(', '[':
		s.parens++
		s.push(c, weightParen, tok.Start)
	case ')', ']':
		if s.parens == 0 {
			return
		}
		s.parens--
		for len(s.levels) > 1 {
			open := s.levels[len(s.levels)-1].open
			s.pop()
			if open != 'C' {
				break
			}
		}
		s.check(whatNesting, tok.Start)
	case ',', ';':
		top := &s.levels[len(s.levels)-1]
		top.cut()
		top.joins, top.between = 0, 0
		if c == ';' {
			top.deepest, top.sets = top.sets+top.deepest, 0
		}
	}
}

// addWord counts the words that make a tree deeper, and those that end a chain. Only reserved words may end one: any
// other can be a column's name in the middle of it.
func (s *surveyor) addWord(tok Token) {
	word := s.sql[tok.Start:tok.End]
	if len(word) > len("INTERSECT") {
		return
	}
	top := &s.levels[len(s.levels)-1]
	is := func(keyword string) bool { return strings.EqualFold(word, keyword) }
	switch word[0] | 0x20 {
	case 'a':
		switch {
		case is("AND"):
			// A chain of ANDs or ORs is one flat node (makeAndExpr in gram.y).
			if top.between > 0 {
				top.between--
			} else {
				top.cut()
			}
		case is("AT"): // AT TIME ZONE
			s.link(whatOperators, tok.Start)
		case is("ATOMIC"):
			if s.hasPrev && s.prev.Kind == KindWord && strings.EqualFold(s.sql[s.prev.Start:s.prev.End], "BEGIN") {
				s.atomic++
			}
		}
	case 'b':
		if is("BETWEEN") {
			top.between++
			s.link(whatOperators, tok.Start)
		}
	case 'c':
		switch {
		case is("CASE"):
			if s.atomic > 0 {
				s.atomic++
			}
			s.push('C', weightCase, tok.Start)
		case is("COLLATE"):
			s.link(whatOperators, tok.Start)
		}
	case 'e':
		switch {
		case is("END"):
			if s.atomic > 0 {
				s.atomic--
			}
			if top.open == 'C' {
				s.pop()
			}
		case is("EXCEPT"):
			s.link(whatSetOperations, tok.Start)
		case is("ELSE"):
			if top.open == 'C' {
				top.cut()
			}
		}
	case 'i':
		switch {
		case is("INTERSECT"):
			s.link(whatSetOperations, tok.Start)
		case is("IS"), is("IN"), is("ISNULL"), is("ILIKE"):
			s.link(whatOperators, tok.Start)
		}
	case 'j':
		if is("JOIN") {
			s.link(whatJoins, tok.Start)
		}
	case 'l':
		if is("LIKE") {
			s.link(whatOperators, tok.Start)
		}
	case 'n':
		if is("NOT") || is("NOTNULL") {
			s.link(whatOperators, tok.Start)
		}
	case 'o':
		switch {
		case is("OR"):
			top.cut()
		case is("OVERLAPS"), is("OPERATOR"):
			s.link(whatOperators, tok.Start)
		}
	case 's':
		switch {
		case is("SELECT"):
			// A query in parentheses is several nodes: the sub-link, the query, its target.
			top.cut()
			top.joins, top.between = 0, 0
			if top.open != 0 {
				top.weight = weightQuery
			}
			s.check(whatNesting, tok.Start)
		case is("SIMILAR"):
			s.link(whatOperators, tok.Start)
		}
	case 't':
		if is("THEN") && top.open == 'C' {
			top.cut()
		}
	case 'u':
		if is("UNION") {
			s.link(whatSetOperations, tok.Start)
		}
	case 'w':
		if is("WHEN") && top.open == 'C' {
			top.cut()
		}
	}
}

// checkText refuses what must not reach a C string.
func checkText(sql string) error {
	if len(sql) > maxText {
		return &LimitError{What: "bytes of SQL in one text", Limit: maxText, Offset: maxText}
	}
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return &SyntaxError{Message: `invalid byte sequence for encoding "UTF8": 0x00`, Offset: i}
	}
	if !utf8.ValidString(sql) {
		i := 0
		for i < len(sql) {
			r, size := utf8.DecodeRuneInString(sql[i:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			i += size
		}
		return &SyntaxError{Message: `invalid byte sequence for encoding "UTF8": 0x` + hexByte(sql[i]), Offset: i}
	}
	return nil
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}
