package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// View is a server as one balancer sees it.
type View struct {
	Balancer string // its address
	Stat     Stat
	State    ServerState
}

// Observed is a server as all balancers see it.
type Observed struct {
	Server
	Views []View
}

// Up says that every balancer sends new clients to it.
func (o Observed) Up() bool {
	for _, v := range o.Views {
		if !v.Stat.Up() {
			return false
		}
	}
	return len(o.Views) > 0
}

// Healthy says that the last health check of every balancer was good, whatever state the server has.
func (o Observed) Healthy() bool {
	for _, v := range o.Views {
		// L4OK, L6OK, L7OK, L7OKC (management guide 2.6, section 9.1, check_status)
		if !v.State.Running || len(v.Stat.Check) < 4 || !strings.HasPrefix(v.Stat.Check[2:], "OK") {
			return false
		}
	}
	return len(o.Views) > 0
}

// Sessions is how many are on the server, or wait for it, by way of all balancers.
func (o Observed) Sessions() int {
	n := 0
	for _, v := range o.Views {
		n += v.Stat.Sessions + v.Stat.Queued
	}
	return n
}

// drained says that every balancer drains it, and that no agent will say otherwise.
func (o Observed) drained() bool {
	for _, v := range o.Views {
		if v.State.Admin != Drain || v.State.AgentOn {
			return false
		}
	}
	return len(o.Views) > 0
}

// weighs says that the server has a weight at every balancer: one of weight 0 is up, and gets no new clients but sticky ones
// (configuration manual 2.6, section 5.2, weight).
func (o Observed) weighs() bool {
	for _, v := range o.Views {
		if v.Stat.Weight <= 0 {
			return false
		}
	}
	return len(o.Views) > 0
}

// hears says that the agents speak that did when the plan was made.
func (o Observed) hears(t target) bool {
	for i, v := range o.Views {
		if t.Agents[i] && v.State.HasAgent && !v.State.AgentOn {
			return false
		}
	}
	return true
}

// String is what the balancers call its status: "UP", or "UP at lb1, DOWN at lb2".
func (o Observed) String() string {
	var each []string
	same := true
	for _, v := range o.Views {
		text := v.Stat.Status
		if v.State.HasAgent && !v.State.AgentOn {
			text += " (agent silenced)"
		}
		same = same && (len(each) == 0 || text+" at "+o.Views[0].Balancer == each[0])
		each = append(each, text+" at "+v.Balancer)
	}
	if same && len(each) > 0 {
		return strings.TrimSuffix(each[0], " at "+o.Views[0].Balancer)
	}
	return strings.Join(each, ", ")
}

// State is a backend at one moment: its servers, in the order of the first balancer's configuration.
type State struct{ Servers []Observed }

func (s State) find(server Server) (Observed, error) {
	for _, o := range s.Servers {
		if o.Server == server {
			return o, nil
		}
	}
	return Observed{}, fmt.Errorf("%s: %w", server, ErrNoSuchServer)
}

// othersUp counts the servers that would be left without one. Backup servers are no replacement, and neither are those of weight 0.
func (s State) othersUp(without Server) int {
	n := 0
	for _, o := range s.Servers {
		if o.Server != without && o.Up() && o.weighs() && !o.Views[0].Stat.Backup {
			n++
		}
	}
	return n
}

// Observe asks every balancer for the servers of the backend.
func (r *Rollout) Observe(ctx context.Context) (State, error) {
	var state State
	index := map[Server]int{}
	for n, lb := range r.Balancers {
		stats, err := lb.Stats(ctx, r.Backend)
		if err != nil {
			return State{}, err
		}
		states, err := lb.States(ctx, r.Backend)
		if err != nil {
			return State{}, err
		}
		admin := map[Server]ServerState{}
		for _, s := range states {
			admin[s.Server] = s
		}
		for _, s := range stats {
			if n == 0 {
				index[s.Server] = len(state.Servers)
				state.Servers = append(state.Servers, Observed{Server: s.Server})
			}
			i, known := index[s.Server]
			a, both := admin[s.Server]
			if !known || !both {
				return State{}, fmt.Errorf("%s is known to %s, and not to %s", s.Server, lb.Address, r.Balancers[0].Address)
			}
			state.Servers[i].Views = append(state.Servers[i].Views, View{lb.Address, s, a})
		}
	}
	var errs []error
	for _, o := range state.Servers {
		if len(o.Views) != len(r.Balancers) {
			errs = append(errs, fmt.Errorf("%s is known to %d of %d balancers", o.Server, len(o.Views), len(r.Balancers)))
		}
	}
	return state, errors.Join(errs...)
}
