package drain

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailbox is an LMTP backend that takes its time to deliver.
type mailbox struct {
	delivering chan struct{}
	deliver    chan struct{}
	mu         sync.Mutex
	mails      []string
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (m *mailbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }
func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m.delivering <- struct{}{}
	<-m.deliver
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mails = append(m.mails, string(text))
	return nil
}

// lmtp is an LMTP server of emersion/go-smtp, as todo.sr.ht and lists.sr.ht run one.
func lmtp(t *testing.T, idle time.Duration) (*Serving, *mailbox, chan error) {
	t.Helper()
	m := &mailbox{delivering: make(chan struct{}, 1), deliver: make(chan struct{})}
	srv := smtp.NewServer(m)
	srv.LMTP = true
	srv.Domain = "localhost"
	s := &Serving{Name: "lmtp", Address: "127.0.0.1:0", Server: srv, CloseIdle: idle}
	require.NoError(t, s.Listen())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	return s, m, ended
}

type mailer struct {
	t *testing.T
	*textproto.Conn
}

func (s *Serving) dial(t *testing.T) mailer {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	m := mailer{t, textproto.NewConn(conn)}
	t.Cleanup(func() { _ = m.Close() })
	_, _, err = m.ReadResponse(220)
	require.NoError(t, err)
	m.say("LHLO me", 250)
	return m
}

func (m mailer) say(line string, code int) {
	m.t.Helper()
	require.NoError(m.t, m.PrintfLine("%s", line))
	_, _, err := m.ReadResponse(code)
	require.NoError(m.t, err)
}

func (m mailer) mail(text string) {
	m.t.Helper()
	m.say("MAIL FROM:<a@example.org>", 250)
	m.say("RCPT TO:<b@example.org>", 250)
	m.say("DATA", 354)
	require.NoError(m.t, m.PrintfLine("%s\r\n.", text))
}

// TestLMTP: a mail that is being delivered is delivered and acknowledged; a client that keeps its connection and says nothing holds nothing
// up; Shutdown may be called twice at a time, which go-smtp's own may not.
func TestLMTP(t *testing.T) {
	s, m, ended := lmtp(t, 20*time.Millisecond)
	sender := s.dial(t)
	s.dial(t) // and says no more
	sender.mail("hello")
	<-m.delivering
	require.Regexp(t, `^2 lmtp connections, oldest 0 s: 127\.0\.0\.1:\d+$`, Progress{Open: s.Open()}.String())
	down := make(chan error, 2)
	for range 2 {
		go func() { down <- s.Shutdown(t.Context()) }()
	}
	require.NoError(t, <-ended)
	for s.Open()[0].Count > 1 { // the idle one
		select {
		case err := <-down:
			t.Fatalf("the mail was not waited for: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	close(m.deliver)
	_, _, err := sender.ReadResponse(250)
	require.NoError(t, err)
	require.NoError(t, <-down)
	require.NoError(t, <-down)
	require.Equal(t, []string{"hello\r\n"}, m.mails)
}

// TestLMTPIsCut: what is left at the end of the context is closed, counted, and not acknowledged.
func TestLMTPIsCut(t *testing.T) {
	s, m, ended := lmtp(t, 0)
	idle, sender := s.dial(t), s.dial(t)
	sender.mail("hello")
	<-m.delivering
	ctx, cancel := context.WithCancelCause(t.Context())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	require.NoError(t, <-ended)
	cancel(errors.New("no time"))
	require.EqualError(t, <-down, "cut with 2 connections open: no time")
	for _, c := range []mailer{idle, sender} {
		_, err := c.ReadLine()
		require.Error(t, err)
	}
	close(m.deliver)
}

// TestMainServesLMTP: Serving is a Service of Main; a taken port is its error.
func TestMainServesLMTP(t *testing.T) {
	s, _, _ := lmtp(t, 0)
	taken := s.listener.Addr().String()
	err := Main(t.Context(), Config{}, &Serving{Name: "lmtp", Address: taken, Server: smtp.NewServer(&mailbox{})})
	require.ErrorContains(t, err, "lmtp: listen tcp "+taken)
	require.ErrorContains(t, err, "address already in use")
	require.NoError(t, s.Shutdown(t.Context()))
	require.EqualError(t, Main(t.Context(), Config{}, &Serving{Name: "x"}), "x: drain: Serving without a Server")
	require.EqualError(t, Main(t.Context(), Config{}, &Serving{Name: "x", Server: smtp.NewServer(nil), CloseIdle: -1}), "x: drain: CloseIdle is -1ns: a duration cannot be negative")
	never := &Serving{Name: "never", Address: "127.0.0.1:0", Server: smtp.NewServer(nil)}
	require.NoError(t, never.Shutdown(t.Context()))
	require.Zero(t, never.Open()[0].Count)
}

// grpc stands for a gRPC server: GracefulStop waits, until Stop.
type grpc struct {
	calls sync.WaitGroup
	stop  chan struct{}
}

func (g *grpc) Serve(l net.Listener) error {
	for {
		if _, err := l.Accept(); err != nil {
			return errors.New("grpc: the server has been stopped")
		}
	}
}
func (g *grpc) GracefulStop() { g.calls.Wait() }
func (g *grpc) Stop()         { close(g.stop) }

func newGRPC(takes time.Duration) *grpc {
	g := &grpc{stop: make(chan struct{})}
	g.calls.Go(func() {
		select {
		case <-time.After(takes):
		case <-g.stop:
		}
	})
	return g
}

// TestAdapters: GracefulStop and Join become phases with a deadline, and say what they could not wait for.
func TestAdapters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var queue sync.WaitGroup
		release := make(chan struct{})
		queue.Go(func() { <-release })
		d := newDrainer(t, Config{LameDuck: time.Nanosecond, Phases: []Phase{
			Stopping("quick", newGRPC(time.Second)),
			{Name: "slow", Deadline: 2 * time.Second, Stop: Stopping("", newGRPC(time.Hour)).Stop},
			Joining("done", func() {}),
			{Name: "queue", Deadline: 3 * time.Second, Stop: Joining("", queue.Wait).Stop},
		}})
		began := time.Now()
		require.EqualError(t, d.Drain(t.Context()), "slow: cut: context deadline exceeded\nqueue: left behind, for it cannot be cut: context deadline exceeded")
		require.Equal(t, 6*time.Second, time.Since(began).Round(time.Millisecond))
		close(release)
	})
}

// TestGraceful: a server with GracefulStop is a Server.
func TestGraceful(t *testing.T) {
	g := newGRPC(time.Hour)
	s := &Serving{Name: "grpc", Address: "127.0.0.1:0", Server: Graceful(g)}
	require.NoError(t, s.Listen())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, s.Shutdown(ctx), "canceled")
	<-g.stop
	require.NoError(t, <-ended)
}

// TestIdleIsTheClientsTurn: a connection is idle when the client has had its answer, and not while the server works.
func TestIdleIsTheClientsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer a.Close()
		s := &Serving{open: map[*clientConn]struct{}{}}
		c := &clientConn{Conn: b, s: s}
		idle := func() time.Duration { synctest.Wait(); return c.idle(time.Now()) }
		go func() {
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				time.Sleep(10 * time.Second) // works
				fmt.Fprint(c, "done "+line)
			}
		}()
		time.Sleep(5 * time.Second)
		require.Zero(t, idle(), "the client has had no answer yet: it may be about to speak first")
		fmt.Fprintln(a, "please")
		time.Sleep(9 * time.Second)
		require.Zero(t, idle(), "the server works")
		_, err := bufio.NewReader(a).ReadString('\n')
		require.NoError(t, err)
		time.Sleep(3 * time.Second)
		require.Equal(t, 3*time.Second, idle())
		fmt.Fprint(a, "half a")
		time.Sleep(3 * time.Second)
		require.Zero(t, idle(), "the client speaks")
		require.NoError(t, c.Close())
	})
}

// TestShutdownBeforeServe: the server never serves, listening or not.
func TestShutdownBeforeServe(t *testing.T) {
	for _, listens := range []bool{false, true} {
		s := &Serving{Name: "grpc", Address: "127.0.0.1:0", Server: Graceful(newGRPC(0))}
		if listens {
			require.NoError(t, s.Listen())
		}
		require.NoError(t, s.Shutdown(t.Context()))
		ended := make(chan error, 1)
		go func() { ended <- s.Serve() }()
		select {
		case err := <-ended:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			t.Fatal("it serves")
		}
		require.NoError(t, s.Listen())
		require.Equal(t, listens, s.listener != nil)
	}
}

// TestServingTLS: the server finds that its connections are encrypted, and they are counted and closed as others are. A listener that hides
// that is refused.
func TestServingTLS(t *testing.T) {
	other := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate and a client that trusts it
	defer other.Close()
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: other.TLS.Certificates}
	encrypted := make(chan bool, 1)
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		_, ok := c.TLSConnectionState()
		encrypted <- ok
		return &mailbox{}, nil
	}))
	s := &Serving{Name: "smtps", Address: "127.0.0.1:0", Server: srv, TLS: cfg, CloseIdle: time.Millisecond}
	require.NoError(t, s.Listen())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	conn, err := tls.Dial("tcp", s.listener.Addr().String(), other.Client().Transport.(*http.Transport).TLSClientConfig)
	require.NoError(t, err)
	defer conn.Close()
	c := textproto.NewConn(conn)
	_, _, err = c.ReadResponse(220)
	require.NoError(t, err)
	mailer{t, c}.say("EHLO me", 250)
	require.True(t, <-encrypted)
	require.Equal(t, 1, s.Open()[0].Count)
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, <-ended)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	s = &Serving{Name: "smtps", Listener: tls.NewListener(l, cfg), Server: Graceful(newGRPC(0))}
	require.NoError(t, s.Listen())
	client, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer client.Close()
	_, err = s.listener.Accept()
	require.EqualError(t, err, "drain: the Listener of Serving is one of crypto/tls: set TLS and pass the listener below")
}
