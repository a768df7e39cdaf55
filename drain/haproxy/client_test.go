package haproxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// eventually waits for a condition on a server that is reached by polling it.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, 5*time.Millisecond, what)
}

// web serves on an address until the test ends. Its handler reports that it has been entered, and leaves when told.
type web struct {
	entered, leave chan struct{}
	checks         atomic.Int64
}

func serve(t *testing.T, address string) *web {
	t.Helper()
	w := &web{entered: make(chan struct{}, 100), leave: make(chan struct{})}
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			w.checks.Add(1)
		case "/wait":
			w.entered <- struct{}{}
			<-w.leave
		}
		io.WriteString(rw, "ok")
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return w
}

// speak answers agent-checks with a line.
func speak(t *testing.T, address, line string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, line)
			_ = conn.Close()
		}
	}()
}

// balancer is a HAProxy with the servers one and two, and the client for it.
func balancer(t *testing.T, address string) (*pgtest.HAProxyServer, *haproxy.Client) {
	t.Helper()
	p := pgtest.HAProxy(t, balancerConfig(address))
	return p, &haproxy.Client{Address: p.Socket}
}

func balancerConfig(address string) string {
	return fmt.Sprintf(`
global
	stats socket ipv4@%[1]s:9999 level admin
	stats socket ipv4@%[1]s:9998 level user
frontend www
	bind %[1]s:8000
	default_backend web
backend web
	option httpchk GET /healthz
	server one %[1]s:8001 check inter 50 agent-check agent-port 9001 agent-inter 50
	server two %[1]s:8002 check inter 50 rise 3 fall 2 weight 50
`, address)
}

func find(t *testing.T, c *haproxy.Client, name string) (haproxy.Stat, haproxy.ServerState) {
	t.Helper()
	stats, err := c.Stats(t.Context(), "web")
	require.NoError(t, err)
	states, err := c.States(t.Context(), "web")
	require.NoError(t, err)
	require.Len(t, stats, 2)
	require.Len(t, states, 2)
	i := map[string]int{"one": 0, "two": 1}[name]
	require.Equal(t, haproxy.Server{Backend: "web", Name: name}, stats[i].Server)
	require.Equal(t, stats[i].Server, states[i].Server)
	return stats[i], states[i]
}

func TestServersAreSeenAndSet(t *testing.T) {
	address := pgtest.Loopback(t)
	w := serve(t, address+":8002")
	_, unix := balancer(t, address)
	for name, c := range map[string]*haproxy.Client{"unix": unix, "tcp": {Address: address + ":9999"}} {
		t.Run(name, func(t *testing.T) {
			ctx, two := t.Context(), haproxy.Server{Backend: "web", Name: "two"}
			info, err := c.Info(ctx)
			require.NoError(t, err)
			require.Regexp(t, `^2\.`, info.Version)
			require.NotZero(t, info.PID)
			require.False(t, info.Stopping)

			eventually(t, "the check succeeds", func() bool { s, _ := find(t, c, "two"); return s.Check == "L7OK" })
			eventually(t, "nobody listens", func() bool { s, _ := find(t, c, "one"); return s.Check == "L4CON" && s.Status == "DOWN" })
			stat, state := find(t, c, "two")
			require.True(t, stat.Up())
			require.Equal(t, []int{3, 2, 50, 0}, []int{stat.CheckRise, stat.CheckFall, stat.Weight, stat.Queued})
			require.Equal(t, "http", stat.Field("mode"))
			require.Empty(t, stat.Field("no_such_column"))
			require.Equal(t, haproxy.Ready, state.Admin)
			require.True(t, state.Running)
			require.Equal(t, address+":8002", fmt.Sprintf("%s:%d", state.Address, state.Port))
			require.False(t, state.HasAgent)
			down, gone := find(t, c, "one")
			require.False(t, down.Up() || gone.Running)
			require.True(t, gone.HasAgent && gone.AgentOn)

			for _, admin := range []haproxy.AdminState{haproxy.Drain, haproxy.Maint, haproxy.Ready} {
				require.NoError(t, c.SetState(ctx, two, admin))
				_, state := find(t, c, "two")
				require.Equal(t, admin, state.Admin)
			}
			require.NoError(t, c.SetWeight(ctx, two, 7))
			stat, state = find(t, c, "two")
			require.Equal(t, []int{7, 7, 50}, []int{stat.Weight, state.Weight, state.InitialWeight})
			require.NoError(t, c.SetWeight(ctx, two, 50))

			require.NoError(t, c.SetAgent(ctx, haproxy.Server{Backend: "web", Name: "one"}, false))
			_, state = find(t, c, "one")
			require.True(t, state.HasAgent && !state.AgentOn)
			require.NoError(t, c.SetAgent(ctx, haproxy.Server{Backend: "web", Name: "one"}, true))

			// Sessions are requests under way, also while the server drains; they can be cut.
			eventually(t, "two is up again", func() bool { s, _ := find(t, c, "two"); return s.Status == "UP" })
			failed := make(chan int, 1)
			go func() {
				resp, err := http.Get("http://" + address + ":8000/wait")
				if err != nil {
					failed <- 0
					return
				}
				_ = resp.Body.Close()
				failed <- resp.StatusCode
			}()
			<-w.entered
			require.NoError(t, c.SetState(ctx, two, haproxy.Drain))
			stat, _ = find(t, c, "two")
			require.Equal(t, 1, stat.Sessions)
			require.Equal(t, "DRAIN", stat.Status)
			require.False(t, stat.Up())
			require.NoError(t, c.ShutdownSessions(ctx, two))
			require.NotEqual(t, http.StatusOK, <-failed)
			w.leave <- struct{}{}
			eventually(t, "the session is over", func() bool { s, _ := find(t, c, "two"); return s.Sessions == 0 })
			require.NoError(t, c.SetState(ctx, two, haproxy.Ready))
		})
	}
}

func TestAgentUndoesAnOperatorsDrain(t *testing.T) {
	address := pgtest.Loopback(t)
	w := serve(t, address+":8001")
	_, c := balancer(t, address)
	ctx, one := t.Context(), haproxy.Server{Backend: "web", Name: "one"}
	speak(t, address+":9001", "ready up\n")
	eventually(t, "the agent has spoken", func() bool { s, _ := find(t, c, "one"); return s.Agent == "L7OK" && s.Up() })
	require.NoError(t, c.SetState(ctx, one, haproxy.Drain))
	eventually(t, "the agent says ready", func() bool { s, _ := find(t, c, "one"); return s.Up() })

	require.NoError(t, c.SetAgent(ctx, one, false))
	require.NoError(t, c.SetState(ctx, one, haproxy.Drain))
	checks := w.checks.Load() + 5 // as many as the agent would have had: both come every 50 ms
	eventually(t, "health checks go on", func() bool { return w.checks.Load() >= checks })
	s, state := find(t, c, "one")
	require.Equal(t, haproxy.Drain, state.Admin)
	require.False(t, s.Up())
	require.NoError(t, c.SetAgent(ctx, one, true))
	eventually(t, "the agent says ready", func() bool { s, _ := find(t, c, "one"); return s.Up() })
}

// TestReload: what an operator has set outlives a reload with a server-state-file.
func TestReload(t *testing.T) {
	address := pgtest.Loopback(t)
	w := serve(t, address+":8001")
	p, c := balancer(t, address)
	ctx, one := t.Context(), haproxy.Server{Backend: "web", Name: "one"}
	speak(t, address+":9001", "ready up\n")
	eventually(t, "the agent has spoken", func() bool { s, _ := find(t, c, "one"); return s.Agent == "L7OK" && s.Up() })
	require.NoError(t, c.SetAgent(ctx, one, false))
	require.NoError(t, c.SetState(ctx, one, haproxy.Drain))
	before, err := c.Info(ctx)
	require.NoError(t, err)
	p.Reload(t, balancerConfig(address))
	after, err := c.Info(ctx)
	require.NoError(t, err)
	require.NotEqual(t, before.PID, after.PID)
	checks := w.checks.Load() + 5
	eventually(t, "health checks go on", func() bool { return w.checks.Load() >= checks })
	_, state := find(t, c, "one")
	require.Equal(t, haproxy.Drain, state.Admin)
	require.False(t, state.AgentOn)
}

func TestAnswersThatSayNo(t *testing.T) {
	address := pgtest.Loopback(t)
	_, c := balancer(t, address)
	user := &haproxy.Client{Address: address + ":9998"}
	ctx := t.Context()
	web := func(name string) haproxy.Server { return haproxy.Server{Backend: "web", Name: name} }
	second := func(_ any, err error) error { return err }
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"server":         {c.SetState(ctx, web("three"), haproxy.Drain), haproxy.ErrNoSuchServer},
		"backend":        {c.SetState(ctx, haproxy.Server{Backend: "w", Name: "one"}, haproxy.Drain), haproxy.ErrNoSuchBackend},
		"states":         {second(c.States(ctx, "w")), haproxy.ErrNoSuchBackend},
		"stats":          {second(c.Stats(ctx, "w")), haproxy.ErrNoSuchBackend},
		"weight":         {c.SetWeight(ctx, web("three"), 3), haproxy.ErrNoSuchServer},
		"agent":          {c.SetAgent(ctx, web("two"), true), haproxy.ErrNoAgent},
		"cut":            {c.ShutdownSessions(ctx, web("three")), haproxy.ErrNoSuchServer},
		"level":          {user.SetState(ctx, web("one"), haproxy.Drain), haproxy.ErrPermission},
		"level of agent": {user.SetAgent(ctx, web("one"), false), haproxy.ErrPermission},
	} {
		require.ErrorIs(t, c.err, c.want, name)
		var answer *haproxy.AnswerError
		require.ErrorAs(t, c.err, &answer, name)
		require.NotEmpty(t, answer.Answer)
	}
	_, err := user.Stats(ctx, "")
	require.NoError(t, err, "reading needs no level")
}

func TestNoCommandCanBeSmuggledIn(t *testing.T) {
	c := &haproxy.Client{Address: "/nonexistent/socket"} // which nothing below gets to
	ctx := t.Context()
	for _, name := range []string{"", "a;shutdown frontend www", "a\nshow info", "a b", "a/b", `a\`, "é", "#1", "<<"} {
		s := haproxy.Server{Backend: "web", Name: name}
		for _, err := range []error{
			c.SetState(ctx, s, haproxy.Drain), c.SetWeight(ctx, s, 1), c.SetAgent(ctx, s, true), c.ShutdownSessions(ctx, s),
			c.SetState(ctx, haproxy.Server{Backend: name, Name: "one"}, haproxy.Drain),
		} {
			require.Error(t, err)
			require.NotContains(t, err.Error(), "nonexistent", "%q was sent", name)
		}
		if name != "" { // all backends
			_, err := c.Stats(ctx, name)
			require.ErrorContains(t, err, "cannot be a backend's name")
			_, err = c.States(ctx, name)
			require.ErrorContains(t, err, "cannot be a backend's name")
		}
	}
	require.ErrorContains(t, c.SetState(ctx, haproxy.Server{Backend: "web", Name: "one"}, "ready; show info"), "is no state of a server")
	require.ErrorContains(t, c.SetWeight(ctx, haproxy.Server{Backend: "web", Name: "one"}, 257), "not between 0 and 256")
	_, err := haproxy.ParseServer("web")
	require.ErrorContains(t, err, "write backend/server")
	s, err := haproxy.ParseServer("web/node-1.example:3")
	require.NoError(t, err)
	require.Equal(t, "web/node-1.example:3", s.String())
}

// TestSilence: a server that takes the connection and says nothing, or closes it, or is not there.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conns := make(chan net.Conn, 10)
	go func() {
		defer close(conns)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns <- conn
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		for conn := range conns {
			_ = conn.Close()
		}
	})
	c := &haproxy.Client{Address: l.Addr().String(), Timeout: 20 * time.Millisecond}
	_, err = c.Info(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, c.Address)
	require.ErrorContains(t, err, "no answer until then")
	_ = (<-conns).Close()

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the operator has left")
	c.Timeout = 0
	done := make(chan error, 1)
	go func() { _, err := c.Info(ctx); done <- err }()
	conn := <-conns
	cancel(why)
	require.ErrorIs(t, <-done, why)
	_ = conn.Close()

	go func() { _, err := c.Info(t.Context()); done <- err }()
	conn = <-conns
	_, err = conn.Read(make([]byte, 100))
	require.NoError(t, err)
	_ = conn.Close()
	require.ErrorContains(t, <-done, "closed without an answer")

	_, err = (&haproxy.Client{Address: "/nonexistent/admin.sock"}).Info(t.Context())
	require.ErrorContains(t, err, "/nonexistent/admin.sock")
}
