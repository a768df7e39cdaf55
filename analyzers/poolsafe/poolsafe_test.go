package poolsafe

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"

	"git.sr.ht/~sourcehut/ha-go/internal/settings"
)

func TestReported(t *testing.T) {
	dir, _ := filepath.Abs("../testdata")
	analysistest.RunWithSuggestedFixes(t, dir, New(), "poolsafe/statements", "poolsafe/golang")
	analysistest.Run(t, dir, New(), "poolsafe/locks/lock", "poolsafe/locks")
}

// TestDrivers runs with the settings of a module.
func TestDrivers(t *testing.T) {
	from, _ := filepath.Abs("../testdata/src")
	for version, want := range map[string]string{"1.20": "drivers.go", "1.21": "silent.go"} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(filepath.Join(dir, "src/github.com"), os.DirFS(filepath.Join(from, "github.com"))))
			root := filepath.Join(dir, "src/drivers")
			require.NoError(t, os.MkdirAll(filepath.Join(root, "chosen"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(root, settings.Name), []byte("pgbouncer = '"+version+"'"), 0o644))
			for _, name := range []string{want, "chosen/chosen.go"} {
				text, err := os.ReadFile(filepath.Join(from, "poolsafe/drivers", name))
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(root, name), text, 0o644))
			}
			analysistest.Run(t, dir, New(), "drivers", "drivers/chosen")
		})
	}
}
