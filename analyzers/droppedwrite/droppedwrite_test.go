package droppedwrite

import (
	"path/filepath"
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestReported(t *testing.T) {
	dir, _ := filepath.Abs("../testdata")
	analysistest.RunWithSuggestedFixes(t, dir, New(), "droppedwrite/commits", "droppedwrite/statements", "droppedwrite/mailer", "droppedwrite/effects")
	analysistest.Run(t, dir, New(), "droppedwrite/again/attempt", "droppedwrite/again")
}
