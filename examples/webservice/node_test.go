package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/haproxy/agent"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
	"git.sr.ht/~sourcehut/ha-go/drain/listen"
	"git.sr.ht/~sourcehut/ha-go/internal/webload"
)

// TestMain lets the test binary be a server that is restarted: this example's main, with a handler that keeps a ledger.
func TestMain(m *testing.M) {
	mode := os.Getenv("WEBSERVICE_MODE")
	switch {
	case filepath.Base(os.Args[0]) == "webservice": // started by an init system, by the example's command line
		address, check := flag.String("listen", "", ""), flag.String("agent", "", "")
		flag.Parse()
		if err := server(withAgent, *address, *check, os.DevNull); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	case mode == "":
		os.Exit(m.Run())
	}
	if err := server(mode, os.Getenv("WEBSERVICE_LISTEN"), os.Getenv("WEBSERVICE_AGENT"), os.Getenv("WEBSERVICE_LEDGER")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// How a server leaves.
const (
	withAgent  = "agent"  // agent-check, 100 ms of lame duck
	withChecks = "checks" // health checks alone
	overlapped = "overlap"
	bare       = "bare" // net/http's Shutdown at the signal
)

func server(mode, address, agentAddress, ledger string) error {
	h, err := handler(ledger)
	if err != nil {
		return err
	}
	srv := &http.Server{Addr: address, Handler: h, ReadHeaderTimeout: 10 * time.Second, Protocols: new(http.Protocols)}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	if mode == bare {
		return serveBare(srv)
	}
	cfg := drain.Config{Deadline: 30 * time.Second, Progress: io.Discard, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	web := httpdrain.Config{Server: srv, Fall: 2}
	switch mode {
	case withAgent:
		cfg.LameDuck = 100 * time.Millisecond
		cfg.Beside = []drain.Service{&agent.Agent{Addr: agentAddress}}
	case overlapped:
		cfg.LameDuck = 100 * time.Millisecond
		if web.Listener, err = (listen.Config{Address: address, Shared: true}).Listen(context.Background()); err != nil {
			return err
		}
	}
	service, err := httpdrain.New(web)
	if err != nil {
		return err
	}
	d := drain.Service(service)
	return drain.Main(context.Background(), cfg, &announced{d, service})
}

// announced prints a line once the process is ready.
type announced struct {
	drain.Service
	http *httpdrain.Service
}

func (a *announced) Listen() error { return a.http.Listen() }

func (a *announced) Attach(d *drain.Drainer) error {
	d.Observe(ready{})
	return a.http.Attach(d)
}

type ready struct{}

func (ready) Observe(p drain.Progress) {
	if p.State == drain.Ready {
		fmt.Println("ready")
	}
}

// serveBare is what most services do, SIGTERM included.
func serveBare(srv *http.Server) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	l, err := (listen.Config{Address: srv.Addr}).Listen(context.Background())
	if err != nil {
		return err
	}
	go func() { _ = srv.Serve(l) }()
	fmt.Println("ready")
	<-signals
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return srv.Shutdown(ctx)
}

// handler takes 5 ms for each request, and appends the ids of POSTs to the ledger.
func handler(ledger string) (http.Handler, error) {
	f, err := os.OpenFile(ledger, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	work := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-r.Context().Done():
		}
		if r.Method == http.MethodPost {
			if _, err := io.WriteString(f, r.Header.Get("X-Id")+"\n"); err != nil { // one write: whole, and behind the others
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprintln(w, "ok")
	}
	mux.HandleFunc("/", work)
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusHTTPVersionNotSupported)
			return
		}
		defer func() { _ = conn.Close() }()
		var mu sync.Mutex // lines are written whole
		say := func(line string) error {
			mu.Lock()
			defer mu.Unlock()
			_, err := io.WriteString(conn, line)
			return err
		}
		defer httpdrain.OnLeave(r, func() { _ = say(webload.Farewell + "\n") })()
		if say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+webload.Accept+"\r\n\r\n") != nil {
			return
		}
		for {
			line, err := rw.ReadString('\n')
			if err != nil || say(line) != nil {
				return
			}
		}
	})
	return mux, nil
}

// node is a server of its own process.
type node struct {
	name, listen, agent, mode, ledger string
	cmd                               *exec.Cmd
	said                              *strings.Builder
}

// start starts it and returns when it is ready.
func (n *node) start(t testing.TB) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "WEBSERVICE_MODE="+n.mode, "WEBSERVICE_LISTEN="+n.listen, "WEBSERVICE_AGENT="+n.agent, "WEBSERVICE_LEDGER="+n.ledger)
	n.said = &strings.Builder{}
	cmd.Stderr = n.said
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	n.cmd = cmd
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		_ = cmd.Wait()
		t.Fatalf("%s does not start: %s", n.name, n.said)
	}
}

// stop tells it to leave, and returns when it has; it must have left well.
func (n *node) stop(t testing.TB) {
	t.Helper()
	require.NoError(t, n.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, n.cmd.Wait(), "%s", n.said)
}
