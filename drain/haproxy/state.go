package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AdminState is what an operator, or an agent, wants of a server.
type AdminState string

const (
	Ready AdminState = "ready"
	Drain AdminState = "drain" // no new clients
	Maint AdminState = "maint" // nothing, no health checks either
)

// SetState sets the administrative state of a server (management guide 2.6, section 9.3, set server). A server with an agent that
// says "ready" does not keep it: see SetAgent.
func (c *Client) SetState(ctx context.Context, s Server, state AdminState) error {
	if state != Ready && state != Drain && state != Maint {
		return fmt.Errorf("%q is no state of a server: it is ready, drain or maint", state)
	}
	if err := s.validate(); err != nil {
		return err
	}
	return c.order(ctx, fmt.Sprintf("set server %s state %s", s, state))
}

// SetWeight sets the weight of a server, 0 to 256. It is not the same as Drain: 0 sends no new clients either, but sticky ones
// are sent on.
func (c *Client) SetWeight(ctx context.Context, s Server, weight int) error {
	if weight < 0 || weight > 256 {
		return fmt.Errorf("the weight %d is not between 0 and 256", weight)
	}
	if err := s.validate(); err != nil {
		return err
	}
	return c.order(ctx, fmt.Sprintf("set server %s weight %d", s, weight))
}

// SetAgent lets the agent-check of a server speak, or silences it. ErrNoAgent when it has none.
func (c *Client) SetAgent(ctx context.Context, s Server, on bool) error {
	if err := s.validate(); err != nil {
		return err
	}
	verb := "disable"
	if on {
		verb = "enable"
	}
	return c.order(ctx, fmt.Sprintf("%s agent %s", verb, s))
}

// ShutdownSessions cuts every session of a server: what a drain avoids.
func (c *Client) ShutdownSessions(ctx context.Context, s Server) error {
	if err := s.validate(); err != nil {
		return err
	}
	return c.order(ctx, "shutdown sessions server "+s.String())
}

// ServerState is a line of "show servers state": what HAProxy would carry over a reload.
type ServerState struct {
	Server
	Address string // IP address; "-" when unresolved
	Port    int
	// Admin is the administrative state. A server in maintenance that also drains is Maint.
	Admin AdminState
	// Inherited says that Maint or Drain comes from a tracked server, Configured that Maint comes from "disabled" in the configuration.
	Inherited, Configured bool
	// Running is the operational state: health checks have it up, or there are none.
	Running       bool
	Weight        int // now
	InitialWeight int // as configured
	LastChange    time.Duration
	// HasAgent says that the server has an agent-check, AgentOn that it is not silenced.
	HasAgent, AgentOn bool
}

// Bits of srv_admin_state (management guide 2.6, section 9.3, show servers state) and of srv_agent_state
// (include/haproxy/check-t.h).
const (
	forcedMaint     = 0x01
	inheritedMaint  = 0x02
	configuredMaint = 0x04
	forcedDrain     = 0x08
	inheritedDrain  = 0x10
	resolverMaint   = 0x20
	hostnameMaint   = 0x40

	agentConfigured = 0x02
	agentEnabled    = 0x04

	opStopped = 0
)

// States returns the servers of a backend, those of all when it is "", in the order of the configuration.
func (c *Client) States(ctx context.Context, backend string) ([]ServerState, error) {
	command := "show servers state"
	if backend != "" {
		if err := validName("backend", backend); err != nil {
			return nil, err
		}
		command += " " + backend
	}
	answer, err := c.ask(ctx, command)
	if err != nil {
		return nil, err
	}
	states, err := parseStates(answer)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s to %q: %w", c.Address, command, err)
	}
	return states, nil
}

// parseStates reads version 1 of the format, the only one there is.
func parseStates(answer string) ([]ServerState, error) {
	version, rest, _ := strings.Cut(strings.TrimLeft(answer, "\n"), "\n")
	if version != "1" {
		return nil, fmt.Errorf("it is of version %q, and not 1", version)
	}
	header, rest, _ := strings.Cut(rest, "\n")
	column := map[string]int{}
	for i, name := range strings.Fields(strings.TrimPrefix(header, "#")) {
		column[name] = i
	}
	var states []ServerState
	for line := range strings.Lines(rest) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		r := row{names: column, fields: fields}
		admin, op, agent := r.number("srv_admin_state"), r.number("srv_op_state"), r.number("srv_agent_state")
		s := ServerState{
			Server:  Server{r.text("be_name"), r.text("srv_name")},
			Address: r.text("srv_addr"), Port: r.number("srv_port"), Admin: Ready,
			Inherited: admin&(inheritedMaint|inheritedDrain) != 0, Configured: admin&configuredMaint != 0,
			Running: op != opStopped, Weight: r.number("srv_uweight"), InitialWeight: r.number("srv_iweight"),
			LastChange: time.Duration(r.number("srv_time_since_last_change")) * time.Second,
			HasAgent:   agent&agentConfigured != 0, AgentOn: agent&agentConfigured != 0 && agent&agentEnabled != 0,
		}
		switch {
		case admin&(forcedMaint|inheritedMaint|configuredMaint|resolverMaint|hostnameMaint) != 0:
			s.Admin = Maint
		case admin&(forcedDrain|inheritedDrain) != 0:
			s.Admin = Drain
		}
		if r.err != nil {
			return nil, r.err
		}
		states = append(states, s)
	}
	return states, nil
}

// row is a line of a table whose columns are found by name. The first mistake is kept.
type row struct {
	names  map[string]int
	fields []string
	err    error
}

func (r *row) text(name string) string {
	i, ok := r.names[name]
	if !ok || i >= len(r.fields) {
		r.err = errors.Join(r.err, fmt.Errorf("it has no column %s", name))
		return ""
	}
	return r.fields[i]
}

// number reads an integer; nothing at all is 0.
func (r *row) number(name string) int {
	text := r.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.err = errors.Join(r.err, fmt.Errorf("column %s is no number: %q", name, text))
	}
	return n
}
