package httpdrain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/listen"
)

// users send requests, half of them POST, over connections that they keep, and never send one again.
type users struct {
	addr   string
	ctx    context.Context
	stop   context.CancelFunc
	all    sync.WaitGroup
	ok     atomic.Int64
	failed atomic.Int64
	worst  atomic.Int64 // nanoseconds
	first  atomic.Pointer[error]
}

func newUsers(t *testing.T, addr string) *users {
	u := &users{addr: addr}
	u.ctx, u.stop = context.WithCancel(t.Context())
	for i := range 24 {
		if i < 16 {
			u.all.Go(func() { u.http1(i) })
		} else {
			u.all.Go(func() { u.http2(i) })
		}
	}
	t.Cleanup(u.end)
	return u
}

func (u *users) end() {
	u.stop()
	u.all.Wait()
}

func (u *users) done(began time.Time, err error) {
	if err != nil {
		u.failed.Add(1)
		u.first.CompareAndSwap(nil, &err)
		return
	}
	u.ok.Add(1)
	for took := int64(time.Since(began)); ; {
		worst := u.worst.Load()
		if took <= worst || u.worst.CompareAndSwap(worst, took) {
			return
		}
	}
}

// pause is what a user thinks: some a moment, some so long that their connection is idle all through a drain.
func (u *users) pause(i int) {
	think := time.Duration(rand.IntN(3000)) * time.Microsecond
	if i%4 == 0 {
		think = time.Duration(rand.IntN(400)) * time.Millisecond
	}
	t := time.NewTimer(think)
	defer t.Stop()
	select {
	case <-t.C:
	case <-u.ctx.Done():
	}
}

// http1 knows what happens on the wire: http.Transport sends some requests again by itself.
func (u *users) http1(i int) {
	var conn net.Conn
	var r *bufio.Reader
	request := "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	if i%2 == 0 {
		request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
	}
	for u.ctx.Err() == nil {
		if conn != nil && !alive(conn) {
			_ = conn.Close()
			conn = nil
		}
		began := time.Now()
		var err error
		if conn == nil {
			if conn, err = net.Dial("tcp", u.addr); err != nil {
				u.done(began, err)
				conn = nil
				continue
			}
			r = bufio.NewReader(conn)
		}
		resp, err := exchange(conn, r, request)
		u.done(began, err)
		if err != nil || resp.Close {
			_ = conn.Close()
			conn = nil
		}
		u.pause(i)
	}
	if conn != nil {
		_ = conn.Close()
	}
}

// alive looks whether the server has closed the connection, as every client does before it uses one that it has kept.
func alive(conn net.Conn) bool {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		_, _, err = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return errors.Is(err, syscall.EAGAIN)
}

func exchange(conn net.Conn, r *bufio.Reader, request string) (*http.Response, error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, fmt.Errorf("after the request was written: %w", err)
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || string(text) != "ok") {
		err = fmt.Errorf("%s: %q", resp.Status, text)
	}
	return resp, err
}

// http2 cannot see the wire, but sends bodies that cannot be sent again once they have been read.
func (u *users) http2(i int) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for u.ctx.Err() == nil {
		began := time.Now()
		method, body := http.MethodGet, io.Reader(nil)
		if i%2 == 0 {
			method, body = http.MethodPost, io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{}), 5))
		}
		req, err := http.NewRequestWithContext(context.WithoutCancel(u.ctx), method, "http://"+u.addr+"/", body)
		if err == nil {
			var resp *http.Response
			if resp, err = transport.RoundTrip(req); err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		}
		u.done(began, err)
		u.pause(i)
	}
}

// restarts replaces a server on a shared port, each new one before the old one leaves, for some time.
func restarts(t *testing.T, start func(addr string) (addr2 string, leave func() error)) *users {
	t.Helper()
	lasts := 3 * time.Second
	if d, err := time.ParseDuration(os.Getenv("HA_SOAK")); err == nil {
		lasts = d / 2
	}
	addr, leave := start("127.0.0.1:0")
	u := newUsers(t, addr)
	n := 0
	for end := time.Now().Add(lasts); time.Now().Before(end); n++ {
		_, next := start(addr)
		for before := u.ok.Load(); u.ok.Load() < before+200; {
			<-time.After(time.Millisecond)
		}
		require.NoError(t, leave())
		leave = next
	}
	u.end()
	require.NoError(t, leave())
	t.Logf("%d restarts: %d ok, %d failed, worst %s", n, u.ok.Load(), u.failed.Load(), time.Duration(u.worst.Load()).Round(time.Millisecond))
	return u
}

func server() *http.Server {
	srv := &http.Server{ReadHeaderTimeout: time.Minute, ErrorLog: quietLog(), Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	})}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	return srv
}

// TestSoakRestarts: rolling restarts without a balancer, on a shared port, under load of HTTP/1.1 and HTTP/2: no request fails.
func TestSoakRestarts(t *testing.T) {
	u := restarts(t, func(addr string) (string, func() error) {
		l, err := listen.Config{Address: addr, Shared: true, Settle: 10 * time.Millisecond}.Listen(t.Context())
		require.NoError(t, err)
		s, err := New(Config{Server: server(), Listener: l, KeepIdle: 100 * time.Millisecond})
		require.NoError(t, err)
		d, err := drain.New(drain.Config{LameDuck: 50 * time.Millisecond, Phases: []drain.Phase{{Name: "http", Stop: s.Shutdown}}})
		require.NoError(t, err)
		require.NoError(t, s.Attach(d))
		ended := make(chan error, 1)
		go func() { ended <- s.Serve() }()
		d.Ready()
		return l.Addr().String(), func() error { return errors.Join(d.Drain(t.Context()), <-ended) }
	})
	if err := u.first.Load(); err != nil {
		t.Fatal(*err)
	}
}

// TestSoakBareRestarts is the same with net/http's Shutdown alone, for the figures beside.
func TestSoakBareRestarts(t *testing.T) {
	restarts(t, func(addr string) (string, func() error) {
		l, err := listen.Config{Address: addr, Shared: true, Settle: 10 * time.Millisecond}.Listen(t.Context())
		require.NoError(t, err)
		srv := server()
		go func() { _ = srv.Serve(l) }()
		return l.Addr().String(), func() error { return srv.Shutdown(t.Context()) }
	})
}
