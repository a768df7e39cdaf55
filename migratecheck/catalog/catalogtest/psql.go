package catalogtest

import (
	"regexp"
	"strings"
)

// SplitPsql cuts a psql script into the statements that psql would send: a semicolon ends one, outside quotes, comments,
// parentheses and BEGIN ATOMIC bodies. Backslash commands are left out, and so are the data of COPY … FROM stdin
// (src/fe_utils/psqlscan.l).
func SplitPsql(text string) []string {
	s := psqlSplitter{text: text}
	copyIn := regexp.MustCompile(`(?is)^\s*copy\b.*\bfrom\s+std(in|out)\b`)
	for s.pos < len(text) {
		if s.step() {
			continue
		}
		if n := len(s.statements); n > 0 && copyIn.MatchString(s.statements[n-1]) && s.pos > s.checked {
			s.checked = s.pos
			s.statements = s.statements[:n-1]
			s.skipData()
		}
	}
	s.flush()
	return s.statements
}

type psqlSplitter struct {
	text       string
	pos        int
	current    strings.Builder
	statements []string
	parens     int
	words      []string // the first words of the statement
	begins     int
	checked    int
}

func (s *psqlSplitter) flush() {
	if q := strings.TrimSpace(s.current.String()); q != "" {
		s.statements = append(s.statements, q)
	}
	s.current.Reset()
	s.parens, s.begins, s.words = 0, 0, nil
}

// take moves n bytes into the statement.
func (s *psqlSplitter) take(n int) {
	n = min(n, len(s.text)-s.pos)
	s.current.WriteString(s.text[s.pos : s.pos+n])
	s.pos += n
}

// step consumes one token; false says that a statement has ended.
func (s *psqlSplitter) step() bool {
	rest := s.text[s.pos:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "--"):
		s.pos += lineEnd(rest)
		s.current.WriteByte('\n')
	case strings.HasPrefix(rest, "/*"):
		s.take(commentEnd(rest))
	case c == '\'':
		escapes := s.pos > 0 && (s.text[s.pos-1] == 'E' || s.text[s.pos-1] == 'e')
		s.take(quoteEnd(rest, '\'', escapes))
	case c == '"':
		s.take(quoteEnd(rest, '"', false))
	case c == '$':
		s.take(dollarEnd(rest))
	case c == '(':
		s.parens++
		s.take(1)
	case c == ')':
		s.parens = max(s.parens-1, 0)
		s.take(1)
	case c == ';' && s.parens == 0 && s.begins == 0:
		s.pos++
		s.flush()
		return false
	case c == '\\':
		if strings.HasPrefix(rest, `\;`) {
			s.pos += 2
			s.flush()
			return false
		}
		n := lineEnd(rest)
		if strings.HasPrefix(rest, `\g`) || strings.HasPrefix(rest, `\crosstabview`) {
			s.pos += n
			s.flush()
			return false
		}
		s.pos += n
	case isWord(c):
		n := 1
		for n < len(rest) && (isWord(rest[n]) || rest[n] >= '0' && rest[n] <= '9' || rest[n] == '$') {
			n++
		}
		s.word(strings.ToLower(rest[:n]))
		s.take(n)
	default:
		s.take(1)
	}
	return true
}

// word tracks BEGIN ATOMIC … END in the body of CREATE FUNCTION.
func (s *psqlSplitter) word(w string) {
	if len(s.words) < 4 {
		s.words = append(s.words, w)
	}
	head := strings.Join(s.words, " ")
	if !strings.HasPrefix(head, "create function") && !strings.HasPrefix(head, "create procedure") &&
		!strings.HasPrefix(head, "create or replace function") && !strings.HasPrefix(head, "create or replace procedure") {
		return
	}
	switch {
	case w == "begin", w == "case" && s.begins > 0:
		s.begins++
	case w == "end" && s.begins > 0:
		s.begins--
	}
}

// skipData passes over the lines up to \. that follow COPY … FROM stdin.
func (s *psqlSplitter) skipData() {
	s.pos += lineEnd(s.text[s.pos:])
	start := s.pos
	for s.pos < len(s.text) {
		s.pos = min(s.pos+1, len(s.text))
		n := lineEnd(s.text[s.pos:])
		line := strings.TrimRight(s.text[s.pos:s.pos+n], "\r")
		s.pos += n
		if line == `\.` {
			return
		}
	}
	s.pos = start // no data: the COPY was meant to fail
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func commentEnd(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

func quoteEnd(s string, quote byte, escapes bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote:
			i++
		case s[i] == quote:
			return i + 1
		}
	}
	return len(s)
}

func dollarEnd(s string) int {
	n := 1
	for n < len(s) && (isWord(s[n]) || n > 1 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n >= len(s) || s[n] != '$' {
		return 1
	}
	tag := s[:n+1]
	if i := strings.Index(s[len(tag):], tag); i >= 0 {
		return len(tag) + i + len(tag)
	}
	return len(s)
}
