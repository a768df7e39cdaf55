package supervise

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// same compares what does not depend on the time.
func same(t *testing.T, want, is Result) {
	t.Helper()
	is.Began, is.Ended, is.Took = time.Time{}, time.Time{}, 0
	require.Equal(t, want, is)
}

func TestJobEnds(t *testing.T) {
	s, jobs := open(t, Config{Dir: filepath.Join(t.TempDir(), "state")})
	require.Empty(t, jobs)
	j := start(t, s, "ends", `echo to stdout; echo to stderr >&2; pwd; echo "$X"; exit 3`, func(spec *Spec) {
		spec.Dir, spec.Env = "/usr", []string{"X=a variable"}
	})
	r := end(t, j)
	same(t, Result{Outcome: Exited, Code: 3}, r)
	require.Positive(t, r.Took)
	require.WithinRange(t, r.Ended, r.Began, time.Now())
	require.Equal(t, "to stdout\nto stderr\n/usr\na variable\n", logOf(t, j))
	require.False(t, r.Interrupted())
	for name, mode := range map[string]os.FileMode{"": 0o700, specFile: 0o600, exitFile: 0o600, logFile: 0o600} {
		info, err := os.Stat(j.path(name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
	require.Equal(t, 0, s.Running())
	require.NoError(t, j.Stop(t.Context(), time.Second), "it has ended: nothing to do")
	require.NoError(t, j.Done(t.Context()))
	require.NoError(t, j.Done(t.Context()), "again")
	require.Empty(t, s.Jobs())
	require.Empty(t, names(t, s.path(jobsDir)))
}

func TestProgramThatCannotBeExecuted(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	for i, args := range [][]string{{"no-such-program-anywhere"}, {"/etc/passwd"}} {
		j, err := s.Start(t.Context(), Spec{ID: fmt.Sprint("x", i), Args: args})
		require.NoError(t, err)
		r := end(t, j)
		require.Equal(t, NotExecuted, r.Outcome)
		require.Contains(t, r.Err, args[0])
	}
}

// TestEnd: every way to end a job that does not want to.
func TestEnd(t *testing.T) {
	stop := func(grace time.Duration) func(*testing.T, *Job) {
		return func(t *testing.T, j *Job) { require.NoError(t, j.Stop(t.Context(), grace)) }
	}
	nothing := func(*testing.T, *Job) {}
	for name, c := range map[string]struct {
		script string
		spec   func(*Spec)
		act    func(*testing.T, *Job)
		want   Result
		log    string
	}{
		"TERM ends it":             {"echo up; exec sleep 1000", nil, stop(time.Hour), Result{Outcome: Stopped, Code: -1, Signal: 15}, "up\n"},
		"TERM is handled":          {"trap 'echo bye; exit 4' TERM; echo up; sleep 1000 & wait", nil, stop(time.Hour), Result{Outcome: Stopped, Code: 4}, "up\nbye\n"},
		"TERM is ignored":          {"trap '' TERM; echo up; while :; do sleep 0.01; done", nil, stop(50 * time.Millisecond), Result{Outcome: Stopped, Code: -1, Signal: 9}, "up\n"},
		"killed":                   {"trap '' TERM; echo up; sleep 1000", nil, stop(0), Result{Outcome: Stopped, Code: -1, Signal: 9}, "up\n"},
		"killed while stopped":     {"trap '' TERM; echo up; kill -STOP $$", nil, stop(0), Result{Outcome: Stopped, Code: -1, Signal: 9}, "up\n"},
		"TERM while stopped":       {"trap 'echo bye; exit 4' TERM; echo up; kill -STOP $$", nil, stop(time.Hour), Result{Outcome: Stopped, Code: 4}, "up\nbye\n"},
		"deadline":                 {"echo up; exec sleep 1000", func(s *Spec) { s.Deadline = 100 * time.Millisecond }, nothing, Result{Outcome: Late, Code: -1, Signal: 15}, "up\n"},
		"deadline, TERM ignored":   {"trap '' TERM; echo up; while :; do sleep 0.01; done", func(s *Spec) { s.Deadline, s.Grace = 100*time.Millisecond, 50*time.Millisecond }, nothing, Result{Outcome: Late, Code: -1, Signal: 9}, "up\n"},
		"a kill shortens the stop": {"trap '' TERM; echo up; while :; do sleep 0.01; done", nil, func(t *testing.T, j *Job) { stop(time.Hour)(t, j); stop(0)(t, j) }, Result{Outcome: Stopped, Code: -1, Signal: 9}, "up\n"},
		"the shim gets TERM": {"echo up; exec sleep 1000", nil, func(t *testing.T, j *Job) {
			require.NoError(t, syscall.Kill(shimOf(t, j).PID, syscall.SIGTERM))
		}, Result{Outcome: Terminated, Code: -1, Signal: 15}, "up\n"},
		"the shim gets HUP and INT, the job exits": {"echo up; while ! [ -e go ]; do sleep 0.01; done", func(s *Spec) { s.Dir = t.TempDir() }, func(t *testing.T, j *Job) {
			for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGUSR1} {
				require.NoError(t, syscall.Kill(shimOf(t, j).PID, sig))
			}
			require.NoError(t, os.WriteFile(filepath.Join(j.spec.Dir, "go"), nil, 0o600))
		}, Result{Outcome: Exited}, "up\n"},
		"somebody kills the job": {"echo up; exec sleep 1000", nil, func(t *testing.T, j *Job) {
			var first processRecord
			until(t, "it is known", func() bool { return readRecord(j.path(jobFile), &first) == nil })
			require.NoError(t, syscall.Kill(first.PID, syscall.SIGKILL))
		}, Result{Outcome: Exited, Code: -1, Signal: 9}, "up\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, Config{Dir: t.TempDir()})
			id := "end-" + strings.NewReplacer(" ", "-", ",", "").Replace(name)
			var change []func(*Spec)
			if c.spec != nil {
				change = append(change, c.spec)
			}
			j := start(t, s, id, c.script, change...)
			until(t, "the job is up", func() bool { return strings.HasPrefix(logOf(t, j), "up\n") })
			c.act(t, j)
			same(t, c.want, end(t, j))
			require.Equal(t, c.log, logOf(t, j))
			until(t, "nothing is left", func() bool { return len(of(t, id)) == 0 })
		})
	}
}

// TestShutdown: at the machine's shutdown init signals the shim and the job in an order of its own. Whichever it is, the job was interrupted: it is not
// its own failure.
func TestShutdown(t *testing.T) {
	send := func(sig syscall.Signal, pids ...int) {
		for _, pid := range pids {
			_ = syscall.Kill(pid, sig) // the first signal may have ended the other one too
		}
	}
	for name, act := range map[string]func(shim, job int){
		"the shim first": func(shim, job int) { send(syscall.SIGTERM, shim, job) },
		"the job first":  func(shim, job int) { send(syscall.SIGTERM, job, shim) },
		"stopped, the job first, going on": func(shim, job int) { // as killall5 does
			send(syscall.SIGSTOP, shim, job)
			send(syscall.SIGTERM, job, shim)
			send(syscall.SIGCONT, shim, job)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, Config{Dir: t.TempDir()})
			for i := range 10 {
				j := start(t, s, fmt.Sprint("down-", strings.NewReplacer(" ", "-", ",", "").Replace(name), i), "echo up; exec sleep 1000")
				untilUp(t, j)
				var first processRecord
				require.NoError(t, readRecord(j.path(jobFile), &first))
				act(shimOf(t, j).PID, first.PID)
				same(t, Result{Outcome: Terminated, Code: -1, Signal: 15}, end(t, j))
			}
		})
	}
}

// TestNothingIsLeft: whatever a job has started ends with its first process, wherever it has gone.
func TestNothingIsLeft(t *testing.T) {
	for name, script := range map[string]string{
		"background": "sleep 1000 & sleep 1000 & echo up",
		"orphans":    "(sh -c 'sleep 1000 & sleep 1000 &' &) ; sleep 0.05; echo up",
		"setsid":     "setsid sh -c 'trap \"\" TERM HUP; setsid sleep 1000 & sleep 1000' </dev/null >/dev/null 2>&1 & sleep 0.05; echo up",
		"stopped":    "sh -c 'kill -STOP $$' & sleep 0.05; echo up",
		"no mark":    "setsid env -i sleep 1000 & sleep 0.05; echo up",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := open(t, Config{Dir: t.TempDir()})
			id := "left-" + strings.ReplaceAll(name, " ", "-")
			fifo := filepath.Join(t.TempDir(), "fifo")
			require.NoError(t, syscall.Mkfifo(fifo, 0o600))
			alive, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			require.NoError(t, err)
			defer func() { _ = alive.Close() }()
			j := start(t, s, id, "exec 8>"+fifo+"; "+script)
			same(t, Result{Outcome: Exited}, end(t, j))
			n, err := alive.Read(make([]byte, 1)) // its end: nobody has it open for writing any more
			require.Equal(t, 0, n)
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, "up\n", logOf(t, j))
		})
	}
}

// TestZombies: what is left to the shim by processes that end before the job does is waited for.
func TestZombies(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	dir := t.TempDir()
	j := start(t, s, "zombies", `for i in 1 2 3 4 5 6 7 8; do (sh -c 'true &' &); done; echo up; while ! [ -e go ]; do sleep 0.01; done`, func(s *Spec) { s.Dir = dir })
	until(t, "the job is up", func() bool { return logOf(t, j) == "up\n" })
	info, err := os.Stat(j.path(sockFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	until(t, "no zombie", func() bool {
		all, err := processes()
		require.NoError(t, err)
		for _, p := range all {
			if p.parent == shimOf(t, j).PID && p.dead {
				return false
			}
		}
		return true
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	same(t, Result{Outcome: Exited}, end(t, j))
}

func TestLog(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	dir := t.TempDir()
	j := start(t, s, "log", `echo one; while ! [ -e go ]; do sleep 0.01; done; echo two; exec >&- 2>&-; while ! [ -e leave ]; do sleep 0.01; done; exit 7`, func(s *Spec) { s.Dir = dir })
	r, err := j.Log(t.Context(), 2)
	require.NoError(t, err)
	buf := make([]byte, 100)
	n, err := r.Read(buf)
	require.NoError(t, err)
	require.Equal(t, "e\n", string(buf[:n]))
	type read struct {
		text string
		err  error
	}
	rest := make(chan read, 1)
	go func() {
		text, err := io.ReadAll(r)
		rest <- read{string(text), err}
	}()
	waiting, err := j.Log(t.Context(), 1<<40) // nothing will ever be there
	require.NoError(t, err)
	closed := make(chan error, 1)
	go func() {
		_, err := waiting.Read(make([]byte, 1))
		closed <- err
	}()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	until(t, "the job has closed its output", func() bool { return logOf(t, j) == "one\ntwo\n" })
	require.False(t, j.over(), "which does not end it")
	require.NoError(t, waiting.Close())
	require.Error(t, <-closed)
	ctx, cancel := context.WithCancel(t.Context())
	third, err := j.Log(ctx, 8)
	require.NoError(t, err)
	go cancel()
	_, err = third.Read(buf)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, third.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "leave"), nil, 0o600))
	require.Equal(t, read{"two\n", nil}, <-rest)
	require.NoError(t, r.Close())
	same(t, Result{Outcome: Exited, Code: 7}, end(t, j))
	late, err := j.Log(t.Context(), 0)
	require.NoError(t, err)
	require.NoError(t, j.Done(t.Context()))
	text, err := io.ReadAll(late)
	require.NoError(t, err)
	require.Equal(t, "one\ntwo\n", string(text), "also of a job that was removed")
	require.NoError(t, late.Close())
	_, err = j.Log(t.Context(), -1)
	require.ErrorContains(t, err, "offset -1 is negative")
}

// TestFlood: a job that writes without end is slowed by nothing, and fills no disk.
func TestFlood(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	j := start(t, s, "flood", "head -c 50000000 /dev/zero | tr '\\0' x; echo end", func(s *Spec) { s.LogLimit = 1_000_000 })
	r := end(t, j)
	same(t, Result{Outcome: Exited, LogDropped: 49_000_004}, r)
	require.Equal(t, strings.Repeat("x", 1_000_000)+"\n[supervise: output above the limit of 1000000 bytes is dropped]\n", logOf(t, j))
}

// TestWholeLog: every byte that a job writes is in its log, at the rate of a pipe.
func TestWholeLog(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	j := start(t, s, "whole", "seq 1 1000000")
	r, err := j.Log(t.Context(), 0)
	require.NoError(t, err)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	same(t, Result{Outcome: Exited}, end(t, j))
	var want strings.Builder
	for i := 1; i <= 1_000_000; i++ {
		fmt.Fprintln(&want, i)
	}
	require.True(t, want.String() == string(text), "%d bytes of %d", len(text), want.Len())
}
