package httpdrain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// ask asks a service for a path, as one remote address does.
func ask(s http.Handler, path, remote string, header ...string) (int, string) {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = remote
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

func attached(t *testing.T, cfg Config, of drain.Config) (*Service, *drain.Drainer) {
	t.Helper()
	if cfg.Server == nil {
		cfg.Server = &http.Server{Handler: http.HandlerFunc(ok)}
	}
	s, err := New(cfg)
	require.NoError(t, err)
	d, err := drain.New(of)
	require.NoError(t, err)
	require.NoError(t, s.Attach(d))
	return s, d
}

// TestHealth: what the two paths answer, in each state, and where they are.
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const lb = "10.0.0.1:1"
		s, d := attached(t, Config{}, drain.Config{})
		expect := func(ready int, text string) {
			t.Helper()
			code, got := ask(s, "/readyz", lb)
			require.Equal(t, fmt.Sprint(ready, text), fmt.Sprint(code, got))
			code, got = ask(s, "/healthz", lb)
			require.Equal(t, "200alive", fmt.Sprint(code, got))
			_, got = ask(s, "/readyz/", lb)
			require.Equal(t, "ok", got, "not ours")
		}
		expect(503, "starting")
		d.Ready()
		expect(200, "ready")
		d.Begin(nil)
		expect(503, "lame duck")
		require.NoError(t, d.Drain(t.Context()))
		expect(503, "stopped")

		s, err := New(Config{Server: &http.Server{Handler: http.HandlerFunc(ok)}, HealthPath: "-", ReadyPath: "/up"})
		require.NoError(t, err)
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/up": "ready"} {
			_, got := ask(s, path, lb)
			require.Equal(t, want, got)
		}
		s.LameDuck()
		code, got := ask(s, "/up", lb)
		require.Equal(t, "503lame duck", fmt.Sprint(code, got), "without a Drainer too")
	})
}

// TestReadersAreWaitedFor: the lame duck ends when each balancer has read 503 Fall times; two behind one address are told apart by the
// node that HAProxy sends.
func TestReadersAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, d := attached(t, Config{Fall: 2}, drain.Config{})
		d.Ready()
		for node, every := range map[string]time.Duration{"lb1": time.Second, "lb2": 3 * time.Second} {
			go func() {
				for d.State() != drain.Stopped {
					ask(s, "/readyz", "10.0.0.1:"+fmt.Sprint(time.Now().Nanosecond()), "X-Haproxy-Server-State", "UP 2/3; name=bck/srv2; node="+node+"; weight=1/2; scur=13/22")
					time.Sleep(every)
				}
			}()
		}
		time.Sleep(6*time.Second + 1)
		require.Equal(t, 2, d.Balancers())
		began := time.Now()
		require.NoError(t, d.Drain(t.Context()))
		require.Equal(t, 6*time.Second, time.Since(began).Round(100*time.Millisecond))
		time.Sleep(3 * time.Second)
	})
}

// TestChecks: a dependency that fails makes the service unready, is asked at most once in its time, says why to the log alone, and one
// that hangs or panics fails.
func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var calls atomic.Int32
		var down atomic.Pointer[string]
		s, d := attached(t, Config{Log: slog.New(slog.NewTextHandler(&log, nil)), Checks: []Check{
			{Name: "database", Every: 5 * time.Second, Ready: func(ctx context.Context) error {
				calls.Add(1)
				why := down.Load()
				switch {
				case why == nil:
					return nil
				case *why == "panic":
					panic(*why)
				case *why == "hangs":
					time.Sleep(7 * time.Second) // deaf
					return nil
				}
				return errors.New(*why)
			}},
			{Name: "queue", Ready: func(ctx context.Context) error { return nil }},
		}}, drain.Config{})
		d.Ready()
		expect := func(want string) {
			t.Helper()
			code, got := ask(s, "/readyz", "10.0.0.1:1")
			require.Equal(t, want, fmt.Sprint(code, " ", got))
		}
		say := func(why string) { down.Store(&why); time.Sleep(5 * time.Second) }
		for range 10 {
			expect("200 ready")
		}
		require.EqualValues(t, 1, calls.Load())
		say("password authentication failed for user x at 10.1.1.1")
		for range 10 {
			expect("503 not ready: database")
		}
		require.EqualValues(t, 2, calls.Load())
		require.Contains(t, log.String(), `check=database err="password authentication failed for user x at 10.1.1.1"`)
		say("panic")
		expect("503 not ready: database")
		say("hangs")
		began := time.Now()
		expect("503 not ready: database")
		require.Equal(t, time.Second, time.Since(began))
		expect("503 not ready: database")
		require.EqualValues(t, 4, calls.Load(), "not beside one that has not returned")
		down.Store(nil)
		time.Sleep(time.Minute)
		expect("200 ready")
		require.Equal(t, 1, strings.Count(log.String(), "check fails"), "once, not each time")
		require.Contains(t, log.String(), "well again")
		d.Begin(nil)
		n := calls.Load()
		time.Sleep(time.Minute)
		expect("503 lame duck")
		require.Equal(t, n, calls.Load(), "who leaves asks nobody")
	})
}

// TestStatus: what is in flight, as JSON and as HTML, bounded, without secrets, and escaped.
func TestStatus(t *testing.T) {
	s, d := attached(t, Config{}, drain.Config{})
	d.Ready()
	var slots []*slot
	for i := range mostRows + 50 {
		r := httptest.NewRequest("POST", "/<script>alert(1)</script>?token=hush", nil)
		if i == 0 {
			r = httptest.NewRequest("GET", "/oldest", nil)
		}
		s.flight.clock.Store(int64(i) * int64(time.Second))
		slots = append(slots, s.flight.start(nil, r))
	}
	s.flight.epoch = time.Now().Add(-time.Hour)
	code, text := ask(s.Status(), "/", "10.0.0.1:1")
	require.Equal(t, 200, code)
	require.Contains(t, text, "<h1>ready</h1>\n<p>250 in flight, 0 connections. The 200 oldest:</p>")
	require.Contains(t, text, "<tr><td>3600<td>request<td>GET /oldest<td></tr>")
	require.Contains(t, text, "POST /&lt;script&gt;alert(1)")
	require.NotContains(t, text, "<script>")
	require.NotContains(t, text, "hush")
	require.NotContains(t, text, "192.0.2.1")
	require.Equal(t, mostRows, strings.Count(text, "<tr><td>"))

	d.Begin(errors.New("<b>"))
	_, text = ask(s.Status(), "/?format=json", "10.0.0.1:1")
	require.NotContains(t, text, "hush")
	var page struct {
		State, Cause string
		Count        int
		Open         []struct {
			Kind, Method, Path string
			Since              time.Time
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &page))
	require.Equal(t, "lame duck <b>", page.State+" "+page.Cause)
	require.Equal(t, mostRows+50, page.Count)
	require.Len(t, page.Open, mostRows)
	require.Equal(t, "request GET /oldest", page.Open[0].Kind+" "+page.Open[0].Method+" "+page.Open[0].Path)
	_, again := ask(s.Status(), "/", "10.0.0.1:1", "Accept", "application/json")
	require.JSONEq(t, text, again)
	_, text = ask(s.Status(), "/", "10.0.0.1:1")
	require.Contains(t, text, "Cause: &lt;b&gt;")

	s.cfg.Details = true
	_, text = ask(s.Status(), "/", "10.0.0.1:1")
	require.Contains(t, text, "?token=hush<td>192.0.2.1:1234")
	for _, slot := range slots {
		slot.end()
	}
	_, text = ask(s.Status(), "/", "10.0.0.1:1")
	require.Contains(t, text, "0 in flight")
	require.NotContains(t, text, "<table>")
}

// TestLongServerState: whoever asks may send a long X-Haproxy-Server-State; what is remembered of it is short, and so is what it costs.
func TestLongServerState(t *testing.T) {
	r := httptest.NewRequest("GET", "/readyz", nil)
	r.RemoteAddr = "10.0.0.1:1"
	r.Header.Set("X-Haproxy-Server-State", "UP; name=web/node1; node=lb1; "+strings.Repeat("node=;", 1000)+"node="+strings.Repeat("x", 1000))
	require.Less(t, len(source(r)), 150)
	r.Header.Set("X-Haproxy-Server-State", "UP; name=web/node1; node=lb1; scur=1")
	require.Equal(t, "10.0.0.1 name=web/node1 node=lb1", source(r))
}
