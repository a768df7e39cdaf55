package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// nextWord is the next token that means something to the server or to the migration tool.
func nextWord(s *pgast.Scanner, text string) (pgast.Token, bool) {
	for {
		tok, ok := s.Next()
		if !ok || !tok.IsComment() || isAnnotation(text[tok.Start:tok.End]) {
			return tok, ok
		}
	}
}

// isAnnotation reports whether a comment is one that a migration tool obeys.
func isAnnotation(comment string) bool {
	body := strings.TrimSpace(strings.TrimLeft(comment, "-"))
	for _, prefix := range []string{"+brant", "+goose", "+migrate", "migrate:", "tern:", "atlas:", "create above"} {
		if strings.HasPrefix(strings.ToLower(body), prefix) {
			return true
		}
	}
	return false
}

func countLines(s string) int { return strings.Count(s, "\n") }

// firstLineDifference is firstDifference for Python that cannot be read: by lines, without blank ones and comments.
func firstLineDifference(a, b string) int {
	la, lb := codeLines(a), codeLines(b)
	for i := range max(len(la), len(lb)) {
		if i >= len(lb) {
			return 1 + countLines(b)
		}
		if i >= len(la) || la[i].text != lb[i].text {
			return lb[i].number
		}
	}
	return 0
}

type codeLine struct {
	text   string
	number int
}

func codeLines(s string) []codeLine {
	var list []codeLine
	for i, line := range strings.Split(s, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if body := strings.TrimSpace(line); body != "" && !strings.HasPrefix(body, "#") {
			list = append(list, codeLine{line, i + 1})
		}
	}
	return list
}
