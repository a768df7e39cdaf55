package supervise

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be a shim, a worker, and whatever else a test needs a process for.
func TestMain(m *testing.M) {
	switch {
	case IsShim():
		os.Exit(testShim().Main())
	case os.Getenv("SUPERVISE_TEST_WORKER") != "":
		if err := work(os.Getenv("SUPERVISE_TEST_WORKER")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case os.Getenv("SUPERVISE_TEST_DIAL") != "":
		fmt.Println(dialAs(os.Getenv("SUPERVISE_TEST_DIAL")))
		os.Exit(0)
	}
	// With -race a process lingers for a second when it ends, unless it is told not to (go.dev/doc/articles/race_detector).
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// leaseFile is where the shims of tests look for who has a job: a file with the token.
type leaseFile struct {
	Path string `json:"lease"`
}

func testShim() Shim {
	return Shim{
		Renew: func(_ context.Context, job Spec) error {
			var l leaseFile
			if err := json.Unmarshal(job.Meta, &l); err != nil {
				return err
			}
			if f, err := os.OpenFile(l.Path+".asked", os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err == nil {
				_, _ = f.WriteString(".")
				_ = f.Close()
			}
			text, err := os.ReadFile(l.Path)
			if err == nil && strings.TrimSpace(string(text)) != strconv.FormatInt(job.Token, 10) {
				return fmt.Errorf("token %d: %w", job.Token, ErrLost)
			}
			return err
		},
		faults: testFaults(func(victims string) {
			if victims != "shim" && os.Getenv("SUPERVISE_TEST_PID") == strconv.Itoa(os.Getppid()) {
				_ = syscall.Kill(os.Getppid(), syscall.SIGKILL)
			}
			if victims != "worker" {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}),
	}
}

// testFaults kills at the points that SUPERVISE_TEST_KILL lists, "point|victims|file;…", the first time that each is come to: whoever can create
// the file.
func testFaults(kill func(victims string)) faults {
	list := os.Getenv("SUPERVISE_TEST_KILL")
	if list == "" {
		return nil
	}
	return func(p point) {
		for entry := range strings.SplitSeq(list, ";") {
			at := strings.Split(entry, "|")
			if at[0] != string(p) {
				continue
			}
			if f, err := os.OpenFile(at[2], os.O_CREATE|os.O_EXCL, 0o600); err == nil {
				_ = f.Close()
				kill(at[1])
			}
		}
	}
}

// open is a supervisor that has adopted what is in the directory.
func open(t *testing.T, cfg Config) (*Supervisor, []*Job) {
	t.Helper()
	s, err := New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	jobs, err := s.Adopt(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, jobs
}

// start starts a shell script.
func start(t *testing.T, s *Supervisor, id, script string, change ...func(*Spec)) *Job {
	t.Helper()
	spec := Spec{ID: id, Args: []string{"sh", "-c", script}}
	for _, c := range change {
		c(&spec)
	}
	j, err := s.Start(t.Context(), spec)
	require.NoError(t, err)
	t.Cleanup(func() { // whatever the test has done, nothing stays behind
		sweep(t, spec.ID)
	})
	return j
}

// sweep kills what is left of a job and its shim.
func sweep(t *testing.T, id string) {
	for _, p := range of(t, id) {
		kill(p.pid, p.start)
	}
}

// of are the processes of a job, and its shim: those with the job's id in their environment or arguments.
func of(t *testing.T, id string) []process {
	t.Helper()
	all, err := processes()
	require.NoError(t, err)
	var found []process
	for _, p := range all {
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid))
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		shim := strings.HasSuffix(string(args), "/"+id+"\x00") && strings.Contains(string(args), shimArg)
		if shim || strings.Contains("\x00"+string(env), "\x00SUPERVISE_JOB="+id+".") {
			found = append(found, p)
		}
	}
	return found
}

// until waits for a condition; a minute is for machines that are busy.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("not after a minute: " + what)
		}
	}
}

func end(t *testing.T, j *Job) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := j.Wait(ctx)
	require.NoError(t, err)
	return r
}

func logOf(t *testing.T, j *Job) string {
	t.Helper()
	text, err := os.ReadFile(j.path(logFile))
	require.NoError(t, err)
	return string(text)
}

func shimOf(t *testing.T, j *Job) processRecord {
	t.Helper()
	var r processRecord
	require.NoError(t, readRecord(j.path(shimFile), &r))
	return r
}

// names are the entries of a directory.
func names(t *testing.T, dir ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir...))
	require.NoError(t, err)
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}
