package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
	"git.sr.ht/~sourcehut/ha-go/drain/haproxy/agent"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// start serves an agent of a process of its own until the test ends.
func start(t *testing.T, cfg drain.Config, a *agent.Agent) *drain.Drainer {
	t.Helper()
	before := runtime.NumGoroutine()
	d, err := drain.New(cfg)
	require.NoError(t, err)
	require.NoError(t, a.Attach(d))
	require.NoError(t, a.Listen())
	ended := make(chan error, 1)
	go func() { ended <- a.Serve() }()
	t.Cleanup(func() {
		require.NoError(t, a.Shutdown(context.Background()))
		require.NoError(t, a.Shutdown(context.Background()), "again")
		require.NoError(t, <-ended)
		for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(limit) {
				stacks := make([]byte, 1<<16)
				t.Fatalf("goroutines are left:\n%s", stacks[:runtime.Stack(stacks, true)])
			}
		}
	})
	return d
}

// ask reads what an agent says. It is a client that sends its name, if any, and hangs up once it has the answer.
func ask(t *testing.T, address, name string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(conn, name)
	require.NoError(t, err)
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(text)
}

func TestEachStateHasItsWord(t *testing.T) {
	address := pgtest.Loopback(t) + ":9001"
	var weight atomic.Int64
	weight.Store(150)
	ending := make(chan struct{})
	cfg := drain.Config{LameDuck: time.Nanosecond, Phases: []drain.Phase{{Name: "end", Stop: func(context.Context) error { <-ending; return nil }}}}
	d := start(t, cfg, &agent.Agent{Addr: address, Weight: func() int { return int(weight.Load()) }})
	require.Equal(t, "stopped #starting\n", ask(t, address, ""))
	d.Ready()
	require.Equal(t, "ready up 100%\n", ask(t, address, ""))
	weight.Store(0)
	require.Equal(t, "ready up 1%\n", ask(t, address, ""), "0% would be a drain")
	d.Begin(nil)
	require.Equal(t, "drain\n", ask(t, address, ""))
	ended := make(chan error, 1)
	go func() { ended <- d.Drain(context.Background()) }()
	require.Eventually(t, func() bool { return d.State() == drain.Draining }, 20*time.Second, time.Millisecond)
	require.Equal(t, "stopped #draining\n", ask(t, address, ""))
	close(ending)
	require.NoError(t, <-ended)
	require.Equal(t, "stopped #stopped\n", ask(t, address, ""))
}

// TestLameDuckEndsWhenEachBalancerHasHeard: and not when one has heard it twice, nor by those who only hold the port open or
// send what no balancer sends.
func TestLameDuckEndsWhenEachBalancerHasHeard(t *testing.T) {
	address := pgtest.Loopback(t) + ":9001"
	cfg := drain.Config{LameDuck: time.Nanosecond, LameDuckMax: time.Hour, Deadline: 2 * time.Hour, Balancers: 2}
	d := start(t, cfg, &agent.Agent{Addr: address})
	d.Ready()
	var stuck []net.Conn
	for range 200 { // more than are waited for
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		stuck = append(stuck, conn)
	}
	defer func() {
		for _, conn := range stuck {
			_ = conn.Close()
		}
	}()
	require.Equal(t, "ready up\n", ask(t, address, "lb1\n"), "answered all the same")
	ended := make(chan error, 1)
	go func() { ended <- d.Drain(context.Background()) }()
	<-d.Draining()
	require.Equal(t, "drain\n", ask(t, address, "lb1\n"))
	require.Equal(t, "drain\n", ask(t, address, "lb1\n"))
	scanner, err := net.Dial("tcp", address)
	require.NoError(t, err)
	_, err = io.WriteString(scanner, strings.Repeat("GET / HTTP/1.1\r\n", 100))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, scanner)
	_ = scanner.Close()
	require.Equal(t, drain.LameDuck, d.State())
	require.Equal(t, "drain\n", ask(t, address, "lb2\n"))
	require.NoError(t, <-ended)
}

func TestOnlyBalancersAreAnswered(t *testing.T) {
	address := pgtest.Loopback(t) + ":9001"
	start(t, drain.Config{}, &agent.Agent{Addr: address, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	text, _ := io.ReadAll(conn) // an end, or a reset
	require.Empty(t, text)
}

func TestPortTaken(t *testing.T) {
	address := pgtest.Loopback(t) + ":9001"
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	defer l.Close()
	err = drain.Main(t.Context(), drain.Config{Beside: []drain.Service{&agent.Agent{Addr: address}}})
	require.ErrorContains(t, err, "agent-check: listen tcp "+address+": bind: address already in use")
	require.ErrorContains(t, new(agent.Agent).Serve(), "not attached")
	require.ErrorContains(t, drain.Main(t.Context(), drain.Config{Beside: []drain.Service{&agent.Agent{}}}), "no address to listen on")
}

// TestHAProxyObeys: the real HAProxy, and its state after each word; the lame duck ends by itself, well before its maximum.
func TestHAProxyObeys(t *testing.T) {
	address := pgtest.Loopback(t)
	cfg := drain.Config{LameDuck: time.Nanosecond, LameDuckMax: time.Hour, Deadline: 2 * time.Hour}
	d := start(t, cfg, &agent.Agent{Addr: address + ":9001", Weight: func() int { return 50 }})
	l, err := net.Listen("tcp", address+":8001")
	require.NoError(t, err)
	defer l.Close()
	p := pgtest.HAProxy(t, fmt.Sprintf("backend web\n\tserver one %[1]s:8001 weight 200 check inter 50 agent-check agent-port 9001 agent-inter 50 agent-send \"lb1\\n\"\n", address))
	c := &haproxy.Client{Address: p.Socket}
	is := func(status string, weight int) {
		t.Helper()
		var stat haproxy.Stat
		var seen atomic.Value
		require.Eventually(t, func() bool {
			stats, err := c.Stats(t.Context(), "web")
			require.NoError(t, err)
			stat = stats[0]
			seen.Store(fmt.Sprint(stat.Status, stat.Weight, stat.Agent, stat.Field("agent_desc"), stat.Field("last_agt")))
			return strings.HasPrefix(stat.Status, status) && stat.Weight == weight
		}, 20*time.Second, 5*time.Millisecond, "%v", &seen)
	}
	is("DOWN", 200)
	d.Ready()
	is("UP", 100)
	ended := make(chan error, 1)
	go func() { ended <- d.Drain(context.Background()) }()
	require.NoError(t, <-ended, "HAProxy has read that it drains")
	is("DOWN", 100)
}

// TestShutdownBeforeServe: nobody is answered.
func TestShutdownBeforeServe(t *testing.T) {
	d, err := drain.New(drain.Config{})
	require.NoError(t, err)
	a := &agent.Agent{Addr: pgtest.Loopback(t) + ":9001"}
	require.NoError(t, a.Attach(d))
	require.NoError(t, a.Shutdown(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- a.Serve() }()
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("it serves")
	}
	require.NoError(t, a.Listen())
	_, err = net.Dial("tcp", a.Addr)
	require.Error(t, err)
}
