package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Activation is the sockets that systemd, or another manager that speaks its protocol, has opened for this process
// (sd_listen_fds(3), systemd.socket(5)). They stay open while the process is replaced, so that clients wait instead of being refused.
// Its methods are safe for concurrent use; those of a nil Activation find nothing.
type Activation struct {
	mu   sync.Mutex
	left map[string][]*os.File // by name, in order; what has been taken is gone
}

const firstFD = 3 // SD_LISTEN_FDS_START

// Activated takes the sockets that the environment names (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), and removes these variables, so
// that neither children nor a second call take them for theirs. It returns nil when there are none.
func Activated() (*Activation, error) {
	names, err := inherited(os.Getenv, os.Getpid())
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	if len(names) == 0 || err != nil {
		return nil, err
	}
	a := &Activation{left: map[string][]*os.File{}}
	for i, name := range names {
		fd := firstFD + i
		syscall.CloseOnExec(fd)
		a.left[name] = append(a.left[name], os.NewFile(uintptr(fd), name))
	}
	return a, nil
}

// inherited are the names of the sockets that the environment has for a process.
func inherited(env func(string) string, pid int) ([]string, error) {
	if env("LISTEN_FDS") == "" || env("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil // not for us: a parent's
	}
	n, err := strconv.Atoi(env("LISTEN_FDS"))
	if err != nil || n < 0 || n > 1<<16 {
		return nil, fmt.Errorf("listen: LISTEN_FDS is %q: not a number of sockets", env("LISTEN_FDS"))
	}
	names := slices.Repeat([]string{"unknown"}, n) // sd_listen_fds_with_names(3)
	if text := env("LISTEN_FDNAMES"); text != "" {
		names = strings.Split(text, ":")
		if len(names) != n {
			return nil, fmt.Errorf("listen: LISTEN_FDNAMES names %d sockets, %q, but LISTEN_FDS says %d", len(names), names, n)
		}
	}
	return names, nil
}

// Names are those of the sockets that have not been taken, sorted: what FileDescriptorName= of the units says, by default the units' names.
func (a *Activation) Names() []string {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names()
}

// ErrNone is returned for a name that the sockets do not have, and when the process was not started by socket activation at all.
var ErrNone = errors.New("no such socket from systemd")

// Listener takes the listener of a name, the next one if there are several. The error is ErrNone, or says what else the socket is.
func (a *Activation) Listener(name string) (net.Listener, error) {
	return take(a, name, net.FileListener)
}

// PacketConn is Listener for datagram sockets.
func (a *Activation) PacketConn(name string) (net.PacketConn, error) {
	return take(a, name, net.FilePacketConn)
}

func take[T any](a *Activation, name string, open func(*os.File) (T, error)) (T, error) {
	var none T
	if a == nil {
		return none, fmt.Errorf("listen: %q: %w: the process was not started by socket activation", name, ErrNone)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	files := a.left[name]
	if len(files) == 0 {
		return none, fmt.Errorf("listen: %q: %w; there are %v", name, ErrNone, a.names())
	}
	v, err := open(files[0]) // a duplicate
	if err != nil {
		return none, fmt.Errorf("listen: socket %q (file descriptor %d): %w", name, files[0].Fd(), err)
	}
	_ = files[0].Close()
	a.left[name] = files[1:]
	if len(files) == 1 {
		delete(a.left, name)
	}
	return v, nil
}

func (a *Activation) names() []string {
	var names []string
	for name, files := range a.left {
		names = append(names, slices.Repeat([]string{name}, len(files))...)
	}
	slices.Sort(names)
	return names
}

// Close closes what has not been taken: a socket that nobody accepts from keeps its clients waiting.
func (a *Activation) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, files := range a.left {
		for _, f := range files {
			errs = append(errs, f.Close())
		}
	}
	clear(a.left)
	return errors.Join(errs...)
}
