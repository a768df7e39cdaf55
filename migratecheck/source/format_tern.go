package source

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	ternSeparator = "---- create above / drop below ----"
	ternNoTx      = "---- tern: disable-tx ----"
)

// ternFormat reads tern's files (jackc/tern v2.3.4, migrate/migrate.go): what is above and below the separator is one
// text each, in a transaction; with disable-tx its statements are sent one by one without.
func ternFormat() Format {
	return Format{
		Name:  "tern",
		About: "NNN_name.sql with ---- create above / drop below ----",
		ext:   ".sql",
		claim: func(_, text string) claim {
			if strings.Contains(text, ternSeparator) || strings.Contains(text, ternNoTx) {
				return claimOwn
			}
			return claimNone
		},
		name: func(name string) (named, bool) { // \A(\d+)_.+\.sql\z
			base, ok := strings.CutSuffix(name, ".sql")
			number := digits(base)
			title, cut := strings.CutPrefix(base[len(number):], "_")
			return named{version: number, title: title}, ok && cut && number != "" && title != ""
		},
		read:    readTern,
		compare: byNumber,
	}
}

func readTern(f *File) script {
	out := script{downAt: -1}
	out.up.Gaps = bomGap(f, "tern")
	start, end := f.body(), len(f.Text)
	separator := strings.Index(f.Text, ternSeparator)
	if separator >= 0 {
		end = separator
	}
	last := readTernHalf(f, &out.up, start, end, 0)
	if separator >= 0 {
		out.hasDown, out.downAt = true, separator
		readTernHalf(f, &out.down, separator+len(ternSeparator), len(f.Text), last)
	}
	if len(out.up.Statements) == 0 && len(out.up.Gaps) == 0 {
		out.up.Gaps = append(out.up.Gaps, Gap{
			Pos: f.Position(start), Refused: true, Reason: "tern refuses the file: there is no SQL above the separator",
		})
	}
	// tern takes a migration with nothing below the separator for one that cannot be undone (irreversible).
	if out.hasDown && len(out.down.Statements) == 0 && len(out.down.Gaps) == 0 {
		out.hasDown = false
	}
	return out
}

// readTernHalf reads one direction; its transactions are numbered after last.
func readTernHalf(f *File, s *Script, start, end, last int) int {
	start, end = trimRange(f.Text, start, end)
	sql := f.Text[start:end]
	switch {
	case sql == "" || onlyDashes(sql):
	case strings.Contains(sql, "{{"):
		at := start + strings.Index(sql, "{{")
		l, _, _ := nextLine(f.Text, at)
		s.Gaps = append(s.Gaps, Gap{
			Pos: f.Position(at), Source: shorten(f.Text[l.start:l.end]),
			Reason: "tern template: the text is decided by the configuration and other files",
		})
	case hasWholeLine(sql, ternNoTx):
		for _, r := range ternSplit(sql) {
			s.Statements = append(s.Statements, newStatement(f, start+r.start, start+r.end))
		}
		return setExplicitTx(s.Statements, last)
	default:
		st := newStatement(f, start, end)
		st.Tx = last + 1
		s.Statements = append(s.Statements, st)
		return last + 1
	}
	return last
}

// onlyDashes says whether every line is empty or a comment.
func onlyDashes(sql string) bool {
	for l := range strings.Lines(sql) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "--") {
			return false
		}
	}
	return true
}

// hasWholeLine says whether a line of the text, up to its line feed, is exactly want.
func hasWholeLine(text, want string) bool {
	for l := range strings.Lines(text) {
		if strings.TrimSuffix(l, "\n") == want {
			return true
		}
	}
	return false
}

// ternSplit cuts at semicolons as migrate/internal/sqlsplit does. Unlike PostgreSQL's scanner it takes any e before a
// quote for the beginning of an escape string, and a backslash in a comment for the escape of what follows, the line's
// end included. A piece without SQL in it is sent, too.
func ternSplit(sql string) []line {
	var out []line
	start := 0
	cut := func(end int) {
		if a, b := trimRange(sql, start, end); a < b {
			out = append(out, line{a, b})
		}
		start = end
	}
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case (c == 'e' || c == 'E') && strings.HasPrefix(sql[i+1:], "'"):
			i = ternQuote(sql, i+2, '\'', true)
		case c == '\'' || c == '"':
			i = ternQuote(sql, i+1, c, false)
		case c == '$':
			if tag, ok := ternTag(sql[i+1:]); ok {
				i = ternDollar(sql, i+1+len(tag)+1, tag)
			} else {
				i++
			}
		case c == ';':
			i++
			cut(i)
		case strings.HasPrefix(sql[i:], "--"):
			i = ternComment(sql, i+2)
		case strings.HasPrefix(sql[i:], "/*"):
			i = ternBlock(sql, i+2)
		default:
			i++
		}
	}
	cut(len(sql))
	return out
}

func ternQuote(sql string, i int, quote byte, escapes bool) int {
	for i < len(sql) {
		switch {
		case escapes && sql[i] == '\\':
			i++
			_, n := utf8.DecodeRuneInString(sql[i:])
			i += n
		case sql[i] != quote:
			i++
		case i+1 < len(sql) && sql[i+1] == quote:
			i += 2
		default:
			return i + 1
		}
	}
	return i
}

func ternTag(s string) (string, bool) {
	for i, r := range s {
		switch {
		case r == '$':
			return s[:i], true
		case unicode.IsLetter(r) || r == '_' || i > 0 && r >= '0' && r <= '9':
		default:
			return "", false
		}
	}
	return "", false
}

func ternDollar(sql string, i int, opening string) int {
	for {
		j := strings.IndexByte(sql[min(i, len(sql)):], '$')
		if j < 0 {
			return len(sql)
		}
		i += j + 1
		if tag, ok := ternTag(sql[i:]); ok && tag == opening {
			return i + len(tag) + 1
		}
		i++
	}
}

func ternComment(sql string, i int) int {
	for i < len(sql) {
		switch sql[i] {
		case '\\':
			i++
			_, n := utf8.DecodeRuneInString(sql[i:])
			i += n
		case '\n', '\r':
			return i + 1
		default:
			i++
		}
	}
	return i
}

func ternBlock(sql string, i int) int {
	depth := 1
	for i < len(sql) {
		switch {
		case strings.HasPrefix(sql[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(sql[i:], "*/"):
			i += 2
			if depth--; depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return i
}
