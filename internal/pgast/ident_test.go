package pgast

import (
	"testing"

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
