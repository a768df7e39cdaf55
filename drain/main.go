package drain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// Service is something that serves until it is shut down. What it is called in errors is its String, or its type.
type Service interface {
	// Serve returns when the service has ended: nil after Shutdown, else why.
	Serve() error
	// Shutdown takes nothing new and returns when what is in flight has finished, or ctx has ended and it was cut, with an
	// error that says so. It may be called before Serve, which then returns nil.
	Shutdown(ctx context.Context) error
}

// Listener is a Service that can take its port before it serves, so that the process is not called ready without.
type Listener interface {
	Listen() error
}

// Attacher is a Service, or anything else, that wants to know the process it is part of. It is attached before the process is
// ready.
type Attacher interface {
	Attach(d *Drainer) error
}

// Main serves until SIGTERM or SIGINT comes, ctx ends or a service fails, drains, and returns when nothing is left: nil when
// all of it finished, else the errors joined, the cause of the drain first if it was one (a service that failed, or the context.Cause of
// ctx when that is more than context.Canceled). A second signal means now: what is left is cut. SIGHUP is the caller's.
//
// Services take their ports first ([Listener]), then serve, then the process is ready. They are shut down together, in the first phase of
// the drain; what [Drainer.Go] runs is waited for in the second; the phases of cfg follow.
func Main(ctx context.Context, cfg Config, services ...Service) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	if cfg.Progress == nil {
		cfg.Progress = terminal()
	}
	cfg.hint = ", a second signal cuts now"
	return run(ctx, cfg, signals, services)
}

// run is Main with the signals passed in.
func run(ctx context.Context, cfg Config, signals <-chan os.Signal, services []Service) error {
	if i := slices.IndexFunc(services, func(s Service) bool { return s == nil }); i >= 0 {
		return fmt.Errorf("drain: service %d is nil", i)
	}
	phases := []Phase{{Name: "services", Stop: func(ctx context.Context) error { return shutdown(ctx, services) }}}
	if !slices.ContainsFunc(cfg.Phases, func(p Phase) bool { return p.Stop == nil }) {
		phases = append(phases, Phase{Name: "work"})
	}
	cfg.Phases = append(phases, cfg.Phases...)
	if len(cfg.Beside) > 0 {
		cfg.Phases = append(cfg.Phases, Phase{Name: "beside", Stop: func(ctx context.Context) error { return shutdown(ctx, cfg.Beside) }})
	}
	d, err := New(cfg)
	if err != nil {
		return err
	}
	all := slices.Concat(cfg.Beside, services)
	if err := prepare(d, all); err != nil {
		ended, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel() // nothing is in flight yet
		_ = shutdown(ended, all)
		return err
	}
	type end struct {
		service Service
		err     error
	}
	served := make(chan end, len(all))
	for _, s := range all {
		go func() { served <- end{s, s.Serve()} }()
	}
	d.Ready()

	left := len(all)
	var cause error // to return
	select {
	case sig := <-signals:
		d.Begin(&SignalError{sig})
	case <-ctx.Done():
		if !errors.Is(context.Cause(ctx), context.Canceled) { // else told to stop, by nobody in particular
			cause = context.Cause(ctx)
		}
		d.Begin(context.Cause(ctx))
	case e := <-served:
		left--
		if e.err == nil {
			e.err = errors.New("it ended by itself")
		}
		cause = failed(e.service, e.err)
		d.Begin(cause)
	}
	now, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	drained := make(chan error, 1)
	go func() { drained <- d.Drain(now) }()
	errs := []error{cause}
	for waiting := true; waiting; {
		select {
		case <-signals:
			cut()
		case err := <-drained:
			errs = append(errs, err)
			waiting = false
		}
	}
	patience, over := context.WithTimeout(context.WithoutCancel(ctx), abandon)
	defer over()
	for ; left > 0; left-- {
		select {
		case e := <-served:
			errs = append(errs, failed(e.service, e.err))
		case <-patience.Done():
			return errors.Join(append(errs, fmt.Errorf("%d services have not returned from Serve after their Shutdown", left))...)
		}
	}
	return errors.Join(errs...)
}

// prepare attaches services to the process and has them take their ports.
func prepare(d *Drainer, services []Service) error {
	for _, s := range services {
		if a, ok := s.(Attacher); ok {
			if err := a.Attach(d); err != nil {
				return failed(s, err)
			}
		}
	}
	for _, s := range services {
		if l, ok := s.(Listener); ok {
			if err := l.Listen(); err != nil {
				return failed(s, err)
			}
		}
	}
	return nil
}

// shutdown shuts all services down, at the same time.
func shutdown(ctx context.Context, services []Service) error {
	errs := make(chan error, len(services))
	for _, s := range services {
		go func() { errs <- failed(s, s.Shutdown(ctx)) }()
	}
	var all []error
	for range services {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

func failed(s Service, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", nameOf(s), err)
}

func nameOf(v any) string {
	if s, ok := v.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", v)
}
