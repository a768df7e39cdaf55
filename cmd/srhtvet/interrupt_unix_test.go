//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInterrupt sends what Ctrl-C does, what ends a job of CI, and what a terminal does that is closed, while the command waits for a file.
func TestInterrupt(t *testing.T) {
	for signal, args := range map[os.Signal][]string{
		os.Interrupt: {"lint", "-stats", "pipe"}, syscall.SIGTERM: {"-stats", "pipe", "./..."}, syscall.SIGHUP: {"lint", "-stats", "pipe"},
	} {
		dir := service(t, map[string]string{"svc.go": "package svc\n"})
		pipe := filepath.Join(dir, "pipe")
		require.NoError(t, syscall.Mkfifo(pipe, 0o600))
		cmd := start(t, dir, args...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		require.NoError(t, cmd.Start())
		w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(signal))
		require.Error(t, cmd.Wait())
		require.NoError(t, w.Close())
		require.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
		require.Equal(t, "srhtvet: interrupted\n", errs.String())
		require.Empty(t, out.String())
	}
}

// TestSchemaFromPipe: the schema is read for each directory of migrations, which a pipe does not bear; nobody waits for a writer.
func TestSchemaFromPipe(t *testing.T) {
	dir := tree(t, map[string]string{"m/1_a.sql": "CREATE TABLE t ();"})
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	r := srhtvet(t, dir, "lint", "-schema", "pipe", "m")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "-schema: pipe is a pipe, which can be read only once: write it to a file first")
}
