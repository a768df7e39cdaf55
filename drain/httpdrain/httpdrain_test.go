package httpdrain

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start serves a handler on loopback and returns the service, its address and a function that waits for the end of Serve.
func start(t *testing.T, handler http.HandlerFunc) (*Service, string, func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := On(l, &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	t.Cleanup(func() { _ = s.srv.Close() })
	return s, l.Addr().String(), func() error { return <-ended }
}

// get writes a request into a connection that it keeps, and reads the response.
func get(t *testing.T, conn net.Conn, r *bufio.Reader) *http.Response {
	t.Helper()
	_, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(r, nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp
}

// TestLameDuck: a kept connection is served, told to close, and closed by the server behind the response, before Shutdown.
func TestLameDuck(t *testing.T) {
	s, addr, ended := start(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") })
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	r := bufio.NewReader(conn)
	require.False(t, get(t, conn, r).Close)
	require.False(t, get(t, conn, r).Close, "kept")
	s.LameDuck()
	resp := get(t, conn, r)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.True(t, resp.Close)
	_, err = r.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, s.Shutdown(t.Context()))
	require.NoError(t, ended())
}

// TestInFlight: a request that is being served finishes, whatever comes.
func TestInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s, addr, ended := start(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
		io.WriteString(w, "done")
	})
	body := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr)
		if err != nil {
			body <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		body <- fmt.Sprint(string(text), err)
	}()
	<-entered
	require.Equal(t, 1, s.InFlight())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.NoError(t, ended(), "Serve returns at once")
	close(leave)
	require.Equal(t, "done<nil>", <-body)
	require.NoError(t, <-down)
	require.Zero(t, s.InFlight())
}

// TestCut: at the end of the context what is left is closed, and counted.
func TestCut(t *testing.T) {
	entered := make(chan struct{})
	s, addr, ended := start(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done() // the connection's end
		panic(http.ErrAbortHandler)
	})
	failed := make(chan error, 1)
	go func() {
		_, err := http.Get("http://" + addr)
		failed <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, s.Shutdown(ctx), "cut with 1 requests in flight: context canceled")
	require.Error(t, <-failed)
	require.NoError(t, ended())
}
