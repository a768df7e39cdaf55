package migratecheck

import (
	"path"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// findWords is the offset in sql of the first token of words, standing in this order one behind the other; 0 when they
// are not there. Keywords and unquoted identifiers match in any case, quoted ones by their content. Words in brackets
// ("[COLUMN]", "[IF EXISTS]") may be absent.
func findWords(sql string, words []string) int {
	var few [64]pgast.Token
	tokens := appendTokens(few[:0], sql)
	for i := range tokens {
		if wordsMatch(sql, tokens[i:], words) {
			return tokens[i].Start
		}
	}
	return 0
}

// wordsMatch reports whether tokens begin with words.
func wordsMatch(sql string, tokens []pgast.Token, words []string) bool {
	if len(words) == 0 {
		return true
	}
	if optional, ok := strings.CutPrefix(words[0], "["); ok {
		inner := strings.Fields(strings.TrimSuffix(optional, "]"))
		return wordsMatch(sql, tokens, append(inner, words[1:]...)) || wordsMatch(sql, tokens, words[1:])
	}
	return len(tokens) > 0 && matches(sql[tokens[0].Start:tokens[0].End], words[0]) && wordsMatch(sql, tokens[1:], words[1:])
}

// tokensOf is sql in tokens, without the comments.
func tokensOf(sql string) []pgast.Token {
	return appendTokens(make([]pgast.Token, 0, 32), sql)
}

func appendTokens(list []pgast.Token, sql string) []pgast.Token {
	sc := pgast.NewScanner(sql)
	for {
		tok, ok := sc.Next()
		if !ok {
			return list
		}
		if !tok.IsComment() {
			list = append(list, tok)
		}
	}
}

func matches(token, word string) bool {
	if len(token) > 1 && token[0] == '"' {
		return strings.ReplaceAll(token[1:len(token)-1], `""`, `"`) == word
	}
	return strings.EqualFold(token, word)
}

// beside is how a message about one file names another: by its last part where both are in one directory.
func beside(file, other string) string {
	if path.Dir(file) == path.Dir(other) {
		return path.Base(other)
	}
	return other
}
