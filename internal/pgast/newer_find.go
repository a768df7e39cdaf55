package pgast

import "strings"

// GrammarVersion is the major version of PostgreSQL whose grammar the parser has.
const GrammarVersion = 16

// FindNewer looks for a form of a statement that is newer than the parser, and not understood, around a byte of a text that
// does not parse. It goes by keywords: the statement may be wrong all the same. Sources: release notes of PostgreSQL 17 (E.1.3.4,
// E.1.3.5) and 18 (E.1.3.4 to E.1.3.6).
func FindNewer(text string, offset int) (Newer, bool) {
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
			return Newer{Name: form.name, Since: form.since, At: offset}, true
		}
	}
	return Newer{}, false
}

// statementTokens are the tokens of a text from the semicolon before a byte to the one behind it.
func statementTokens(text string, offset int) []Token {
	var list []Token
	scanner := Scanner{sql: text}
	for t, ok := scanner.Next(); ok; t, ok = scanner.Next() {
		if t.IsComment() {
			continue
		}
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
