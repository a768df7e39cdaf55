package httpdrain

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// files is how many files the process may open.
func files(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	return int(limit.Cur)
}

const upgrade = "GET /ws HTTP/1.1\nHost: x\nConnection: Upgrade\nUpgrade: websocket\n\n"

// hijack takes the connection as WebSocket libraries do.
func hijack(w http.ResponseWriter, how string) (net.Conn, *bufio.ReadWriter) {
	var conn net.Conn
	var rw *bufio.ReadWriter
	var err error
	if how == "Hijacker" {
		conn, rw, err = w.(http.Hijacker).Hijack()
	} else {
		conn, rw, err = http.NewResponseController(w).Hijack()
	}
	if err != nil {
		panic(err)
	}
	fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	rw.Flush()
	return conn, rw
}

// TestWebSocket: it is counted while its connection is open, even when its handler has returned; it hears of the drain, says
// goodbye in its own way, and is waited for.
func TestWebSocket(t *testing.T) {
	for _, how := range []string{"Hijacker", "ResponseController"} {
		t.Run(how, func(t *testing.T) {
			s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
				conn, rw := hijack(w, how)
				go func() { // as some libraries do
					defer conn.Close()
					<-Leaving(r)
					fmt.Fprint(rw, "goodbye")
					rw.Flush()
					io.Copy(io.Discard, rw) // until the client goes
				}()
			})
			c := dial(t, s.addr)
			c.write(upgrade)
			resp, err := http.ReadResponse(c.r, nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			require.Regexp(t, `^1 websocket, oldest \d s: GET /ws$`, drain.Progress{Open: s.Open()}.String())
			require.Zero(t, s.InFlight())
			down := make(chan error, 1)
			go func() { down <- s.Shutdown(t.Context()) }()
			text := make([]byte, len("goodbye"))
			_, err = io.ReadFull(c.r, text)
			require.NoError(t, err)
			require.Equal(t, "goodbye", string(text))
			select {
			case err := <-down:
				t.Fatalf("it was not waited for: %v", err)
			default:
			}
			require.NoError(t, c.Close())
			require.NoError(t, <-down)
			require.Empty(t, s.Open())
		})
	}
}

// TestWebSocketIsWaitedFor for as long as it takes.
func TestWebSocketIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := startInMemory(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
			conn, _ := hijack(w, "Hijacker")
			go func() {
				<-Leaving(r)
				time.Sleep(time.Hour)
				conn.Close()
			}()
		})
		c := m.dial(t)
		c.write(upgrade)
		_, err := http.ReadResponse(c.r, nil)
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, s.Shutdown(t.Context()))
		require.Equal(t, time.Hour, time.Since(began).Truncate(time.Minute))
	})
}

// TestWebSocketIsCut at the end of the context, if its handler does not listen; and counted. Another protocol has another name.
func TestWebSocketIsCut(t *testing.T) {
	hijacked, ended := make(chan net.Conn, 2), make(chan error, 2)
	s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		conn, rw := hijack(w, "Hijacker")
		hijacked <- conn
		_, err := rw.ReadByte()
		ended <- err
	})
	a, b := dial(t, s.addr), dial(t, s.addr)
	a.write(upgrade)
	conn := <-hijacked
	_, tcp := conn.(interface {
		CloseWrite() error
		io.ReaderFrom
		syscall.Conn
	})
	require.True(t, tcp, "it can all that a *net.TCPConn can")
	b.write("CONNECT other:22 HTTP/1.1\nHost: other:22\n\n")
	<-hijacked
	ctx, cancel := context.WithCancel(t.Context())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(ctx) }()
	require.NoError(t, <-s.ended)
	cancel()
	err := <-down
	require.ErrorContains(t, err, "cut 1 websocket, 1 hijacked connection, oldest 0 s: GET /ws: context canceled")
	require.Error(t, <-ended)
	require.Error(t, <-ended)
}

// TestEvents: a stream of server-sent events ends by itself when it hears of the drain.
func TestEvents(t *testing.T) {
	s := start(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
		gone := make(chan struct{})
		defer OnLeave(r, func() { close(gone) })()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: hello\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-gone:
			fmt.Fprint(w, "event: bye\n\n")
		case <-r.Context().Done():
		}
	})
	c := dial(t, s.addr)
	c.write(get)
	resp, err := http.ReadResponse(c.r, nil)
	require.NoError(t, err)
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "data: hello\n\nevent: bye\n\n", string(text))
	require.NoError(t, c.Close())
	require.NoError(t, <-down)
	require.True(t, OnLeave(&http.Request{}, func() {})(), "a server that is no Service never leaves")
	require.Nil(t, Leaving(&http.Request{}))
	require.False(t, Draining(&http.Request{}))
}

// memory is a listener of connections in memory, for synctest.
type memory struct {
	conns chan net.Conn
	done  chan struct{}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}
func (m *memory) Close() error   { close(m.done); return nil }
func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (m *memory) dial(t *testing.T) *client {
	a, b := net.Pipe()
	m.conns <- b
	t.Cleanup(func() { _ = a.Close() })
	return &client{t, a, bufio.NewReader(a)}
}

func startInMemory(t *testing.T, cfg Config, handler http.HandlerFunc) (*Service, *memory) {
	m := &memory{make(chan net.Conn), make(chan struct{})}
	cfg.Server, cfg.Listener = &http.Server{Handler: handler}, m
	s, err := New(cfg)
	require.NoError(t, err)
	go s.Serve()
	return s, m
}

// TestKeepIdle: an idle connection is closed when it has been idle for so long, and not a tick earlier; one that speaks meanwhile is
// answered.
func TestKeepIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := startInMemory(t, Config{KeepIdle: 3 * time.Second}, ok)
		silent, speaks := m.dial(t), m.dial(t)
		require.False(t, silent.get())
		require.False(t, speaks.get())
		s.LameDuck()
		time.Sleep(time.Second)
		down := make(chan error, 1)
		began := time.Now()
		go func() { down <- s.Shutdown(t.Context()) }()
		time.Sleep(2*time.Second - time.Millisecond)
		require.True(t, speaks.get())
		synctest.Wait()
		require.Equal(t, 1, s.Connections())
		require.NoError(t, <-down)
		silent.closed()
		require.WithinRange(t, time.Now(), began.Add(2*time.Second), began.Add(2*time.Second+100*time.Millisecond))
	})
}

// TestPatience: what outlasts its own deadline is cut and counted, other requests go on, whether they came before the listener was closed
// or from a connection that had not spoken until then.
func TestPatience(t *testing.T) {
	t.Run("before", func(t *testing.T) { testPatience(t, true) })
	t.Run("after", func(t *testing.T) { testPatience(t, false) })
}

func testPatience(t *testing.T, before bool) {
	synctest.Test(t, func(t *testing.T) {
		cut := make(chan error, 1)
		patience := func(method, path string) time.Duration {
			if method == "POST" && path == "/repo/git-receive-pack" {
				return 0
			}
			return 10 * time.Second
		}
		s, m := startInMemory(t, Config{Patience: patience}, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/other" {
				cut <- err
				time.Sleep(time.Second) // it is counted once all the same
			}
			fmt.Fprint(w, n)
		})
		push, other := m.dial(t), m.dial(t)
		synctest.Wait()
		down := make(chan error, 1)
		began := time.Now()
		shutdown := func() {
			go func() { down <- s.Shutdown(t.Context()) }()
			synctest.Wait()
		}
		if !before {
			shutdown()
		}
		push.write("POST /repo/git-receive-pack HTTP/1.1\nHost: x\nContent-Length: 10\n\nfirst ")
		other.write("POST /other HTTP/1.1\nHost: x\nContent-Length: 10\n\nfirst ")
		if before {
			synctest.Wait()
			shutdown()
		}
		require.ErrorContains(t, <-cut, "timeout")
		require.WithinRange(t, time.Now(), began.Add(10*time.Second), began.Add(10*time.Second+100*time.Millisecond))
		time.Sleep(50 * time.Minute)
		push.write("last")
		_, text := push.read()
		require.Equal(t, "10", text)
		require.EqualError(t, <-down, "cut 1 that outlasted Patience")
	})
}

// TestQuiet: the lame duck waits for requests to stop coming, if balancers ask for the state.
func TestQuiet(t *testing.T) {
	for balanced, lasts := range map[bool]time.Duration{true: 3 * time.Second, false: 500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			s, m := startInMemory(t, Config{Quiet: 200 * time.Millisecond}, ok)
			d, err := drain.New(drain.Config{LameDuckMax: 8 * time.Second, Phases: []drain.Phase{{Name: "http", Stop: s.Shutdown}}})
			require.NoError(t, err)
			require.NoError(t, s.Attach(d))
			d.Ready()
			if balanced {
				for range 2 {
					d.Told("lb", drain.Ready, 1)
					time.Sleep(time.Millisecond)
				}
				go func() { <-d.Draining(); d.Told("lb", d.State(), 1) }()
			}
			began := time.Now()
			drained := make(chan error, 1)
			go func() { drained <- d.Drain(t.Context()) }()
			<-s.left.Done()
			for time.Since(began) < 2800*time.Millisecond && d.State() <= drain.LameDuck {
				c := m.dial(t)
				c.get()
				c.closed()
				time.Sleep(100 * time.Millisecond)
			}
			for d.State() <= drain.LameDuck {
				time.Sleep(time.Millisecond)
			}
			require.InDelta(t, lasts.Seconds(), time.Since(began).Seconds(), 0.15)
			require.NoError(t, <-drained)
		})
	}
}

// TestWebSocketOnAUnixSocket: its clients have no address that tells them apart, and the requests of others stay in flight.
func TestWebSocketOnAUnixSocket(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	require.NoError(t, err)
	entered, leave := make(chan struct{}), make(chan struct{})
	s := On(l, &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			conn, _ := hijack(w, "Hijacker")
			defer conn.Close()
		} else {
			entered <- struct{}{}
		}
		<-leave
	})})
	go s.Serve()
	dial := func(request string) *client {
		conn, err := net.Dial("unix", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		c := &client{t, conn, bufio.NewReader(conn)}
		c.write(request)
		return c
	}
	for range 3 {
		dial(get)
		<-entered
	}
	_, err = http.ReadResponse(dial(upgrade).r, nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, s.InFlight(), 3)
	require.Equal(t, "hijacked connection", s.Open()[len(s.Open())-1].Kind)
	close(leave)
	require.NoError(t, s.Shutdown(t.Context()))
}

// TestStammer: a client that has begun a request on a connection that it keeps, and says no more, is not waited for to the deadline.
func TestStammer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, m := startInMemory(t, Config{}, ok)
		c := m.dial(t)
		require.False(t, c.get())
		synctest.Wait() // until the server waits for the next request: a byte that comes earlier is still the last one's
		c.write("G")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		require.NoError(t, s.Shutdown(ctx))
		require.Equal(t, speechless, time.Since(began).Round(time.Second))
	})
}

// TestHandlerBehindItsConnection: a handler that has closed its hijacked connection and still works, on what the next phase closes, is waited
// for, and named when it is cut.
func TestHandlerBehindItsConnection(t *testing.T) {
	for _, cut := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, m := startInMemory(t, Config{}, func(w http.ResponseWriter, r *http.Request) {
				conn, _ := hijack(w, "Hijacker")
				<-Leaving(r)
				conn.Close()
				time.Sleep(time.Hour)
			})
			c := m.dial(t)
			c.write(upgrade)
			_, err := http.ReadResponse(c.r, nil)
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
			if cut {
				ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
			}
			defer cancel()
			began := time.Now()
			err = s.Shutdown(ctx)
			if cut {
				require.ErrorContains(t, err, "cut 1 request, oldest 60 s: GET /ws")
				time.Sleep(time.Hour)
				return
			}
			require.NoError(t, err)
			require.Equal(t, time.Hour, time.Since(began).Truncate(time.Minute))
		})
	}
}
