package httpdrain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// serving is a service on loopback.
type serving struct {
	*Service
	addr  string
	ended chan error // of Serve
}

func start(t *testing.T, cfg Config, handler http.HandlerFunc) *serving {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	cfg.Listener = l
	if cfg.Server == nil {
		cfg.Server = &http.Server{ReadHeaderTimeout: time.Minute}
	}
	cfg.Server.Handler = handler
	s, err := New(cfg)
	require.NoError(t, err)
	v := &serving{s, l.Addr().String(), make(chan error, 1)}
	go func() { v.ended <- s.Serve() }()
	t.Cleanup(func() { _ = s.cfg.Server.Close() })
	return v
}

// client is one connection, which it keeps.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) write(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n"))
	require.NoError(c.t, err)
}

func (c *client) read() (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	require.NoError(c.t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp, string(text)
}

const get = "GET / HTTP/1.1\nHost: x\n\n"

func (c *client) get() (closes bool) {
	c.t.Helper()
	c.write(get)
	resp, _ := c.read()
	require.Equal(c.t, http.StatusOK, resp.StatusCode)
	return resp.Close
}

func (c *client) closed() {
	c.t.Helper()
	_, err := c.r.ReadByte()
	require.ErrorIs(c.t, err, io.EOF)
}

func ok(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }

// TestLameDuck: a kept connection is served, told to close, and closed by the server behind the response, before Shutdown; new ones
// are served too.
func TestLameDuck(t *testing.T) {
	s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, Draining(r))
	})
	c := dial(t, s.addr)
	require.False(t, c.get())
	require.False(t, c.get(), "kept")
	s.LameDuck()
	c.write(get)
	resp, text := c.read()
	require.True(t, resp.Close)
	require.Equal(t, "true", text)
	c.closed()
	require.True(t, dial(t, s.addr).get())
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, <-s.ended)
	require.NoError(t, s.Shutdown(t.Context()), "again")
}

// TestCloseRace: a client writes a POST into a connection that it keeps, in the moment in which the server is told to stop, not knowing
// of it. net/http's Shutdown closes the connection below it, and the client cannot tell whether the POST was read. Here it is
// answered, in the lame duck and after the listener has been closed alike, and the answer says that the connection goes.
func TestCloseRace(t *testing.T) {
	const post = "POST /pay HTTP/1.1\nHost: x\nContent-Length: 2\n\n10"
	t.Run("Shutdown", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		idle := make(chan struct{}, 1)
		srv := &http.Server{Handler: http.HandlerFunc(ok), ReadHeaderTimeout: time.Minute, ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateIdle {
				idle <- struct{}{}
			}
		}}
		go func() { _ = srv.Serve(l) }()
		c := dial(t, l.Addr().String())
		require.False(t, c.get())
		<-idle
		require.NoError(t, srv.Shutdown(t.Context()))
		_, _ = io.WriteString(c, strings.ReplaceAll(post, "\n", "\r\n")) // into the closed connection: TCP takes it
		_, err = http.ReadResponse(c.r, nil)
		require.Error(t, err, "lost")
	})
	t.Run("drain", func(t *testing.T) {
		s := start(t, Config{KeepIdle: time.Hour}, ok)
		d, err := drain.New(drain.Config{Phases: []drain.Phase{{Name: "http", Stop: s.Shutdown}}})
		require.NoError(t, err)
		require.NoError(t, s.Attach(d))
		d.Ready()
		early, late := dial(t, s.addr), dial(t, s.addr)
		require.False(t, early.get())
		require.False(t, late.get())
		d.Begin(nil)
		<-Leaving(request(s.Service))
		early.write(post)
		resp, text := early.read()
		require.Equal(t, "ok", text)
		require.True(t, resp.Close)
		drained := make(chan error, 1)
		go func() { drained <- d.Drain(t.Context()) }()
		require.NoError(t, <-s.ended, "the listener is closed")
		require.Equal(t, drain.Draining, d.State())
		late.write(post)
		resp, text = late.read()
		require.Equal(t, "ok", text)
		require.True(t, resp.Close)
		require.NoError(t, <-drained)
	})
}

// request is one that the service serves.
func request(s *Service) *http.Request {
	r, _ := http.NewRequestWithContext(s.cfg.Server.BaseContext(nil), "GET", "/", nil)
	return r
}

// TestHeadersAlreadySent: a response that began before the drain, without a word of it, ends during the drain. Its client sends its next
// request as before, and is answered; net/http's Shutdown closes the connection right behind the response.
func TestHeadersAlreadySent(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := start(t, Config{KeepIdle: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			close(entered)
			<-leave
		}
		io.WriteString(w, "ok")
	})
	c := dial(t, s.addr)
	c.write("GET /slow HTTP/1.1\nHost: x\n\n")
	<-entered
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.NoError(t, <-s.ended)
	close(leave)
	resp, text := c.read()
	require.Equal(t, "ok", text)
	require.False(t, resp.Close, "it did not say so")
	require.True(t, c.get())
	require.NoError(t, <-down)
}

// TestInFlight: a request that is being served finishes, whatever comes.
func TestInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "done")
	})
	c := dial(t, s.addr)
	c.write("POST /query?token=secret HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	<-entered
	require.Equal(t, 1, s.InFlight())
	require.Regexp(t, `^1 request, oldest \d s: POST /query$`, drain.Progress{Open: s.Open()}.String())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.NoError(t, <-s.ended, "Serve returns at once")
	close(leave)
	_, text := c.read()
	require.Equal(t, "done", text)
	require.NoError(t, <-down)
	require.Zero(t, s.InFlight())
}

// TestCut: at the end of the context what is left is closed, and counted.
func TestCut(t *testing.T) {
	entered, returned := make(chan struct{}), make(chan struct{})
	s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		close(entered)
		<-r.Context().Done() // the connection's end
		panic(http.ErrAbortHandler)
	})
	c := dial(t, s.addr)
	c.write(get)
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, s.Shutdown(ctx), "cut 1 request, oldest 0 s: GET /: context canceled")
	select {
	case <-returned: // before Shutdown did
	default:
		t.Fatal("the handler still runs")
	}
	_, err := http.ReadResponse(c.r, nil)
	require.Error(t, err)
	require.NoError(t, <-s.ended)
}

// TestPanics keep the counts right.
func TestPanics(t *testing.T) {
	s := start(t, Config{Server: &http.Server{ErrorLog: quietLog(), ReadHeaderTimeout: time.Minute}}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		panic("a bug")
	})
	for _, path := range []string{"/", "/abort"} {
		c := dial(t, s.addr)
		c.write("GET " + path + " HTTP/1.1\nHost: x\n\n")
		c.closed()
	}
	require.Zero(t, s.InFlight())
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestResponseWriterIsTheServersOwn, so that handlers find all that it can do.
func TestResponseWriterIsTheServersOwn(t *testing.T) {
	types := make(chan reflect.Type, 2)
	h := func(w http.ResponseWriter, r *http.Request) { types <- reflect.TypeOf(w) }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	bare := &http.Server{Handler: http.HandlerFunc(h), ReadHeaderTimeout: time.Minute}
	go func() { _ = bare.Serve(l) }()
	defer bare.Close()
	require.False(t, dial(t, l.Addr().String()).get())
	require.False(t, dial(t, start(t, Config{}, h).addr).get())
	require.Equal(t, <-types, <-types)
}

// TestBadConfig: all that is wrong is said.
func TestBadConfig(t *testing.T) {
	_, err := New(Config{HealthPath: "x", ReadyPath: "x", Fall: -1, Quiet: -1, KeepIdle: -time.Second, Checks: []Check{{Name: "db", Every: -1, Timeout: -1}}})
	require.EqualError(t, err, `httpdrain: there is no Server
httpdrain: HealthPath is "x": a path begins with a slash
httpdrain: ReadyPath is "x": a path begins with a slash
httpdrain: HealthPath and ReadyPath are both "x"
httpdrain: Fall is -1: a count cannot be negative
httpdrain: Quiet is -1ns: a duration cannot be negative
httpdrain: KeepIdle is -1s: a duration cannot be negative
httpdrain: Every of check 0 ("db") is -1ns: a duration cannot be negative
httpdrain: Timeout of check 0 ("db") is -1ns: a duration cannot be negative
httpdrain: check 0 ("db") has no Ready`)
}

// TestOneProcess: a service is part of one.
func TestOneProcess(t *testing.T) {
	s := Server(&http.Server{})
	d, err := drain.New(drain.Config{})
	require.NoError(t, err)
	require.NoError(t, s.Attach(d))
	require.ErrorContains(t, s.Attach(d), "attached already")
}

// TestPortTaken: the error names the port.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	err = drain.Main(t.Context(), drain.Config{}, Server(&http.Server{Addr: l.Addr().String()}))
	require.ErrorContains(t, err, "http "+l.Addr().String()+": ")
	require.ErrorContains(t, err, "address already in use")
}

// TestShutdownBeforeServe: the service never serves.
func TestShutdownBeforeServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := On(l, &http.Server{})
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, s.Serve())
	_, err = net.Dial("tcp", l.Addr().String())
	require.Error(t, err)
	require.True(t, errors.Is(l.Close(), net.ErrClosed))
}

// TestIdleConnections: ten thousand of them, which say nothing, keep nothing from ending.
func TestIdleConnections(t *testing.T) {
	n := 10_000
	if limit := files(t); limit < 2*n+100 {
		n = (limit - 100) / 2
	}
	s := start(t, Config{KeepIdle: time.Millisecond}, ok)
	clients := make([]*client, n)
	for i := range clients {
		clients[i] = dial(t, s.addr)
		require.False(t, clients[i].get())
	}
	require.Equal(t, n, s.Connections())
	began := time.Now()
	require.NoError(t, s.Shutdown(t.Context()))
	t.Logf("%d idle connections closed in %s", n, time.Since(began).Round(time.Millisecond))
	for _, c := range clients {
		c.closed()
	}
	require.Zero(t, s.Connections())
}

// TestServedByTheProgram: of a server whose Serve the program calls by itself, Shutdown lets what is in flight finish.
func TestServedByTheProgram(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	entered, leave := make(chan struct{}), make(chan struct{})
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		select {
		case <-leave:
			io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	})}
	srv.RegisterOnShutdown(func() { close(leave) })
	s := Server(srv)
	go func() { _ = srv.Serve(l) }()
	c := dial(t, l.Addr().String())
	c.write(get)
	<-entered
	require.NoError(t, s.Shutdown(t.Context()))
	_, text := c.read()
	require.Equal(t, "done", text)
}
