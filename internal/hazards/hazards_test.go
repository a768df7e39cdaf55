package hazards

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// TestSurvey: each rule that a row names exists and reports the row's example, or is shown elsewhere; a row without a rule says why.
func TestSurvey(t *testing.T) {
	var ids []string
	for _, r := range migratecheck.Rules() {
		ids = append(ids, r.ID)
	}
	seen := map[string]bool{}
	for _, section := range Survey() {
		for _, h := range section.Hazards {
			t.Run(h.Name, func(t *testing.T) {
				require.False(t, seen[h.Name], "it is there twice")
				seen[h.Name] = true
				for _, id := range h.Rules {
					require.Contains(t, ids, id)
				}
				require.False(t, len(h.Rules) == 0 && h.Note == "", "neither a rule nor a reason")
				require.False(t, len(h.Rules) > 0 && len(h.Changes)+len(h.Shown) == 0, "nothing shows it")
				for _, path := range h.Shown {
					_, err := os.Stat(filepath.Join("..", "..", path))
					require.NoError(t, err)
				}
				if len(h.Changes) == 0 {
					for _, id := range h.Rules {
						require.True(t, slices.ContainsFunc(h.Shown, func(path string) bool { return mentions(t, path, id) }), "none of %v has a finding of %s", h.Shown, id)
					}
					return
				}
				found := lint(t, h)
				for _, words := range h.Says {
					require.True(t, slices.ContainsFunc(found, func(f migratecheck.Finding) bool { return strings.Contains(f.Message+f.Help, words) }), "nothing says %q: %v", words, found)
				}
				for _, id := range h.Rules {
					require.True(t, slices.ContainsFunc(found, func(f migratecheck.Finding) bool { return f.Rule == id }), "%s is silent; what is said: %v", id, said(found))
				}
			})
		}
	}
}

// mentions reports whether a fixture shows a finding of a rule; those of one rule are named after it.
func mentions(t *testing.T, path, id string) bool {
	text, err := os.ReadFile(filepath.Join("..", "..", path))
	require.NoError(t, err)
	return slices.ContainsFunc([]string{": " + id + ":", "error " + id, "warning " + id, "info " + id}, func(words string) bool {
		return strings.Contains(string(text), words)
	})
}

func lint(t *testing.T, h Hazard) []migratecheck.Finding {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "migrations"), 0o755))
	for i, text := range append([]string{h.Schema}, h.Changes...) {
		if !strings.HasPrefix(text, "-- +brant") {
			text = "-- +brant Up\n" + text
		}
		require.NoError(t, os.WriteFile(filepath.Join(root, "migrations", fmt.Sprintf("%04d_file.sql", i+1)), []byte(text), 0o644))
	}
	report, err := migratecheck.Lint(t.Context(), migratecheck.Config{Version: h.Version, Since: "0001", Severity: migratecheck.Info, Enable: []string{string(migratecheck.Hygiene)}}, root)
	require.NoError(t, err)
	return report.Findings
}

func said(list []migratecheck.Finding) []string {
	var lines []string
	for _, f := range list {
		lines = append(lines, f.Rule+": "+f.Message)
	}
	return lines
}
