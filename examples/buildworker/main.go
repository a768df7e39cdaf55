// Command buildworker runs builds, shell scripts, from a Celery queue on Redis. It can be restarted, upgraded or killed at any moment: builds
// run on, and the next worker collects them. It is an example to copy; its README says how to run it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/supervise"
	"git.sr.ht/~sourcehut/ha-go/drain/worker"
	"git.sr.ht/~sourcehut/ha-go/drain/worker/celery"
)

// version is set by the linker: -ldflags "-X main.version=2".
var version = "1"

func main() {
	if supervise.IsShim() {
		os.Exit(supervise.Shim{Renew: renewer()}.Main())
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "buildworker:", err)
		os.Exit(1)
	}
}

type settings struct {
	queue    celery.Config
	state    string
	logs     string
	slots    int
	limit    time.Duration
	patience time.Duration
	boot     string
}

func run(args []string) error {
	var s settings
	flags := flag.NewFlagSet("buildworker", flag.ExitOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "usage: buildworker [flags]                runs builds\n       buildworker [flags] submit SCRIPT  asks for one and prints its name\n")
		flags.PrintDefaults()
	}
	name := flags.String("queue", "builds", "the queue's `name`")
	flags.StringVar(&s.queue.URL, "redis", "", "the broker's `URL`; one with a password belongs into $"+brokerVariable+", which ps does not show (default redis://localhost:6379/0)")
	flags.DurationVar(&s.queue.Lease, "lease", 30*time.Second, "how long a build waits whose worker and shim have died")
	flags.StringVar(&s.state, "state", "/var/lib/buildworker/state", "the state `directory`, which survives a reboot")
	flags.StringVar(&s.logs, "logs", "/var/lib/buildworker/logs", "the `directory` for the logs of builds")
	flags.IntVar(&s.slots, "slots", 4, "how many builds run at once")
	flags.DurationVar(&s.limit, "limit", 4*time.Hour, "how long a build may take")
	flags.DurationVar(&s.patience, "patience", 2*time.Second, "how long builds are waited for when told to stop, before they are left to the next worker")
	flags.StringVar(&s.boot, "boot-id", "", "another boot of the machine than this one, for tests")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s.queue.Queues = []string{*name}
	if s.queue.URL == "" {
		s.queue.URL = os.Getenv(brokerVariable)
	}
	if err := os.Setenv(brokerVariable, s.queue.URL); err != nil { // for the shims
		return err
	}
	switch flags.Arg(0) {
	case "":
		return serve(s)
	case "submit":
		return submit(s, flags.Args()[1:])
	}
	return fmt.Errorf("%q is neither a flag nor submit", flags.Arg(0))
}

func submit(s settings, script []string) error {
	queue, err := celery.New(s.queue)
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	id, err := queue.Send(context.Background(), celery.Task{Name: "build", Args: []any{strings.Join(script, " ")}})
	if err != nil {
		return err
	}
	fmt.Println(id)
	return nil
}

func serve(s settings) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("version", version)
	s.queue.Log = log
	queue, err := celery.New(s.queue)
	if err != nil {
		return err
	}
	defer func() { _ = queue.Close() }()
	jobs, err := supervise.New(supervise.Config{Dir: s.state, BootID: s.boot, Log: log})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.logs, 0o700); err != nil {
		return err
	}
	b := &builder{settings: s, queue: queue, jobs: jobs, log: log}
	b.worker, err = worker.New(worker.Config{
		Queue:    collecting{queue, b},
		Capacity: s.slots,
		Handlers: map[string]worker.Handler{"build": b.build},
		// At the deadline builds are left to their shims.
		Cut: func(*worker.Job) worker.Outcome { return worker.Leave },
		Log: log,
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	adopted, err := jobs.Adopt(ctx)
	if err != nil {
		stop()
		return err
	}
	b.adopt(ctx, adopted) // they take their slots before the first poll
	var looking sync.WaitGroup
	looking.Go(func() { b.reconcile(ctx) })
	err = drain.Main(ctx, drain.Config{LameDuck: time.Nanosecond, Deadline: s.patience, Log: log}, b.worker)
	stop()
	looking.Wait()
	if counts := b.worker.Status().Counts; err != nil && counts.Unrecorded == 0 {
		log.Info("builds go on without a worker", "builds", counts.Left, "details", err)
		err = nil // that was the intention
	}
	return errors.Join(err, jobs.Close())
}

func (b *builder) logPath(id string) string { return filepath.Join(b.logs, id+".log") }
