package catalogtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSuite runs every script of testdata on the server and through our catalog. HA_EACH=1 compares the catalogs after
// every statement and not only at the end of each script.
func TestSuite(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	mode := AtEnd
	if os.Getenv("HA_EACH") != "" {
		mode = EachStatement
	}
	checker := newChecker(t)
	var total Report
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, script := range ParseScripts(string(text)) {
				report, err := checker.Run(t.Context(), script.Statements, mode)
				require.NoError(t, err, script.Name)
				total.Statements += report.Statements
				total.Understood += report.Understood
				total.Facts += report.Facts
				if len(report.Disagreements) == 0 {
					continue
				}
				// Say everything that is wrong with the script, not only the first thing.
				tally, err := checker.Follow(t.Context(), script.Statements, 1)
				require.NoError(t, err, script.Name)
				t.Errorf("%s: %s\n%s", script.Name, report.Disagreements[0], tally.Complaints())
			}
		})
	}
	t.Logf("%d statements, %d understood, %d facts compared at the ends", total.Statements, total.Understood, total.Facts)
}
