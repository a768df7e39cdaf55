package spell

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNearest(t *testing.T) {
	names := []string{"drop-table", "drop-column", "rename-table", "lint", "locks"}
	for written, want := range map[string]string{
		"drop-tabel":  "drop-table",
		"drop_column": "drop-column",
		"lnit":        "lint",
		"lock":        "locks",
		"zzzzzz":      "",
		"lxxt":        "",
		"":            "",
	} {
		require.Equal(t, want, Nearest(written, names), written)
	}
	require.Equal(t, "; did you mean lint?", DidYouMean("lin", names))
	require.Empty(t, DidYouMean("something else", names))
}

func TestDistance(t *testing.T) {
	require.Equal(t, 0, distance("größe", "größe"))
	require.Equal(t, 1, distance("ab", "ba"))
	require.Equal(t, 3, distance("", "abc"))
}
