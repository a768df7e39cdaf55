package ignores

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
	"golang.org/x/tools/go/analysis/passes/inspect"

	"git.sr.ht/~sourcehut/ha-go/analyzers/handlerdeadline"
)

// TestReported runs an analyzer and, over its result, this one; what either reports is demanded.
func TestReported(t *testing.T) {
	dir, err := filepath.Abs("../testdata")
	require.NoError(t, err)
	other := handlerdeadline.New()
	var reported []analysis.Diagnostic
	runOther := other.Run
	other.Run = func(pass *analysis.Pass) (any, error) {
		own := *pass
		own.Report = func(d analysis.Diagnostic) {
			if pass.Pkg.Path() == "ignores" {
				reported = append(reported, d)
			}
		}
		return runOther(&own)
	}
	a := New([]*analysis.Analyzer{other, inspect.Analyzer})
	runOwn := a.Run
	a.Run = func(pass *analysis.Pass) (any, error) {
		for _, d := range reported {
			pass.Report(d)
		}
		return runOwn(pass)
	}
	analysistest.Run(t, dir, a, "ignores")
}
