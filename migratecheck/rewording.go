package migratecheck

import (
	"slices"
	"strings"
)

// withWord is the step's SQL on one line, without comments and with a word put in behind the first of others; it ends
// in a semicolon, ready to be copied. Without a match the word is left out.
func (s *Step) withWord(word string, behind ...string) string {
	sql := s.Stmt.SQL
	tokens := tokensOf(sql)
	var b strings.Builder
	for i, tok := range tokens {
		text := sql[tok.Start:tok.End]
		if text == ";" && i == len(tokens)-1 {
			break
		}
		if i > 0 && tokens[i-1].End < tok.Start {
			b.WriteByte(' ')
		}
		b.WriteString(text)
		if word != "" && slices.ContainsFunc(behind, func(w string) bool { return strings.EqualFold(w, text) }) {
			b.WriteString(" " + word)
			word = ""
		}
	}
	return b.String() + ";"
}

// withoutWords is a statement with a sequence of words taken out.
func withoutWords(sql string, words ...string) string {
	tokens := tokensOf(sql)
	for i := range tokens {
		if end := i + len(words); end < len(tokens) && wordsMatch(sql, tokens[i:], words) {
			return sql[:tokens[i].Start] + sql[tokens[end].Start:]
		}
	}
	return sql
}

// onlyWord is the offset of a sequence of words that stands in the SQL exactly once; 0 otherwise.
func (s *Step) onlyWord(words ...string) int {
	tokens, at := tokensOf(s.Stmt.SQL), -1
	for i := range tokens {
		if wordsMatch(s.Stmt.SQL, tokens[i:], words) {
			if at >= 0 {
				return 0
			}
			at = tokens[i].Start
		}
	}
	return max(at, 0)
}

// createIndex is the step's CREATE INDEX with another head (what stands before the column list or USING).
func (s *Step) createIndex(head string) string {
	sql := s.withWord("")
	tokens := tokensOf(sql)
	seen := false
	for _, tok := range tokens {
		text := sql[tok.Start:tok.End]
		if seen && (text == "(" || strings.EqualFold(text, "USING")) {
			return head + " " + sql[tok.Start:]
		}
		seen = seen || strings.EqualFold(text, "ON")
	}
	return sql
}
