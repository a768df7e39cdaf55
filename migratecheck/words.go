package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// findWords is the offset in sql of the first token of words, standing in this order one behind the other; 0 when they
// are not there. Keywords and unquoted identifiers match in any case, quoted ones by their content.
func findWords(sql string, words []string) int {
	start, next := 0, 0
	sc := pgast.NewScanner(sql)
	for next < len(words) {
		tok, ok := sc.Next()
		if !ok {
			return 0
		}
		if tok.IsComment() {
			continue
		}
		switch {
		case matches(sql[tok.Start:tok.End], words[next]):
			if next == 0 {
				start = tok.Start
			}
			next++
		case matches(sql[tok.Start:tok.End], words[0]):
			start, next = tok.Start, 1
		default:
			next = 0
		}
	}
	return start
}

func matches(token, word string) bool {
	if len(token) > 1 && token[0] == '"' {
		return strings.ReplaceAll(token[1:len(token)-1], `""`, `"`) == word
	}
	return strings.EqualFold(token, word)
}
