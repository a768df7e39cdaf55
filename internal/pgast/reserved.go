package pgast

import (
	"errors"
	"slices"
	"strings"
)

// reservedNouns are the reserved words that people name tables and columns by. Those that begin a clause (FROM, WHERE) are
// not among them: where one of them stands for a name, the name is rather missing.
var reservedNouns = []string{
	"all", "analyse", "analyze", "any", "array", "asc", "authorization", "both", "case", "check", "column", "constraint", "current_date",
	"current_role", "current_time", "current_timestamp", "current_user", "default", "desc", "end", "foreign", "grant", "group", "limit",
	"localtime", "offset", "order", "placing", "primary", "references", "session_user", "table", "to", "unique", "user", "window",
}

// FindReserved is the reserved word at which a statement of sql fails to parse for want of quotes around it, and around the
// others of its kind: with them it parses. It is "" when that is not the error at offset.
func FindReserved(sql string, offset int) string {
	for _, st := range Split(sql) {
		at := offset - st.Offset
		if at < 0 || at >= len(st.Text) {
			continue
		}
		text, first := st.Text, ""
		for range 8 {
			word := wordAt(text, at)
			if !slices.Contains(reservedNouns, strings.ToLower(word)) {
				return ""
			}
			if first == "" {
				first = word
			}
			text = text[:at] + QuoteIdent(strings.ToLower(word)) + text[at+len(word):]
			_, err := Parse(text)
			var syntax *SyntaxError
			switch {
			case err == nil:
				return first
			case !errors.As(err, &syntax) || syntax.Offset <= at:
				return ""
			}
			at = syntax.Offset
		}
	}
	return ""
}

// wordAt is the unquoted word that begins at an offset.
func wordAt(text string, at int) string {
	if at >= len(text) {
		return ""
	}
	tok, ok := NewScanner(text[at:]).Next()
	if !ok || tok.Start != 0 || tok.Kind != KindWord {
		return ""
	}
	return text[at : at+tok.End]
}
