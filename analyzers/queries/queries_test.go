package queries

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"

	"git.sr.ht/~sourcehut/ha-go/analyzers/internal/findings"
)

// The packages are of three modules with migrations beside them (testdata/src/example.org); .srhtvet.toml says there which are
// pending, so that this repository's own history decides nothing. The libraries are stubs.

func TestReported(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), New(), "example.org/svc", "example.org/svc/store", "example.org/first", "example.org/bare")
}

// TestFix rewrites queries that only need new names, and no others.
func TestFix(t *testing.T) {
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), New(), "example.org/svc", "example.org/renamed", "example.org/tested")
}

// TestResult: other analyzers and srhtvet PACKAGES read what was reported as findings.
func TestResult(t *testing.T) {
	results := analysistest.Run(t, analysistest.TestData(), New(), "example.org/first", "example.org/bare")
	require.Len(t, results, 2)
	found := results[0].Result.(*findings.Result).Findings
	require.Len(t, found, 2)
	require.Equal(t, "first.go", found[0].Pos.File)
	require.Equal(t, "UPDATE tracker SET kind = 1", found[0].Statement)
	require.Nil(t, results[1].Result.(*findings.Result))
}
