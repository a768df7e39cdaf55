package httpdrain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// health answers the paths of HealthPath and ReadyPath.
func (s *Service) health(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case s.cfg.ReadyPath:
		s.ready(w, r)
	case s.cfg.HealthPath:
		s.alive(w, r)
	default:
		return false
	}
	return true
}

// Healthz answers 200: the process is alive, whatever its state. It is for whoever restarts processes, and must not depend on others.
func (s *Service) Healthz() http.Handler { return http.HandlerFunc(s.alive) }

// Readyz answers 200 while requests are welcome: the process is ready and its Checks are. Otherwise 503, with a line for each reason. It
// remembers who asked, by address and by the node that HAProxy's "http-check send-state" names (X-Haproxy-Server-State, HAProxy
// configuration manual 2.6), and the lame duck waits until each has read the new state often enough. Whoever
// asks through a balancer counts as that balancer: have it deny the path to its clients, as examples/webservice/haproxy.cfg does.
func (s *Service) Readyz() http.Handler { return http.HandlerFunc(s.ready) }

func (s *Service) alive(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") }

func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	state := drain.Ready
	d := s.drainer.Load()
	if d != nil {
		state = d.State()
	}
	if state == drain.Ready && s.leaving.Load() {
		state = drain.LameDuck
	}
	if state != drain.Ready {
		answer(w, http.StatusServiceUnavailable, state.String())
	} else if bad := s.checks.bad(); len(bad) > 0 {
		answer(w, http.StatusServiceUnavailable, "not ready: "+strings.Join(bad, ", "))
	} else {
		answer(w, http.StatusOK, state.String())
	}
	if d != nil {
		d.Told(source(r), state, s.cfg.Fall)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}

// source is who asks.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr // of a unix socket
	}
	// "UP 2/3; name=web/node1; node=lb1; …" (HAProxy configuration manual 2.6, http-check send-state). A server in two backends is
	// checked by each for itself.
	said := r.Header.Get("X-Haproxy-Server-State")
	var name, node string // one of each: anybody may send this
	for field := range strings.SplitSeq(said[:min(len(said), 1024)], ";") {
		field = strings.TrimSpace(field)
		field = field[:min(len(field), 64)]
		switch {
		case strings.HasPrefix(field, "name="):
			name = " " + field
		case strings.HasPrefix(field, "node="):
			node = " " + field
		}
	}
	return host + name + node
}

// checks are the caller's, with what they said last.
type checks struct {
	log *slog.Logger
	all []*checked
}

type checked struct {
	Check
	mu   sync.Mutex
	busy chan struct{} // not nil: it is being called; closed when that ends
	last time.Time
	err  error
	said bool // the error is in the log
}

func (c *checks) init(cfg Config) {
	c.log = cfg.Log
	for _, check := range cfg.Checks {
		or(&check.Every, time.Second)
		or(&check.Timeout, time.Second)
		c.all = append(c.all, &checked{Check: check})
	}
}

// bad are the names of the checks that fail.
func (c *checks) bad() []string {
	pending := make([]chan struct{}, len(c.all))
	for i, check := range c.all { // all at the same time
		pending[i] = check.begin(c.log)
	}
	var names []string
	for i, check := range c.all {
		if err := check.result(pending[i]); err != nil {
			names = append(names, check.Name)
		}
	}
	return names
}

// begin calls the check if its last result is too old and it is not being called. The channel is nil if the last result holds.
func (c *checked) begin(log *slog.Logger) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy != nil {
		return c.busy
	}
	if !c.last.IsZero() && time.Since(c.last) < c.Every {
		return nil
	}
	c.busy = make(chan struct{})
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
		defer cancel()
		err := c.call(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil && !c.said {
			log.Warn("httpdrain: check fails", "check", c.Name, "err", err)
		} else if err == nil && c.said {
			log.Info("httpdrain: check is well again", "check", c.Name)
		}
		c.last, c.err, c.said = time.Now(), err, err != nil
		close(c.busy)
		c.busy = nil
	}()
	return c.busy
}

func (c *checked) call(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return c.Ready(ctx)
}

var errSlow = errors.New("it has not answered in time")

func (c *checked) result(pending chan struct{}) error {
	if pending != nil {
		t := time.NewTimer(c.Timeout)
		defer t.Stop()
		select {
		case <-pending:
		case <-t.C:
			select {
			case <-pending: // in the same moment, by its context
			default:
				return errSlow
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
