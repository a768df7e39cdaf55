// Package agent answers HAProxy's agent-checks, so that a process that leaves is taken out of service by its own word, within one
// agent-inter, and without a failed health check:
//
//	drain.Config{Beside: []drain.Service{&agent.Agent{Addr: ":9001"}}}
//
//	server node1 10.0.0.1:8080 check agent-check agent-port 9001 agent-inter 100ms
//
// While the process serves the answer is "ready up". As a lame duck it says "drain": what is there goes on, nothing new comes. From
// then on, and before it is ready, it is "stopped" (configuration manual 2.6, section 5.2, agent-check). Each answer is reported to the
// drain, whose lame duck then ends as soon as every balancer has heard that the process leaves.
//
// A balancer is told apart by its address. Two on one host, or one with the server in two backends (each asks for itself), name
// themselves, by the words with which "http-check send-state" names them to httpdrain's /readyz, so that either check is enough:
//
//	agent-send "name=web/node1 node=lb1\n"
//
// # The agent's word
//
// Only "ready" takes back a "drain", also one of before a restart: so it is said each time. It takes back an operator's "set server …
// state drain" and maint as well, so silence the agent first ("disable agent"), as package haproxy's Rollout does. And a version of
// the service without an agent, started after one with, stays in drain until somebody says "set server … state ready".
//
// "stopped" is heeded on a server that has health checks ("check") only, "drain" on any.
//
// Without an answer HAProxy keeps the state that it has: an agent that cannot be reached takes nothing out of service.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// Agent is a drain.Service that answers agent-checks. It belongs in Config.Beside of the drain, where it answers until the last
// phase is over. Its fields must not change once it is attached.
type Agent struct {
	// Addr is where to listen, such as ":9001". Listener, if not nil, is used instead.
	Addr     string
	Listener net.Listener
	// Weight is the share of its configured weight, in percent, that the server wants now, as its load allows: it is asked at
	// each check and must not block. What it returns is brought between 1 and 100, since 0 would be a drain. nil says nothing
	// of the weight. HAProxy keeps the last weight that it was told, also of an agent that says nothing of it any more.
	Weight func() int
	// Allow are the networks of the balancers. Others are answered nothing, and count for nothing. nil allows everybody.
	Allow []netip.Prefix
	// Log gets a record when taking connections has failed; nil discards it.
	Log *slog.Logger

	drain   *drain.Drainer
	closing chan struct{} // closed by Shutdown

	mu       sync.Mutex
	listener net.Listener
	down     bool
	open     []net.Conn // oldest first
	conns    sync.WaitGroup
}

const (
	// patience is how long a client may take to read its line.
	patience = time.Second
	// most is how many clients are waited for at a time. One more, and the oldest is closed: HAProxy has read its line long ago.
	most = 64
	// nameLimit bounds the name that a balancer sends, in bytes: who sends more is none.
	nameLimit = 128
)

func (a *Agent) String() string { return "agent-check" }

// Attach makes the agent answer the state of a process.
func (a *Agent) Attach(d *drain.Drainer) error {
	a.drain, a.closing = d, make(chan struct{})
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Listen takes the port, unless the agent is shut down. The error names it.
func (a *Agent) Listen() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.listener != nil, a.down:
	case a.Listener != nil:
		a.listener = a.Listener
	case a.Addr == "":
		return errors.New("no address to listen on: set Addr, to \":9001\" say")
	default:
		l, err := net.Listen("tcp", a.Addr)
		if err != nil {
			return err // it names the address and the reason
		}
		a.listener = l
	}
	return nil
}

// Serve answers until Shutdown; nobody after it.
func (a *Agent) Serve() error {
	if a.drain == nil {
		return errors.New("agent: not attached to a drain: put it into Config.Beside, or call Attach")
	}
	if err := a.Listen(); err != nil {
		return err
	}
	if a.isDown() {
		return nil
	}
	var delay time.Duration
	for {
		conn, err := a.listener.Accept()
		if err == nil {
			delay = 0
			a.take(conn)
			continue
		}
		if a.isDown() {
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Too many open files, say: it passes.
		delay = min(max(2*delay, 5*time.Millisecond), time.Second)
		a.Log.Warn("agent-check: taking a connection", "err", err, "again in", delay)
		select {
		case <-time.After(delay):
		case <-a.closing:
			return nil
		}
	}
}

func (a *Agent) isDown() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.down
}

// Shutdown stops answering. It never waits: nothing of what is open matters to anybody.
func (a *Agent) Shutdown(context.Context) error {
	a.mu.Lock()
	if !a.down && a.closing != nil {
		close(a.closing)
	}
	a.down = true
	l := a.listener
	if l == nil {
		l = a.Listener
	}
	for _, conn := range a.open {
		_ = conn.Close()
	}
	a.mu.Unlock()
	var err error
	if l != nil {
		if err = l.Close(); errors.Is(err, net.ErrClosed) {
			err = nil
		}
	}
	a.conns.Wait()
	return err
}

// take answers a client in a goroutine of its own.
func (a *Agent) take(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down || !a.allowed(conn) {
		_ = conn.Close()
		return
	}
	if len(a.open) == most {
		_ = a.open[0].Close()
		a.open = a.open[1:]
	}
	a.open = append(a.open, conn)
	a.conns.Go(func() {
		defer a.drop(conn)
		a.answer(conn)
	})
}

func (a *Agent) drop(conn net.Conn) {
	_ = conn.Close()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, c := range a.open {
		if c == conn {
			a.open = append(a.open[:i], a.open[i+1:]...)
			return
		}
	}
}

func (a *Agent) allowed(conn net.Conn) bool {
	if a.Allow == nil {
		return true
	}
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return false
	}
	for _, network := range a.Allow {
		if network.Contains(at.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// answer writes the line and waits until the client, which has it then, hangs up. What the client sent (agent-send) is read
// before the connection is closed: else the kernel resets it, and the line may be lost on its way.
func (a *Agent) answer(conn net.Conn) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return
	}
	state := a.drain.State()
	if _, err := io.WriteString(conn, a.line(state)); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the client may have read all it wants, and be gone
	}
	said := make([]byte, nameLimit)
	n, err := io.ReadFull(conn, said)
	var timeout net.Error
	if err == nil || errors.Is(err, net.ErrClosed) || errors.As(err, &timeout) && timeout.Timeout() {
		return // no balancer, or stuck: nobody knows whether it has read the line
	}
	name, _, _ := strings.Cut(string(said[:n]), "\n")
	a.drain.Told(source(conn, name), state, 1)
}

// line is what a process in a state says. HAProxy reads up to the newline; a remark begins with a space and a sharp (without the space 2.6
// takes it for part of the word).
func (a *Agent) line(state drain.State) string {
	switch {
	case state == drain.Ready && a.Weight != nil:
		return fmt.Sprintf("ready up %d%%\n", min(max(a.Weight(), 1), 100))
	case state == drain.Ready:
		return "ready up\n"
	case state == drain.LameDuck:
		return "drain\n"
	default:
		return fmt.Sprintf("stopped #%s\n", state)
	}
}

// source tells balancers apart: by address, and by the line that they send (agent-send "lb1\n"), for two on one host.
func source(conn net.Conn, name string) string {
	host, _, err := net.SplitHostPort(conn.RemoteAddr().String())
	if err != nil {
		host = conn.RemoteAddr().String() // a Unix socket's
	}
	if name = strings.TrimSpace(name); name != "" {
		host += " " + name
	}
	return host
}
