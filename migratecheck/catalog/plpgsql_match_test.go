package catalog

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// TestMatches compares what is said of regular expressions with the server, and what is not said is what it cannot tell.
func TestMatches(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))
	texts := []string{"", "abc", "ABC", "a-1", "a b", "aaa", "x@y.org", "12", "(a)", "a|b", "a^b", "a$"}
	decided := 0
	for _, pattern := range []string{`^[a-z]+$`, `[A-Z]{2}`, `a|b`, `^(a|x).*$`, `\d+`, `\w\s\w`, `^[^@]+@[^@]+\.[a-z]{2,}$`, `a{1,2}`, `a??`, `a*?b`, `^$`, `(a)(b)?`, `\(a\)`, `[\w.-]+`, `[^a-c]`, `a{,2}`, `x{0}`, `(`, `[[:alpha:]]`, `a\y`, `(?i)abc`, `***=a`, `a^b`, `$a`, `\S`, `()`, `a||b`, `|a`, `(a|)`, `a{2}{3}`, `a**`, `[a-]`, `[]a]`, `[a-c-e]`, `a+?$`, `(*a)`, `*a`, `^*`, `a{3,1}`} {
		for _, text := range texts {
			for _, op := range []string{"~", "!~", "~*", "!~*"} {
				ours := matches(op, plText(text), plText(pattern))
				if ours.kind != plBoolean {
					continue
				}
				var theirs bool
				require.NoError(t, conn.QueryRow(t.Context(), "SELECT $1::text "+op+" $2::text", text, pattern).Scan(&theirs), "%q %s %q", text, op, pattern)
				assert.Equal(t, theirs, ours.b, "%q %s %q", text, op, pattern)
				decided++
			}
		}
	}
	assert.Greater(t, decided, 500)
}
