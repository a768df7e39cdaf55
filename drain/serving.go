package drain

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/listen"
)

// Server is what most servers that are not HTTP look like: emersion/go-smtp, gliderlabs/ssh. Those that also have
// Close() error are closed when Shutdown was not done in time.
type Server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
}

// Serving makes a Service of a Server. Its fields are read when it is attached, listens or serves. It is shut down once, however often
// and from wherever it is asked to: go-smtp's panics when two do at a time.
//
// Server.Serve's error is an error before Shutdown only: each kind of server has a value of its own for "closed".
type Serving struct {
	// Name is for errors and progress.
	Name string
	// Network and Address are where to listen, as for net.Listen; Network "" is "tcp". Listener, if not nil, is used
	// instead: one of package listen that is shared, say.
	Network, Address string
	Listener         net.Listener
	Server           Server
	// TLS, if not nil, is spoken on each connection. Listener must not be one of tls.NewListener: the server, which looks for a *tls.Conn to
	// know that a connection is encrypted, would not find it.
	TLS *tls.Config
	// CloseIdle closes, once the process has begun to drain, connections on which the client has had the last answer for so long and sends
	// nothing: a Postfix that keeps its connection to an LMTP server open would hold go-smtp's Shutdown until the deadline.
	// A connection is idle if the server's last call was a Write and it now waits in Read; this suits protocols in which the client speaks
	// and the server answers (SMTP, LMTP, IMAP without IDLE, Redis), and is wrong for ssh. 0 leaves them open.
	CloseIdle time.Duration

	once     sync.Once
	err      error // of Shutdown
	down     atomic.Bool
	mu       sync.Mutex
	open     map[*clientConn]struct{}
	listener net.Listener
}

func (s *Serving) String() string {
	if s.Name != "" {
		return s.Name
	}
	return nameOf(s.Server)
}

// Attach makes the drain report the connections.
func (s *Serving) Attach(d *Drainer) error {
	if s.Server == nil {
		return errors.New("drain: Serving without a Server")
	}
	if s.CloseIdle < 0 {
		return fmt.Errorf("drain: CloseIdle is %s: a duration cannot be negative", s.CloseIdle)
	}
	d.Report(s)
	return nil
}

// Listen takes the port, unless the server is shut down.
func (s *Serving) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil || s.down.Load() {
		return nil
	}
	l := s.Listener
	if l == nil {
		var err error
		if l, err = (listen.Config{Network: s.Network, Address: s.Address}).Listen(context.Background()); err != nil {
			return err // it names network, address and reason
		}
	}
	s.listener = &clientListener{Listener: listen.Gentle(l), s: s}
	if s.TLS != nil {
		s.listener = tls.NewListener(s.listener, s.TLS)
	}
	s.open = map[*clientConn]struct{}{}
	return nil
}

// Serve serves until Shutdown; not at all after it.
func (s *Serving) Serve() error {
	if err := s.Listen(); err != nil {
		return err
	}
	if s.down.Load() {
		return nil
	}
	err := s.Server.Serve(s.listener)
	if s.down.Load() {
		return nil
	}
	return err
}

// Open is the connections that are open.
func (s *Serving) Open() []Open {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := Open{Kind: s.String() + " connection", Count: len(s.open)}
	for c := range s.open {
		if o.Oldest.IsZero() || c.began.Before(o.Oldest) {
			o.Oldest, o.What = c.began, c.RemoteAddr().String()
		}
	}
	return []Open{o}
}

// Shutdown shuts the server down, and closes what is left when ctx has ended.
func (s *Serving) Shutdown(ctx context.Context) error {
	s.once.Do(func() { s.err = s.shutdown(ctx) })
	return s.err
}

func (s *Serving) shutdown(ctx context.Context) error {
	s.down.Store(true)
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		if s.Listener != nil {
			return s.Listener.Close()
		}
		return nil // it has never listened
	}
	stop := s.closeIdle()
	// Not every Shutdown looks at its context while it waits.
	ended := make(chan error, 1)
	go func() { ended <- s.Server.Shutdown(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	stop()
	_ = l.Close()
	if ctx.Err() == nil {
		return err
	}
	left := s.closeAll(func(*clientConn) bool { return true })
	if c, ok := s.Server.(interface{ Close() error }); ok {
		_ = c.Close() // its connections are closed
	}
	if left == 0 && err == nil {
		return nil
	}
	return fmt.Errorf("cut with %d connections open: %w", left, err)
}

// closeIdle closes idle connections until the function that it returns is called.
func (s *Serving) closeIdle() (stop func()) {
	if s.CloseIdle == 0 {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(max(time.Millisecond, min(s.CloseIdle/4, time.Second)))
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-t.C:
				s.closeAll(func(c *clientConn) bool { return c.idle(now) >= s.CloseIdle })
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func (s *Serving) closeAll(which func(*clientConn) bool) int {
	var conns []*clientConn
	s.mu.Lock()
	for c := range s.open {
		if which(c) {
			conns = append(conns, c)
		}
	}
	s.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
	return len(conns)
}

var errEncrypted = errors.New("drain: the Listener of Serving is one of crypto/tls: set TLS and pass the listener below")

type clientListener struct {
	net.Listener
	s *Serving
}

func (l *clientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := conn.(*tls.Conn); ok {
		_ = conn.Close()
		return nil, errEncrypted
	}
	c := &clientConn{Conn: conn, s: l.s, began: time.Now()}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.open[c] = struct{}{}
	return c, nil
}

// clientConn knows whose turn it is.
type clientConn struct {
	net.Conn
	s     *Serving
	began time.Time

	mu       sync.Mutex
	answered bool      // the last call that has returned was a Write
	waiting  time.Time // since when Read waits; zero if it does not
}

func (c *clientConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.waiting = time.Now()
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.waiting, c.answered = time.Time{}, false
	c.mu.Unlock()
	return n, err
}

func (c *clientConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.mu.Lock()
	c.answered = true
	c.mu.Unlock()
	return n, err
}

// idle is for how long the client has had the last answer.
func (c *clientConn) idle(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered || c.waiting.IsZero() {
		return 0
	}
	return now.Sub(c.waiting)
}

func (c *clientConn) Close() error {
	c.s.mu.Lock()
	delete(c.s.open, c)
	c.s.mu.Unlock()
	return c.Conn.Close()
}

// GracefulStopper is a server such as gRPC's: GracefulStop waits without bound, Stop cuts.
type GracefulStopper interface {
	GracefulStop()
	Stop()
}

// Stopping is a Phase that stops a GracefulStopper, and cuts it at the end of the context. A gRPC server that Main is to run is
//
//	&drain.Serving{Name: "grpc", Address: ":9000", Server: drain.Graceful(grpcServer)}
func Stopping(name string, s GracefulStopper) Phase {
	return Phase{Name: name, Stop: func(ctx context.Context) error { return gracefulStop(ctx, s) }}
}

func gracefulStop(ctx context.Context, s GracefulStopper) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.GracefulStop()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.Stop() // GracefulStop returns then
	<-ended
	return fmt.Errorf("cut: %w", context.Cause(ctx))
}

// Graceful makes a Server of one such as gRPC's.
func Graceful(s interface {
	Serve(l net.Listener) error
	GracefulStopper
}) Server {
	return graceful{s, s}
}

type graceful struct {
	serve interface{ Serve(l net.Listener) error }
	GracefulStopper
}

func (g graceful) Serve(l net.Listener) error         { return g.serve.Serve(l) }
func (g graceful) Shutdown(ctx context.Context) error { return gracefulStop(ctx, g) }
func (g graceful) String() string                     { return nameOf(g.GracefulStopper) }

// Joining is a Phase that calls a function which returns when work is done, such as Shutdown of a queue of
// git.sr.ht/~sircmpwn/dowork. It cannot be cut: at the end of the context it is left behind, and the error says so.
func Joining(name string, join func()) Phase {
	return Phase{Name: name, Stop: func(ctx context.Context) error {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			join()
		}()
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("left behind, for it cannot be cut: %w", context.Cause(ctx))
		}
	}}
}
