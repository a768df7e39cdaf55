package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test be the program under test.
func TestMain(m *testing.M) {
	if os.Getenv("GOLANGCITEST_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

const web = `// Package web is a handler that waits.
package web

import "net/http"

func show(w http.ResponseWriter, r *http.Request) {
	resp, err := http.Get("http://localhost")
	if err != nil {
		return
	}
	_ = resp.Body.Close()
	//srhtvet:ignore call-without-context nothing of the kind
	w.WriteHeader(200)
}

var _ = show
`

const config = `version: "2"
linters:
  default: none
  enable: [srhtvet]
  settings:
    custom:
      srhtvet:
        type: module
        description: what makes Go services unavailable
`

func run(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "run", "--show-stats=false", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOLANGCITEST_MAIN=1", "GOFLAGS=", "GOLANGCI_LINT_CACHE="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestRun: findings, with our comments and golangci-lint's settings.
func TestRun(t *testing.T) {
	mod := "module example.org/web\n\ngo 1.25\n"
	out, err := run(t, map[string]string{"go.mod": mod, "web.go": web, ".golangci.yml": config})
	require.Error(t, err, out)
	require.Contains(t, out, "web.go:7:15: handlerdeadline: warning: call-without-context: net/http.Get, on behalf of handler show")
	require.Contains(t, out, "web.go:12:2: ignores: warning: unused-ignore: ")

	quiet := strings.Replace(web, `localhost")`, `localhost") //nolint:srhtvet`, 1)
	out, err = run(t, map[string]string{"go.mod": mod, "web.go": quiet, ".golangci.yml": config})
	require.Error(t, err, out)
	require.NotContains(t, out, "web.go:7:")

	out, err = run(t, map[string]string{"go.mod": mod, "web.go": web, ".golangci.yml": config + "        settings: {disable: [handlerdeadline, ignores]}\n"})
	require.NoError(t, err, out)
	require.Empty(t, out)

	out, err = run(t, map[string]string{"go.mod": mod, "web.go": web, ".golangci.yml": config + "        settings: {severity: fatal}\n"})
	require.Error(t, err, out)
	require.Contains(t, out, `srhtvet: unknown severity "fatal": use info, warning or error`)
}
