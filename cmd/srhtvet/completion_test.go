package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// TestBashCompletion sources the script in bash and asks it what follows.
func TestBashCompletion(t *testing.T) {
	need.Binary(t, "bash")
	dir := tree(t, map[string]string{"script": srhtvet(t, ".", "completion", "bash").out, "file.sql": ""})
	for line, want := range map[string]string{
		"srhtvet lo":                            "locks",
		"srhtvet explain drop-tab":              "drop-table",
		"srhtvet lint -sev":                     "-severity",
		"srhtvet lint -severity e":              "error",
		"srhtvet lint -format sa":               "sarif",
		"srhtvet lint -source golang-":          "golang-migrate",
		"srhtvet lint -enable drop-type,drop-v": "drop-type,drop-view",
		"srhtvet lint fi":                       "file.sql",
		"srhtvet lint -schema fi":               "file.sql",
		"srhtvet completion z":                  "zsh",
		"srhtvet -form":                         "-format",
		"srhtvet ./... -form":                   "-format",
		"srhtvet explain nothing-like-it":       "",
	} {
		cmd := exec.Command("bash", "--norc", "-c", fmt.Sprintf(
			`set -u; source ./script; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _srhtvet; echo "${COMPREPLY[*]-}"`, line))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, want, strings.TrimSpace(string(out)), line)
	}
}

// TestCompletionParses has each shell that is here read its script.
func TestCompletionParses(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		r := srhtvet(t, ".", "completion", shell)
		require.Equal(t, exitClean, r.status)
		for _, want := range []string{"lint", "explain", "drop-column", "sarif", "severity", "golang-migrate"} {
			require.Contains(t, r.out, want, shell)
		}
		name := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(name, []byte(r.out), 0o644))
		if path, err := exec.LookPath(shell); err == nil {
			out, err := exec.Command(path, "-n", name).CombinedOutput()
			require.NoError(t, err, string(out))
		}
	}
}
