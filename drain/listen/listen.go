package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Config is where to listen. Its zero value is any free TCP port.
type Config struct {
	// Network is "tcp", "tcp4", "tcp6" or "unix"; "" is "tcp". Address is as for net.Listen.
	Network, Address string
	// Shared lets other processes of the same user listen on the port too (SO_REUSEPORT), so that a new one can start before this
	// one leaves. Both must ask for it.
	Shared bool
	// Settle is for how long no connection must have come, after Close was called, for the listener to be closed: at least as long as a
	// client's handshake takes. It is closed after ten times that in any case. 0 is 200 ms if Shared, else 5 ms, which empties the queue.
	Settle time.Duration
}

// Listen takes the port. A port that is taken is a *TakenError.
func (c Config) Listen(ctx context.Context) (net.Listener, error) {
	if c.Settle < 0 {
		return nil, fmt.Errorf("listen: Settle is %s: a duration cannot be negative", c.Settle)
	}
	network := c.Network
	if network == "" {
		network = "tcp"
	}
	lc := net.ListenConfig{}
	if c.Shared {
		if network == "unix" {
			return nil, errors.New("listen: Shared is for TCP ports: a unix socket has one listener")
		}
		lc.Control = share
		lc.SetMultipathTCP(false) // net's default, whose sockets refuse SO_ATTACH_REUSEPORT_CBPF (EOPNOTSUPP, Linux 6.18)
	}
	l, err := lc.Listen(ctx, network, c.Address)
	if err != nil {
		return nil, whose(err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return l, nil
	}
	return c.gentle(tcp), nil
}

// Gentle makes a listener leave as those of Config do. Listeners other than *net.TCPListener are returned as they are, those of this
// package included.
func Gentle(l net.Listener) net.Listener {
	if tcp, ok := l.(*net.TCPListener); ok {
		return Config{}.gentle(tcp)
	}
	return l
}

func (c Config) gentle(l *net.TCPListener) *gentle {
	g := &gentle{TCPListener: l, settle: c.Settle, closed: make(chan struct{})}
	if g.settle == 0 {
		g.settle = 5 * time.Millisecond
		if c.Shared {
			g.settle = 200 * time.Millisecond
		}
	}
	if c.Shared {
		g.elders = others(l)
		unsteer(l)
	}
	return g
}

// gentle is a listener that leaves nobody in its queue.
type gentle struct {
	*net.TCPListener
	settle time.Duration
	elders inodes // listeners on the same port that were there before; nil if it is not shared

	mu        sync.Mutex
	called    bool      // Accept was, ever
	accepting int       // calls of Accept that wait
	leaving   time.Time // since when; zero: it does not
	closed    chan struct{}
	err       error // of Close
}

func (g *gentle) Accept() (net.Conn, error) {
	g.mu.Lock()
	g.accepting++
	g.called = true
	if !g.leaving.IsZero() { // from now: with a deadline that has passed nobody looks into the queue
		_ = g.SetDeadline(time.Now().Add(g.settle))
	}
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.accepting--
		g.mu.Unlock()
	}()
	conn, err := g.TCPListener.Accept()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leaving.IsZero() {
		return conn, err
	}
	if err == nil && time.Since(g.leaving) < 10*g.settle {
		_ = g.SetDeadline(time.Now().Add(g.settle))
		return conn, nil
	}
	g.closeLocked()
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = &net.OpError{Op: "accept", Net: g.Addr().Network(), Addr: g.Addr(), Err: net.ErrClosed}
	}
	return conn, err
}

// closeLocked closes the socket, once. mu is held.
func (g *gentle) closeLocked() {
	select {
	case <-g.closed:
	default:
		g.err = g.TCPListener.Close()
		close(g.closed)
	}
}

// Close returns when the socket is closed: when whoever calls Accept has had what was queued. If nobody does, at once.
func (g *gentle) Close() error {
	g.mu.Lock()
	select {
	case <-g.closed:
		g.mu.Unlock()
		return &net.OpError{Op: "close", Net: g.Addr().Network(), Addr: g.Addr(), Err: net.ErrClosed}
	default:
	}
	if g.leaving.IsZero() {
		g.leaving = time.Now()
		if g.elders != nil {
			steer(g.TCPListener, g.elders)
		}
		_ = g.SetDeadline(g.leaving.Add(g.settle))
	}
	if !g.called { // nor may come between two calls: whoever serves is told by the closed socket
		g.mu.Unlock()
		g.wait(g.settle)
		g.mu.Lock()
		if !g.called {
			g.closeLocked()
		}
	}
	g.mu.Unlock()
	g.wait(12 * g.settle)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closeLocked()
	return g.err
}

// wait waits for the socket to be closed, so long at most.
func (g *gentle) wait(most time.Duration) {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-g.closed:
	case <-t.C:
	}
}

// TakenError says that a port cannot be had because somebody else has it.
type TakenError struct {
	Network, Address string
	// PID and Program are who listens there; 0 and "" where that cannot be seen: another user's process, another container's.
	PID     int
	Program string
	Err     error // of the system
}

func (e *TakenError) Error() string {
	who := "another process; as root, ss -ltnp tells which"
	if e.PID == os.Getpid() {
		who = "this process itself"
	} else if e.PID != 0 {
		who = fmt.Sprintf("%s (pid %d)", e.Program, e.PID)
	}
	return fmt.Sprintf("listen %s %s: %v: %s has it", e.Network, e.Address, syscall.EADDRINUSE, who)
}

func (e *TakenError) Unwrap() error { return e.Err }

// whose makes a TakenError of an error of net.Listen that is one.
func whose(err error) error {
	var op *net.OpError
	if !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &op) || op.Addr == nil {
		return err
	}
	taken := &TakenError{Network: op.Net, Address: op.Addr.String(), Err: err}
	taken.PID, taken.Program = holder(op.Addr)
	return taken
}
