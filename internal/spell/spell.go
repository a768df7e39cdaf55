// Package spell guesses what somebody meant to write.
package spell

// Nearest is the name most like what was written, "" when none is like it.
func Nearest(written string, names []string) string {
	best, bestDistance := "", len(written)/3+2
	for _, name := range names {
		// Of a short word half is soon another: nope is not code.
		if d := distance(written, name); d < bestDistance && 2*d < max(len(written), len(name)) {
			best, bestDistance = name, d
		}
	}
	return best
}

// DidYouMean is Nearest as the end of an error message: "; did you mean drop-table?", or "".
func DidYouMean(written string, names []string) string {
	if n := Nearest(written, names); n != "" {
		return "; did you mean " + n + "?"
	}
	return ""
}

// Suggest is DidYouMean or, when nothing is near, otherwise in its place.
func Suggest(written string, names []string, otherwise string) string {
	if hint := DidYouMean(written, names); hint != "" {
		return hint
	}
	return "; " + otherwise
}

// distance counts the insertions, deletions, replacements and swaps of neighbours between two words ("optimal string
// alignment").
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row := make([]int, len(t)+1)
		row[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
