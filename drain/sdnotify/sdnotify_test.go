package sdnotify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// systemd stands for it: a socket that is told.
type systemd struct {
	t *testing.T
	*net.UnixConn
}

func listen(t *testing.T, name string) *systemd {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
	t.Setenv("NOTIFY_SOCKET", name)
	return &systemd{t, conn}
}

func inDir(t *testing.T) *systemd { return listen(t, filepath.Join(t.TempDir(), "notify")) }

// heard is the next message, as variables.
func (s *systemd) heard() map[string]string {
	s.t.Helper()
	b := make([]byte, 4096)
	n, err := s.Read(b)
	require.NoError(s.t, err)
	variables := map[string]string{}
	for line := range strings.SplitSeq(string(b[:n]), "\n") {
		name, value, ok := strings.Cut(line, "=")
		require.True(s.t, ok, line)
		variables[name] = value
	}
	return variables
}

type some struct{}

func (some) Open() []drain.Open {
	return []drain.Open{{Kind: "request", Count: 12, Oldest: time.Now().Add(-34 * time.Second), What: "POST /que\nry"}}
}

// TestLife: what systemd hears of a process from its start to its end.
func TestLife(t *testing.T) {
	s := inDir(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	n := &Notifier{}
	var r reporter
	r.Context, r.stop = context.WithCancel(t.Context())
	leave := make(chan struct{})
	go func() {
		ended <- drain.Main(ctx, drain.Config{LameDuck: time.Nanosecond, Beside: []drain.Service{n, r}, Phases: []drain.Phase{{Name: "uploads", Stop: func(context.Context) error {
			<-leave
			return nil
		}}}})
	}()
	require.Equal(t, map[string]string{"READY": "1", "STATUS": "ready"}, s.heard())
	cancel(errors.New("a new\nversion"))
	const open = `12 requests, oldest 34 s: POST /que\nry; cause: a new version`
	require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "lame duck: " + open, "EXTEND_TIMEOUT_USEC": "15000000"}, s.heard())
	require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "draining: " + open, "EXTEND_TIMEOUT_USEC": "15000000"}, s.heard())
	require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "draining (uploads): " + open, "EXTEND_TIMEOUT_USEC": "15000000"}, s.heard(), "a second later")
	close(leave)
	require.EqualError(t, <-ended, "a new\nversion")
	require.False(t, n.Enabled())
	require.NoError(t, n.Shutdown(t.Context()), "again")
}

// reporter is a service that has something open.
type reporter struct {
	context.Context
	stop context.CancelFunc
}

func (reporter) Attach(d *drain.Drainer) error    { d.Report(some{}); return nil }
func (r reporter) Serve() error                   { <-r.Done(); return nil }
func (r reporter) Shutdown(context.Context) error { r.stop(); return nil }

// TestNothingOpen: no more time is asked for when there is nothing to do with it.
func TestNothingOpen(t *testing.T) {
	s := inDir(t)
	n := &Notifier{}
	require.NoError(t, n.Listen())
	n.Observe(drain.Progress{State: drain.Stopped})
	require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "stopped: nothing open"}, s.heard())
	n.Observe(drain.Progress{State: drain.Draining, Phase: "database"})
	require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "draining (database): nothing open", "EXTEND_TIMEOUT_USEC": "15000000"}, s.heard())
	n.Observe(drain.Progress{State: drain.Starting})
	require.Equal(t, map[string]string{"STATUS": "starting"}, s.heard())
}

// TestAbstract: sockets without a file, as in containers.
func TestAbstract(t *testing.T) {
	s := listen(t, "@ha-go-sdnotify-"+strconv.Itoa(os.Getpid()))
	n := &Notifier{}
	require.NoError(t, n.Listen())
	require.NoError(t, n.Notify("STATUS=here"))
	require.Equal(t, map[string]string{"STATUS": "here"}, s.heard())
}

// TestReload: the time is that of CLOCK_MONOTONIC, between two readings of our own, and the unit is ready again even if the reload failed.
func TestReload(t *testing.T) {
	s := inDir(t)
	n := &Notifier{}
	require.NoError(t, n.Listen())
	before := uptime(t)
	called := false
	require.EqualError(t, n.Reload(func() error { called = true; return errors.New("line 3:\nwrong") }), "line 3:\nwrong")
	require.True(t, called)
	heard := s.heard()
	usec, err := strconv.ParseInt(heard["MONOTONIC_USEC"], 10, 64)
	require.NoError(t, err)
	require.GreaterOrEqual(t, usec, before)
	require.LessOrEqual(t, usec, uptime(t))
	delete(heard, "MONOTONIC_USEC")
	require.Equal(t, map[string]string{"RELOADING": "1", "STATUS": "reloading"}, heard)
	require.Equal(t, map[string]string{"READY": "1", "STATUS": "ready, not reloaded: line 3: wrong"}, s.heard())
	require.NoError(t, n.Reload(func() error { return nil }))
	s.heard()
	require.Equal(t, map[string]string{"READY": "1", "STATUS": "ready"}, s.heard())
}

// uptime is CLOCK_MONOTONIC as Python tells it.
func uptime(t *testing.T) int64 {
	t.Helper()
	out, err := exec.Command(need.Python(t, "time"), "-c", "import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)").Output()
	require.NoError(t, err)
	usec, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	require.NoError(t, err)
	return usec
}

// TestWatchdog: it is told while the process is well, not when it is not, and not if it is meant for another process.
func TestWatchdog(t *testing.T) {
	s := inDir(t)
	t.Setenv("WATCHDOG_USEC", "4000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	asked := make(chan struct{})
	n := &Notifier{Alive: func() error {
		select {
		case <-asked: // closed: from now on it is ill
			return errors.New("the queue is stuck")
		default:
			return nil
		}
	}}
	require.NoError(t, n.Listen())
	require.Equal(t, 2*time.Millisecond, n.interval)
	ended := make(chan error, 1)
	go func() { ended <- n.Serve() }()
	for range 5 {
		require.Equal(t, map[string]string{"WATCHDOG": "1"}, s.heard())
	}
	close(asked)
	for n.tryRead(s) { // what was under way
	}
	require.NoError(t, n.Shutdown(t.Context()))
	require.NoError(t, <-ended)

	t.Setenv("WATCHDOG_PID", "1")
	other := &Notifier{}
	require.NoError(t, other.Listen())
	require.Zero(t, other.interval)
	t.Setenv("WATCHDOG_PID", "")
	for _, bad := range []string{"soon", "-1", "0", "9223372036854775807"} {
		t.Setenv("WATCHDOG_USEC", bad)
		require.EqualError(t, (&Notifier{}).Listen(), fmt.Sprintf("sdnotify: WATCHDOG_USEC is %q: not a number of microseconds", bad))
	}
}

// tryRead reports whether a message comes within ten of the watchdog's intervals.
func (n *Notifier) tryRead(s *systemd) bool {
	_ = s.SetReadDeadline(time.Now().Add(10 * n.interval))
	_, err := s.Read(make([]byte, 4096))
	return err == nil
}

// TestNobodyToTell: without systemd nothing happens, and a wrong address is one error, before the process is ready.
func TestNobodyToTell(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n := &Notifier{}
	require.NoError(t, n.Listen())
	require.NoError(t, n.Notify("READY=1"))
	require.NoError(t, n.Reload(func() error { return nil }))
	n.Observe(drain.Progress{State: drain.Ready})
	missing := filepath.Join(t.TempDir(), "none")
	for socket, want := range map[string]string{
		"relative":  `sdnotify: NOTIFY_SOCKET is "relative": neither the absolute path of a unix socket nor @ and the name of an abstract one; unset it if systemd does not start this process`,
		"vsock:2:1": `sdnotify: NOTIFY_SOCKET is "vsock:2:1": neither the absolute path of a unix socket nor @ and the name of an abstract one; unset it if systemd does not start this process`,
		"/":         `sdnotify: NOTIFY_SOCKET is "/": neither the absolute path of a unix socket nor @ and the name of an abstract one; unset it if systemd does not start this process`,
		missing:     `sdnotify: NOTIFY_SOCKET is "` + missing + `": connect: no such file or directory; unset it if systemd does not start this process`,
	} {
		t.Setenv("NOTIFY_SOCKET", socket)
		require.EqualError(t, (&Notifier{}).Listen(), want)
		require.EqualError(t, drain.Main(t.Context(), drain.Config{Beside: []drain.Service{&Notifier{}}}), "sd_notify: "+want)
	}
}

// TestBadVariables would be read as others.
func TestBadVariables(t *testing.T) {
	inDir(t)
	n := &Notifier{}
	require.NoError(t, n.Listen())
	require.EqualError(t, n.Notify("STATUS=a\nMAINPID=1"), `sdnotify: variable 0 is "STATUS=a\nMAINPID=1": lines end variables`)
	require.EqualError(t, n.Notify("READY"), `sdnotify: variable 0 is "READY": it has no name=`)
}

// TestSystemdIsGone: what cannot be sent is logged once.
func TestSystemdIsGone(t *testing.T) {
	s := inDir(t)
	var log bytes.Buffer
	n := &Notifier{Log: slog.New(slog.NewTextHandler(&log, nil))}
	require.NoError(t, n.Listen())
	require.NoError(t, s.Close())
	for range 3 {
		n.Observe(drain.Progress{State: drain.Ready})
	}
	require.Equal(t, 1, strings.Count(log.String(), "not sent"))
}

// TestSystemdsOwn: systemd-notify says ready and stopping in the words that we use.
func TestSystemdsOwn(t *testing.T) {
	program := need.Binary(t, "systemd-notify")
	s := inDir(t)
	out, err := exec.Command(program, "--no-block", "--ready", "--status=ready").CombinedOutput()
	require.NoError(t, err, string(out))
	theirs := s.heard()
	for name := range theirs {
		if name != "READY" && name != "STATUS" {
			delete(theirs, name) // MAINPID
		}
	}
	n := &Notifier{}
	require.NoError(t, n.Listen())
	n.Observe(drain.Progress{State: drain.Ready})
	require.Equal(t, theirs, s.heard())
}

// TestStatusOfAnything: what an error says, and at what length, keeps READY=1 and STOPPING=1 from nobody.
func TestStatusOfAnything(t *testing.T) {
	s := inDir(t)
	n := &Notifier{}
	require.NoError(t, n.Listen())
	for text, want := range map[string]string{
		"line 3:\na \x00 byte\x1b[2J": "line 3: a byte [2J",
		"not \xff UTF-8":              "not \uFFFD UTF-8",
	} {
		bad := errors.New(text)
		require.Equal(t, bad.Error(), n.Reload(func() error { return bad }).Error())
		s.heard()
		require.Equal(t, map[string]string{"READY": "1", "STATUS": "ready, not reloaded: " + want}, s.heard())
		n.Observe(drain.Progress{State: drain.LameDuck, Cause: bad})
		require.Equal(t, map[string]string{"STOPPING": "1", "STATUS": "lame duck: nothing open; cause: " + want}, s.heard())
	}
	long := errors.New(strings.Repeat("é", 10_000))
	require.ErrorIs(t, n.Reload(func() error { return long }), long)
	s.heard()
	text := s.heard()["STATUS"]
	require.Regexp(t, `^ready, not reloaded: é+…$`, text)
	require.InDelta(t, mostStatus, len(text), 4)
	n.Observe(drain.Progress{State: drain.LameDuck, Phase: "uploads", Cause: long})
	require.InDelta(t, mostStatus, len(s.heard()["STATUS"]), 4)
}
