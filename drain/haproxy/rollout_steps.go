package haproxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/plan"
)

// The steps of a server, in order.
const (
	stepDrain = iota
	stepEmpty
	stepDeploy
	stepHealth
	stepReady
	stepsOfServer
)

// steps are those of one server.
func (r *Rollout) steps(s Server, t target) []plan.Step {
	ready := "put back " + s.String()
	sees := func(what func(Observed) bool) func(context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) {
			o, err := r.look(ctx, s)
			return err == nil && what(o), err
		}
	}
	list := make([]plan.Step, stepsOfServer)
	list[stepDrain] = plan.Step{
		Name: "drain " + s.String(), Until: ready,
		Does:   fmt.Sprintf("see that at least %d others are up, then send nothing new to it", r.minUp()),
		Undoes: "make it ready when it is healthy, and wait until it is up",
		Check:  sees(Observed.drained),
		Do:     func(ctx context.Context) error { return r.drain(ctx, s) },
		Undo:   func(ctx context.Context) error { return r.undrain(ctx, s, t) },
	}
	list[stepEmpty] = plan.Step{
		Name: "empty " + s.String(), Until: ready,
		Does:  fmt.Sprintf("wait %s at most until no session is on it", or(r.Drain, 30*time.Second)),
		Check: sees(func(o Observed) bool { return o.drained() && o.Sessions() == 0 }),
		Do:    func(ctx context.Context) error { return r.empty(ctx, s) },
	}
	list[stepDeploy] = plan.Step{
		Name: "deploy " + s.String(), Until: ready, Does: "deploy",
		Do: func(ctx context.Context) error { return r.deploy(ctx, s, r.Deploy) },
	}
	list[stepHealth] = plan.Step{
		Name: "see up " + s.String(), Until: ready,
		Does: fmt.Sprintf("wait %s at most until its health checks are good and have been so for %s", or(r.UpWithin, time.Minute), or(r.UpFor, 5*time.Second)),
		Do:   func(ctx context.Context) error { return r.await(ctx, s, "healthy", Observed.Healthy) },
	}
	list[stepReady] = plan.Step{
		Name: ready, Does: "make it ready, and wait until it is up", Keep: true,
		Check: sees(func(o Observed) bool { return o.Up() && o.hears(t) }),
		Do:    func(ctx context.Context) error { return r.putBack(ctx, s, t) },
	}
	if r.Undeploy != nil {
		list[stepDeploy].Undoes = "take the deployment back"
		list[stepDeploy].Undo = func(ctx context.Context) error { return r.deploy(ctx, s, r.Undeploy) }
		list[stepReady].Undoes = "drain it, and wait for its sessions"
		list[stepReady].Undo = func(ctx context.Context) error {
			if err := r.drain(ctx, s); err != nil {
				return err // it gets new sessions: nobody waits for their end
			}
			return r.empty(ctx, s)
		}
	}
	return list
}

func (r *Rollout) look(ctx context.Context, s Server) (Observed, error) {
	state, err := r.Observe(ctx)
	if err != nil {
		return Observed{}, err
	}
	return state.find(s)
}

// drain silences the agents first: they would undo it.
func (r *Rollout) drain(ctx context.Context, s Server) error {
	state, err := r.Observe(ctx)
	if err != nil {
		return err
	}
	o, err := state.find(s)
	if err != nil {
		return err
	}
	if up := state.othersUp(s); up < r.minUp() {
		return fmt.Errorf("without it %d servers would be up, and not %d", up, r.minUp())
	}
	for i, lb := range r.Balancers {
		if o.Views[i].State.AgentOn {
			if err := lb.SetAgent(ctx, s, false); err != nil {
				return err
			}
		}
		if err := lb.SetState(ctx, s, Drain); err != nil {
			return err
		}
	}
	return nil
}

// empty waits until nothing is on the server.
func (r *Rollout) empty(ctx context.Context, s Server) error {
	left, err := -1, error(nil)
	err = r.until(ctx, or(r.Drain, 30*time.Second), func(ctx context.Context) (bool, error) {
		o, err := r.look(ctx, s)
		if n := o.Sessions(); err == nil && n != left {
			left = n
			if n > 0 {
				plan.Report(ctx, "%d sessions", n)
			}
		}
		return err == nil && left == 0, err
	})
	var late *lateError
	if err == nil || !errors.As(err, &late) {
		return err
	}
	if r.Strict || left < 0 {
		return fmt.Errorf("%d sessions are on it after %s: %w", max(left, 0), or(r.Drain, 30*time.Second), err)
	}
	plan.Report(ctx, "%d sessions are left to the server", left)
	return nil
}

// deploy calls Deploy, or Undeploy, on a server that is still drained: a HAProxy that was restarted without a server-state-file sends
// to it again.
func (r *Rollout) deploy(ctx context.Context, s Server, how func(context.Context, Server) error) error {
	o, err := r.look(ctx, s)
	if err != nil {
		return err
	}
	if !o.drained() {
		return fmt.Errorf("it is %s, and no longer drained: has HAProxy forgotten it in a restart (server-state-file), or somebody made it ready?", o)
	}
	within := or(r.DeployWithin, 10*time.Minute)
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("not done within %s", within))
	defer cancel()
	err = how(ctx, s)
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		err = fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	return err
}

// await waits until the balancers agree on something, and have done so for UpFor.
func (r *Rollout) await(ctx context.Context, s Server, what string, is func(Observed) bool) error {
	var since time.Time
	var last Observed
	stay := or(r.UpFor, 5*time.Second)
	within := or(r.UpWithin, time.Minute)
	err := r.until(ctx, within+stay, func(ctx context.Context) (bool, error) {
		o, err := r.look(ctx, s)
		switch {
		case err != nil:
			return false, err // a reload, perhaps: it neither is nor is not
		case !is(o):
			if !since.IsZero() || last.String() != o.String() {
				plan.Report(ctx, "%s", o)
			}
			since = time.Time{}
		case since.IsZero():
			plan.Report(ctx, "%s", what)
			since = time.Now()
		}
		last = o
		return !since.IsZero() && time.Since(since) >= stay, nil
	})
	var late *lateError
	if errors.As(err, &late) {
		return fmt.Errorf("it is %s, and not %s for %s, after %s: %w", last, what, stay, within, err)
	}
	return err
}

// putBack makes the server ready, lets its agent speak where it did, and waits until it is up.
func (r *Rollout) putBack(ctx context.Context, s Server, t target) error {
	for i, lb := range r.Balancers {
		if err := lb.SetState(ctx, s, Ready); err != nil {
			return err
		}
		if t.Agents[i] {
			if err := lb.SetAgent(ctx, s, true); err != nil {
				return err
			}
		}
	}
	return r.await(ctx, s, "up", Observed.Up)
}

// undrain puts back a server that was deployed to, or was not, or in part: only if it is healthy. One that is not is left where
// nobody sends to it.
func (r *Rollout) undrain(ctx context.Context, s Server, t target) error {
	var o Observed
	err := r.until(ctx, or(r.UpWithin, time.Minute), func(ctx context.Context) (ok bool, err error) {
		o, err = r.look(ctx, s)
		return err == nil, err
	})
	if err != nil {
		return err
	}
	asItWas := true
	for i, v := range o.Views {
		asItWas = asItWas && v.State.Admin == Ready && v.State.AgentOn == t.Agents[i]
	}
	if asItWas {
		return nil
	}
	if err := r.await(ctx, s, "healthy", Observed.Healthy); err != nil {
		return fmt.Errorf("left without new sessions: %w", err)
	}
	return r.putBack(ctx, s, t)
}

// lateError is the end of until's patience. Err is the last thing that went wrong, if anything did.
type lateError struct{ Err error }

func (e *lateError) Error() string {
	if e.Err != nil {
		return "out of time: " + e.Err.Error()
	}
	return "out of time"
}

func (e *lateError) Unwrap() error { return e.Err }

// until asks until the answer is yes. What fails is asked again: HAProxy may be reloading.
func (r *Rollout) until(ctx context.Context, limit time.Duration, ask func(context.Context) (bool, error)) error {
	late := time.NewTimer(limit)
	defer late.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		yes, err := ask(ctx)
		if yes {
			return nil
		}
		select {
		case <-tick.C:
		case <-late.C:
			return &lateError{err}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// stage says in words how far the steps of a server have come. undeploys says whether a deployment was taken back with them.
func stage(steps []plan.StepRecord, undeploys bool) string {
	is := func(i int, of ...plan.StepStatus) bool {
		for _, s := range of {
			if steps[i].Status == s {
				return true
			}
		}
		return false
	}
	switch {
	case is(stepDrain, plan.StepUndoing):
		return "being put back: " + or0(steps[stepDrain].Text, "not finished")
	case is(stepDeploy, plan.StepUndoing):
		return "being undeployed: " + or0(steps[stepDeploy].Text, "not finished")
	case is(stepDrain, plan.StepUndone) && is(stepDeploy, plan.StepUndone) && undeploys:
		return "deployment taken back, and put back into service"
	case is(stepDrain, plan.StepUndone) && is(stepDeploy, plan.StepUndone):
		return "deployment begun and left as it is, and put back into service"
	case is(stepDrain, plan.StepUndone):
		return "drained, then put back; not deployed"
	case is(stepReady, plan.StepDone, plan.StepFound):
		return "deployed and in service"
	case is(stepReady, plan.StepIntended):
		return "deployed, being put back"
	case is(stepDeploy, plan.StepDone):
		return "deployed, not put back"
	case is(stepDeploy, plan.StepIntended):
		return "deployment begun, not known to be done"
	case is(stepDrain, plan.StepDone, plan.StepFound, plan.StepIntended):
		return "draining, not deployed"
	}
	return "not begun"
}

func or0(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
