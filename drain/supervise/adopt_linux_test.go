package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// untilUp waits for a job's first line.
func untilUp(t *testing.T, j *Job) {
	t.Helper()
	until(t, "the job is up", func() bool { return strings.HasPrefix(logOf(t, j), "up\n") && exists(j.path(jobFile)) })
}

// TestAdopt: jobs go on without a worker; the next one finds what runs, what has ended, and in which slots.
func TestAdopt(t *testing.T) {
	dir, work := t.TempDir(), t.TempDir()
	cfg := Config{Dir: dir, Slots: 2}
	s, err := New(cfg)
	require.NoError(t, err)
	_, err = s.Start(t.Context(), Spec{ID: "x", Args: []string{"true"}})
	require.ErrorIs(t, err, ErrNotAdopted)
	_, err = s.Adopt(t.Context())
	require.NoError(t, err)
	_, err = s.Adopt(t.Context())
	require.ErrorContains(t, err, "Adopt was called before")
	script := `echo up; while ! [ -e %s ]; do sleep 0.01; done; echo bye; exit 3`
	inWork := func(spec *Spec) { spec.Dir, spec.Meta, spec.Token = work, json.RawMessage(`{"message":1}`), 9 }
	first := start(t, s, "adopt-1", fmt.Sprintf(script, "go1"), inWork)
	second := start(t, s, "adopt-2", fmt.Sprintf(script, "go2"), inWork)
	_, err = s.Start(t.Context(), Spec{ID: "adopt-3", Args: []string{"true"}})
	require.ErrorIs(t, err, ErrNoSlot)
	require.EqualError(t, err, "supervise: starting job adopt-3: 2 jobs run: all slots are taken")
	untilUp(t, first)
	untilUp(t, second)
	require.ErrorContains(t, first.Done(t.Context()), "job adopt-1 has not ended")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "again")
	_, err = first.Wait(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.Start(t.Context(), Spec{ID: "adopt-3", Args: []string{"true"}})
	require.ErrorIs(t, err, ErrClosed)
	_, err = s.Adopt(t.Context())
	require.ErrorIs(t, err, ErrClosed)
	require.NoError(t, os.WriteFile(filepath.Join(work, "go1"), nil, 0o600))
	until(t, "the first ends without a worker", func() bool { return exists(first.path(exitFile)) })

	s, jobs := open(t, cfg)
	require.Len(t, jobs, 2)
	require.Equal(t, []string{"adopt-1", "adopt-2"}, []string{jobs[0].ID(), jobs[1].ID()})
	require.Equal(t, jobs, s.Jobs())
	spec, err := jobs[1].Spec()
	require.NoError(t, err)
	require.True(t, jobs[1].Adopted())
	require.Equal(t, int64(9), spec.Token)
	require.JSONEq(t, `{"message":1}`, string(spec.Meta))
	same(t, Result{Outcome: Exited, Code: 3}, end(t, jobs[0]))
	require.Equal(t, 1, s.Running(), "the slot of what has ended is free")
	third := start(t, s, "adopt-3", "exit 0")
	same(t, Result{Outcome: Exited}, end(t, third))
	require.NoError(t, os.WriteFile(filepath.Join(work, "go2"), nil, 0o600))
	same(t, Result{Outcome: Exited, Code: 3}, end(t, jobs[1]))
	require.Equal(t, "up\nbye\n", logOf(t, jobs[1]))
}

// TestOneWorkerAtATime: a second one waits until the first has left.
func TestOneWorkerAtATime(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: dir})
	next, err := New(Config{Dir: dir})
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no patience"))
	_, err = next.Adopt(ctx)
	require.EqualError(t, err, "supervise: adopting the jobs in "+dir+": another worker has it: no patience")
	done := make(chan error)
	go func() {
		_, err := next.Adopt(t.Context())
		done <- err
	}()
	require.NoError(t, s.Close())
	require.NoError(t, <-done)
	require.NoError(t, next.Close())
}

// TestReboot: there is another boot id, and no process that was there.
func TestReboot(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s, _ := open(t, cfg)
	j := start(t, s, "reboot", "echo up; exec sleep 1000")
	untilUp(t, j)
	require.NoError(t, s.Close())
	sweep(t, "reboot")
	until(t, "all is dead", func() bool { return len(of(t, "reboot")) == 0 })
	cfg.BootID = "another"
	s, jobs := open(t, cfg)
	require.Len(t, jobs, 1)
	r := end(t, jobs[0])
	same(t, Result{Outcome: Rebooted, Code: -1, Err: "the machine was started anew while the job ran"}, r)
	require.True(t, r.Interrupted())
	require.NoError(t, s.Close())
	s, jobs = open(t, cfg) // it is on record
	same(t, r, end(t, jobs[0]))
	require.NoError(t, jobs[0].Done(t.Context()))
	require.Empty(t, s.Jobs())
}

// TestPidsAreUsedAgain: after a boot, or long enough, somebody else has the pids of a job. They are left alone.
func TestPidsAreUsedAgain(t *testing.T) {
	stranger := exec.CommandContext(t.Context(), "sleep", "1000")
	stranger.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, stranger.Start())
	boot, err := kernelBootID()
	require.NoError(t, err)
	p, err := readProcess(stranger.Process.Pid)
	require.NoError(t, err)
	for name, record := range map[string]processRecord{
		"another start": {V: version, Boot: boot, PID: p.pid, Start: p.start - 1},
		"another boot":  {V: version, Boot: "another", PID: p.pid, Start: p.start},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			job := filepath.Join(dir, jobsDir, "reused")
			require.NoError(t, os.MkdirAll(job, 0o700))
			require.NoError(t, writeRecord(job, specFile, specRecord{V: version, Boot: record.Boot, Spec: Spec{ID: "reused", Args: []string{"true"}}}))
			require.NoError(t, writeRecord(job, shimFile, record))
			require.NoError(t, writeRecord(job, jobFile, record))
			s, jobs := open(t, Config{Dir: dir})
			require.True(t, end(t, jobs[0]).Interrupted())
			require.NoError(t, jobs[0].Done(t.Context()))
			require.Empty(t, s.Jobs())
			require.NoError(t, stranger.Process.Signal(syscall.Signal(0)))
			now, err := readProcess(p.pid)
			require.NoError(t, err)
			require.False(t, now.dead)
		})
	}
	require.NoError(t, stranger.Process.Kill())
	require.Error(t, stranger.Wait())
}

// TestShimIsKilled: its job dies with it, all of it, and that is the job's result: with a worker there, and with the next one.
func TestShimIsKilled(t *testing.T) {
	const script = `setsid sh -c 'trap "" TERM; sleep 1000' & (sleep 1000 &) ; echo up; sleep 1000`
	for _, attended := range []bool{true, false} {
		t.Run(fmt.Sprint("attended ", attended), func(t *testing.T) {
			cfg := Config{Dir: t.TempDir()}
			s, _ := open(t, cfg)
			id := fmt.Sprint("shimdies-", attended)
			j := start(t, s, id, script)
			untilUp(t, j)
			if !attended {
				require.NoError(t, s.Close())
			}
			shim := shimOf(t, j)
			kill(shim.PID, shim.Start)
			if !attended {
				var jobs []*Job
				s, jobs = open(t, cfg)
				j = jobs[0]
			}
			r := end(t, j)
			same(t, Result{Outcome: ShimDied, Code: -1, Err: fmt.Sprintf("its shim, process %d, was killed", shim.PID)}, r)
			require.True(t, r.Interrupted())
			require.Empty(t, of(t, id), "what has the mark is dead")
			require.Equal(t, "up\n", logOf(t, j), "what it had written is there")
			require.Equal(t, 0, s.Running())
			require.NoError(t, j.Done(t.Context()))
		})
	}
}

// TestRecords: what cannot be read, or is of the future, is said, and no job vanishes.
func TestRecords(t *testing.T) {
	for name, c := range map[string]struct {
		file, text string
		want       Outcome
		err        string
		spec       string
	}{
		"half an end":              {exitFile, `{"v":1,"result":{"outc`, Unreadable, "exit.json: unexpected end of JSON input", ""},
		"an empty end":             {exitFile, "", Unreadable, "unexpected end of JSON input", ""},
		"an end of the future":     {exitFile, `{"v":2}`, Unreadable, "exit.json: it is of version 2, this program knows version 1", ""},
		"half an identity":         {shimFile, `{"v":1,"boot`, Unreadable, "shim.json: unexpected end", ""},
		"half a spec":              {specFile, `{"v":1,"spec":{"id":"x`, NeverBegan, "its worker died before the job had a process", "spec.json: unexpected end of JSON input"},
		"no spec":                  {specFile, "-", NeverBegan, "its worker died", "no such file"},
		"a spec of the future":     {specFile, `{"v":7}`, NeverBegan, "its worker died", "it is of version 7, this program knows version 1"},
		"half an end, not renamed": {exitFile + ".tmp", `{"v":1,"result":{"outc`, NeverBegan, "its worker died", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			job := filepath.Join(dir, jobsDir, "torn")
			require.NoError(t, os.MkdirAll(job, 0o700))
			require.NoError(t, writeRecord(job, specFile, specRecord{V: version, Spec: Spec{ID: "torn", Args: []string{"true"}}}))
			if c.text == "-" {
				require.NoError(t, os.Remove(filepath.Join(job, c.file)))
			} else {
				require.NoError(t, os.WriteFile(filepath.Join(job, c.file), []byte(c.text), 0o600))
			}
			s, jobs := open(t, Config{Dir: dir})
			require.Len(t, jobs, 1)
			require.Equal(t, "torn", jobs[0].ID())
			r := end(t, jobs[0])
			require.Equal(t, c.want, r.Outcome)
			require.Contains(t, r.Err, c.err)
			require.True(t, r.Interrupted())
			spec, err := jobs[0].Spec()
			require.Equal(t, "torn", spec.ID)
			if c.spec == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.spec)
			}
			require.NoError(t, jobs[0].Done(t.Context()))
			require.Empty(t, names(t, dir, jobsDir))
			require.Empty(t, s.Jobs())
		})
	}
}

// TestFrozen: the records of version 1, to the byte. Who changes them leaves the jobs of running workers behind.
func TestFrozen(t *testing.T) {
	at := time.Date(2026, 11, 25, 18, 0, 0, 0, time.UTC)
	for want, record := range map[string]any{
		`{"v":1,"boot_id":"b","spec":{"id":"i","token":2,"args":["a"],"env":["E=1"],"dir":"/","deadline_ns":3,"grace_ns":4,"log_limit_bytes":5,"renew_every_ns":6,"renew_within_ns":7,"meta":{"m":8}}}`: specRecord{1, "b",
			Spec{"i", 2, []string{"a"}, []string{"E=1"}, "/", 3, 4, 5, 6, 7, json.RawMessage(`{"m":8}`)}},
		`{"v":1,"boot_id":"b","pid":2,"start_ticks":3}`: processRecord{1, "b", 2, 3},
		`{"v":1,"result":{"outcome":"exited","code":1,"signal":2,"began":"2026-11-25T18:00:00Z","ended":"2026-11-25T18:00:00Z","took_ns":3,"log_dropped_bytes":4,"log_lost_bytes":5,"error":"e"}}`: exitRecord{1, Result{Exited, 1, 2, at, at, 3, 4, 5, "e"}},
	} {
		text, err := json.Marshal(record)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	require.Equal(t, []Outcome{"exited", "stopped", "late", "lease lost", "not executed", "terminated", "rebooted", "shim died", "never began", "unreadable"},
		[]Outcome{Exited, Stopped, Late, LeaseLost, NotExecuted, Terminated, Rebooted, ShimDied, NeverBegan, Unreadable})
}

// TestStrangersInTheStateDirectory are left alone.
func TestStrangersInTheStateDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, jobsDir, ".hidden"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, jobsDir, "README"), nil, 0o600))
	var said bytes.Buffer
	_, jobs := open(t, Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&said, nil))})
	require.Empty(t, jobs)
	require.Contains(t, said.String(), "not a job, left alone")
	require.Len(t, names(t, dir, jobsDir), 2)
}

// TestTokens: of two starts of a name the higher token has the job, whether the other runs, has ended, or is on its way.
func TestTokens(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir(), Slots: 1})
	token := func(n int64) func(*Spec) { return func(spec *Spec) { spec.Token = n } }
	old := start(t, s, "tokens", "echo up; sleep 1000", token(5))
	untilUp(t, old)
	for _, n := range []int64{4, 5} {
		j, err := s.Start(t.Context(), Spec{ID: "tokens", Token: n, Args: []string{"true"}})
		require.ErrorIs(t, err, ErrExists)
		require.Same(t, old, j)
	}
	shim := shimOf(t, old)
	j := start(t, s, "tokens", "echo new; exit 2", token(6))
	r, err := old.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, Stopped, r.Outcome)
	require.False(t, shim.alive(s.boot))
	same(t, Result{Outcome: Exited, Code: 2}, end(t, j))
	require.Equal(t, "new\n", logOf(t, j))
	again := start(t, s, "tokens", "exit 1", token(7))
	same(t, Result{Outcome: Exited, Code: 1}, end(t, again))
	results := make(chan error, 8)
	for n := range cap(results) { // at the same time
		go func() {
			_, err := s.Start(t.Context(), Spec{ID: "tokens", Token: int64(10 + n), Args: []string{"sleep", "1000"}})
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			require.ErrorIs(t, err, ErrExists)
		}
	}
	last, ok := s.Job("tokens")
	require.True(t, ok)
	require.Equal(t, int64(17), last.spec.Token)
	require.NoError(t, last.Kill(t.Context()))
	require.Equal(t, Stopped, end(t, last).Outcome)
}

// TestLease: the shim renews it while the job runs and until its result is collected, without a worker, and gives up when it is lost.
func TestLease(t *testing.T) {
	lease := func(path string, within time.Duration) func(*Spec) {
		return func(spec *Spec) {
			spec.Token, spec.RenewEvery, spec.RenewWithin = 3, 10*time.Millisecond, within
			spec.Meta, _ = json.Marshal(leaseFile{path})
		}
	}
	t.Run("kept until collected", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "lease")
		require.NoError(t, os.WriteFile(path, []byte("3"), 0o600))
		cfg := Config{Dir: t.TempDir()}
		s, _ := open(t, cfg)
		j := start(t, s, "lease-kept", "true", lease(path, 0))
		same(t, Result{Outcome: Exited}, end(t, j))
		require.NoError(t, s.Close())
		shim := shimOf(t, j)
		asked := func() int64 {
			info, err := os.Stat(path + ".asked")
			require.NoError(t, err)
			return info.Size()
		}
		before := asked()
		until(t, "it keeps the lease though the job has ended and there is no worker", func() bool { return asked() > before+5 })
		s, jobs := open(t, cfg)
		same(t, Result{Outcome: Exited}, end(t, jobs[0]))
		require.NoError(t, jobs[0].Done(t.Context()))
		until(t, "the shim has ended", func() bool { return !shim.alive(s.boot) })
	})
	t.Run("not kept when the machine goes down", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "lease")
		require.NoError(t, os.WriteFile(path, []byte("3"), 0o600))
		s, _ := open(t, Config{Dir: t.TempDir()})
		j := start(t, s, "lease-down", "echo up; exec sleep 1000", lease(path, 0))
		untilUp(t, j)
		shim := shimOf(t, j)
		require.NoError(t, syscall.Kill(shim.PID, syscall.SIGTERM))
		r := end(t, j)
		same(t, Result{Outcome: Terminated, Code: -1, Signal: 15}, r)
		require.True(t, r.Interrupted())
		until(t, "the shim has ended", func() bool { return !shim.alive(s.boot) })
	})
	t.Run("lost before the job begins", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "lease")
		require.NoError(t, os.WriteFile(path, []byte("4"), 0o600))
		s, _ := open(t, Config{Dir: t.TempDir()})
		j := start(t, s, "lease-late", "echo never", lease(path, 0))
		same(t, Result{Outcome: LeaseLost, Code: -1, Err: "token 3: the job is somebody else's now"}, end(t, j))
		require.Empty(t, logOf(t, j))
		require.NoError(t, j.Done(t.Context()))
	})
	t.Run("lost while the job runs", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "lease")
		require.NoError(t, os.WriteFile(path, []byte("3"), 0o600))
		s, _ := open(t, Config{Dir: t.TempDir()})
		j := start(t, s, "lease-lost", "echo up; exec sleep 1000", lease(path, 0))
		untilUp(t, j)
		require.NoError(t, os.Remove(path)) // out of reach: it goes on
		require.NoError(t, writeFile(path, []byte("4")))
		r := end(t, j)
		same(t, Result{Outcome: LeaseLost, Code: -1, Signal: 15, Err: "token 3: the job is somebody else's now"}, r)
		require.True(t, r.Interrupted(), "it has no result of its own; a queue that has given it away refuses it")
		require.NoError(t, j.Done(t.Context()))
	})
	t.Run("out of reach too long", func(t *testing.T) {
		s, _ := open(t, Config{Dir: t.TempDir()})
		j := start(t, s, "lease-out", "echo up; exec sleep 1000", lease(filepath.Join(t.TempDir(), "none"), 200*time.Millisecond))
		r := end(t, j)
		require.Equal(t, LeaseLost, r.Outcome)
		require.Contains(t, r.Err, "the lease could not be renewed for 200ms: open ")
		require.True(t, r.Interrupted(), "an outage is no failure of the job")
		require.NoError(t, j.Done(t.Context()))
	})
}

// TestHungShim: one that is stopped is alive, and keeps the job and its slot; who asks it something is told.
func TestHungShim(t *testing.T) {
	cfg := Config{Dir: t.TempDir()}
	s, _ := open(t, cfg)
	j := start(t, s, "hung", "echo up; exec sleep 1000")
	untilUp(t, j)
	shim := shimOf(t, j)
	require.NoError(t, syscall.Kill(shim.PID, syscall.SIGSTOP))
	require.NoError(t, s.Close())
	s, jobs := open(t, cfg)
	require.Equal(t, 1, s.Running())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no patience"))
	require.ErrorContains(t, jobs[0].Kill(ctx), "supervise: stopping job hung: no patience")
	require.NoError(t, syscall.Kill(shim.PID, syscall.SIGCONT))
	require.NoError(t, jobs[0].Kill(t.Context()))
	same(t, Result{Outcome: Stopped, Code: -1, Signal: 9}, end(t, jobs[0]))
}

// TestLongPath: the path of a Unix socket has 107 bytes at most (unix(7)); that of a state directory has no such limit.
func TestLongPath(t *testing.T) {
	s, _ := open(t, Config{Dir: filepath.Join(t.TempDir(), strings.Repeat("long/", 60))})
	j := start(t, s, strings.Repeat("n", 100), "sleep 1000")
	require.NoError(t, j.Kill(t.Context()))
	require.Equal(t, Stopped, end(t, j).Outcome)
}

func TestBadConfig(t *testing.T) {
	_, err := New(Config{Slots: -1})
	require.EqualError(t, err, "supervise: Dir is empty: name a state directory, such as /var/lib/buildworker\nsupervise: Slots is -1: it cannot be negative")
	_, err = New(Config{Dir: "jobs"})
	require.EqualError(t, err, `supervise: Dir is "jobs": it has to be absolute`)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o777))
	s, err := New(Config{Dir: dir})
	require.NoError(t, err)
	_, err = s.Adopt(t.Context())
	require.EqualError(t, err, "supervise: adopting the jobs in "+dir+": "+dir+" can be written by others (mode 0777): chmod 700 it")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s, err = New(Config{Dir: filepath.Join(file, "state")})
	require.NoError(t, err)
	_, err = s.Adopt(t.Context())
	require.ErrorContains(t, err, file+": not a directory")
	s, _ = open(t, Config{Dir: t.TempDir()})
	_, err = s.Start(t.Context(), Spec{ID: "../x", Dir: "work", Token: -1, Deadline: -1, LogLimit: -1, RenewWithin: time.Second, Meta: json.RawMessage("{")})
	require.EqualError(t, err, `supervise: job "../x": an ID is 1 to 100 letters, digits, '.', '_' and '-', and does not begin with '.'
supervise: job "../x": Args is empty: there is no program to run
supervise: job "../x": Dir is "work": it has to be absolute
supervise: job "../x": Token is -1: it cannot be negative
supervise: job "../x": LogLimit is -1: it cannot be negative
supervise: job "../x": Deadline is -1ns: a duration cannot be negative
supervise: job "../x": RenewWithin is set and RenewEvery is not: nothing would renew the lease
supervise: job "../x": Meta is not JSON`)
	_, err = s.Start(t.Context(), Spec{ID: "long", Args: []string{"true", strings.Repeat("x", 4<<20)}})
	require.ErrorContains(t, err, `supervise: job "long": the spec has 419`, "its record could not be read again")
}

// TestBadShim: a program that is none, is not there, or does not know that it is a shim.
func TestBadShim(t *testing.T) {
	for path, want := range map[string]string{
		"/bin/true":    "the shim ended before the job began (exit status 0; does the program's main begin with supervise.IsShim?)",
		"/bin/ls":      "exit status 2; does the program's main begin with supervise.IsShim?): ",
		"/nonexistent": "starting the shim: fork/exec /nonexistent: no such file or directory",
	} {
		s, _ := open(t, Config{Dir: t.TempDir(), ShimPath: path})
		_, err := s.Start(t.Context(), Spec{ID: "bad", Args: []string{"true"}})
		require.ErrorContains(t, err, want)
		require.Empty(t, s.Jobs())
		require.Equal(t, 0, s.Running())
		require.Empty(t, names(t, s.path(jobsDir)))
		require.Empty(t, names(t, s.path(trashDir)))
	}
}

// TestShimByHand: a shim that nobody has started does nothing.
func TestShimByHand(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	j := start(t, s, "byhand", "true")
	same(t, Result{Outcome: Exited}, end(t, j))
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", shimArg, j.dir)
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "supervise: the shim: it ")
}
