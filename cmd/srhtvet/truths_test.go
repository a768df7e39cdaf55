package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// TestKnownTruths: what is known to be wrong in SourceHut's own libraries is found by go vet over a copy of them.
func TestKnownTruths(t *testing.T) {
	for _, c := range []struct {
		path, version string
		packages      []string
		want          map[string]string // a piece of the position: the check
	}{
		{"git.sr.ht/~sircmpwn/core-go", "v0.0.0-20240202110806-942e19c3517b", []string{"./database", "./server"}, map[string]string{
			"middleware.go:73:": "txdone-as-success",      // WithTx takes a rollback for a commit
			"server.go:280:":    "sigterm-not-handled",    // SIGINT only
			"server.go:289:":    "shutdown-error-ignored", // requests that were cut, unsaid
		}},
		{"git.sr.ht/~sircmpwn/dowork", "v0.0.0-20241216125407-2b00aa42322c", []string{"."}, map[string]string{
			"queue.go:140:": "send-under-lock", // Enqueue on a full queue, with one worker
		}},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "module")
			copyTree(t, need.Module(t, c.path, c.version), dir)
			requireFound(t, dir, c.packages, c.want)
		})
	}
}

// TestBuildsWorker: builds.sr.ht's worker is in no mirror, so what is known of it (a job that outlives what the queue takes for done, a status that may not
// get written, SIGINT alone, which is how SIGTERM loses all jobs) is found in a program of its shape, on the real gocelery.
func TestBuildsWorker(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "module")
	copyTree(t, "testdata/buildsworker", dir)
	requireFound(t, dir, []string{"."}, map[string]string{
		"main.go:29:":  "sigterm-not-handled",
		"main.go:15:":  "unlimited-connection-lifetime",
		"build.go:27:": "unwaited-goroutine",
		"build.go:31:": "unchecked-exec",
	})
}

// requireFound runs go vet over a module, and wants checks at pieces of positions.
func requireFound(t *testing.T, dir string, packages []string, want map[string]string) {
	t.Helper()
	download := exec.Command("go", "mod", "download")
	download.Dir, download.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod")
	if out, err := download.CombinedOutput(); err != nil {
		need.Missing(t, "what %s requires (%s)", dir, strings.TrimSpace(string(out)))
	}
	cmd := exec.Command("go", append([]string{"vet", "-vettool=" + newGoVet(t).tool}, packages...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), asCommand+"=1", "GOFLAGS=-mod=mod", "GOPROXY=off")
	r := finish(t, cmd)
	require.Equal(t, 1, r.status, r.err)
	for at, check := range want {
		found := false
		for line := range strings.Lines(r.err) {
			found = found || strings.Contains(line, at) && strings.Contains(line, ": "+check+": ")
		}
		require.True(t, found, "%s at %s, in\n%s", check, at, r.err)
	}
}

// copyTree copies files, which are read-only in the module cache.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o644)
	}))
}
