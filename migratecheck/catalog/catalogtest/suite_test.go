package catalogtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSuite runs every script of testdata on each installed server and through our catalog of that version. HA_EACH=1 compares
// the catalogs after every statement and not only at the end of each script; HA_PG picks one version.
func TestSuite(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	mode := AtEnd
	if os.Getenv("HA_EACH") != "" {
		mode = EachStatement
	}
	for _, version := range versions(t) {
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			t.Parallel()
			runSuite(t, newChecker(t, version), files, mode)
		})
	}
}

func runSuite(t *testing.T, checker *Checker, files []string, mode Mode) {
	var total Report
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, script := range ParseScripts(string(text)) {
				if checker.version < script.Since {
					continue
				}
				report, err := checker.Run(t.Context(), script.Statements, mode)
				require.NoError(t, err, script.Name)
				total.Statements += report.Statements
				total.Understood += report.Understood
				total.Newer += report.Newer
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
	t.Logf("%d statements, %d understood, %d newer than the server, %d facts compared at the ends",
		total.Statements, total.Understood, total.Newer, total.Facts)
}
