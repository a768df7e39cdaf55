package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/worker/celery"
	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

const jobs = 20

// TestMain builds the program as a user would, in two versions.
func TestMain(m *testing.M) { os.Exit(compileAndRun(m)) }

func compileAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "buildworker-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		for _, version := range []string{"1", "2"} {
			cmd := exec.Command("go", "build", "-ldflags", "-X main.version="+version, "-o", filepath.Join(dir, version), ".")
			cmd.Stderr = os.Stderr
			if err = cmd.Run(); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "building buildworker:", err)
		return 1
	}
	if err := os.Setenv("BUILDWORKER_TEST_PROGRAMS", dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// install puts a version of the program in its place, as a package manager does.
func install(t *testing.T, path, version string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv("BUILDWORKER_TEST_PROGRAMS"), version))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".new", text, 0o700))
	require.NoError(t, os.Rename(path+".new", path))
}

// site is a machine with a Redis, builds, and workers.
type site struct {
	dir     string
	url     string
	socket  string
	program string
	lease   time.Duration
	ids     []string // of the builds, by their numbers
}

func newSite(t *testing.T, lease time.Duration) *site {
	t.Helper()
	server := pgtest.Redis(t, nil)
	s := &site{dir: t.TempDir(), url: "redis+socket://" + server.Socket, socket: server.Socket, lease: lease}
	s.program = filepath.Join(s.dir, "buildworker")
	install(t, s.program, "1")
	require.NoError(t, os.Mkdir(s.path("builds"), 0o700))
	t.Cleanup(func() {
		for _, pid := range s.processes(t) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return s
}

// asks asks Redis, and returns the answer's lines.
func (s *site) asks(t *testing.T, command ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), need.Binary(t, "redis-cli"), append([]string{"-s", s.socket}, command...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func (s *site) path(elem ...string) string { return filepath.Join(append([]string{s.dir}, elem...)...) }

// processes are those with the site's directory in their arguments or environment: workers, shims and builds.
func (s *site) processes(t *testing.T) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		args, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		env, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if bytes.Contains(args, []byte(s.dir)) || bytes.Contains(env, []byte("BUILDWORKER_TEST="+s.dir+"\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// submit asks for builds, which say when they are up, write lines, wait until they may go, and write more.
func (s *site) submit(t *testing.T, n int) {
	t.Helper()
	queue, err := celery.New(celery.Config{URL: s.url, Queues: []string{"builds"}, Lease: s.lease})
	require.NoError(t, err)
	defer func() { require.NoError(t, queue.Close()) }()
	for range n {
		i := len(s.ids)
		script := fmt.Sprintf(`cd %s; echo run >>%d.runs; seq 1 500; >%d.up; while ! [ -e go ]; do sleep 0.05; done; seq 501 1000; echo build %d ends`, s.path("builds"), i, i, i)
		id, err := queue.Send(t.Context(), celery.Task{Name: "build", Args: []any{script}})
		require.NoError(t, err)
		s.ids = append(s.ids, id)
	}
}

func (s *site) log(i int) string {
	var b strings.Builder
	for n := 1; n <= 1000; n++ {
		fmt.Fprintln(&b, n)
	}
	fmt.Fprintf(&b, "build %d ends\n", i)
	return b.String()
}

func (s *site) up(t *testing.T) int {
	t.Helper()
	list, err := filepath.Glob(s.path("builds", "*.up"))
	require.NoError(t, err)
	return len(list)
}

func (s *site) letGo(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(s.path("builds", "go"), nil, 0o600))
}

// start starts a worker on one of the site's machines.
func (s *site) start(t *testing.T, machine string, flags ...string) *exec.Cmd {
	t.Helper()
	log, err := os.OpenFile(s.path(machine+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(t.Context(), s.program, append(s.flags(machine), flags...)...)
	cmd.Env = append(os.Environ(), "BUILDWORKER_TEST="+s.dir)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	return cmd
}

func (s *site) flags(machine string) []string {
	return []string{"-redis", s.url, "-lease", s.lease.String(), "-slots", strconv.Itoa(jobs), "-state", s.path(machine), "-logs", s.path("logs"), "-patience", "100ms"}
}

func (s *site) said(t *testing.T, machine string) string {
	t.Helper()
	text, err := os.ReadFile(s.path(machine + ".log"))
	require.NoError(t, err)
	return string(text)
}

func (s *site) adoptions(t *testing.T, machine, version string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(s.said(t, machine)) {
		if strings.Contains(line, `msg="job adopted"`) && strings.Contains(line, "version="+version+" ") {
			n++
		}
	}
	return n
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !condition(); {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("not after a minute: " + what)
		}
	}
}

// audit: each build has succeeded, was run so often, and its log is whole; nothing is left.
func (s *site) audit(t *testing.T, machine string, runs int) {
	t.Helper()
	for i, id := range s.ids {
		var result struct{ Status string }
		until(t, fmt.Sprintf("build %d has a result", i), func() bool {
			return json.Unmarshal([]byte(s.asks(t, "GET", "celery-task-meta-"+id)[0]), &result) == nil
		})
		require.Equal(t, "SUCCESS", result.Status)
		log, err := os.ReadFile(s.path("logs", id+".log"))
		require.NoError(t, err)
		require.Equal(t, s.log(i), string(log))
		ran, err := os.ReadFile(s.path("builds", strconv.Itoa(i)+".runs"))
		require.NoError(t, err)
		require.Equal(t, strings.Repeat("run\n", runs), string(ran))
	}
	until(t, "the state directory is empty", func() bool {
		entries, err := os.ReadDir(s.path(machine, "jobs"))
		return err == nil && len(entries) == 0
	})
	require.Equal(t, []string{"0"}, s.asks(t, "ZCARD", "ha:leases"))
	require.Equal(t, []string{"0"}, s.asks(t, "LLEN", "ha:dead"))
}

// stop stops a worker that has nothing to do.
func (s *site) stop(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
	until(t, "no process is left", func() bool { return len(s.processes(t)) == 0 })
}

// TestKilled: the worker is killed while 20 builds run. They run on, their leases are kept, no other worker runs them, and the next worker
// takes nothing new before they have left their slots.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Second)
	first := s.start(t, "a")
	s.submit(t, jobs)
	until(t, "all builds are up", func() bool { return s.up(t) == jobs })
	require.NoError(t, first.Process.Kill())
	require.Error(t, first.Wait())
	other := s.start(t, "b")                                   // has free slots, and would take what is not kept
	now, err := strconv.ParseInt(s.asks(t, "TIME")[0], 10, 64) // in seconds
	require.NoError(t, err)
	until(t, "three leases have gone by", func() bool {
		leases := s.asks(t, "ZRANGE", "ha:leases", "0", "-1", "WITHSCORES") // members and scores in turn, the first to run out first
		require.Len(t, leases, 2*jobs)
		until, err := strconv.ParseFloat(leases[1], 64) // milliseconds
		require.NoError(t, err)
		return until > float64(1000*(now+1)+3*s.lease.Milliseconds())
	})
	require.NoError(t, other.Process.Signal(syscall.SIGTERM))
	require.NoError(t, other.Wait())
	require.NotContains(t, s.said(t, "b"), "job starts")

	second := s.start(t, "a")
	until(t, "they are adopted", func() bool { return s.adoptions(t, "a", "1") == jobs })
	s.submit(t, 3)
	require.Equal(t, jobs, s.up(t), "all slots are taken")
	s.letGo(t)
	s.audit(t, "a", 1)
	require.Equal(t, jobs+3, s.up(t))
	s.stop(t, second)
}

// TestUpgraded: a newer program takes the place of the older one while 20 builds run, and goes on with them.
func TestUpgraded(t *testing.T) {
	t.Parallel()
	s := newSite(t, 5*time.Second)
	first := s.start(t, "a")
	s.submit(t, jobs)
	until(t, "all builds are up", func() bool { return s.up(t) == jobs })
	install(t, s.program, "2")
	require.NoError(t, first.Process.Signal(syscall.SIGTERM))
	require.NoError(t, first.Wait(), "leaving builds to the next worker is no failure")
	require.Contains(t, s.said(t, "a"), `msg="builds go on without a worker" version=1 builds=20`)
	second := s.start(t, "a")
	until(t, "they are adopted", func() bool { return s.adoptions(t, "a", "2") == jobs })
	s.letGo(t)
	s.audit(t, "a", 1)
	s.stop(t, second)
}

// TestRebooted: the machine dies with all that runs on it, and comes back. Each build runs once more and has one result.
func TestRebooted(t *testing.T) {
	t.Parallel()
	s := newSite(t, 5*time.Second)
	first := s.start(t, "a")
	s.submit(t, jobs)
	until(t, "all builds are up", func() bool { return s.up(t) == jobs })
	for left := s.processes(t); len(left) > 0; left = s.processes(t) {
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if first.ProcessState == nil {
			require.Error(t, first.Wait())
		}
	}
	s.letGo(t)
	second := s.start(t, "a", "-boot-id", "another")
	s.audit(t, "a", 2)
	require.Equal(t, jobs, strings.Count(s.said(t, "a"), `result="rebooted: the machine was started anew while the job ran"`))
	s.stop(t, second)
}

// result waits for a build's, as it is stored.
func (s *site) result(t *testing.T, id string) (text string) {
	t.Helper()
	until(t, "build "+id+" has a result", func() bool {
		text = s.asks(t, "GET", "celery-task-meta-"+id)[0]
		return strings.HasPrefix(text, "{")
	})
	return text
}

// TestLimit: what a build says after Celery's time limit has ended it is in its log.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, 5*time.Second)
	body, err := json.Marshal([]any{[]any{`trap 'seq 1 3; echo cleaned up; exit 1' TERM; echo up; while :; do sleep 0.05; done`}, map[string]any{}, map[string]any{}})
	require.NoError(t, err)
	message, err := json.Marshal(map[string]any{
		"body": base64.StdEncoding.EncodeToString(body), "content-type": "application/json", "content-encoding": "utf-8",
		"headers":    map[string]any{"task": "build", "id": "limited", "timelimit": []any{1, nil}},
		"properties": map[string]any{"body_encoding": "base64", "delivery_tag": "x"},
	})
	require.NoError(t, err)
	s.asks(t, "LPUSH", "builds", string(message))
	w := s.start(t, "a")
	require.Contains(t, s.result(t, "limited"), `"FAILURE"`)
	log, err := os.ReadFile(s.path("logs", "limited.log"))
	require.NoError(t, err)
	require.Regexp(t, `^up\n(Terminated\n)?1\n2\n3\ncleaned up\n$`, string(log)) // some shells say what became of their sleep
	s.stop(t, w)
}

// TestPoison: what cannot be run is put aside at once, and no ID that somebody has sent leads out of the directory of the logs.
func TestPoison(t *testing.T) {
	t.Parallel()
	s := newSite(t, 5*time.Second)
	require.NoError(t, os.WriteFile(s.path("victim.log"), []byte("precious"), 0o600))
	queue, err := celery.New(celery.Config{URL: s.url, Queues: []string{"builds"}, Lease: s.lease})
	require.NoError(t, err)
	defer func() { require.NoError(t, queue.Close()) }()
	poison := map[string]string{"../victim": "true", "build:7": "true", "huge": "true #" + strings.Repeat("x", 1<<20)}
	for id, script := range poison {
		_, err = queue.Send(t.Context(), celery.Task{Name: "build", ID: id, Args: []any{script}})
		require.NoError(t, err)
	}
	_, err = queue.Send(t.Context(), celery.Task{Name: "build", ID: "good", Args: []any{"true"}})
	require.NoError(t, err)
	w := s.start(t, "a", "-slots", "1")
	require.Contains(t, s.result(t, "good"), `"SUCCESS"`)
	for id := range poison {
		require.Contains(t, s.result(t, id), `"FAILURE"`)
	}
	require.Equal(t, []string{"3"}, s.asks(t, "LLEN", "ha:dead"))
	require.FileExists(t, s.path("victim.log"))
	s.stop(t, w)
}

// TestSecrets: builds get nothing of the worker's environment that may be a secret, and neither that nor the broker's URL is kept on the disk.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Second)
	queue, err := celery.New(celery.Config{URL: s.url, Queues: []string{"builds"}, Lease: s.lease})
	require.NoError(t, err)
	defer func() { require.NoError(t, queue.Close()) }()
	script := fmt.Sprintf("cd %s; env; >0.up; while ! [ -e go ]; do sleep 0.05; done", s.path("builds"))
	_, err = queue.Send(t.Context(), celery.Task{Name: "build", ID: "nosy", Args: []any{script}})
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), s.program, s.flags("a")[2:]...) // without -redis
	cmd.Env = append(os.Environ(), "BUILDWORKER_TEST="+s.dir, "BUILDWORKER_REDIS="+s.url, "DATABASE_PASSWORD=hunter2")
	require.NoError(t, cmd.Start())
	until(t, "the build is up", func() bool { return s.up(t) == 1 })
	spec, err := os.ReadFile(s.path("a", "jobs", "nosy", "spec.json"))
	require.NoError(t, err)
	s.letGo(t)
	require.Contains(t, s.result(t, "nosy"), `"SUCCESS"`)
	log, err := os.ReadFile(s.path("logs", "nosy.log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "PATH=")
	for _, secret := range []string{"hunter2", s.socket} {
		require.NotContains(t, string(log), secret)
		require.NotContains(t, string(spec), secret)
	}
	s.stop(t, cmd)
}

// TestRunit: the shipped service under the real runsv. sv kills the worker; builds run on.
func TestRunit(t *testing.T) {
	t.Parallel()
	runsv, sv := need.Binary(t, "runsv"), need.Binary(t, "sv")
	s := newSite(t, 5*time.Second)
	service := s.path("buildworker.service")
	require.NoError(t, os.Mkdir(service, 0o700))
	text, err := os.ReadFile("runit/buildworker/run")
	require.NoError(t, err)
	line := "exec chpst -u buildworker /usr/bin/buildworker"
	require.Contains(t, string(text), line)
	script := strings.ReplaceAll(string(text), line, "exec "+s.program+" "+strings.Join(s.flags("a"), " ")+" 2>>"+s.path("a.log"))
	require.NoError(t, os.WriteFile(filepath.Join(service, "run"), []byte(script), 0o700))
	cmd := exec.CommandContext(t.Context(), runsv, service)
	cmd.Env = append(os.Environ(), "BUILDWORKER_TEST="+s.dir)
	require.NoError(t, cmd.Start())
	control := func(args ...string) {
		out, err := exec.CommandContext(t.Context(), sv, append(args, service)...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	s.submit(t, jobs)
	until(t, "all builds are up", func() bool { return s.up(t) == jobs })
	control("-w", "30", "restart")
	until(t, "they are adopted", func() bool { return s.adoptions(t, "a", "1") == jobs })
	control("-w", "30", "force-restart")
	until(t, "they are adopted again", func() bool { return s.adoptions(t, "a", "1") == 2*jobs })
	s.letGo(t)
	s.audit(t, "a", 1)
	control("-w", "30", "exit")
	require.NoError(t, cmd.Wait())
	until(t, "no process is left", func() bool { return len(s.processes(t)) == 0 })
}

// TestSoakKilledAtRandom: the worker is killed again and again while builds come and go, ten times or as long as HA_SOAK says. Shims are left alone, so that no
// build has a reason to run twice.
func TestSoakKilledAtRandom(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Second)
	s.letGo(t)
	rounds, until := 10, time.Time{}
	if text := os.Getenv("HA_SOAK"); text != "" {
		d, err := time.ParseDuration(text)
		require.NoError(t, err)
		rounds, until = 1<<30, time.Now().Add(d)
	}
	for n := 0; n < rounds && (until.IsZero() || time.Now().Before(until)); n++ {
		s.submit(t, 4)
		w := s.start(t, "a")
		select {
		case <-time.After(time.Duration(rand.IntN(300)) * time.Millisecond):
		case <-t.Context().Done():
		}
		require.NoError(t, w.Process.Kill())
		require.Error(t, w.Wait())
	}
	last := s.start(t, "a")
	s.audit(t, "a", 1)
	s.stop(t, last)
}
