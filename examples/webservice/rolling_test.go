package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"git.sr.ht/~sourcehut/ha-go/internal/webload"
)

// site is two servers behind balancers.
type site struct {
	address  string
	mode     string
	nodes    []*node
	proxies  []*pgtest.HAProxyServer
	clients  []*haproxy.Client
	ledger   string
	h1, h2c  []string
	restarts int
}

// newSite starts servers that leave in a way, behind some HAProxies.
func newSite(t testing.TB, mode string, balancers int) *site {
	s := &site{address: pgtest.Loopback(t), mode: mode, ledger: filepath.Join(t.TempDir(), "ledger")}
	for i, name := range []string{"one", "two"} {
		n := &node{name: name, listen: fmt.Sprintf("%s:%d", s.address, 8081+i), agent: fmt.Sprintf("%s:%d", s.address, 9081+i), mode: mode, ledger: s.ledger}
		n.start(t)
		s.nodes = append(s.nodes, n)
	}
	for i := range balancers {
		p := pgtest.HAProxy(t, s.config(i))
		s.proxies = append(s.proxies, p)
		s.clients = append(s.clients, &haproxy.Client{Address: p.Socket})
		s.h1 = append(s.h1, fmt.Sprintf("http://%s:%d", s.address, 8000+i))
		s.h2c = append(s.h2c, fmt.Sprintf("http://%s:%d", s.address, 8500+i))
	}
	for _, n := range s.nodes {
		s.await(t, n, "web", "web2")
	}
	return s
}

// config is that of a balancer: what haproxy.cfg beside this file says, for two servers on one host, with checks that come more
// often, and a second frontend and backend that speak HTTP/2.
func (s *site) config(i int) string {
	servers := func(backend, more string) string {
		text := ""
		for _, n := range s.nodes {
			text += "\tserver " + n.name + " " + n.listen + " check inter 200 fall 2 rise 1"
			if s.mode == withAgent {
				_, port, _ := strings.Cut(n.agent, ":")
				text += fmt.Sprintf(" agent-check agent-port %s agent-inter 100 agent-send \"lb%d %s\\n\"", port, i, backend)
			}
			text += more + "\n"
		}
		return text
	}
	path := "/readyz"
	if s.mode == bare {
		path = "/"
	}
	return fmt.Sprintf(`
frontend h1
	bind %[1]s:%[2]d
	default_backend web
frontend h2
	bind %[1]s:%[3]d proto h2
	default_backend web2
backend web
	option httpchk GET %[4]s
%[5]sbackend web2
	option httpchk GET %[4]s
%[6]s`, s.address, 8000+i, 8500+i, path, servers("web", ""), servers("web2", " proto h2 check-proto h1"))
}

// await returns when every balancer sends to a server, in backends.
func (s *site) await(t testing.TB, n *node, backends ...string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for _, lb := range s.clients {
		for _, backend := range backends {
			for {
				stats, err := lb.Stats(t.Context(), backend)
				up := false
				for _, stat := range stats {
					up = up || stat.Name == n.name && stat.Up() && stat.Check == "L7OK" && (s.mode != withAgent || stat.Agent == "L7OK")
				}
				if up {
					break
				}
				select {
				case <-tick.C:
				case <-limit:
					t.Fatalf("%s is not up after a minute: %v %v", n.name, stats, err)
				}
			}
		}
	}
}

// restart restarts the servers in turn.
func (s *site) restart(t testing.TB, times int) {
	t.Helper()
	for range times {
		n := s.nodes[s.restarts%len(s.nodes)]
		s.restarts++
		n.stop(t)
		n.start(t)
		s.await(t, n, "web", "web2")
	}
}

// load is that of clients that keep their connections, and of uploads that last.
func (s *site) load(t testing.TB, uploads time.Duration) *webload.Load {
	return webload.Start(t.Context(), webload.Config{URLs: s.h1, H2CURLs: s.h2c, Clients: 8, H2C: 4, Uploads: 2, UploadFor: uploads, WebSockets: 2})
}

// short is how long uploads last where there is not the time for ten seconds: TestSoakRolling has it.
const short = 300 * time.Millisecond

// holds says what must be so after restarts under load.
func holds(t testing.TB, r webload.Result, ledger string) {
	t.Helper()
	lost, replayed, err := r.Audit(ledger)
	require.NoError(t, err)
	t.Logf("%s; %d POSTs, %d lost, %d replayed", r, len(r.Sent), len(lost), len(replayed))
	require.Zero(t, r.Failed, "%s", r)
	require.Empty(t, lost)
	require.Empty(t, replayed)
	require.Greater(t, r.OK, 500)
}

const restarts = 20

// TestRollingAgent: agent-checks and 100 ms of lame duck; two HAProxies, one of which is reloaded in the middle; HTTP/1.1, HTTP/2,
// uploads and WebSockets.
func TestRollingAgent(t *testing.T) {
	t.Parallel()
	s := newSite(t, withAgent, 2)
	l := s.load(t, short)
	s.restart(t, restarts/2)
	s.proxies[0].Reload(t, s.config(0))
	s.restart(t, restarts/2)
	r := l.Stop()
	holds(t, r, s.ledger)
	require.Positive(t, r.Uploads)
	require.Positive(t, r.Farewells)
}

// TestRollingChecks: health checks alone.
func TestRollingChecks(t *testing.T) {
	t.Parallel()
	s := newSite(t, withChecks, 1)
	l := s.load(t, short)
	s.restart(t, restarts)
	holds(t, l.Stop(), s.ledger)
}

// TestRollingByRollout: the same restarts ordered from HAProxy's side, by a Rollout.
func TestRollingByRollout(t *testing.T) {
	t.Parallel()
	s := newSite(t, withAgent, 1)
	l := s.load(t, short)
	nodes := map[string]*node{"one": s.nodes[0], "two": s.nodes[1]}
	r := haproxy.Rollout{Balancers: s.clients, Backend: "web", Drain: 200 * time.Millisecond, UpFor: 500 * time.Millisecond, Journal: filepath.Join(t.TempDir(), "journal"),
		Deploy: func(_ context.Context, server haproxy.Server) error {
			// The other backend's HTTP/2 clients come until the agent has spoken there.
			nodes[server.Name].stop(t)
			nodes[server.Name].start(t)
			s.await(t, nodes[server.Name], "web2")
			return nil
		}}
	for range 2 {
		require.NoError(t, r.Run(t.Context()))
	}
	holds(t, l.Stop(), s.ledger)
}

// TestRollingOverlap: no balancer, and one port that the new process takes before the old one leaves.
func TestRollingOverlap(t *testing.T) {
	t.Parallel()
	address := pgtest.Loopback(t) + ":8080"
	n := &node{name: "one", listen: address, mode: overlapped, ledger: filepath.Join(t.TempDir(), "ledger")}
	n.start(t)
	url := []string{"http://" + address}
	l := webload.Start(t.Context(), webload.Config{URLs: url, H2CURLs: url, Clients: 8, H2C: 4, Uploads: 2, UploadFor: short, WebSockets: 2})
	for range restarts {
		next := &node{name: "one", listen: address, mode: overlapped, ledger: n.ledger}
		next.start(t)
		n.stop(t)
		n = next
	}
	holds(t, l.Stop(), n.ledger)
}
