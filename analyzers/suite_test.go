package analyzers

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
)

func TestSuiteIsSortedAndComplete(t *testing.T) {
	var names []string
	for _, a := range Suite() {
		names = append(names, a.Name)
		require.NotEmpty(t, a.Doc, a.Name)
	}
	require.True(t, slices.IsSorted(names), names)

	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{
			"internal", // what they share
			"sqlquery", // reports nothing: the others require it
			"testdata",
		}, e.Name()) {
			dirs = append(dirs, strings.ReplaceAll(e.Name(), "-", ""))
		}
	}
	require.Equal(t, dirs, names, "each directory is one analyzer")
	require.NoError(t, analysis.Validate(Suite()))
}

func TestSuiteSharesNoState(t *testing.T) {
	one, two := Suite()[0], Suite()[0]
	require.NoError(t, one.Flags.Set("severity", "info"))
	require.Empty(t, two.Flags.Lookup("severity").Value.String())
}
