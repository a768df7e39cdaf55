// Package need decides what a test does when a program it needs is not installed. It is the one place in this
// repository that skips a test: on a developer's machine the test is skipped with one line that names what is missing,
// and where CI=true it fails, because a suite that is green for want of a server has proved nothing.
package need

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Missing ends the test: it skips, or fails when the environment says CI=true. The message should say what is missing
// and how to get it, in one line.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	stop(t, os.Getenv("CI"), fmt.Sprintf(format, args...))
}

// stop is Missing with the environment passed in.
func stop(t testing.TB, ci, message string) {
	t.Helper()
	if ci == "true" {
		t.Fatal("missing, and CI=true: " + message)
	}
	t.Skip("skipped: " + message)
}

// Binary returns the path of the first of the named programs that is on PATH, or ends the test as Missing does.
func Binary(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "no %s on PATH (make test installs it where it may)", strings.Join(names, " or "))
	return ""
}

// Python returns a Python 3 interpreter that can import every named module, or ends the test as Missing does. The
// system's own interpreter is asked before PATH's: Debian's python3-* packages serve only that one, and PATH may begin
// with a version manager's.
func Python(t testing.TB, modules ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(ctx, python, "-c", "import "+strings.Join(modules, ", ")).Run() == nil {
			return python
		}
	}
	Missing(t, "no python3 with module %s (make test installs it where it may)", strings.Join(modules, ", "))
	return ""
}

// Module returns the directory of a Go module at an exact version, in the module cache, with all that it requires downloaded; or
// ends the test as Missing does, when it cannot be had. The directory is read-only.
func Module(t testing.TB, path, version string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", path+"@"+version)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var module struct{ Dir, Error string }
	if json.Unmarshal(out, &module) != nil || err != nil || module.Dir == "" {
		Missing(t, "no module %s@%s (%s)", path, version, module.Error)
	}
	return module.Dir
}
