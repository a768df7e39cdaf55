package httpdrain_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
	"git.sr.ht/~sourcehut/ha-go/internal/leaktest"
)

// TestMain lets the test binary be the process that is told to stop.
func TestMain(m *testing.M) {
	if os.Getenv("HTTPDRAIN_SERVE") == "" {
		os.Exit(leaktest.Run(m))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
	fmt.Println(l.Addr())
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("in flight")
		_, err := io.Copy(w, r.Body) // answers when the client has sent all of it
		fmt.Println("answered", err)
	})
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	if err := drain.Main(context.Background(), drain.Config{LameDuck: time.Millisecond}, httpdrain.On(l, srv)); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// child is a process that serves.
type child struct {
	cmd  *exec.Cmd
	out  *bufio.Scanner
	addr string
}

func serve(t *testing.T) *child { return serveWith(t, nil) }

// serveWith has standard error go to a file.
func serveWith(t *testing.T, stderr *os.File) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "HTTPDRAIN_SERVE=1", "TERM=xterm")
	if stderr != nil {
		cmd.Stderr = stderr
	}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	c := &child{cmd: cmd, out: bufio.NewScanner(out)}
	c.addr = c.line(t)
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	require.True(t, c.out.Scan(), "the process has ended")
	return c.out.Text()
}

// upload is a POST of which the client has sent the first half, over a connection of its own: what http.Client has buffered nobody
// knows.
func (c *child) upload(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst ")
	require.NoError(t, err)
	require.Equal(t, "in flight", c.line(t))
	return conn, bufio.NewReader(conn)
}

// untilClosed returns when the process listens no more.
func (c *child) untilClosed(t *testing.T) {
	t.Helper()
	for range 100_000 {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("the process goes on listening")
}

// TestSignal: a POST that is in flight when SIGTERM or SIGINT comes is answered, nothing new is taken, and the process ends
// with status 0.
func TestSignal(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			c := serve(t)
			conn, r := c.upload(t)
			require.NoError(t, c.cmd.Process.Signal(sig))
			c.untilClosed(t)
			_, err := io.WriteString(conn, "last")
			require.NoError(t, err)
			resp, err := http.ReadResponse(r, nil)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Equal(t, "200 first last", fmt.Sprint(resp.StatusCode, " ", string(text)))
			require.Equal(t, "answered <nil>", c.line(t))
			require.NoError(t, c.cmd.Wait())
		})
	}
}

// TestSecondSignal: it cuts what is left, and the status says so.
func TestSecondSignal(t *testing.T) {
	c := serve(t)
	_, r := c.upload(t)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	c.untilClosed(t)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	_, err := http.ReadResponse(r, nil)
	require.Error(t, err)
	last := ""
	for c.out.Scan() {
		last += c.out.Text() + "\n"
	}
	require.Contains(t, last, ": cut 1 request, oldest 0 s: POST /: context canceled")
	require.NotContains(t, last, "panic")
	require.ErrorContains(t, c.cmd.Wait(), "exit status 1")
}
