package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Client speaks the runtime API of one HAProxy. Each command is a connection of its own, so that a Client may be used by several
// goroutines at once, and survives HAProxy's reloads.
type Client struct {
	// Address is the socket: a path (with a slash in it) for a Unix socket, else host:port.
	Address string
	// Timeout bounds each command, the connection included; 0 is 5 seconds. HAProxy answers from memory, within milliseconds.
	Timeout time.Duration
}

// answerLimit is the most that is read of an answer, in bytes. "show stat" has some 600 a server.
const answerLimit = 64 << 20

// Server names a server of a backend.
type Server struct{ Backend, Name string }

func (s Server) String() string { return s.Backend + "/" + s.Name }

// ParseServer reads "backend/server".
func ParseServer(text string) (Server, error) {
	backend, name, ok := strings.Cut(text, "/")
	s := Server{backend, name}
	if !ok {
		return Server{}, fmt.Errorf("%q names no server: write backend/server", text)
	}
	return s, s.validate()
}

func (s Server) validate() error {
	return errors.Join(validName("backend", s.Backend), validName("server", s.Name))
}

// validName accepts what HAProxy accepts as a name (configuration manual 2.6, section 2.2: letters, digits, "-", "_", "." and
// ":"), which excludes everything that would end a command and begin another.
func validName(what, name string) error {
	if name == "" {
		return fmt.Errorf("the %s has no name", what)
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.:", c) >= 0:
		default:
			return fmt.Errorf("%q cannot be a %s's name: HAProxy allows letters, digits, '-', '_', '.' and ':'", name, what)
		}
	}
	return nil
}

// AnswerError is an answer of HAProxy's that says no. Unwrap gives one of the errors below when the reason is known.
type AnswerError struct {
	Command string // without its newline
	Answer  string // HAProxy's words
	reason  error
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("HAProxy answers %q to %q", e.Answer, e.Command)
}

func (e *AnswerError) Unwrap() error { return e.reason }

// Why HAProxy says no. Match them with errors.Is.
var (
	ErrNoSuchServer   = errors.New("no such server")
	ErrNoSuchBackend  = errors.New("no such backend")
	ErrPermission     = errors.New("the socket's level does not allow this: it takes \"level admin\" in HAProxy's configuration")
	ErrUnknownCommand = errors.New("HAProxy does not know the command")
	ErrNoAgent        = errors.New("the server has no agent-check")
)

// reasons are HAProxy's words, which have no codes (src/proxy.c, src/server.c, src/cli.c of 2.6; TestAnswersThatSayNo shows each).
func reasons() []struct {
	words  string
	reason error
} {
	return []struct {
		words  string
		reason error
	}{
		{"No such server", ErrNoSuchServer},
		{"No such backend", ErrNoSuchBackend},
		{"Can't find backend", ErrNoSuchBackend},
		{"No such proxy", ErrNoSuchBackend},
		{"Permission denied", ErrPermission},
		{"Unknown command", ErrUnknownCommand},
		{"agent checks are not enabled on this server", ErrNoAgent},
		{"Agent was not configured on this server", ErrNoAgent},
	}
}

// refusal is the AnswerError for an answer, nil when it is none of those that say no.
func refusal(command, answer string) error {
	answer = strings.TrimSpace(answer)
	for _, r := range reasons() {
		if strings.HasPrefix(answer, r.words) {
			first, _, _ := strings.Cut(answer, "\n")
			return &AnswerError{command, first, r.reason}
		}
	}
	return nil
}

// ask sends a command whose parts have been validated and returns the answer.
func (c *Client) ask(ctx context.Context, command string) (string, error) {
	if strings.ContainsAny(command, "\n\r;\\") {
		return "", fmt.Errorf("%q would be several commands to HAProxy", command) // a mistake of this package's
	}
	answer, err := c.exchange(ctx, command)
	if err != nil {
		return "", fmt.Errorf("asking HAProxy at %s to %q: %w", c.Address, command, err)
	}
	if err := refusal(command, answer); err != nil {
		return "", fmt.Errorf("at %s: %w", c.Address, err)
	}
	return answer, nil
}

// order is ask for a command that answers nothing when it has been obeyed.
func (c *Client) order(ctx context.Context, command string) error {
	answer, err := c.ask(ctx, command)
	if err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer != "" {
		return fmt.Errorf("at %s: %w", c.Address, &AnswerError{Command: command, Answer: answer})
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, command string) (string, error) {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	network := "tcp"
	if strings.Contains(c.Address, "/") {
		network = "unix"
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, c.Address)
	if err != nil {
		return "", cause(ctx, err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", cause(ctx, err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, answerLimit+1))
	switch {
	case err != nil:
		return "", cause(ctx, err)
	case len(answer) > answerLimit:
		return "", fmt.Errorf("the answer has more than %d bytes", answerLimit)
	case len(answer) == 0:
		// HAProxy ends every answer with a newline, an empty one too.
		return "", errors.New("the connection was closed without an answer: is HAProxy stopping?")
	}
	return string(answer), nil
}

// cause is why an exchange ended: the context's error rather than the deadline that it set.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("no answer until then: %w", context.Cause(ctx))
	}
	return err
}
