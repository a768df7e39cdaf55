package httpdrain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Config is an HTTP server and how it leaves. All but Server has a zero value that suits a service behind HAProxy.
type Config struct {
	// Server has not been started. New puts itself before its Handler (http.DefaultServeMux when that is nil), its BaseContext and its
	// ConnState. It listens on its Addr, ":http" when that is empty, and with TLS if its TLSConfig has certificates.
	Server *http.Server
	// Listener is used instead of Server.Addr if it is not nil: of socket activation or shared, say (package listen). What is in its queue
	// when it is closed is accepted first (listen.Gentle).
	Listener net.Listener
	// HealthPath answers 200 while the process lives, ReadyPath 200 while it is ready and 503 otherwise, before Server.Handler is
	// asked. "" is /healthz and /readyz; "-" answers none: use Healthz and Readyz.
	// A balancer should deny ReadyPath to its clients: see Readyz.
	HealthPath, ReadyPath string
	// Checks are what readiness depends on besides.
	Checks []Check
	// Fall is how many times a balancer has to read 503 at ReadyPath before it acts on it. 0 is 3, HAProxy's default.
	Fall int
	// Quiet is how long no request must have come, after the balancers have read the new state, for the lame duck to end early. It
	// ends at drain.Config.LameDuckMax in any case. It is waited for only if balancers ask for the state: without one, clients
	// come until the doors are closed. 0 is 50 ms.
	Quiet time.Duration
	// KeepIdle is how long an HTTP/1 connection must have been idle, since the process was told to leave, before it is closed;
	// and for how long an HTTP/2 connection has been told to go before what it still asks for is left to net/http. 0 is half a second.
	KeepIdle time.Duration
	// Patience is how long after the process was told to leave a request, or hijacked connection, may go on; 0 is until the
	// drain's own deadline. It is asked while the process leaves, not for each request, with the path as it came. What is cut cannot
	// read or write any more; its handler must return. A service with hour-long uploads gives the drain a Deadline of an hour
	// and all other paths 20 seconds. nil is 0 for all.
	Patience func(method, path string) time.Duration
	// Details has the status page show query strings and clients' addresses too.
	Details bool
	// Log gets what checks fail, and what is cut; nil discards it.
	Log *slog.Logger
}

// Check is something without which a service is not ready.
type Check struct {
	// Name is what /readyz says of it; the error goes to the log alone.
	Name string
	// Ready is called when readiness is asked for, one call at a time, and not again within Every. Its context ends after Timeout;
	// a Ready that has not returned then counts as an error, and is not called again until it has.
	Ready func(ctx context.Context) error
	// Every is for how long a result holds; 0 is a second. Timeout bounds a call; 0 is a second.
	Every, Timeout time.Duration
}

func (c *Config) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("httpdrain: "+format, args...)) }
	duration := func(name string, d time.Duration) {
		if d < 0 {
			wrong("%s is %s: a duration cannot be negative", name, d)
		}
	}
	if c.Server == nil {
		wrong("there is no Server")
	}
	for _, p := range []struct{ name, path string }{{"HealthPath", c.HealthPath}, {"ReadyPath", c.ReadyPath}} {
		if p.path != "" && p.path != "-" && p.path[0] != '/' {
			wrong("%s is %q: a path begins with a slash", p.name, p.path)
		}
	}
	if c.HealthPath == c.ReadyPath && c.HealthPath != "" && c.HealthPath != "-" {
		wrong("HealthPath and ReadyPath are both %q", c.HealthPath)
	}
	if c.Fall < 0 {
		wrong("Fall is %d: a count cannot be negative", c.Fall)
	}
	duration("Quiet", c.Quiet)
	duration("KeepIdle", c.KeepIdle)
	for i, check := range c.Checks {
		duration(fmt.Sprintf("Every of check %d (%q)", i, check.Name), check.Every)
		duration(fmt.Sprintf("Timeout of check %d (%q)", i, check.Name), check.Timeout)
		if check.Ready == nil {
			wrong("check %d (%q) has no Ready", i, check.Name)
		}
	}
	return errors.Join(errs...)
}

func (c *Config) fill() {
	or(&c.HealthPath, "/healthz")
	or(&c.ReadyPath, "/readyz")
	or(&c.Fall, 3)
	or(&c.Quiet, 50*time.Millisecond)
	or(&c.KeepIdle, 500*time.Millisecond)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func or[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}
