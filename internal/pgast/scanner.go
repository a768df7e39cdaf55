package pgast

import "strings"

// Kind says what a [Token] is.
type Kind uint8

// The kinds of tokens. Every token is at least one byte long; white space is not a token.
const (
	KindWord         Kind = iota // an identifier or a keyword, not quoted
	KindQuotedIdent              // "…" or U&"…"
	KindString                   // '…', E'…', B'…', X'…', U&'…' or N'…', with its continuation on later lines
	KindDollarString             // $$…$$ or $tag$…$tag$
	KindNumber                   // 1, 0x1F, 1_000, 1.5e3
	KindParam                    // $1
	KindOperator                 // + ::  .. := => and every other run of operator characters
	KindPunct                    // one of ( ) [ ] , ; : .
	KindLineComment              // -- to the end of the line, without the line's end
	KindBlockComment             // /* … */, nested
	KindInvalid                  // what PostgreSQL's scanner rejects: an unterminated quote or comment, junk after a number, a stray byte
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case KindWord:
		return "Word"
	case KindQuotedIdent:
		return "QuotedIdent"
	case KindString:
		return "String"
	case KindDollarString:
		return "DollarString"
	case KindNumber:
		return "Number"
	case KindParam:
		return "Param"
	case KindOperator:
		return "Operator"
	case KindPunct:
		return "Punct"
	case KindLineComment:
		return "LineComment"
	case KindBlockComment:
		return "BlockComment"
	default:
		return "Invalid"
	}
}

// Token is a piece of SQL text: text[Start:End].
type Token struct {
	Kind       Kind
	Start, End int
}

// IsComment reports whether the token is a comment of either form.
func (t Token) IsComment() bool { return t.Kind == KindLineComment || t.Kind == KindBlockComment }

// Scanner splits SQL into tokens by the rules of PostgreSQL 16's scanner (src/backend/parser/scan.l) with
// standard_conforming_strings on, as libpg_query has it: a comment between two lines of a continued string ends the
// string. It allocates nothing, accepts any bytes and never fails: what PostgreSQL would reject is a [KindInvalid] token.
type Scanner struct {
	sql string
	pos int
}

// NewScanner returns a scanner at the start of sql.
func NewScanner(sql string) *Scanner { return &Scanner{sql: sql} }

const (
	classOther uint8 = iota
	classSpace
	classIdent // ident_start of scan.l: letters, _ and every byte of a multi-byte character
	classDigit
	classOp // op_chars of scan.l
	classPunct
)

// classes maps a byte to its class in scan.l's definitions.
var classes = [256]uint8{
	' ': classSpace, '\t': classSpace, '\n': classSpace, '\r': classSpace, '\f': classSpace,
	'0': classDigit, '1': classDigit, '2': classDigit, '3': classDigit, '4': classDigit,
	'5': classDigit, '6': classDigit, '7': classDigit, '8': classDigit, '9': classDigit,
	'~': classOp, '!': classOp, '@': classOp, '#': classOp, '^': classOp, '&': classOp, '|': classOp, '`': classOp, '?': classOp,
	'+': classOp, '-': classOp, '*': classOp, '/': classOp, '%': classOp, '<': classOp, '>': classOp, '=': classOp,
	'(': classPunct, ')': classPunct, '[': classPunct, ']': classPunct, ',': classPunct, ';': classPunct, ':': classPunct, '.': classPunct,
}

func isSpace(c byte) bool { return classes[c] == classSpace }
func isDigit(c byte) bool { return c-'0' < 10 }
func isIdentStart(c byte) bool {
	return (c|0x20)-'a' < 26 || c == '_' || c >= 0x80
}
func isIdentCont(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }
func isOp(c byte) bool        { return classes[c] == classOp }

// at is the byte at i, or 0 past the end.
func (s *Scanner) at(i int) byte {
	if i < len(s.sql) {
		return s.sql[i]
	}
	return 0
}

// Next returns the next token, or false at the end of the text.
func (s *Scanner) Next() (Token, bool) {
	for s.pos < len(s.sql) && isSpace(s.sql[s.pos]) {
		s.pos++
	}
	if s.pos >= len(s.sql) {
		return Token{Kind: KindInvalid, Start: s.pos, End: s.pos}, false
	}
	start := s.pos
	kind := s.scan(s.sql[start])
	return Token{Kind: kind, Start: start, End: s.pos}, true
}

// scan consumes one token that begins with c, at s.pos.
func (s *Scanner) scan(c byte) Kind {
	switch {
	case isIdentStart(c):
		return s.scanWord(c)
	case isDigit(c), c == '.' && isDigit(s.at(s.pos+1)):
		return s.scanNumber()
	case isOp(c):
		return s.scanOperator()
	}
	switch c {
	case '\'':
		s.pos++
		return s.scanString(plain)
	case '"':
		s.pos++
		return s.scanQuotedIdent()
	case '$':
		return s.scanDollar()
	case ':':
		s.pos++
		if n := s.at(s.pos); n == ':' || n == '=' {
			s.pos++
			return KindOperator
		}
		return KindPunct
	case '.':
		s.pos++
		if s.at(s.pos) == '.' {
			s.pos++
			return KindOperator
		}
		return KindPunct
	}
	s.pos++
	if classes[c] == classPunct {
		return KindPunct
	}
	return KindInvalid
}

func (s *Scanner) scanWord(c byte) Kind {
	next := s.at(s.pos + 1)
	switch c {
	case 'e', 'E':
		if next == '\'' {
			s.pos += 2
			return s.scanString(escaped)
		}
	case 'b', 'B', 'x', 'X':
		if next == '\'' {
			s.pos += 2
			return s.scanString(bits)
		}
	case 'n', 'N':
		if next == '\'' {
			s.pos += 2
			return s.scanString(plain)
		}
	case 'u', 'U':
		if next == '&' {
			switch s.at(s.pos + 2) {
			case '\'':
				s.pos += 3
				return s.scanString(plain)
			case '"':
				s.pos += 3
				return s.scanQuotedIdent()
			}
		}
	}
	i := s.pos + 1
	for i < len(s.sql) && isIdentCont(s.sql[i]) {
		i++
	}
	s.pos = i
	return KindWord
}

// stringForm says what a quote and a backslash mean in a string.
type stringForm uint8

const (
	plain   stringForm = iota // a doubled quote is a quote
	escaped                   // and a backslash takes the next byte with it
	bits                      // B and X strings: a quote is the end
)

// scanString consumes a string after its opening quote, with its continuations: white space with at least one
// newline and another quote (quotecontinue of scan.l; manual section 4.1.2.1).
func (s *Scanner) scanString(form stringForm) Kind {
	for {
		var i int
		if form == escaped {
			i = strings.IndexAny(s.sql[s.pos:], `'\`)
		} else {
			i = strings.IndexByte(s.sql[s.pos:], '\'')
		}
		if i < 0 {
			s.pos = len(s.sql)
			return KindInvalid
		}
		s.pos += i + 1
		if s.sql[s.pos-1] == '\\' {
			if s.pos < len(s.sql) {
				s.pos++
			}
			continue
		}
		if s.at(s.pos) == '\'' && form != bits {
			s.pos++
			continue
		}
		j, newline := s.pos, false
		for j < len(s.sql) && isSpace(s.sql[j]) {
			newline = newline || s.sql[j] == '\n' || s.sql[j] == '\r'
			j++
		}
		if !newline || s.at(j) != '\'' {
			return KindString
		}
		s.pos = j + 1
	}
}

func (s *Scanner) scanQuotedIdent() Kind {
	first := s.pos
	for {
		i := strings.IndexByte(s.sql[s.pos:], '"')
		if i < 0 {
			s.pos = len(s.sql)
			return KindInvalid
		}
		s.pos += i + 1
		if s.at(s.pos) != '"' {
			break
		}
		s.pos++
	}
	if s.pos == first+1 {
		return KindInvalid // zero-length delimited identifier
	}
	return KindQuotedIdent
}

func (s *Scanner) scanDollar() Kind {
	i := s.pos + 1
	if isDigit(s.at(i)) {
		for isDigit(s.at(i)) {
			i++
		}
		s.pos = i
		return KindParam
	}
	if c := s.at(i); isIdentStart(c) {
		for c := s.at(i); isIdentStart(c) || isDigit(c); c = s.at(i) {
			i++
		}
	}
	if s.at(i) != '$' {
		s.pos++
		return KindInvalid
	}
	tag := s.sql[s.pos : i+1]
	end := strings.Index(s.sql[i+1:], tag)
	if end < 0 {
		s.pos = len(s.sql)
		return KindInvalid
	}
	s.pos = i + 1 + end + len(tag)
	return KindDollarString
}

// digits consumes digits of one base with single underscores between them, from i, and returns the index after them.
func (s *Scanner) digits(i int, base byte) int {
	for {
		j := i
		if s.at(j) == '_' {
			j++
		}
		if !isDigitOf(s.at(j), base) {
			return i
		}
		i = j + 1
	}
}

func isDigitOf(c, base byte) bool {
	if base == 16 {
		return isDigit(c) || (c|0x20)-'a' < 6
	}
	return c >= '0' && c < '0'+base
}

// scanNumber follows decinteger, hexinteger, numeric, real and the …_junk and …fail rules of scan.l.
func (s *Scanner) scanNumber() Kind {
	i := s.pos
	if s.sql[i] == '0' {
		base := byte(0)
		switch s.at(i + 1) {
		case 'x', 'X':
			base = 16
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
		if base != 0 {
			if end := s.digits(i+2, base); end > i+2 {
				return s.endNumber(end)
			}
			return s.endNumber(i + 1)
		}
	}
	if s.sql[i] != '.' {
		i = s.digits(i+1, 10)
		if s.at(i) == '.' && s.at(i+1) == '.' && strings.IndexByte(s.sql[s.pos:i], '_') < 0 {
			s.pos = i // 1..2 is an integer and a range operator, but 1_0..2 is not ({numericfail} of scan.l)
			return KindNumber
		}
	}
	if s.at(i) == '.' {
		i++
		if isDigit(s.at(i)) {
			i = s.digits(i+1, 10)
		}
	}
	if c := s.at(i); c == 'e' || c == 'E' {
		j := i + 1
		if c := s.at(j); c == '+' || c == '-' {
			j++
		}
		if isDigit(s.at(j)) {
			i = s.digits(j+1, 10)
		}
	}
	return s.endNumber(i)
}

// endNumber ends a number at i; an identifier that follows without a space is junk, and an error in PostgreSQL.
func (s *Scanner) endNumber(i int) Kind {
	s.pos = i
	if !isIdentStart(s.at(i)) {
		return KindNumber
	}
	for isIdentCont(s.at(s.pos)) {
		s.pos++
	}
	return KindInvalid
}

// scanOperator follows scan.l's {operator} rule, and the comment rules before it.
func (s *Scanner) scanOperator() Kind {
	start := s.pos
	switch c, next := s.sql[start], s.at(start+1); {
	case c == '-' && next == '-':
		i := start + 2
		for i < len(s.sql) && s.sql[i] != '\n' && s.sql[i] != '\r' {
			i++
		}
		s.pos = i
		return KindLineComment
	case c == '/' && next == '*':
		return s.scanBlockComment()
	}
	i := start + 1
	for i < len(s.sql) && isOp(s.sql[i]) {
		if n := s.at(i + 1); s.sql[i] == '-' && n == '-' || s.sql[i] == '/' && n == '*' {
			break
		}
		i++
	}
	// "A multiple-character operator name cannot end in + or -, unless the name also contains at least one of
	// ~ ! @ # % ^ & | ` ?" (manual section 4.1.3).
	if c := s.sql[i-1]; i-start > 1 && (c == '+' || c == '-') && !strings.ContainsAny(s.sql[start:i], "~!@#%^&|`?") {
		for i-start > 1 && (s.sql[i-1] == '+' || s.sql[i-1] == '-') {
			i--
		}
	}
	s.pos = i
	if i-start >= 64 {
		return KindInvalid // operator too long (NAMEDATALEN)
	}
	return KindOperator
}

func (s *Scanner) scanBlockComment() Kind {
	depth := 1
	i := s.pos + 2
	for depth > 0 {
		j := strings.IndexAny(s.sql[i:], "*/")
		if j < 0 || i+j+1 >= len(s.sql) {
			s.pos = len(s.sql)
			return KindInvalid
		}
		i += j
		switch {
		case s.sql[i] == '*' && s.sql[i+1] == '/':
			depth--
			i += 2
		case s.sql[i] == '/' && s.sql[i+1] == '*':
			depth++
			i += 2
		default:
			i++
		}
	}
	s.pos = i
	return KindBlockComment
}
