package gracefulserver

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// inFlight is a server with one request that a handler has not answered yet.
type inFlight struct {
	srv    *http.Server
	served chan error    // what Serve returned
	answer chan struct{} // close it and the handler answers
	status chan error    // of the client: nil when it got its answer
}

func start(t *testing.T) *inFlight {
	f := &inFlight{served: make(chan error, 1), answer: make(chan struct{}), status: make(chan error, 1)}
	arrived := make(chan struct{})
	f.srv = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-f.answer
		w.WriteHeader(http.StatusNoContent)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { f.served <- f.srv.Serve(l) }()
	go func() {
		resp, err := http.Post("http://"+l.Addr().String(), "text/plain", nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		f.status <- err
	}()
	<-arrived
	t.Cleanup(func() { f.srv.Close() })
	return f
}

// TestShutdownWithEndedContext: Shutdown does not wait for a request when its context has ended.
func TestShutdownWithEndedContext(t *testing.T) {
	f := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, f.srv.Shutdown(ctx), context.Canceled, "and this is the error that shutdown-error-ignored is about")
	select {
	case <-f.status:
		t.Fatal("the request was over")
	default:
	}
	f.srv.Close() // as the end of the process does
	require.Error(t, <-f.status, "the client lost its request")
	close(f.answer)
}

// TestServeReturnsBeforeShutdown: Serve returns ErrServerClosed while Shutdown still waits, and Shutdown waits for ever
// without a deadline.
func TestServeReturnsBeforeShutdown(t *testing.T) {
	f := start(t)
	done := make(chan error, 1)
	go func() { done <- f.srv.Shutdown(context.Background()) }()
	require.ErrorIs(t, <-f.served, http.ErrServerClosed)
	select {
	case err := <-done:
		t.Fatalf("Shutdown returned with a request in flight: %v", err)
	default:
	}
	close(f.answer)
	require.NoError(t, <-f.status)
	require.NoError(t, <-done)
}

// TestSigtermEndsTheProcess: a process that takes SIGINT alone is ended by SIGTERM.
func TestSigtermEndsTheProcess(t *testing.T) {
	if os.Getenv("GRACEFULSERVER_CHILD") != "" {
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		os.Stdout.WriteString("ready\n")
		<-c
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestSigtermEndsTheProcess$")
	cmd.Env = append(os.Environ(), "GRACEFULSERVER_CHILD=1")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = io.ReadFull(out, make([]byte, len("ready\n")))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	require.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
}

// TestReadTimeoutStandsIn: a header that does not come is given up after ReadTimeout when there is no ReadHeaderTimeout.
func TestReadTimeoutStandsIn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{ReadTimeout: time.Millisecond}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the server has closed the connection")
}
