package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// TestMain lets the test binary be the command line, to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("ROLLOUT_MAIN") == "" {
		os.Exit(m.Run())
	}
	main()
}

// TestKilled: by SIGKILL, while its command runs for the second server. What it leaves is told by status, and resumed, or undone.
func TestKilled(t *testing.T) {
	for _, then := range []string{"resume", "undo"} {
		t.Run(then, func(t *testing.T) {
			args, dir := backend(t)
			log, hold := filepath.Join(dir, "log"), filepath.Join(dir, "hold")
			require.NoError(t, exec.CommandContext(t.Context(), "mkfifo", hold).Run())
			step := []string{"--", "sh", "-c", `echo "$1" >>` + log + `; [ "$1" = one ] || [ ! -e ` + hold + ` ] || exec cat ` + hold, "sh", "{server}"}
			args = append(args, "-undo", "sh -c true")
			self, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.CommandContext(t.Context(), self, append(append(append([]string{}, args...), "run"), step...)...)
			cmd.Env = append(os.Environ(), "ROLLOUT_MAIN=1")
			require.NoError(t, cmd.Start())
			release, err := os.OpenFile(hold, os.O_WRONLY, 0) // returns when the command reads
			require.NoError(t, err)
			code, _, complaint := call(t, args, append([]string{"resume"}, step...)...)
			require.Equal(t, exitRuns, code, complaint)
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait())
			require.NoError(t, os.Remove(hold))
			require.NoError(t, release.Close()) // the command, which has outlived it, ends

			code, out, complaint := call(t, args, "status")
			require.Equal(t, exitDone, code, complaint)
			require.Equal(t, "web/one: deployed and in service; now UP, 0 sessions\nweb/two: deployment begun, not known to be done; now DRAIN, 0 sessions\n", out)
			if then == "undo" {
				step = nil // it needs none
			}
			code, _, complaint = call(t, args, append([]string{then}, step...)...)
			require.Equal(t, exitDone, code, complaint)
			_, out, _ = call(t, args, "status")
			require.Contains(t, out, map[string]string{"resume": "web/two: deployed and in service; now UP", "undo": "web/two: deployment taken back, and put back into service; now UP"}[then])
			text, err := os.ReadFile(log)
			require.NoError(t, err)
			require.Equal(t, map[string]string{"resume": "one\ntwo\ntwo\n", "undo": "one\ntwo\n"}[then], string(text))
		})
	}
}

// TestSignals: the first puts the server back, the second ends the program.
func TestSignals(t *testing.T) {
	args, dir := backend(t)
	hold := filepath.Join(dir, "hold")
	require.NoError(t, exec.CommandContext(t.Context(), "mkfifo", hold).Run())
	self, err := os.Executable()
	require.NoError(t, err)
	for _, twice := range []bool{false, true} {
		journal := filepath.Join(dir, fmt.Sprint("journal", twice))
		cmd := exec.CommandContext(t.Context(), self, append(append([]string{}, args...), "-journal", journal, "run", "--", "sh", "-c", `trap 'kill $!; exit 3' TERM; [ `+fmt.Sprint(twice)+` = false ] || trap '' TERM; cat `+hold+` & wait $!; wait`)...)
		cmd.Env = append(os.Environ(), "ROLLOUT_MAIN=1")
		var complaint bytes.Buffer
		if !twice { // else the command outlives the program, and the pipe with it
			cmd.Stderr = &complaint
		}
		require.NoError(t, cmd.Start())
		release, err := os.OpenFile(hold, os.O_WRONLY, 0)
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
		if twice {
			// The first is not heard by the command; by the program it is, and then the next one is fatal.
			for cmd.Process.Signal(syscall.SIGINT) == nil {
				if _, err := os.Stat(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid)); err != nil {
					break
				}
			}
			require.ErrorContains(t, cmd.Wait(), "signal: interrupt")
			require.NoError(t, release.Close())
			code, out, _ := call(t, args, "-journal", journal, "undo")
			require.Equal(t, exitDone, code, out)
			continue
		}
		require.ErrorContains(t, cmd.Wait(), "exit status 1")
		require.NoError(t, release.Close())
		require.Contains(t, complaint.String(), "web/one: deployment begun and left as it is, and put back into service; now UP")
	}
}

// backend is two servers behind a HAProxy, and the arguments that name it.
func backend(t *testing.T) (args []string, dir string) {
	address := pgtest.Loopback(t)
	for _, port := range []string{":8001", ":8002"} {
		l, err := net.Listen("tcp", address+port)
		require.NoError(t, err)
		srv := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		go func() { _ = srv.Serve(l) }()
		t.Cleanup(func() { _ = srv.Close() })
	}
	p := pgtest.HAProxy(t, fmt.Sprintf("backend web\n\toption httpchk\n\ttimeout check 5s\n\tserver one %[1]s:8001 check inter 20\n\tserver two %[1]s:8002 check inter 20\n", address))
	dir = t.TempDir()
	args = []string{"-haproxy", p.Socket, "-backend", "web", "-up-for", "80ms", "-journal", filepath.Join(dir, "journal")}
	lb := haproxy.Client{Address: p.Socket}
	require.Eventually(t, func() bool {
		stats, err := lb.Stats(t.Context(), "web")
		return err == nil && stats[0].Check == "L7OK" && stats[1].Check == "L7OK"
	}, 20*time.Second, 5*time.Millisecond)
	return args, dir
}

func call(t *testing.T, args []string, more ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaint bytes.Buffer
	code = run(t.Context(), append(append([]string{}, args...), more...), &out, &complaint)
	return code, out.String(), complaint.String()
}

func TestOperator(t *testing.T) {
	args, dir := backend(t)
	log := filepath.Join(dir, "log")
	step := []string{"--", "sh", "-c", `echo "$1 $ROLLOUT_BACKEND/$ROLLOUT_SERVER; $2" >>` + log + `; [ ! -e ` + dir + `/broken ] || [ "$1" = one ]`, "sh", "{server}", "$(touch /nonexistent)"}
	code, out, complaint := call(t, args, append([]string{"plan"}, step...)...)
	require.Equal(t, exitDone, code, complaint)
	require.Contains(t, out, " 6. drain web/two: see that at least 1 others are up")
	require.NoFileExists(t, log)
	code, _, complaint = call(t, args, "status")
	require.Equal(t, exitRefused, code)
	require.Contains(t, complaint, "rollout: no rollout has begun")

	// The command fails for the second.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken"), nil, 0o600))
	code, out, complaint = call(t, args, append([]string{"run"}, step...)...)
	require.Equal(t, exitStopped, code, complaint)
	require.Contains(t, out, "[5/10] done        put back web/one")
	require.NotContains(t, out, "undone      deploy", "nothing undeploys")
	require.Contains(t, complaint, `exit status 1`)
	require.Contains(t, complaint, "web/one: deployed and in service; now UP, 0 sessions\nweb/two: deployment begun and left as it is, and put back into service; now UP, 0 sessions\n")
	code, out, _ = call(t, args, "-json", "status")
	require.Equal(t, exitDone, code)
	var report haproxy.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Equal(t, "web/two", report.Servers[1].Server)
	require.True(t, report.Servers[1].Up)
	code, _, complaint = call(t, args, append([]string{"run"}, step...)...)
	require.Equal(t, exitRefused, code)
	require.Contains(t, complaint, "resume or undo that first")

	require.NoError(t, os.Remove(filepath.Join(dir, "broken")))
	code, out, complaint = call(t, append(args, "-json"), append([]string{"resume"}, step...)...)
	require.Equal(t, exitDone, code, complaint)
	for line := range strings.Lines(out) {
		var e map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		require.NotEmpty(t, e["event"])
	}
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "one web/one; $(touch /nonexistent)\ntwo web/two; $(touch /nonexistent)\ntwo web/two; $(touch /nonexistent)\n", string(text))
	code, out, _ = call(t, args, "status")
	require.Equal(t, exitDone, code)
	require.Contains(t, out, "ended: done")
}

// TestBalancerIsGone: what was begun is not said to have been refused.
func TestBalancerIsGone(t *testing.T) {
	args, dir := backend(t)
	code, _, complaint := call(t, args, "-up-within", "100ms", "run", "--", "mv", args[1], filepath.Join(dir, "moved"))
	require.Equal(t, exitStopped, code, complaint)
	require.Contains(t, complaint, "in which state the servers are is not known")
}

func TestMistakes(t *testing.T) {
	for says, args := range map[string][]string{
		"rollout restarts the servers":               {},
		"flag provided but not defined: -nope":       {"-nope"},
		`"restart" is no verb`:                       {"-backend", "web", "restart"},
		"rollout: no Deploy":                         {"-haproxy", "/nonexistent/s", "-backend", "web", "resume"},
		"dial unix /nonexistent/s":                   {"-haproxy", "/nonexistent/s", "-backend", "web", "plan", "--", "true"},
		`cannot be a backend's name`:                 {"-haproxy", "/nonexistent/s", "-backend", "we;b", "plan", "--", "true"},
		"MinUp is -1: a count cannot be negative":    {"-backend", "web", "-min-up", "-1", "plan", "--", "true"},
		"rollout: no balancer":                       {"-backend", "web", "run", "--", "true"},
		`invalid value "a,,b" for flag -servers`:     {"-servers", "a,,b"},
		`"-strict" begins no command`:                {"-haproxy", "/nonexistent/s", "-backend", "web", "run", "-strict", "--", "true"},
		`"-json" begins no command`:                  {"-haproxy", "/nonexistent/s", "-backend", "web", "status", "-json"},
		`invalid value " " for flag -undo`:           {"-haproxy", "/nonexistent/s", "-backend", "web", "-undo", " ", "run", "--", "true"},
		"opening the journal: open /nonexistent/j: ": {"-haproxy", "/nonexistent/s", "-backend", "web", "-journal", "/nonexistent/j", "resume", "--", "true"},
	} {
		code, _, complaint := call(t, args)
		require.Equal(t, exitRefused, code, says)
		require.Contains(t, complaint, says)
	}
	code, _, complaint := call(t, []string{"-h"})
	require.Equal(t, exitDone, code)
	require.Contains(t, complaint, "-min-up")
	require.Contains(t, complaint, "name one for all who roll out to the backend")
}
