package haproxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// node is a server that can be deployed to: version by version, it stops and comes back.
type node struct {
	address string
	version atomic.Int64
	srv     *http.Server
	l       net.Listener
	busy    chan struct{} // requests for /wait leave when it is closed
	entered chan struct{}
}

func (n *node) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", n.address)
	require.NoError(t, err)
	version := n.version.Load()
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case version < 0 && r.URL.Path == "/healthz":
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case r.URL.Path == "/wait":
			n.entered <- struct{}{}
			<-n.busy
		}
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, version)
	})}
	n.srv, n.l = srv, l
	go func() { _ = srv.Serve(l) }()
}

// deploy is what exits at once when told to stop would be: whatever is on it is cut.
func (n *node) deploy(t *testing.T, version int64) {
	_ = n.l.Close() // the server does not know it before Serve has begun
	_ = n.srv.Close()
	n.version.Store(version)
	n.start(t)
}

// fleet is three servers behind two HAProxies, the first of which hears their agents.
type fleet struct {
	nodes   map[string]*node
	address string
	lbs     []*haproxy.Client
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{nodes: map[string]*node{}, address: pgtest.Loopback(t)}
	var servers [2]string
	for i, name := range []string{"one", "two", "three"} {
		n := &node{address: fmt.Sprintf("%s:%d", f.address, 8001+i), busy: make(chan struct{}), entered: make(chan struct{}, 10)}
		n.version.Store(1)
		n.start(t)
		t.Cleanup(func() { _ = n.srv.Close() })
		f.nodes[name] = n
		speak(t, fmt.Sprintf("%s:%d", f.address, 9001+i), "ready up\n")
		servers[0] += fmt.Sprintf("\tserver %s %s check inter 20 fall 2 rise 2 agent-check agent-port %d agent-inter 20\n", name, n.address, 9001+i)
		servers[1] += fmt.Sprintf("\tserver %s %s check inter 20 fall 2 rise 2\n", name, n.address)
	}
	for i, servers := range servers {
		p := pgtest.HAProxy(t, fmt.Sprintf("frontend www\n\tbind %s:%d\n\tdefault_backend web\nbackend web\n\ttimeout check 5s\n\toption httpchk GET /healthz\n%s", f.address, 8010+i, servers))
		f.lbs = append(f.lbs, &haproxy.Client{Address: p.Socket})
	}
	r := f.rollout(t)
	eventually(t, "all are up", func() bool {
		s, err := r.Observe(t.Context())
		return err == nil && len(s.Servers) == 3 && s.Servers[0].Up() && s.Servers[1].Up() && s.Servers[2].Up() && s.Servers[2].Healthy()
	})
	return f
}

func (f *fleet) rollout(t *testing.T) *haproxy.Rollout {
	return &haproxy.Rollout{Balancers: f.lbs, Backend: "web", UpFor: 100 * time.Millisecond, UpWithin: 5 * time.Second, Drain: 5 * time.Second,
		Journal: filepath.Join(t.TempDir(), "journal"),
		Deploy: func(_ context.Context, s haproxy.Server) error {
			f.nodes[s.Name].deploy(t, 2)
			return nil
		}}
}

// load asks both balancers all the time, and counts what fails.
func (f *fleet) load(t *testing.T) (stop func() (ok, failed int)) {
	ending := make(chan struct{})
	var wg sync.WaitGroup
	var good, bad atomic.Int64
	for i := range 4 {
		wg.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c := &http.Client{Transport: transport, Timeout: 10 * time.Second}
			for n := 0; ; n++ {
				select {
				case <-ending:
					return
				default:
				}
				resp, err := c.Post(fmt.Sprintf("http://%s:%d/", f.address, 8010+i%2), "text/plain", strings.NewReader("x"))
				if err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				if err == nil && resp.StatusCode == http.StatusOK {
					good.Add(1)
				} else {
					bad.Add(1)
				}
			}
		})
	}
	return func() (int, int) {
		close(ending)
		wg.Wait()
		return int(good.Load()), int(bad.Load())
	}
}

// versions are those of the servers, and whether each is up and has its agent's voice back.
func (f *fleet) versions(t *testing.T) string {
	t.Helper()
	s, err := f.rollout(t).Observe(t.Context())
	require.NoError(t, err)
	var text []string
	for _, o := range s.Servers {
		what := "down"
		if o.Up() {
			what = "up"
		}
		if !o.Views[0].State.AgentOn {
			what += " deaf"
		}
		text = append(text, fmt.Sprintf("%s %d %s", o.Name, f.nodes[o.Name].version.Load(), what))
	}
	return strings.Join(text, ", ")
}

func TestRolloutLosesNothing(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	state, err := r.Observe(t.Context())
	require.NoError(t, err)
	p, err := r.Plan(state)
	require.NoError(t, err)
	require.Equal(t, ` 1. drain web/one: see that at least 1 others are up, then send nothing new to it (undo: make it ready when it is healthy, and wait until it is up)
 2. empty web/one: wait 5s at most until no session is on it
 3. deploy web/one: deploy
 4. see up web/one: wait 5s at most until its health checks are good and have been so for 100ms
 5. put back web/one: make it ready, and wait until it is up
`, strings.Join(strings.SplitAfter(p.String(), "\n")[:5], ""))
	require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t), "a plan does nothing")

	stop := f.load(t)
	err = r.Run(t.Context())
	ok, failed := stop()
	require.NoError(t, err)
	require.Zero(t, failed, "of %d", ok)
	require.Greater(t, ok, 100)
	require.Equal(t, "one 2 up, two 2 up, three 2 up", f.versions(t))
	report, err := r.Report(t.Context())
	require.NoError(t, err)
	require.Contains(t, report.String(), "web/three: deployed and in service; now UP, 0 sessions")
	require.Equal(t, "done", report.Ended)
	require.ErrorIs(t, r.Resume(t.Context()), haproxy.ErrEnded)
}

// TestFailingDeployStops: what had been done stays, the server that failed is put back, the rest is left alone; then it goes on, or
// everything is taken back.
func TestFailingDeployStops(t *testing.T) {
	for _, then := range []string{"resume", "undo"} {
		t.Run(then, func(t *testing.T) {
			f := newFleet(t)
			stop := f.load(t)
			r := f.rollout(t)
			deploy, broken := r.Deploy, true
			r.Deploy = func(ctx context.Context, s haproxy.Server) error {
				if s.Name == "two" && broken {
					return errors.New("no space left on device")
				}
				return deploy(ctx, s)
			}
			r.Undeploy = func(_ context.Context, s haproxy.Server) error {
				f.nodes[s.Name].deploy(t, 1)
				return nil
			}
			err := r.Run(t.Context())
			var stopped *haproxy.RolloutError
			require.ErrorAs(t, err, &stopped)
			require.Regexp(t, `^step "deploy web/two": no space left on device; what had been done after step "put back web/one" is undone: resume, or undo the rest
web/one: deployed and in service; now UP, \d sessions
web/two: deployment taken back, and put back into service; now UP, \d sessions
web/three: not begun; now UP, \d sessions$`, err.Error())
			require.Equal(t, "one 2 up, two 1 up, three 1 up", f.versions(t))
			require.ErrorIs(t, r.Run(t.Context()), haproxy.ErrUnfinished)
			broken = false
			if then == "resume" {
				require.NoError(t, r.Resume(t.Context()))
				require.Equal(t, "one 2 up, two 2 up, three 2 up", f.versions(t))
			} else {
				require.NoError(t, r.Undo(t.Context()))
				require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t))
			}
			ok, failed := stop()
			require.Zero(t, failed, "of %d", ok)
		})
	}
}

// TestServerThatDoesNotComeBack: it is left where nobody sends to it, and said to be so.
func TestServerThatDoesNotComeBack(t *testing.T) {
	f := newFleet(t)
	stop := f.load(t)
	r := f.rollout(t)
	r.UpWithin = 300 * time.Millisecond
	r.Deploy = func(_ context.Context, s haproxy.Server) error {
		f.nodes[s.Name].deploy(t, -1) // its health check says 503
		return nil
	}
	err := r.Run(t.Context())
	require.ErrorContains(t, err, `step "see up web/one": it is `)
	require.ErrorContains(t, err, "and not healthy for 100ms, after 300ms")
	require.ErrorContains(t, err, `and the undo failed: undoing step "drain web/one": left without new sessions: it is DOWN`)
	require.ErrorContains(t, err, "web/one: being put back: left without new sessions: it is DOWN")
	require.ErrorContains(t, err, "web/two: not begun; now UP")
	ok, failed := stop()
	require.Zero(t, failed, "of %d", ok)
	require.Equal(t, "one -1 down deaf, two 1 up, three 1 up", f.versions(t))
}

func TestSessionsAreWaitedFor(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprint("strict ", strict), func(t *testing.T) {
			f := newFleet(t)
			r := f.rollout(t)
			r.Drain, r.Strict, r.Servers = 200*time.Millisecond, strict, []string{"one"}
			// Each server in turn gets one, until "one" has.
			status := make(chan string, 3)
			for range 3 {
				go func() {
					resp, err := http.Post("http://"+f.address+":8011/wait", "", nil)
					if err != nil {
						status <- err.Error()
						return
					}
					_ = resp.Body.Close()
					status <- resp.Status
				}()
			}
			for _, n := range f.nodes {
				<-n.entered
			}
			err := r.Run(t.Context())
			if !strict {
				require.NoError(t, err)
				require.Equal(t, "one 2 up, two 1 up, three 1 up", f.versions(t))
				require.Contains(t, <-status, "502", "this server cuts what is on it")
			} else {
				require.ErrorContains(t, err, `step "empty web/one": 1 sessions are on it after 200ms`)
				require.ErrorContains(t, err, "web/one: drained, then put back; not deployed; now UP, 1 sessions")
				require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t))
			}
			for _, n := range f.nodes {
				close(n.busy)
			}
			for range 2 {
				require.Equal(t, "200 OK", <-status)
			}
		})
	}
}

// TestNobodyDeploysToAServerInService: who made it ready meanwhile is told of, and is not overruled.
func TestNobodyDeploysToAServerInService(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	r.Progress = func(e haproxy.Event) {
		if e.Name == "empty web/one" && (e.Kind == haproxy.Done || e.Kind == haproxy.Found) {
			require.NoError(t, f.lbs[1].SetState(t.Context(), haproxy.Server{Backend: "web", Name: "one"}, haproxy.Ready))
		}
	}
	require.ErrorContains(t, r.Run(t.Context()), `step "deploy web/one": it is DRAIN (agent silenced) at `)
	require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t))
}

// TestRolloutRefuses: with all reasons at once, and before anything is done.
func TestRolloutRefuses(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	require.NoError(t, f.lbs[1].SetState(t.Context(), haproxy.Server{Backend: "web", Name: "two"}, haproxy.Drain))
	r.MinUp, r.Servers = 2, []string{"one", "two", "four", "one"}
	err := r.Run(t.Context())
	require.EqualError(t, err, `without web/one there would be 1 servers up, and not 2
web/two is in state drain at `+f.lbs[1].Address+`: make it ready, or leave it out
web/four: no such server
web/one is named twice`)
	require.ErrorIs(t, err, haproxy.ErrNoSuchServer)
	_, err = (&haproxy.Rollout{MinUp: -1, Drain: -1, Backend: "a b"}).Plan(haproxy.State{})
	require.ErrorContains(t, err, "rollout: no balancer\n")
	require.ErrorContains(t, err, "rollout: no Deploy\nrollout: MinUp is -1: a count cannot be negative\nrollout: Drain is -1ns")
	_, err = r.Report(t.Context())
	require.ErrorContains(t, err, "no rollout has begun")

	// It is counted again before each server: the third goes away while the first is deployed.
	require.NoError(t, f.lbs[1].SetState(t.Context(), haproxy.Server{Backend: "web", Name: "two"}, haproxy.Ready))
	eventually(t, "all are up", func() bool { return f.versions(t) == "one 1 up, two 1 up, three 1 up" })
	r = f.rollout(t)
	r.MinUp = 2
	deploy := r.Deploy
	r.Deploy = func(ctx context.Context, s haproxy.Server) error {
		_ = f.nodes["three"].srv.Close()
		return deploy(ctx, s)
	}
	require.ErrorContains(t, r.Run(t.Context()), `step "drain web/two": without it 1 servers would be up, and not 2`)
	require.Equal(t, "one 2 up, two 1 up, three 1 down", f.versions(t))
}

// TestBalancerIsGone: a rollout that has begun has stopped, even if nobody can say where the servers are; one that could not write its
// journal has not begun.
func TestBalancerIsGone(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	gone := *f.lbs[1]
	r.Balancers = []*haproxy.Client{f.lbs[0], &gone}
	r.UpWithin = 100 * time.Millisecond
	r.Journal = filepath.Join(t.TempDir(), "missing", "journal")
	var stopped *haproxy.RolloutError
	err := r.Run(t.Context())
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotErrorAs(t, err, &stopped)
	require.NotContains(t, err.Error(), "in which state the servers are")

	r.Journal = filepath.Join(t.TempDir(), "journal")
	r.Deploy = func(context.Context, haproxy.Server) error {
		gone.Address = "/nonexistent/s"
		return nil
	}
	err = r.Run(t.Context())
	require.ErrorAs(t, err, &stopped)
	require.ErrorContains(t, err, `step "see up web/one": `)
	require.Regexp(t, `\nin which state the servers are is not known: .*/nonexistent/s: connect: no such file or directory$`, err.Error())
}

// TestBalancerReloadsInAnUndo: a balancer that does not answer at once leaves no server drained.
func TestBalancerReloadsInAnUndo(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	var refuse atomic.Int64
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if refuse.Add(-1) < 0 {
				relay(conn, f.lbs[0].Address)
			}
			_ = conn.Close()
		}
	})
	r.Balancers = []*haproxy.Client{{Address: socket}, f.lbs[1]}
	r.Deploy = func(context.Context, haproxy.Server) error {
		refuse.Store(2)
		return errors.New("no space left on device")
	}
	err = r.Run(t.Context())
	require.ErrorContains(t, err, `step "deploy web/one": no space left on device; what had been done is undone`)
	require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t))
}

// relay takes one command to a balancer, and its answer back.
func relay(conn net.Conn, address string) {
	lb, err := net.Dial("unix", address)
	if err != nil {
		return
	}
	defer func() { _ = lb.Close() }()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(lb, conn) })
	_, _ = io.Copy(conn, lb)
	_ = conn.Close()
	wg.Wait()
}

// TestUndoRefusesToDrain: a server that must stay in service is not waited for.
func TestUndoRefusesToDrain(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	r.Servers, r.Drain = []string{"one", "two"}, 300*time.Millisecond
	deploy := r.Deploy
	r.Deploy = func(ctx context.Context, s haproxy.Server) error {
		if s.Name == "two" {
			return errors.New("no space left on device")
		}
		return deploy(ctx, s)
	}
	require.ErrorContains(t, r.Run(t.Context()), "no space left on device")
	r.Undeploy = r.Deploy
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 3 { // each server in turn gets one
		wg.Go(func() {
			if resp, err := http.Post("http://"+f.address+":8011/wait", "", nil); err == nil {
				_ = resp.Body.Close()
			}
		})
	}
	for _, n := range f.nodes {
		<-n.entered
		defer close(n.busy)
	}
	r.MinUp = 3
	var sessions []string
	r.Progress = func(e haproxy.Event) {
		if e.Kind == haproxy.InProgress && e.Name == "put back web/one" {
			sessions = append(sessions, e.Text)
		}
	}
	require.ErrorContains(t, r.Undo(t.Context()), `undoing step "put back web/one": without it 2 servers would be up, and not 3`)
	require.Empty(t, sessions)
	require.Equal(t, "one 2 up, two 1 up, three 1 up", f.versions(t))
}

// TestResumeLetsAgentsSpeak: the controller dies in "put back", when the server is ready and its agent is silent still.
func TestResumeLetsAgentsSpeak(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	r.Servers = []string{"one"}
	type died struct{}
	r.Progress = func(e haproxy.Event) {
		if e.Name == "put back web/one" && e.Kind == haproxy.Begun {
			panic(died{})
		}
	}
	func() {
		defer func() { require.Equal(t, died{}, recover()) }()
		_ = r.Run(t.Context())
	}()
	for _, lb := range f.lbs {
		require.NoError(t, lb.SetState(t.Context(), haproxy.Server{Backend: "web", Name: "one"}, haproxy.Ready))
	}
	eventually(t, "it is up, and deaf", func() bool { return f.versions(t) == "one 2 up deaf, two 1 up, three 1 up" })
	r.Progress = nil
	require.NoError(t, r.Resume(t.Context()))
	require.Equal(t, "one 2 up, two 1 up, three 1 up", f.versions(t))
}

// TestServersOfWeightZeroDoNotCount: they are up, and at one balancer nothing new is sent to this one.
func TestServersOfWeightZeroDoNotCount(t *testing.T) {
	f := newFleet(t)
	r := f.rollout(t)
	r.MinUp, r.Servers = 2, []string{"one"}
	require.NoError(t, f.lbs[1].SetWeight(t.Context(), haproxy.Server{Backend: "web", Name: "two"}, 0))
	require.EqualError(t, r.Run(t.Context()), "without web/one there would be 1 servers up, and not 2")
	require.NoError(t, f.lbs[1].SetWeight(t.Context(), haproxy.Server{Backend: "web", Name: "two"}, 1))
	require.NoError(t, r.Run(t.Context()))
}

// TestRolloutCrashes: the controller dies at each event, and the next one resumes, or undoes; under load.
func TestRolloutCrashes(t *testing.T) {
	f := newFleet(t)
	base := f.rollout(t)
	base.UpFor, base.Servers = 60*time.Millisecond, []string{"one", "two"}
	base.Undeploy = func(_ context.Context, s haproxy.Server) error {
		f.nodes[s.Name].deploy(t, 1)
		return nil
	}
	state, err := base.Observe(t.Context())
	require.NoError(t, err)
	p, err := base.Plan(state)
	require.NoError(t, err)
	stop := f.load(t)
	type died struct{}
	for i := range p.Steps {
		// Of each step one side, and one way on; of the other server's the others.
		kind, undo := haproxy.Begun, i%2 == 0
		if i%2 == 0 == (i < len(p.Steps)/2) {
			kind = haproxy.Done
		}
		r := *base
		r.Journal = filepath.Join(t.TempDir(), "journal")
		r.Progress = func(e haproxy.Event) {
			if e.Step == i && (e.Kind == kind || e.Kind == haproxy.Found) { // an empty server is found empty
				panic(died{})
			}
		}
		func() {
			defer func() { require.Equal(t, died{}, recover()) }()
			_ = r.Run(t.Context())
		}()
		r.Progress = nil
		if undo {
			require.NoError(t, r.Undo(t.Context()), "%v %s", kind, p.Steps[i].Name)
			require.Equal(t, "one 1 up, two 1 up, three 1 up", f.versions(t), "%v %s", kind, p.Steps[i].Name)
		} else {
			require.NoError(t, r.Resume(t.Context()), "%v %s", kind, p.Steps[i].Name)
			require.Equal(t, "one 2 up, two 2 up, three 1 up", f.versions(t), "%v %s", kind, p.Steps[i].Name)
		}
		for _, name := range []string{"one", "two"} {
			f.nodes[name].version.Store(1)
		}
	}
	ok, failed := stop()
	require.Zero(t, failed, "of %d", ok)
}
