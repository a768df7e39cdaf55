package pgast

import (
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Literal is the value of a string constant, byte by byte with the place in the SQL text where it is written.
type Literal struct {
	Value string
	// runs begin where the value and the text stop to keep in step: at an escape, a doubled quote or the next line of a continued string.
	runs []literalRun
}

type literalRun struct{ value, text int }

// Offset is where in the SQL text the byte of the value stands, or the escape that stands for it.
func (l *Literal) Offset(i int) int {
	at := sort.Search(len(l.runs), func(k int) bool { return l.runs[k].value > i }) - 1
	if at < 0 {
		return 0
	}
	return l.runs[at].text + i - l.runs[at].value
}

// ReadLiteral reads a token that is a string constant as PostgreSQL 16's scan.l does with standard_conforming_strings on: '…' and E'…',
// with their continuation on later lines, and $tag$…$tag$. ok is false for other tokens, and for U&'…', N'…', B'…' and X'…'.
func ReadLiteral(sql string, t Token) (lit Literal, ok bool) {
	text := sql[t.Start:t.End]
	if t.Kind == KindDollarString {
		tag := strings.IndexByte(text[1:], '$') + 2
		return Literal{Value: text[tag : len(text)-tag], runs: []literalRun{{0, t.Start + tag}}}, true
	}
	if t.Kind != KindString {
		return lit, false
	}
	i := strings.IndexByte(text, '\'')
	escapes := strings.EqualFold(text[:i], "e")
	if !escapes && i > 0 {
		return lit, false
	}
	value := make([]byte, 0, len(text))
	run := func(next int) { lit.runs = append(lit.runs, literalRun{len(value), t.Start + next}) }
	i++
	run(i)
	for i < len(text) {
		switch c := text[i]; {
		case c == '\'' && i+1 < len(text) && text[i+1] == '\'':
			value = append(value, c)
			i += 2
			run(i)
		case c == '\'':
			// Either the end, or the string goes on behind the next quote.
			next := strings.IndexByte(text[i+1:], '\'')
			if next < 0 {
				i = len(text)
				continue
			}
			i += next + 2
			run(i)
		case c == '\\' && escapes:
			decoded, size, valid := escape(text[i:])
			if !valid {
				return lit, false
			}
			run(i)
			value = append(value, decoded...)
			i += size
			run(i)
		default:
			value = append(value, c)
			i++
		}
	}
	lit.Value = string(value)
	return lit, true
}

// escape reads one escape of E'…' (PostgreSQL 16 manual, 4.1.2.2) at the start of s.
func escape(s string) (decoded string, size int, ok bool) {
	if len(s) < 2 {
		return "", 0, false
	}
	number := func(from, most, base int) (n uint64, end int) {
		end = from
		for end < len(s) && end < from+most {
			if _, err := strconv.ParseUint(s[end:end+1], base, 8); err != nil {
				break
			}
			end++
		}
		n, _ = strconv.ParseUint(s[from:end], base, 32)
		return n, end
	}
	switch c := s[1]; c {
	case 'b', 'f', 'n', 'r', 't', 'v':
		return map[byte]string{'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}[c], 2, true
	case 'x':
		if n, end := number(2, 2, 16); end > 2 {
			return string([]byte{byte(n)}), end, true
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, end := number(1, 3, 8)
		return string([]byte{byte(n)}), end, true
	case 'u', 'U':
		digits := map[byte]int{'u': 4, 'U': 8}[c]
		n, end := number(2, digits, 16)
		if end != 2+digits || !utf8.ValidRune(rune(n)) {
			return "", 0, false // surrogate pairs among them
		}
		return string(rune(n)), end, true
	}
	_, n := utf8.DecodeRuneInString(s[1:])
	return s[1 : 1+n], 1 + n, true
}
