package drain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Phase is one step of a drain. Phases run one after the other: stop what comes in, finish what is under way, flush queues,
// close the database last.
type Phase struct {
	// Name is for logs and errors.
	Name string
	// Deadline bounds this phase; 0 leaves it all that the drain has left. It never outlasts Config.Deadline.
	Deadline time.Duration
	// Stop returns when the phase is done. Its context ends with the deadline; what is still open then must be cut before it
	// returns, and a Stop that has not returned a second later is left behind. Its error does not keep the later phases
	// from running. A Phase without Stop waits for what Drainer.Go runs.
	Stop func(ctx context.Context) error
}

// Hold is something that the lame duck waits for.
type Hold struct {
	// Name is for logs.
	Name string
	// Until returns when the process may go on, or the context has ended, with an error that says what it was still waiting
	// for. The error is logged and ends the lame duck as success does.
	Until func(ctx context.Context) error
}

// Config says how a process leaves. Its zero value suits a service behind HAProxy, with agent-check or with health checks.
type Config struct {
	// LameDuck is how long the process serves on, at least, after it was told to stop. 0 is half a second; there must be a
	// reason for none at all, so that none is written 1ns.
	LameDuck time.Duration
	// LameDuckMax is how long it serves on at most, while it waits for balancers and holds. 0 is ten seconds (HAProxy's
	// default check takes six to fall: inter 2s, fall 3), or half of Deadline if that is less, and never less than LameDuck.
	LameDuckMax time.Duration
	// Balancers is how many distinct sources must have been told that the process leaves before it may close its doors. 0
	// is those that were asking for its state when it was told to stop; with none it waits for none.
	Balancers int
	// Deadline bounds the whole drain, the lame duck included; 0 is 30 seconds. systemd kills after TimeoutStopSec (90
	// seconds, systemd.service(5)), OpenRC's start-stop-daemon after 5 unless its retry says otherwise, runit's sv never, but it
	// stops waiting after 7.
	Deadline time.Duration
	// Phases run in this order. Main puts the shutdown of its services and the work of Drainer.Go before them. Without a Phase
	// that waits for that work, New puts one last: place one before what the work needs, such as a database.
	Phases []Phase
	// Beside are services that stand beside what the process is for, such as a health or metrics server or a balancer's
	// agent: Main starts them first and shuts them down after the last phase.
	Beside []Service
	// Progress gets one line, rewritten each second, with what is still open. With nil, Main writes it to standard error
	// if that is a terminal; New alone writes none.
	Progress io.Writer
	// Log gets one record for each change of state, each phase and each hold, and every ten seconds what is still open; nil
	// discards them.
	Log *slog.Logger

	hint string // of Main, for Progress
}

const (
	defaultLameDuck    = 500 * time.Millisecond
	defaultLameDuckMax = 10 * time.Second
	defaultDeadline    = 30 * time.Second
)

func (c *Config) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("drain: "+format, args...)) }
	duration := func(name string, d time.Duration) {
		if d < 0 {
			wrong("%s is %s: a duration cannot be negative", name, d)
		}
	}
	duration("LameDuck", c.LameDuck)
	duration("LameDuckMax", c.LameDuckMax)
	duration("Deadline", c.Deadline)
	if c.Balancers < 0 {
		wrong("Balancers is %d: a count cannot be negative; 0 waits for those that ask", c.Balancers)
	}
	if c.LameDuckMax > 0 && c.LameDuck > c.LameDuckMax {
		wrong("LameDuck, %s, is longer than LameDuckMax, %s", c.LameDuck, c.LameDuckMax)
	}
	if deadline := or(c.Deadline, defaultDeadline); deadline > 0 && max(c.LameDuck, c.LameDuckMax) >= deadline {
		wrong("the lame duck, %s, leaves nothing of the Deadline, %s, to finish in", max(c.LameDuck, c.LameDuckMax), deadline)
	}
	waits := 0
	for i, p := range c.Phases {
		duration(fmt.Sprintf("the Deadline of phase %d (%q)", i, p.Name), p.Deadline)
		if p.Stop == nil {
			waits++
		}
	}
	if waits > 1 {
		wrong("%d phases have no Stop: one can wait for what Go runs", waits)
	}
	for i, s := range c.Beside {
		if s == nil {
			wrong("Beside[%d] is nil", i)
		}
	}
	return errors.Join(errs...)
}

func (c *Config) fill() {
	c.Deadline = or(c.Deadline, defaultDeadline)
	c.LameDuck = or(c.LameDuck, min(defaultLameDuck, c.Deadline/4))
	c.LameDuckMax = or(c.LameDuckMax, max(c.LameDuck, min(defaultLameDuckMax, c.Deadline/2)))
	if c.LameDuck > c.LameDuckMax { // by default only
		c.LameDuck = c.LameDuckMax
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
