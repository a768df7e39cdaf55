// Command rollout restarts, upgrades or reboots the servers of a HAProxy backend one after the other, by a command that it runs for
// each, and loses no request:
//
//	rollout -haproxy /run/haproxy/admin.sock -backend web run -- ssh {server} apk upgrade web
//
// For each server: see that enough others are up, send nothing new to it, wait until no session is on it, run the command, wait
// until its health checks are good and stay so, put it back. {server} and {backend} in the command's words are replaced; no shell is
// involved, and the same is in the environment as ROLLOUT_SERVER and ROLLOUT_BACKEND. A command that fails stops the rollout.
//
// The journal keeps two operators apart, if it is the same for both: without -journal it is in the current directory, and another one
// elsewhere knows nothing of it. On a host that several work on, name one path for each backend, the same for all:
// -journal /var/lib/rollout/web.journal.
//
// A signal stops the command and puts its server back; a second one leaves everything as it is.
//
// The verbs: plan prints what would be done; run does it; resume goes on after a crash or a failure; undo takes everything back (with
// -undo, one more command); status says in which state each server is.
//
// Exit status: 0 done; 1 stopped on the way (status says where); 2 refused, nothing was done; 3 another rollout runs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program where it stands: the journal has it
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

const (
	exitDone    = 0
	exitStopped = 1
	exitRefused = 2
	exitRuns    = 3
)

// list is a flag that may be given more than once, or hold several words with commas between.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word == "" {
			return errors.New("an empty word")
		} else {
			*l = append(*l, word)
		}
	}
	return nil
}

const usage = `rollout restarts the servers of a HAProxy backend one after the other, by a command of yours.

  rollout -haproxy SOCKET -backend NAME [options] plan|run -- COMMAND [WORD…]
  rollout -haproxy SOCKET -backend NAME [options] resume -- COMMAND [WORD…]
  rollout -haproxy SOCKET -backend NAME [options] undo|status

{server} and {backend} in the words of COMMAND are replaced. It is run without a shell.

  rollout -haproxy /run/haproxy/admin.sock -backend web plan -- ssh {server} rc-service web restart
  rollout -haproxy /run/haproxy/admin.sock -backend web run -- ssh {server} rc-service web restart

options:
`

// run is the program. Its answer is the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var r haproxy.Rollout
	var balancers, servers list
	var asJSON bool
	flags := flag.NewFlagSet("rollout", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Var(&balancers, "haproxy", "runtime `SOCKET` of a HAProxy, a path or host:port; once for each balancer in front of the servers")
	flags.StringVar(&r.Backend, "backend", "", "`NAME` of the backend")
	flags.Var(&servers, "servers", "`NAMES` of the servers, in order; all of the backend that are not in maintenance when there are none")
	flags.IntVar(&r.MinUp, "min-up", 1, "how many others must be up before a server is drained")
	flags.DurationVar(&r.Drain, "drain", 30*time.Second, "how long to wait for a server's sessions to end")
	flags.BoolVar(&r.Strict, "strict", false, "stop when sessions are left then, instead of running the command")
	flags.DurationVar(&r.DeployWithin, "within", 10*time.Minute, "how long the command may take")
	flags.DurationVar(&r.UpWithin, "up-within", time.Minute, "how long a server may take to become healthy")
	flags.DurationVar(&r.UpFor, "up-for", 5*time.Second, "how long it must stay so; more than HAProxy's inter times fall")
	flags.StringVar(&r.Journal, "journal", "", "`PATH` of the journal, by which a second rollout is refused: name one for all who roll out to the backend, such as\n/var/lib/rollout/web.journal; rollout-BACKEND.journal in the current directory when empty")
	flags.Func("undo", "`COMMAND` that takes a deployment back, split at spaces", func(text string) error {
		words := strings.Fields(text)
		if len(words) == 0 {
			return errors.New("no command")
		}
		r.Undeploy = command(words, stderr)
		return nil
	})
	flags.BoolVar(&asJSON, "json", false, "print events, reports and plans as JSON, a line each")
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitDone
		}
		return exitRefused
	}
	for _, address := range balancers {
		r.Balancers = append(r.Balancers, &haproxy.Client{Address: address})
	}
	r.Servers = servers
	if r.Journal == "" {
		r.Journal = "rollout-" + filepath.Base(r.Backend) + ".journal"
	}
	p := printer{stdout: stdout, stderr: stderr, json: asJSON}
	verb, words := flags.Arg(0), flags.Args()
	if len(words) > 0 {
		words = words[1:]
	}
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) > 0 && strings.HasPrefix(words[0], "-") {
		fmt.Fprintf(stderr, "rollout: %q begins no command: options come before the verb\n", words[0])
		return exitRefused
	}
	if len(words) > 0 {
		r.Deploy = command(words, stderr)
	}
	if verb == "undo" && r.Deploy == nil {
		r.Deploy = func(context.Context, haproxy.Server) error { return errors.New("an undo deploys nothing") }
	}
	r.Progress = p.event

	var err error
	switch verb {
	case "status":
		report, err := r.Report(ctx)
		if err != nil {
			return p.fail(err)
		}
		p.report(report)
		return exitDone
	case "plan":
		err = plan(ctx, &r, p)
	case "run":
		err = r.Run(ctx)
	case "resume":
		err = r.Resume(ctx)
	case "undo":
		err = r.Undo(ctx)
	case "":
		flags.Usage()
		return exitRefused
	default:
		fmt.Fprintf(stderr, "rollout: %q is no verb: plan, run, resume, undo or status\n", verb)
		return exitRefused
	}
	if err != nil {
		return p.fail(err)
	}
	return exitDone
}

func plan(ctx context.Context, r *haproxy.Rollout, p printer) error {
	state, err := r.Observe(ctx)
	if err != nil {
		return err
	}
	steps, err := r.Plan(state)
	if err != nil {
		return err
	}
	if !p.json {
		fmt.Fprint(p.stdout, steps)
		return nil
	}
	for i, s := range steps.Steps {
		p.line(map[string]any{"step": i + 1, "name": s.Name, "does": s.Does, "undoes": s.Undoes})
	}
	return nil
}

// command runs words for a server. What it prints goes to standard error, as it comes.
func command(words []string, stderr io.Writer) func(context.Context, haproxy.Server) error {
	return func(ctx context.Context, s haproxy.Server) error {
		replace := strings.NewReplacer("{server}", s.Name, "{backend}", s.Backend)
		args := make([]string, len(words))
		for i, word := range words {
			args[i] = replace.Replace(word)
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "ROLLOUT_SERVER="+s.Name, "ROLLOUT_BACKEND="+s.Backend)
		cmd.Stdout, cmd.Stderr = stderr, stderr
		// A command that is told to stop may clean up; what it leaves running does not keep us.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 10 * time.Second
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%q: %w", strings.Join(args, " "), err)
		}
		return nil
	}
}

// printer prints for people, or JSON.
type printer struct {
	stdout, stderr io.Writer
	json           bool
}

func (p printer) line(v any) {
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Appendf(nil, "%q", err.Error())
	}
	fmt.Fprintf(p.stdout, "%s\n", text)
}

func (p printer) event(e haproxy.Event) {
	text := e.Text
	if e.Err != nil {
		text = e.Err.Error()
	}
	if p.json {
		p.line(map[string]any{"at": e.At.UTC().Format(time.RFC3339Nano), "event": e.Kind, "step": e.Step + 1, "steps": e.Steps, "name": e.Name, "text": text, "took_ms": e.Took.Milliseconds()})
		return
	}
	if e.Took > 0 {
		text = strings.TrimSpace(e.Took.Round(time.Millisecond).String() + " " + text)
	}
	fmt.Fprintf(p.stdout, "%s [%d/%d] %-11s %s  %s\n", e.At.Format("15:04:05.000"), e.Step+1, e.Steps, e.Kind, e.Name, text)
}

func (p printer) report(r haproxy.Report) {
	if p.json {
		p.line(r)
		return
	}
	fmt.Fprint(p.stdout, r)
	if r.Undoing != "" {
		fmt.Fprintf(p.stdout, "being taken back: %s\n", r.Undoing)
	}
	if r.Ended != "" {
		fmt.Fprintf(p.stdout, "ended: %s\n", r.Ended)
	}
}

// fail says what went wrong, and is the exit status for it.
func (p printer) fail(err error) int {
	fmt.Fprintf(p.stderr, "rollout: %s\n", err)
	var stopped *haproxy.RolloutError
	switch {
	case errors.As(err, &stopped):
		if p.json {
			p.line(stopped.Report)
		}
		return exitStopped
	case errors.Is(err, haproxy.ErrRuns):
		return exitRuns
	}
	return exitRefused
}
