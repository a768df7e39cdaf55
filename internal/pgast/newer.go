package pgast

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Newer names a form of a statement that is newer than the grammar here, PostgreSQL 16's. The zero value is none.
type Newer struct {
	Name  string // AddNotNull, for one
	Since int    // the first major version that has it
	At    int    // where it stands, or the parser gave up, in the text given to Parse, in bytes
}

// AddNotNull is the Name of NOT NULL as a constraint that is added to a table.
const AddNotNull = "ADD CONSTRAINT … NOT NULL"

// Refused is what a server of a major version says to a statement that has a form newer than it, nil when it has none.
func (s Stmt) Refused(version int) error {
	if s.Newer.Since <= version {
		return nil
	}
	return &SyntaxError{Message: fmt.Sprintf("syntax error at or near %q", "NOT"), Offset: s.Newer.At}
}

// The newer forms that are understood all the same: NOT NULL as a constraint of a table or a domain, which can have a name, and of
// a table be NOT VALID. Source: ConstraintElem and DomainConstraintElem in src/backend/parser/gram.y, PostgreSQL 17 and 18.
var (
	notNullOfTable  = Newer{Name: AddNotNull, Since: 18}
	notNullInTable  = Newer{Name: "CREATE TABLE (…, CONSTRAINT … NOT NULL column)", Since: 18}
	notNullOfDomain = Newer{Name: "ALTER DOMAIN … ADD NOT NULL", Since: 17}
)

// newerNotNull is a NOT NULL that the parser gets to see as standIn.
type newerNotNull struct {
	form   Newer
	at     int // of NOT
	column string
}

// standIn is what the parser knows in the place of NOT NULL, which is as long. The positions of everything else stay.
const standIn = "CHECK(1)"

// withoutNewer returns sql with such a stand-in for each NOT NULL of a newer form in the pieces, and where they are.
func withoutNewer(sql string, pieces []piece) (string, []newerNotNull) {
	var found []newerNotNull
	text := []byte(nil)
	for _, one := range pieces {
		tokens, ok := tokensOf(sql, one)
		if !ok {
			continue
		}
		for i, form := range findNotNulls(sql, tokens) {
			last := i + 1
			n := newerNotNull{form: form, at: tokens[i].Start}
			if form != notNullOfDomain {
				last++
				n.column = nameOf(sql, tokens[last])
			}
			if text == nil {
				text = []byte(sql)
			}
			for at := tokens[i].Start; at < tokens[last].End; at++ {
				text[at] = ' '
			}
			copy(text[tokens[i].Start:], standIn)
			found = append(found, n)
		}
	}
	return string(text), found
}

// tokensOf scans a piece, leaving out comments; false when it cannot have a newer form.
func tokensOf(sql string, one piece) ([]Token, bool) {
	scanner := Scanner{sql: sql[:one.end], pos: one.start}
	var tokens []Token
	for {
		tok, ok := scanner.Next()
		if !ok {
			return tokens, true
		}
		if tok.IsComment() {
			continue
		}
		if len(tokens) == 0 && !isWord(sql, tok, "ALTER") && !isWord(sql, tok, "CREATE") {
			return nil, false
		}
		tokens = append(tokens, tok)
	}
}

// findNotNulls finds the NOT of each, by its index.
func findNotNulls(sql string, tokens []Token) map[int]Newer {
	found := map[int]Newer{}
	word := func(i int, keyword string) bool {
		return i >= 0 && i < len(tokens) && isWord(sql, tokens[i], keyword)
	}
	domain := word(1, "DOMAIN")
	alter := word(0, "ALTER")
	if alter && !domain && !word(1, "TABLE") && !word(1, "FOREIGN") {
		return nil
	}
	depth := 0
	for i, tok := range tokens {
		if tok.Kind == KindPunct {
			switch sql[tok.Start] {
			case '(', '[':
				depth++
			case ')', ']':
				depth--
			}
		}
		if !word(i, "NOT") || !word(i+1, "NULL") {
			continue
		}
		before := i - 1 // what the constraint follows: ADD, or the parenthesis or comma of CREATE TABLE
		if word(i-2, "CONSTRAINT") {
			before = i - 3
		}
		begins := false
		if before >= 0 {
			p := tokens[before]
			begins = p.Kind == KindPunct && (sql[p.Start] == ',' || sql[p.Start] == '(')
		}
		named := i+2 < len(tokens) && nameOf(sql, tokens[i+2]) != ""
		switch {
		case alter && depth == 0 && word(before, "ADD") && domain:
			found[i] = notNullOfDomain
		case alter && depth == 0 && word(before, "ADD") && named:
			found[i] = notNullOfTable
		case !alter && depth == 1 && begins && named:
			found[i] = notNullInTable
		}
	}
	return found
}

func isWord(sql string, t Token, keyword string) bool {
	return t.Kind == KindWord && strings.EqualFold(sql[t.Start:t.End], keyword)
}

// nameOf is the identifier that a token is, "" when it is none or is written as U&"…".
func nameOf(sql string, t Token) string {
	text := sql[t.Start:t.End]
	switch {
	case t.Kind == KindWord && !quotedKeywords()[strings.ToLower(text)]:
		return asciiLower(text)
	case t.Kind == KindQuotedIdent && text[0] == '"':
		return strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	}
	return ""
}

// asciiLower is downcase_identifier (src/backend/parser/scansup.c) in UTF-8: only ASCII letters change.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// atStandIn tells whether the parser gave up in a stand-in, of which nobody should hear.
func atStandIn(err error, found []newerNotNull) bool {
	var syntax *SyntaxError
	return errors.As(err, &syntax) && slices.ContainsFunc(found, func(n newerNotNull) bool {
		return syntax.Offset >= n.at && syntax.Offset < n.at+len(standIn)
	})
}

// putBack makes the constraints of stand-ins what the parser of a newer PostgreSQL makes of NOT NULL, and notes the form in the
// statements that have it.
func putBack(stmts []Stmt, found []newerNotNull) {
	for i := range stmts {
		s := &stmts[i]
		WalkMessages(s.Node, func(m Message) bool {
			con, ok := m.(*Constraint)
			if !ok || con.Contype != ConstrType_CONSTR_CHECK {
				return true
			}
			for _, n := range found {
				if con.RawExpr.GetAConst() == nil || int(con.RawExpr.GetAConst().Location) != n.at+len("CHECK(") {
					continue
				}
				con.Contype, con.RawExpr = ConstrType_CONSTR_NOTNULL, nil
				if n.column != "" {
					con.Keys = []*Node{{Node: &Node_String_{String_: &String{Sval: n.column}}}}
				}
				if n.form.Since > s.Newer.Since {
					s.Newer = n.form
					s.Newer.At = n.at
				}
			}
			return true
		})
	}
}
