package handlers

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

// TestFound: one handler of each kind, by the library that calls it; what messages call it; whether its context ends with it.
func TestFound(t *testing.T) {
	reporting := &analysis.Analyzer{Name: "reporting", Doc: "report handlers", Requires: []*analysis.Analyzer{Analyzer}, Run: func(pass *analysis.Pass) (any, error) {
		for _, h := range pass.ResultOf[Analyzer].(*Result).Handlers {
			text := string(h.Kind) + ": " + h.Name
			if h.Cancels {
				text += ", cancels"
			}
			pass.Reportf(h.Func.Pos(), "%s.", text) // the full stop tells "handles jobs" from "handles jobs, cancels"
		}
		return nil, nil
	}}
	dir, _ := filepath.Abs("../../testdata")
	analysistest.Run(t, dir, reporting, "handlers")
}
