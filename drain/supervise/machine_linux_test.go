package supervise

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// TestFullDisk runs in a mount namespace of its own, on a file system in memory that is small.
func TestFullDisk(t *testing.T) {
	if os.Getenv("SUPERVISE_TEST_MOUNT") == "" {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestFullDisk$", "-test.v", "-test.timeout=2m")
		cmd.Env = append(os.Environ(), "SUPERVISE_TEST_MOUNT=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, fs.ErrPermission) {
			need.Missing(t, "a mount namespace (%v)", err)
		}
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "--- PASS: TestFullDisk/")
		return
	}
	const size = 1 << 20
	disk := t.TempDir()
	require.NoError(t, syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""))
	require.NoError(t, syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", size)))
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(disk, syscall.MNT_DETACH)) })
	filler := filepath.Join(disk, "filler")
	fill := func(t *testing.T) {
		f, err := os.OpenFile(filler, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		require.NoError(t, err)
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.NoError(t, f.Close())
	}
	empty := func(t *testing.T) { require.NoError(t, os.Remove(filler)) }
	cfg := Config{Dir: filepath.Join(disk, "state")}

	t.Run("nothing starts", func(t *testing.T) {
		s, _ := open(t, cfg)
		fill(t)
		_, err := s.Start(t.Context(), Spec{ID: "full-start", Args: []string{"true"}})
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Empty(t, s.Jobs())
		for _, dir := range []string{jobsDir, freshDir, trashDir} {
			require.Empty(t, names(t, s.path(dir)))
		}
		empty(t)
		same(t, Result{Outcome: Exited}, end(t, start(t, s, "full-start", "true")))
	})

	t.Run("what runs, ends", func(t *testing.T) {
		s, _ := open(t, cfg)
		dir := t.TempDir()
		j := start(t, s, "full-run", "echo up; while ! [ -e go ]; do sleep 0.01; done; seq 1 10000; exit 3", func(spec *Spec) { spec.Dir = dir })
		untilUp(t, j)
		fill(t)
		defer empty(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
		r := end(t, j)
		require.Equal(t, Exited, r.Outcome)
		require.Equal(t, 3, r.Code)
		require.FileExists(t, j.path(exitFile), "in the space that was reserved")
		info, err := os.Stat(j.path(logFile))
		require.NoError(t, err)
		require.Positive(t, r.LogLost)
		require.Equal(t, int64(len("up\n")+48894), info.Size()+r.LogLost, "each byte is written or counted")
		require.NoError(t, s.Close())
		s, jobs := open(t, cfg)
		for _, again := range jobs {
			if again.ID() == j.ID() {
				require.Equal(t, r, end(t, again), "the end is on the disk, though that is full")
				require.NoError(t, again.Done(t.Context()))
			}
		}
		require.NoError(t, s.Close())
	})

	t.Run("the log says where it has a hole", func(t *testing.T) {
		s, _ := open(t, cfg)
		dir := t.TempDir()
		j := start(t, s, "full-hole", "echo up; while ! [ -e go ]; do sleep 0.01; done; seq 1 10000; >lost; while ! [ -e on ]; do sleep 0.01; done; echo after", func(spec *Spec) { spec.Dir = dir })
		untilUp(t, j)
		fill(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
		until(t, "it has written into the full disk", func() bool { return exists(filepath.Join(dir, "lost")) })
		// What is in the pipe is not lost yet: the shim has to have seen the error.
		until(t, "the shim has read it", func() bool { return pipeIsEmpty(t, j) })
		empty(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "on"), nil, 0o600))
		r := end(t, j)
		require.Equal(t, Exited, r.Outcome)
		require.Regexp(t, regexp.MustCompile(fmt.Sprintf(`(?s)^up\n1\n2\n.*\n\[supervise: %d bytes are missing here: .*no space left on device\]\nafter\n$`, r.LogLost)), logOf(t, j))
		require.NoError(t, j.Done(t.Context()))
	})

	t.Run("an end that cannot be recorded is told", func(t *testing.T) {
		s, _ := open(t, cfg)
		dir := t.TempDir()
		j := start(t, s, "full-end", "echo up; while ! [ -e go ]; do sleep 0.01; done; exit 3", func(spec *Spec) { spec.Dir = dir })
		untilUp(t, j)
		require.NoError(t, os.Remove(j.path(exitFile+".tmp"))) // as if nothing had been reserved
		fill(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
		same(t, Result{Outcome: Exited, Code: 3}, end(t, j))
		require.NoFileExists(t, j.path(exitFile))
		require.True(t, func() bool { r := shimOf(t, j); return r.alive(s.boot) }(), "it keeps the result")
		empty(t)
		until(t, "it is recorded when there is room", func() bool { return exists(j.path(exitFile)) })
		require.NoError(t, j.Done(t.Context()))
	})
}

// pipeIsEmpty tells whether the shim of a job has read all there was: whether it sleeps.
func pipeIsEmpty(t *testing.T, j *Job) bool {
	t.Helper()
	var first processRecord
	require.NoError(t, readRecord(j.path(jobFile), &first))
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/1", first.PID), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	raw, err := f.SyscallConn()
	require.NoError(t, err)
	n := 0
	require.NoError(t, raw.Control(func(fd uintptr) { n = unread(fd) }))
	return n == 0
}

// unread is how many bytes there are in a pipe (FIONREAD, pipe(7)).
func unread(fd uintptr) int {
	var n int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, 0x541B, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return -1
	}
	return int(n)
}

// TestPeer: others than the job's user and root are not answered, even if they get at the socket.
func TestPeer(t *testing.T) {
	require.NoError(t, allowed(1000, 1000))
	require.NoError(t, allowed(0, 1000))
	require.EqualError(t, allowed(1001, 1000), "the other end belongs to user 1001, this is user 1000")
	require.EqualError(t, allowed(1001, 0), "the other end belongs to user 1001, this is user 0")
	if os.Geteuid() != 0 {
		return // only root can be somebody else
	}
	s, _ := open(t, Config{Dir: t.TempDir()})
	j := start(t, s, "peer", "echo up; sleep 1000")
	untilUp(t, j)
	dial := func(uid uint32) string {
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
		cmd.Env = append(os.Environ(), "SUPERVISE_TEST_DIAL="+j.dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	require.Contains(t, dial(65534), "permission denied", "the directory is private")
	for dir := j.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		require.NoError(t, os.Chmod(dir, 0o755))
	}
	require.NoError(t, os.Chmod(j.path(sockFile), 0o777))
	require.Equal(t, "the other end belongs to user 65534, this is user 0", dial(65534))
	require.False(t, j.over())
	require.Equal(t, "answered", dial(0))
	require.Equal(t, Stopped, end(t, j).Outcome)
}

// dialAs is what the process of TestPeer does.
func dialAs(dir string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := dial(ctx, dir)
	if err != nil {
		return err.Error()
	}
	defer c.close()
	if _, err = c.call(ctx, request{Op: opStop}); err != nil {
		return err.Error()
	}
	return "answered"
}

// TestProtocol: what a shim answers to nonsense, and that this harms nobody.
func TestProtocol(t *testing.T) {
	s, _ := open(t, Config{Dir: t.TempDir()})
	j := start(t, s, "protocol", "echo up; sleep 1000")
	untilUp(t, j)
	say := func(text string) string {
		path, release, err := socketPath(j.dir)
		require.NoError(t, err)
		defer release()
		conn, err := net.Dial("unix", path)
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		_, _ = conn.Write([]byte(text))
		buf := make([]byte, 1000)
		n, _ := conn.Read(buf)
		return string(buf[:n])
	}
	require.Equal(t, `{"v":1,"error":"the shim speaks version 1, which has no operation \"dance\""}`+"\n", say(`{"v":9,"op":"dance"}`+"\n"))
	require.Equal(t, `{"v":1,"error":"the job has not ended"}`+"\n", say(`{"v":1,"op":"done","unknown":[1]}`+"\n"))
	require.Equal(t, `{"v":1,"size_bytes":3}`+"\n", say(`{"v":1,"op":"log"}`+"\n"))
	require.Empty(t, say("GET / HTTP/1.0\n"), "hung up")
	require.Empty(t, say(strings.Repeat("x", 100_000)), "hung up")
	require.Equal(t, `{"v":1}`+"\n", say(`{"v":1,"op":"stop","grace_ms":60000}`+"\n"))
	same(t, Result{Outcome: Stopped, Code: -1, Signal: 15}, end(t, j))
}

// TestManyJobs: 200 at once, and what a shim costs. (Here it is the test's binary; the README says it of a small program.)
func TestManyJobs(t *testing.T) {
	const many = 200
	dir := t.TempDir()
	s, _ := open(t, Config{Dir: t.TempDir(), Slots: many})
	var jobs []*Job
	for i := range many {
		jobs = append(jobs, start(t, s, fmt.Sprint("many-", i), "echo up; while ! [ -e go ]; do sleep 0.2; done", func(spec *Spec) { spec.Dir = dir }))
	}
	var rss, pss int64
	for _, j := range jobs {
		untilUp(t, j)
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", shimOf(t, j).PID))
		require.NoError(t, err)
		rss += kilobytes(t, string(text), "Rss")
		pss += kilobytes(t, string(text), "Pss")
	}
	t.Logf("a shim has %d kB resident, of which %d kB are its own share", rss/many, pss/many)
	require.Less(t, rss/many, int64(40_000), "with -race it is 26,000, else 9,000")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go"), nil, 0o600))
	for _, j := range jobs {
		same(t, Result{Outcome: Exited}, end(t, j))
		require.NoError(t, j.Done(t.Context()))
	}
}

func kilobytes(t *testing.T, text, what string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + what + `:\s+(\d+) kB$`).FindStringSubmatch(text)
	require.NotNil(t, m, text)
	n, err := strconv.ParseInt(m[1], 10, 64)
	require.NoError(t, err)
	return n
}

// TestNothingLeaks: a supervisor that is closed has no goroutine and no file open.
func TestNothingLeaks(t *testing.T) {
	count := func() (goroutines, files int) { return runtime.NumGoroutine(), len(names(t, "/proc/self/fd")) }
	run := func() {
		s, err := New(Config{Dir: t.TempDir()})
		require.NoError(t, err)
		_, err = s.Adopt(t.Context())
		require.NoError(t, err)
		for i := range 5 {
			j := start(t, s, fmt.Sprint("leak-", i), "echo up; sleep 1000")
			r, err := j.Log(t.Context(), 0)
			require.NoError(t, err)
			_, err = r.Read(make([]byte, 10))
			require.NoError(t, err)
			require.NoError(t, r.Close())
			if i > 0 {
				require.NoError(t, j.Kill(t.Context()))
				end(t, j)
			}
		}
		require.NoError(t, s.Close())
		sweep(t, "leak-0")
	}
	run()
	g, f := count()
	run()
	until(t, "as many goroutines and files as before", func() bool { g2, f2 := count(); return g2 <= g && f2 <= f })
}
