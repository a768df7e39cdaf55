package migratecheck

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// grammarVersion is the major version of PostgreSQL whose grammar the parser has.
const grammarVersion = 16

// findNewerForm looks for a form of a statement that is newer than the parser, and not understood, around a byte of a text that
// does not parse. It goes by keywords: the statement may be wrong all the same. Sources: release notes of PostgreSQL 17 (E.1.3.4,
// E.1.3.5) and 18 (E.1.3.4 to E.1.3.6).
func findNewerForm(text string, offset int) (pgast.Newer, bool) {
	tokens := statementTokens(text, offset)
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = strings.ToUpper(text[t.Start:t.End])
	}
	has := func(sequence ...string) bool { return sequenceIn(words, sequence) >= 0 }
	starts := func(sequence ...string) bool { return sequenceIn(words, sequence) == 0 }
	generated := has("GENERATED", "ALWAYS", "AS", "(")
	for _, form := range []struct {
		found bool
		name  string
		since int
	}{
		{has("JSON_TABLE", "(") || has("JSON_EXISTS", "(") || has("JSON_QUERY", "(") || has("JSON_VALUE", "("), "the SQL/JSON query functions and JSON_TABLE", 17},
		{starts("MERGE") && (has("BY", "SOURCE") || has("BY", "TARGET")), "MERGE … NOT MATCHED BY SOURCE", 17},
		{starts("MERGE") && has("RETURNING"), "MERGE … RETURNING", 17},
		{has("SET", "EXPRESSION"), "ALTER COLUMN … SET EXPRESSION", 17},
		{has("SET", "ACCESS", "METHOD", "DEFAULT"), "SET ACCESS METHOD DEFAULT", 17},
		{has("ENFORCED"), "[NOT] ENFORCED", 18},
		{has("WITHOUT", "OVERLAPS") || has("PERIOD"), "temporal keys (WITHOUT OVERLAPS, PERIOD)", 18},
		{generated && (has(")", "VIRTUAL") || !has(")", "STORED")), "virtual generated columns", 18},
		{has("NOT", "NULL", "NO", "INHERIT"), "NOT NULL … NO INHERIT of a column", 18},
		{starts("ALTER", "TABLE") && has("ALTER", "CONSTRAINT", "*", "INHERIT"), "ALTER CONSTRAINT … INHERIT", 18},
		{starts("ALTER", "TABLE") && has("ALTER", "CONSTRAINT", "*", "NO", "INHERIT"), "ALTER CONSTRAINT … NO INHERIT", 18},
		{(starts("VACUUM") || starts("ANALYZE")) && has("ONLY"), "VACUUM and ANALYZE … ONLY", 18},
		{has("RETURNING", "WITH", "("), "RETURNING WITH (OLD AS …)", 18},
	} {
		if form.found {
			return pgast.Newer{Name: form.name, Since: form.since, At: offset}, true
		}
	}
	return pgast.Newer{}, false
}

// refuseNewer takes out of a text's statements those whose form the server does not know although the parser does, which are problems
// there.
func (f *File) refuseNewer(text *source.Statement, stmts []pgast.Stmt, down bool) []pgast.Stmt {
	refused := func(s pgast.Stmt) bool {
		err := s.Refused(f.Run.Config.version())
		if err == nil {
			return false
		}
		p := problemOf(text, err, down)
		p.Newer = s.Newer
		f.Problems = append(f.Problems, p)
		return true
	}
	if !slices.ContainsFunc(stmts, func(s pgast.Stmt) bool { return s.Newer.Since > 0 }) {
		return stmts
	}
	return slices.DeleteFunc(slices.Clone(stmts), refused)
}

// statementTokens are the tokens of a text from the semicolon before a byte to the one behind it.
func statementTokens(text string, offset int) []pgast.Token {
	var list []pgast.Token
	for _, t := range tokensOf(text) {
		if text[t.Start:t.End] == ";" {
			if t.Start >= offset {
				break
			}
			list = list[:0]
			continue
		}
		list = append(list, t)
	}
	return list
}

// sequenceIn is where a sequence of words begins, "*" standing for any one; -1 when it is not there.
func sequenceIn(words, sequence []string) int {
	for i := 0; i+len(sequence) <= len(words); i++ {
		match := true
		for j, w := range sequence {
			match = match && (w == "*" || w == words[i+j])
		}
		if match {
			return i
		}
	}
	return -1
}
