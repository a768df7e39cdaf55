package migratecheck

import (
	"fmt"
	"sort"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// bodyText is a body that a statement runs, and the string constant of the file in which it is written.
type bodyText struct {
	in     catalog.Place // Body and Function
	step   *Step         // whose statement the constant is in; nil when the body is not written in the file
	lit    pgast.Literal
	tokens []pgast.Token // of the body, without comments
}

// inTheBody says where a statement from a body comes from, and, when it is reported elsewhere, what runs it.
func (s *Step) inTheBody() string {
	if called := s.called(s.in); called != "" {
		return called
	}
	if s.in.Function == "" {
		return " (in the body of a " + s.Via + ")"
	}
	return " (in the body of " + s.Via + ")"
}

// called says what calls the function in whose body a place of the file is; "" for another place.
func (s *Step) called(in catalog.Place) string {
	if in.Function == "" || s.outermost().body(in).step == nil {
		return ""
	}
	return fmt.Sprintf(" (in the body of %s(), which line %d calls)", in.Function, s.Line())
}

func (s *Step) outermost() *Step {
	if s.outer != nil {
		return s.outer
	}
	return s
}

// located is the position of a byte of a statement that a body runs. exact is false when the body has it in other words: the position is
// then where the body makes it, or runs what does, or, of a body that is not in the file, where the statement begins that ran the body.
func (s *Step) located(in catalog.Place, at int) (pos source.Position, exact bool) {
	b := s.outermost().body(in)
	if b.step == nil {
		return s.text.Position(s.base), false
	}
	offset, exact := in.Offset+at, true
	if in.Line > 0 || in.SQL == "" {
		offset, exact = b.find(in, at)
	}
	return b.step.text.Position(b.step.base + b.lit.Offset(offset)), exact
}

// reportError is ReportAt of the statement's error, at the place in a body where that arises.
func (s *Step) reportError(at int, severity Severity, message, help string) {
	if s.Err.In == nil {
		s.ReportAt(at, severity, message, help)
		return
	}
	pos, _ := s.located(*s.Err.In, 0)
	s.reportAt(pos, 0, severity, message+s.called(*s.Err.In), help)
}

// body finds a body that s runs: in itself, a DO block, or in the last CREATE FUNCTION before it in the file.
func (s *Step) body(in catalog.Place) *bodyText {
	for _, b := range s.bodies {
		if b.in.Body == in.Body && b.in.Function == in.Function {
			return b
		}
	}
	b := &bodyText{in: in}
	s.bodies = append(s.bodies, b)
	if in.Function == "" {
		b.read(s)
		return b
	}
	section := s.File.Up
	if s.Down {
		section = append(section[:len(section):len(section)], s.File.Down...)
	}
	for i := len(section) - 1; i >= 0 && b.step == nil; i-- {
		names := section[i].Stmt.Node.GetCreateFunctionStmt().GetFuncname()
		if section[i].Via == "" && len(names) > 0 && names[len(names)-1].GetString_().GetSval() == in.Function {
			b.read(section[i])
		}
	}
	return b
}

// read looks for the body among the string constants of a statement.
func (b *bodyText) read(s *Step) {
	for _, t := range tokensOf(s.Stmt.SQL) {
		if lit, ok := pgast.ReadLiteral(s.Stmt.SQL, t); ok && b.in.Body != "" && lit.Value == b.in.Body {
			b.step, b.lit = s, lit
			b.tokens = tokensOf(lit.Value)
			return
		}
	}
}

// find is where in a plpgsql body, whose parser tells the line alone, a byte of a statement stands.
func (b *bodyText) find(in catalog.Place, at int) (offset int, exact bool) {
	body, line := b.lit.Value, 0
	for range in.Line - 1 {
		line += strings.IndexByte(body[line:], '\n') + 1
	}
	from := sort.Search(len(b.tokens), func(i int) bool { return b.tokens[i].Start >= line })
	if from == len(b.tokens) {
		return line, false
	}
	end := len(body)
	if i := strings.IndexByte(body[line:], '\n'); i >= 0 {
		end = line + i
	}
	begins := "EXECUTE"
	if !in.Dynamic {
		begins = firstToken(in.SQL)
	}
	similar := -1
	for i, t := range b.tokens[from:] {
		word := body[t.Start:t.End]
		if word == ";" && t.Start > end {
			break // the last statement that begins on the line ends here
		}
		if begins == "" || !strings.EqualFold(word, begins) && !(begins == "SELECT" && strings.EqualFold(word, "PERFORM")) {
			continue
		}
		if similar < 0 {
			similar = t.Start
		}
		if !in.Dynamic {
			if writtenAt(body[t.Start:], in.SQL) {
				return t.Start + at, true
			}
			continue
		}
		if next := from + i + 1; next < len(b.tokens) && in.SQL != "" {
			lit, ok := pgast.ReadLiteral(body, b.tokens[next])
			if ok && in.Offset <= len(lit.Value) && strings.HasPrefix(lit.Value[in.Offset:], in.SQL) {
				return lit.Offset(in.Offset + at), true
			}
		}
	}
	if similar >= 0 {
		return similar, false
	}
	return b.tokens[from].Start, false
}

// writtenAt reports whether a text begins with a statement. The parser of plpgsql has put as many spaces for an INTO (make_execsql_stmt in
// src/pl/plpgsql/src/pl_gram.y).
func writtenAt(text, stmt string) bool {
	for _, t := range tokensOf(stmt) {
		if !strings.HasPrefix(text[min(t.Start, len(text)):], stmt[t.Start:t.End]) {
			return false
		}
	}
	return true
}

func firstToken(sql string) string {
	if tokens := tokensOf(sql); len(tokens) > 0 {
		return sql[tokens[0].Start:tokens[0].End]
	}
	return ""
}
