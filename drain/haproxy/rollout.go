package haproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/plan"
)

// Rollout restarts, upgrades or reboots the servers of a backend one after the other. For each it makes sure that enough others
// are up, drains it, waits until nothing is on it, calls Deploy, waits until its health checks are good and stay so, puts it back, and
// goes on to the next.
//
// A server that fails stops the rollout: what can be is put back (that server, into service, if it is healthy; the ones before it have
// their new version and keep it), and the error says in which state each server is. Run keeps a journal. After a crash, or a failure
// whose cause has been removed, Resume goes on; Undo takes back everything, one server after the other in the same way.
type Rollout struct {
	// Balancers are all the HAProxies that send to the backend: a server is drained at each of them.
	Balancers []*Client
	Backend   string
	// Servers are the names of the servers, in the order to go by; nil is all of the backend, but those in maintenance.
	Servers []string
	// MinUp is how many other servers must be up, at every balancer, before one is drained; 0 is 1. Backup servers do not count.
	MinUp int
	// Drain bounds the wait for the sessions of a server to end; 0 is 30 seconds. Then Deploy is called all the same: a server
	// that drains itself lets what is left come to its end, and only it can tell WebSockets to leave. Strict stops the rollout instead.
	Drain  time.Duration
	Strict bool
	// Deploy restarts the server, or whatever the rollout is for, and returns when it is done. It must be idempotent: after a
	// crash it is called again unless it was recorded as done.
	Deploy func(ctx context.Context, s Server) error
	// Undeploy takes a deployment back, also one that has failed half-way; nil: a deployment stays as it is.
	Undeploy func(ctx context.Context, s Server) error
	// DeployWithin bounds each Deploy and Undeploy; 0 is 10 minutes.
	DeployWithin time.Duration
	// UpWithin bounds the wait for good health checks after that; 0 is a minute. UpFor is how long they must stay good; 0 is 5
	// seconds. It should be more than the checks' inter times fall, or a server is believed that HAProxy has not noticed to be down.
	UpWithin, UpFor time.Duration
	// Journal is the path of the journal; needed to run, not to plan.
	Journal string
	// Progress is told of each event; nil: nobody is.
	Progress func(Event)
}

// Errors of journals, to match with errors.Is: another rollout runs; one has to be resumed or undone first; there is none to be;
// the journal is damaged, or of another version.
var (
	ErrRuns       = plan.ErrLocked
	ErrUnfinished = plan.ErrUnfinished
	ErrEnded      = plan.ErrEnded
	ErrUnreadable = plan.ErrUnreadable
)

const (
	planKind    = "haproxy rollout"
	planVersion = 1
	poll        = 50 * time.Millisecond
)

// made is what a plan is made of, and what the journal keeps of it.
type made struct {
	Backend string   `json:"backend"`
	Servers []target `json:"servers"`
}

type target struct {
	Name string `json:"name"`
	// Agents says which balancers listened to the server's agent when the plan was made, by their order.
	Agents []bool `json:"agents"`
}

func (r *Rollout) validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("rollout: "+format, args...)) }
	if len(r.Balancers) == 0 {
		wrong("no balancer")
	}
	if err := validName("backend", r.Backend); err != nil {
		wrong("%w", err)
	}
	for _, name := range r.Servers {
		if err := validName("server", name); err != nil {
			wrong("%w", err)
		}
	}
	if r.Deploy == nil {
		wrong("no Deploy")
	}
	if r.MinUp < 0 {
		wrong("MinUp is %d: a count cannot be negative", r.MinUp)
	}
	for name, d := range map[string]time.Duration{"Drain": r.Drain, "DeployWithin": r.DeployWithin, "UpWithin": r.UpWithin, "UpFor": r.UpFor} {
		if d < 0 {
			wrong("%s is %s: a duration cannot be negative", name, d)
		}
	}
	return errors.Join(errs...)
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (r *Rollout) minUp() int { return max(r.MinUp, 1) }

// Plan makes the steps for a backend in a state. It refuses, with all reasons at once, what could not be done without loss.
func (r *Rollout) Plan(state State) (Plan, error) {
	if err := r.validate(); err != nil {
		return Plan{}, err
	}
	names := r.Servers
	if names == nil {
		for _, o := range state.Servers {
			if o.Views[0].State.Admin != Maint {
				names = append(names, o.Name)
			}
		}
	}
	m := made{Backend: r.Backend}
	var errs []error
	if len(names) == 0 {
		errs = append(errs, fmt.Errorf("backend %s has no server to roll out to", r.Backend))
	}
	seen := map[string]bool{}
	for _, name := range names {
		server := Server{r.Backend, name}
		o, err := state.find(server)
		if err == nil && seen[name] {
			err = fmt.Errorf("%s is named twice", server)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		seen[name] = true
		t := target{Name: name}
		for _, v := range o.Views {
			switch {
			case v.State.Admin != Ready:
				errs = append(errs, fmt.Errorf("%s is in state %s at %s: make it ready, or leave it out", server, v.State.Admin, v.Balancer))
			case v.Stat.Check == "":
				errs = append(errs, fmt.Errorf("%s has no health check at %s, so that nobody would know when it serves again: add \"check\"", server, v.Balancer))
			}
			t.Agents = append(t.Agents, v.State.AgentOn)
		}
		if up := state.othersUp(server); up < r.minUp() {
			errs = append(errs, fmt.Errorf("without %s there would be %d servers up, and not %d", server, up, r.minUp()))
		}
		m.Servers = append(m.Servers, t)
	}
	if err := errors.Join(errs...); err != nil {
		return Plan{}, err
	}
	p, err := r.planOf(m)
	return planned(p), err
}

func (r *Rollout) planOf(m made) (plan.Plan, error) {
	data, err := json.Marshal(m)
	if err != nil {
		return plan.Plan{}, err
	}
	p := plan.Plan{Kind: planKind, Version: planVersion, Data: data}
	for _, t := range m.Servers {
		p.Steps = append(p.Steps, r.steps(Server{m.Backend, t.Name}, t)...)
	}
	return p, nil
}

// again is the plan that a journal was made for.
func (r *Rollout) again() (plan.Plan, error) {
	if err := r.validate(); err != nil {
		return plan.Plan{}, err
	}
	status, err := plan.Read(r.Journal)
	if err != nil {
		return plan.Plan{}, err
	}
	if status.Kind != planKind || status.Version != planVersion {
		return plan.Plan{}, fmt.Errorf("journal %s is of a %s, version %d, and not of a %s, version %d: %w", r.Journal, status.Kind, status.Version, planKind, planVersion, ErrUnreadable)
	}
	var m made
	if err := json.Unmarshal(status.Data, &m); err != nil {
		return plan.Plan{}, fmt.Errorf("journal %s: %w: %w", r.Journal, err, ErrUnreadable)
	}
	if m.Backend != r.Backend {
		return plan.Plan{}, fmt.Errorf("journal %s is of backend %s, and not of %s", r.Journal, m.Backend, r.Backend)
	}
	for _, t := range m.Servers {
		if len(t.Agents) != len(r.Balancers) {
			return plan.Plan{}, fmt.Errorf("journal %s is of a rollout with %d balancers, and not %d", r.Journal, len(t.Agents), len(r.Balancers))
		}
	}
	return r.planOf(m)
}

func (r *Rollout) runner(servers int) plan.Runner {
	each := or(r.Drain, 30*time.Second) + or(r.DeployWithin, 10*time.Minute) + 2*or(r.UpWithin, time.Minute)
	return plan.Runner{Journal: r.Journal, UndoTimeout: time.Duration(max(servers, 1)) * each, Observe: r.observer()}
}

// Run observes, plans and rolls out. When it fails on the way the error is a *RolloutError.
func (r *Rollout) Run(ctx context.Context) error {
	state, err := r.Observe(ctx)
	if err != nil {
		return err
	}
	p, err := r.Plan(state)
	if err != nil {
		return err
	}
	return r.drive(ctx, p.steps, plan.Runner.Run)
}

// Resume goes on with a rollout that was interrupted, or that failed.
func (r *Rollout) Resume(ctx context.Context) error {
	p, err := r.again()
	if err != nil {
		return err
	}
	return r.drive(ctx, p, plan.Runner.Resume)
}

// Undo takes back a rollout that was interrupted, or that failed: each server is drained, given to Undeploy, and put back.
func (r *Rollout) Undo(ctx context.Context) error {
	p, err := r.again()
	if err != nil {
		return err
	}
	return r.drive(ctx, p, plan.Runner.Undo)
}

func (r *Rollout) drive(ctx context.Context, p plan.Plan, how func(plan.Runner, context.Context, plan.Plan) error) error {
	if r.Journal == "" {
		return errors.New("rollout: no Journal: without one nothing could be resumed or undone after a crash")
	}
	runner := r.runner(len(p.Steps) / stepsOfServer)
	begun, tell := false, runner.Observe
	runner.Observe = func(e plan.Event) {
		begun = true // the journal is open: whatever fails then is told
		if tell != nil {
			tell(e)
		}
	}
	err := how(runner, ctx, p)
	if err == nil || !begun {
		return err
	}
	// The context may be what ended it; the operator wants to know all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	report, unknown := r.Report(ctx)
	if unknown != nil {
		err = errors.Join(err, fmt.Errorf("in which state the servers are is not known: %w", unknown))
	}
	return &RolloutError{Err: err, Report: report}
}

// RolloutError is a rollout that stopped on its way. Its Report has no servers when a balancer did not answer; Err says so then.
type RolloutError struct {
	Err    error
	Report Report
}

func (e *RolloutError) Error() string {
	return strings.TrimSuffix(e.Err.Error()+"\n"+e.Report.String(), "\n")
}

func (e *RolloutError) Unwrap() error { return e.Err }

// Report says in which state each server of the journal is, by the journal and by the balancers.
type Report struct {
	Servers []ServerReport `json:"servers"`
	// Undoing says why the rollout is being taken back, Ended how it has ended; "" when it is not, or has not.
	Undoing string `json:"undoing,omitempty"`
	Ended   string `json:"ended,omitempty"`
}

// ServerReport is one server's part.
type ServerReport struct {
	Server string `json:"server"`
	// Stage says how far the server has come, by the journal.
	Stage string `json:"stage"`
	// Status is the balancers' word now, Up whether all of them send to it, Sessions what is on it.
	Status   string `json:"status"`
	Up       bool   `json:"up"`
	Sessions int    `json:"sessions"`
}

func (r Report) String() string {
	var b strings.Builder
	for _, s := range r.Servers {
		fmt.Fprintf(&b, "%s: %s; now %s, %d sessions\n", s.Server, s.Stage, s.Status, s.Sessions)
	}
	return b.String()
}

// Report reads the journal, and asks the balancers. It changes nothing and can be asked for while a rollout runs.
func (r *Rollout) Report(ctx context.Context) (Report, error) {
	status, err := plan.Read(r.Journal)
	if errors.Is(err, os.ErrNotExist) {
		return Report{}, fmt.Errorf("no rollout has begun: %w", err)
	}
	if err != nil {
		return Report{}, err
	}
	var m made
	if err := json.Unmarshal(status.Data, &m); status.Kind != planKind || err != nil || len(status.Steps) != stepsOfServer*len(m.Servers) {
		return Report{}, fmt.Errorf("journal %s is not of a rollout of this version: %w", r.Journal, ErrUnreadable)
	}
	state, err := r.Observe(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Undoing: status.Undoing, Ended: status.Ended}
	for i, t := range m.Servers {
		s := ServerReport{Server: m.Backend + "/" + t.Name, Stage: stage(status.Steps[i*stepsOfServer:(i+1)*stepsOfServer], r.Undeploy != nil), Status: "unknown to the balancers"}
		if o, err := state.find(Server{m.Backend, t.Name}); err == nil {
			s.Status, s.Up, s.Sessions = o.String(), o.Up(), o.Sessions()
		}
		report.Servers = append(report.Servers, s)
	}
	return report, nil
}
