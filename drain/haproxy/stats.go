package haproxy

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Stat is a server's line of "show stat".
type Stat struct {
	Server
	// Status is HAProxy's word: UP, "UP 1/2" (a check has failed), DOWN, "DOWN 1/2" (one has succeeded), NOLB (404 with
	// disable-on-404), DRAIN, MAINT, "no check", each perhaps with more behind it.
	Status string
	// Sessions is how many are on the server now, Queued how many wait for it alone. Idle connections that HAProxy keeps are
	// neither.
	Sessions, Queued int
	// Total counts the sessions since HAProxy started.
	Total  int
	Weight int
	// Backup says that the server is used only when no other is up.
	Backup bool
	// Check is the result of the last health check, such as L7OK, L4CON; "" without one. CheckRise and CheckFall are how many
	// decide.
	Check                string
	CheckRise, CheckFall int
	// Agent is the same for the agent-check.
	Agent                string
	AgentRise, AgentFall int
	// LastChange is how long ago the status became what it is, in whole seconds.
	LastChange time.Duration

	row row
}

// Up says that HAProxy sends new clients to the server.
func (s Stat) Up() bool {
	return strings.HasPrefix(s.Status, "UP") || s.Status == "no check"
}

// Field is a column of the line by HAProxy's name for it (management guide 2.6, section 9.1); "" when there is none.
func (s Stat) Field(name string) string {
	if i, ok := s.row.names[name]; ok && i < len(s.row.fields) {
		return s.row.fields[i]
	}
	return ""
}

// Stats returns the servers of a backend, those of all when it is "", in the order of the configuration.
func (c *Client) Stats(ctx context.Context, backend string) ([]Stat, error) {
	const servers = 4 // the type of lines wanted
	which := "-1"
	if backend != "" {
		if err := validName("backend", backend); err != nil {
			return nil, err
		}
		which = backend
	}
	command := fmt.Sprintf("show stat %s %d -1", which, servers)
	answer, err := c.ask(ctx, command)
	if err != nil {
		return nil, err
	}
	stats, err := parseStats(answer)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s to %q: %w", c.Address, command, err)
	}
	return stats, nil
}

func parseStats(answer string) ([]Stat, error) {
	answer, ok := strings.CutPrefix(strings.TrimLeft(answer, "\n"), "# ")
	if !ok {
		return nil, fmt.Errorf("it does not begin with the names of its columns: %.80q", answer)
	}
	lines := csv.NewReader(strings.NewReader(answer))
	lines.FieldsPerRecord = -1
	header, err := lines.Read()
	if err != nil {
		return nil, err
	}
	names := map[string]int{}
	for i, name := range header {
		names[name] = i
	}
	var stats []Stat
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return stats, nil
		}
		if err != nil {
			return nil, err
		}
		r := row{names: names, fields: fields}
		s := Stat{
			Server: Server{r.text("pxname"), r.text("svname")}, Status: r.text("status"),
			Sessions: r.number("scur"), Queued: r.number("qcur"), Total: r.number("stot"),
			Weight: r.number("weight"), Backup: r.number("bck") > 0, LastChange: time.Duration(r.number("lastchg")) * time.Second,
			// "* L7OK" is a check that runs: the result of the one before it.
			Check: strings.TrimPrefix(r.text("check_status"), "* "), CheckRise: r.number("check_rise"), CheckFall: r.number("check_fall"),
			Agent: strings.TrimPrefix(r.text("agent_status"), "* "), AgentRise: r.number("agent_rise"), AgentFall: r.number("agent_fall"),
		}
		if r.err != nil {
			return nil, r.err
		}
		s.row = r
		stats = append(stats, s)
	}
}

// Info is what "show info" says of the process that answers.
type Info struct {
	Version string
	PID     int
	Uptime  time.Duration // whole seconds
	// Stopping says that it takes nothing new any more.
	Stopping bool
}

// Info asks who answers.
func (c *Client) Info(ctx context.Context) (Info, error) {
	answer, err := c.ask(ctx, "show info")
	if err != nil {
		return Info{}, err
	}
	r := row{names: map[string]int{}}
	for line := range strings.Lines(answer) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			r.names[name] = len(r.fields)
			r.fields = append(r.fields, value)
		}
	}
	info := Info{Version: r.text("Version"), PID: r.number("Pid"), Uptime: time.Duration(r.number("Uptime_sec")) * time.Second, Stopping: r.number("Stopping") != 0}
	if r.err != nil {
		return Info{}, fmt.Errorf("reading the answer of %s to \"show info\": %w", c.Address, r.err)
	}
	return info, nil
}
