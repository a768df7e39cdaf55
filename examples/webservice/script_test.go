package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestScriptFails: rolling.sh, with programs that do nothing in place of those it runs, says by its exit status what went wrong.
func TestScriptFails(t *testing.T) {
	const lasts = "exec tail -f /dev/null"
	for name, c := range map[string]struct{ rollout, curl, says string }{
		"a rollout that stops": {`echo "rollout $*"; exit 1`, "echo 200", " status\n"},
		"a port that is taken": {"exit 0", "exit 7", "nothing serves: does another program have port 8000"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for program, does := range map[string]string{
				"rollout": c.rollout, "curl": c.curl, "webservice": lasts, "haproxy": lasts, "sleep": "",
				"go": `cp "$(dirname "$0")/webservice" "$(dirname "$0")/rollout" "$3"`,
			} {
				require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+does+"\n"), 0o700))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, "sh", "rolling.sh", "1")
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "TMPDIR="+t.TempDir())
			cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it cleans up
			cmd.WaitDelay = 5 * time.Second
			out, err := cmd.CombinedOutput()
			require.Contains(t, string(out), c.says)
			require.EqualError(t, err, "exit status 1")
		})
	}
}
