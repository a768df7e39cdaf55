package supervise

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAdoptsVersion1: jobs under shims of the first version are found, followed, stopped and collected by this one; their leases are kept, and
// the end of their shims is noticed.
func TestAdoptsVersion1(t *testing.T) {
	v1 := filepath.Join(t.TempDir(), "shimv1")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", v1, "./testdata/shimv1").CombinedOutput()
	require.NoError(t, err, string(out))
	work := t.TempDir()
	lease := filepath.Join(work, "lease")
	require.NoError(t, os.WriteFile(lease, []byte("3"), 0o600))
	cfg := Config{Dir: t.TempDir(), ShimPath: v1, Slots: 6}
	s, _ := open(t, cfg)
	id := func(name string) string { return "v1-" + name }
	byName := map[string]*Job{}
	for name, script := range map[string]string{
		"goes-on":   `echo up; while ! [ -e go ]; do sleep 0.01; done; seq 1 1000; exit 3`,
		"has-ended": `echo up; exit 4`,
		"stopped":   `echo up; exec sleep 1000`,
		"late":      `echo up; exec sleep 1000`,
		"shim-dies": `setsid sleep 1000 & echo up; sleep 1000`,
		"lease":     `echo up; exec sleep 1000`,
	} {
		byName[name] = start(t, s, id(name), script, func(spec *Spec) {
			spec.Dir, spec.Token = work, 3
			switch name {
			case "lease", "has-ended":
				spec.RenewEvery = 10 * time.Millisecond
				spec.Meta, _ = json.Marshal(leaseFile{lease})
			case "late":
				spec.Deadline = 2 * time.Second
			}
		})
		untilUp(t, byName[name])
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", shimOf(t, byName[name]).PID))
		require.NoError(t, err)
		require.Equal(t, v1, exe)
	}
	until(t, "one has ended", func() bool { return exists(byName["has-ended"].path(exitFile)) })
	require.NoError(t, s.Close())

	s, jobs := open(t, Config{Dir: cfg.Dir, Slots: 6})
	require.Len(t, jobs, len(byName))
	for name := range byName {
		j, ok := s.Job(id(name))
		require.True(t, ok)
		byName[name] = j
	}
	same(t, Result{Outcome: Exited, Code: 4}, end(t, byName["has-ended"]))
	require.Equal(t, 5, s.Running())
	ended := shimOf(t, byName["has-ended"])
	require.True(t, ended.alive(s.boot), "it keeps the lease")
	log, err := byName["goes-on"].Log(t.Context(), 3)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(work, "go"), nil, 0o600))
	text, err := io.ReadAll(log)
	require.NoError(t, err)
	require.NoError(t, log.Close())
	require.Len(t, text, 3893)
	same(t, Result{Outcome: Exited, Code: 3}, end(t, byName["goes-on"]))
	require.NoError(t, byName["stopped"].Stop(t.Context(), time.Minute))
	same(t, Result{Outcome: Stopped, Code: -1, Signal: int(syscall.SIGTERM)}, end(t, byName["stopped"]))
	shim := shimOf(t, byName["shim-dies"])
	kill(shim.PID, shim.Start)
	require.Equal(t, ShimDied, end(t, byName["shim-dies"]).Outcome)
	require.Empty(t, of(t, id("shim-dies")))
	require.NoError(t, writeFile(lease, []byte("4")))
	require.Equal(t, LeaseLost, end(t, byName["lease"]).Outcome)
	same(t, Result{Outcome: Late, Code: -1, Signal: int(syscall.SIGTERM)}, end(t, byName["late"]))
	for name, j := range byName {
		require.NoError(t, j.Done(t.Context()), name)
	}
	require.False(t, ended.alive(s.boot), "its result is collected")
	require.Empty(t, names(t, s.path(jobsDir)))
}
