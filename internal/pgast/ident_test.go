package pgast

import (
	"strings"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v5"
	"github.com/stretchr/testify/require"
)

func TestQuoteIdent(t *testing.T) {
	for name, want := range map[string]string{
		"repo": "repo", "user": `"user"`, "Repo": `"Repo"`, "a b": `"a b"`, `q"q`: `"q""q"`, "": `""`, "1st": `"1st"`,
		"name": "name", "between": `"between"`, "left": `"left"`, "é": `"é"`, "_x1": "_x1",
	} {
		require.Equal(t, want, QuoteIdent(name))
	}
}

// TestQuotedKeywords: the list is that of the parser, which knows each word of it, and no keyword more among the words
// that the grammar's tokens are named after.
func TestQuotedKeywords(t *testing.T) {
	kind := func(word string) pg_query.KeywordKind {
		scan, err := pg_query.Scan(word)
		require.NoError(t, err)
		require.Len(t, scan.Tokens, 1)
		return scan.Tokens[0].KeywordKind
	}
	for word := range quotedKeywords() {
		k := kind(word)
		require.NotEqual(t, pg_query.KeywordKind_NO_KEYWORD, k, word)
		require.NotEqual(t, pg_query.KeywordKind_UNRESERVED_KEYWORD, k, word)
	}
	checked := 0
	for _, name := range pg_query.Token_name {
		word := strings.ToLower(strings.TrimSuffix(name, "_P"))
		if strings.ContainsAny(word, "0123456789") || word == "nul" || strings.HasPrefix(word, "ascii_") {
			continue
		}
		switch kind(word) {
		case pg_query.KeywordKind_NO_KEYWORD, pg_query.KeywordKind_UNRESERVED_KEYWORD:
			require.False(t, quotedKeywords()[word], word)
		default:
			checked++
			require.True(t, quotedKeywords()[word], word)
		}
	}
	require.Greater(t, checked, 100)
}
