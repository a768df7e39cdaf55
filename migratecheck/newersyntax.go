package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// grammarVersion is the major version of PostgreSQL whose grammar the parser has.
const grammarVersion = 16

// newestVersion is the newest that Config.Version takes; it stands for later ones too where they are not told apart.
const newestVersion = 17

// addNotNull is NOT NULL as a constraint, which can be NOT VALID, as a CHECK can.
const addNotNull = "ADD CONSTRAINT … NOT NULL"

// newerForm is a form of a statement that the parser does not know, since it is newer than the parser.
type newerForm struct {
	name  string
	since int
}

// findNewerForm looks for such a form in the statement around a byte of a text that does not parse. It goes by keywords: the
// statement may be wrong all the same. Sources: release notes of PostgreSQL 17 (E.1.3.4, E.1.3.5) and 18.
func findNewerForm(text string, offset int) (newerForm, bool) {
	tokens := statementTokens(text, offset)
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = strings.ToUpper(text[t.Start:t.End])
	}
	has := func(sequence ...string) bool { return sequenceIn(words, sequence) >= 0 }
	starts := func(sequence ...string) bool { return sequenceIn(words, sequence) == 0 }
	notNull := has("ADD", "NOT", "NULL") || has("ADD", "CONSTRAINT", "*", "NOT", "NULL")
	switch {
	case starts("ALTER", "DOMAIN") && notNull:
		return newerForm{"ALTER DOMAIN … ADD NOT NULL", 17}, true
	case notNull:
		return newerForm{addNotNull, 18}, true
	case has("JSON_TABLE", "("), has("JSON_EXISTS", "("), has("JSON_QUERY", "("), has("JSON_VALUE", "("):
		return newerForm{"the SQL/JSON query functions and JSON_TABLE", 17}, true
	case starts("MERGE") && (has("BY", "SOURCE") || has("BY", "TARGET")):
		return newerForm{"MERGE … NOT MATCHED BY SOURCE", 17}, true
	case starts("MERGE") && has("RETURNING"):
		return newerForm{"MERGE … RETURNING", 17}, true
	case has("SET", "EXPRESSION"):
		return newerForm{"ALTER COLUMN … SET EXPRESSION", 17}, true
	case has("SET", "ACCESS", "METHOD", "DEFAULT"):
		return newerForm{"SET ACCESS METHOD DEFAULT", 17}, true
	case has("ENFORCED"):
		return newerForm{"[NOT] ENFORCED", 18}, true
	case has("WITHOUT", "OVERLAPS"), has("PERIOD"):
		return newerForm{"temporal keys (WITHOUT OVERLAPS, PERIOD)", 18}, true
	case has("GENERATED", "ALWAYS", "AS", "(") && has(")", "VIRTUAL"):
		return newerForm{"virtual generated columns", 18}, true
	case has("RETURNING", "WITH", "("):
		return newerForm{"RETURNING WITH (OLD AS …)", 18}, true
	}
	return newerForm{}, false
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
