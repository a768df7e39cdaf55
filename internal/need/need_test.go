package need

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder is a testing.TB that notes how a test was ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper()           {}
func (r *recorder) Skip(args ...any)  { r.skipped = args[0].(string) }
func (r *recorder) Fatal(args ...any) { r.failed = args[0].(string); panic(r) }

func TestMissingSkipsLocallyAndFailsInCI(t *testing.T) {
	for _, local := range []string{"", "false", "1"} {
		r := &recorder{TB: t}
		stop(r, local, "no gizmo")
		require.Equal(t, "skipped: no gizmo", r.skipped, "CI=%q", local)
		require.Empty(t, r.failed)
	}
	r := &recorder{TB: t}
	require.Panics(t, func() { stop(r, "true", "no gizmo") })
	require.Equal(t, "missing, and CI=true: no gizmo", r.failed)
	require.Empty(t, r.skipped)
}

func TestBinaryFindsTheFirstThatExists(t *testing.T) {
	require.NotEmpty(t, Binary(t, "no-such-program-at-all", "go"))

	t.Setenv("CI", "true")
	r := &recorder{TB: t}
	require.Panics(t, func() { Binary(r, "no-such-program-at-all") })
	require.Contains(t, r.failed, "no-such-program-at-all")
}

func TestPythonNeedsItsModules(t *testing.T) {
	t.Setenv("CI", "true")
	r := &recorder{TB: t}
	require.Panics(t, func() { Python(r, "no_such_module_at_all") })
	require.Contains(t, r.failed, "no_such_module_at_all")
}
