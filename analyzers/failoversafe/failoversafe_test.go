package failoversafe

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestReported(t *testing.T) {
	dir, _ := filepath.Abs("../testdata")
	analysistest.RunWithSuggestedFixes(t, dir, New(), "failoversafe/...")
}
