// Package sdnotify tells systemd how a process is, by the protocol of sd_notify(3), without systemd's library: that it is ready,
// reloads, stops, what is still open, that it needs more time, and that it is alive.
//
//	drain.Main(ctx, drain.Config{Beside: []drain.Service{&sdnotify.Notifier{}}}, httpdrain.Server(srv))
//
// with, in the unit,
//
//	[Service]
//	Type=notify
//	TimeoutStopSec=20s
//	WatchdogSec=30s
//
// Where NOTIFY_SOCKET is not set (no systemd, or Type=simple), a Notifier does nothing. It tells
//
//   - READY=1 when the process is ready, and STOPPING=1 when it is told to stop;
//   - STATUS= with each state, and each second while it leaves, what is open: systemctl status shows it;
//   - EXTEND_TIMEOUT_USEC= each second while it leaves and something is open or under way, so that TimeoutStopSec may be short and still no
//     upload is killed: the drain's own deadline ends that;
//   - WATCHDOG=1 twice in each WatchdogSec, if that is set;
//   - RELOADING=1 with MONOTONIC_USEC=, and READY=1 again, around what [Notifier.Reload] is given (Type=notify-reload).
package sdnotify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// Notifier is a drain.Service, for drain.Config.Beside; or attached to a drain.Drainer, after Listen, by programs that have a main of
// their own. Its zero value reads the environment. Its methods are safe for concurrent use.
type Notifier struct {
	// Socket is used instead of NOTIFY_SOCKET if it is not empty: an absolute path, or @ and a name for an abstract socket.
	Socket string
	// Alive is asked before each WATCHDOG=1; an error withholds it, and is logged, so that systemd restarts the process when that goes
	// on for WatchdogSec. nil is alive for as long as goroutines are scheduled. It must return within half of WatchdogSec.
	Alive func() error
	// Log gets what could not be sent; nil discards it.
	Log *slog.Logger

	mu       sync.Mutex
	conn     *net.UnixConn // nil: there is nobody to tell
	listened bool
	interval time.Duration // of the watchdog; 0: there is none
	failed   bool          // the latest message was not sent, and the log has it
	done     chan struct{} // closed by Shutdown
}

const (
	// extension is how much more time is asked for each second: systemd kills when it has heard nothing for so long (sd_notify(3)).
	extension = 15 * time.Second
	// patience bounds a message: systemd's queue may be full.
	patience = time.Second
	// mostStatus bounds a status, in bytes: systemd ignores messages of more than 4096 (NOTIFY_BUFFER_MAX, src/core/manager.c).
	mostStatus = 1024
)

func (n *Notifier) String() string { return "sd_notify" }

// Attach makes the notifier tell what becomes of a process.
func (n *Notifier) Attach(d *drain.Drainer) error {
	if err := n.Listen(); err != nil { // now, so that the unit fails and does not wait for READY=1
		return err
	}
	d.Observe(n)
	return nil
}

// Listen reads the environment and opens the socket. It does so once.
func (n *Notifier) Listen() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listened {
		return nil
	}
	if n.Log == nil {
		n.Log = slog.New(slog.DiscardHandler)
	}
	socket, from := n.Socket, "Socket"
	if socket == "" {
		socket, from = os.Getenv("NOTIFY_SOCKET"), "NOTIFY_SOCKET"
	}
	if socket != "" {
		if len(socket) < 2 || socket[0] != '/' && socket[0] != '@' {
			return fmt.Errorf("sdnotify: %s is %q: neither the absolute path of a unix socket nor @ and the name of an abstract one; unset it if systemd does not start this process", from, socket)
		}
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			var op *net.OpError
			if errors.As(err, &op) {
				err = op.Err // that says neither more than the sentence here
			}
			return fmt.Errorf("sdnotify: %s is %q: %w; unset it if systemd does not start this process", from, socket, err)
		}
		n.conn = conn
		if n.interval, err = watchdog(); err != nil {
			_ = conn.Close()
			n.conn = nil
			return err
		}
	}
	n.listened, n.done = true, make(chan struct{})
	return nil
}

// watchdog is how often to say that the process is alive: WATCHDOG_USEC, if it is meant for this process (sd_watchdog_enabled(3)).
func watchdog() (time.Duration, error) {
	text := os.Getenv("WATCHDOG_USEC")
	if text == "" {
		return 0, nil
	}
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	usec, err := strconv.ParseInt(text, 10, 64)
	if err != nil || usec <= 0 || usec > int64(1<<62/time.Microsecond) {
		return 0, fmt.Errorf("sdnotify: WATCHDOG_USEC is %q: not a number of microseconds", text)
	}
	return max(time.Duration(usec)*time.Microsecond/2, time.Millisecond), nil
}

// Enabled reports whether there is somebody to tell.
func (n *Notifier) Enabled() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conn != nil
}

// Notify sends variables, such as "STATUS=compacting", in one message. It does nothing if there is nobody to tell.
func (n *Notifier) Notify(variables ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		return nil
	}
	for i, v := range variables {
		if name, _, ok := strings.Cut(v, "="); !ok || name == "" {
			return fmt.Errorf("sdnotify: variable %d is %q: it has no name=", i, v)
		}
		if strings.ContainsAny(v, "\n\x00") {
			return fmt.Errorf("sdnotify: variable %d is %q: lines end variables", i, v)
		}
	}
	_ = n.conn.SetWriteDeadline(time.Now().Add(patience))
	if _, err := n.conn.Write([]byte(strings.Join(variables, "\n"))); err != nil {
		return fmt.Errorf("sdnotify: telling systemd: %w", err)
	}
	return nil
}

// tell is Notify for those who cannot do anything about an error.
func (n *Notifier) tell(variables ...string) {
	err := n.Notify(variables...)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil && !n.failed {
		n.Log.Warn("sdnotify: not sent", "err", err) // once, not each second
	}
	n.failed = err != nil
}

// Observe tells what becomes of the process.
func (n *Notifier) Observe(p drain.Progress) {
	if !n.Enabled() {
		return
	}
	variables := []string{statusIs(status(p))}
	switch p.State {
	case drain.Ready:
		variables = append(variables, "READY=1")
	case drain.LameDuck, drain.Draining, drain.Stopped:
		variables = append(variables, "STOPPING=1") // again each time: the first may not have been sent
		if p.State != drain.Stopped && (len(p.Open) > 0 || p.Phase != "") {
			variables = append(variables, "EXTEND_TIMEOUT_USEC="+microseconds(extension))
		}
	}
	n.tell(variables...)
}

func status(p drain.Progress) string {
	text := p.State.String()
	if p.State < drain.LameDuck {
		return text
	}
	if p.Phase != "" && p.Phase != text {
		text += " (" + p.Phase + ")"
	}
	text += ": " + p.String()
	if p.Cause != nil {
		text += "; cause: " + p.Cause.Error()
	}
	return text
}

// statusIs is the variable STATUS of a text that may come from anywhere: of one line and of a length that leaves room for others.
func statusIs(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }), " ")
	if len(text) > mostStatus {
		text = strings.ToValidUTF8(text[:mostStatus], "") + "…" // a rune that was cut
	}
	return "STATUS=" + text
}

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

// Reload tells that the process reloads its configuration, calls f, and tells that it is ready again, whether f succeeded or not: it
// returns its error. It is for the caller's SIGHUP handler.
func (n *Notifier) Reload(f func() error) error {
	now, err := monotonic()
	if err == nil {
		err = n.Notify("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(now, 10), "STATUS=reloading")
	}
	failed := f()
	what := "ready"
	if failed != nil {
		what += ", not reloaded: " + failed.Error()
	}
	return errors.Join(failed, err, n.Notify("READY=1", statusIs(what)))
}

// Serve keeps the watchdog quiet until Shutdown. It begins at once: systemd does not count before READY=1.
func (n *Notifier) Serve() error {
	if err := n.Listen(); err != nil {
		return err
	}
	var ticks <-chan time.Time // never, without a watchdog
	if n.interval > 0 {
		t := time.NewTicker(n.interval)
		defer t.Stop()
		ticks = t.C
		n.alive()
	}
	for {
		select {
		case <-ticks:
			n.alive()
		case <-n.done:
			return nil
		}
	}
}

func (n *Notifier) alive() {
	if n.Alive != nil {
		if err := n.Alive(); err != nil {
			n.Log.Warn("sdnotify: the watchdog is not told", "err", err)
			return
		}
	}
	n.tell("WATCHDOG=1")
}

// Shutdown ends Serve and closes the socket.
func (n *Notifier) Shutdown(context.Context) error {
	if err := n.Listen(); err != nil {
		return nil // it has told nobody anything
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.done:
		return nil
	default:
	}
	close(n.done)
	if n.conn != nil {
		_ = n.conn.Close()
		n.conn = nil
	}
	return nil
}
