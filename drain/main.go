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

// Service is something that serves until it is shut down.
type Service interface {
	// Serve returns when the service has ended: nil after Shutdown, else why.
	Serve() error
	// Shutdown takes nothing new and returns when what is in flight has finished, or ctx has ended and it was cut, with an
	// error that says so.
	Shutdown(ctx context.Context) error
}

// LameDucker is a Service that can tell its clients to go elsewhere while it still serves them.
type LameDucker interface {
	LameDuck()
}

// Main serves until SIGTERM or SIGINT comes, ctx ends or a service fails, drains, and returns when nothing is left: nil when
// all of it finished, else the errors joined, the first one's cause first. A second signal means now: what is left is cut. SIGHUP is
// the caller's. The services are shut down together, in the first phase of the drain, those of cfg follow.
func Main(ctx context.Context, cfg Config, services ...Service) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	return run(ctx, cfg, signals, services)
}

// run is Main with the signals passed in.
func run(ctx context.Context, cfg Config, signals <-chan os.Signal, services []Service) error {
	cfg.Phases = append([]Phase{{Name: "shutting down", Stop: func(ctx context.Context) error { return shutdown(ctx, services) }}}, cfg.Phases...)
	d, err := New(cfg)
	if err != nil {
		return err
	}
	served := make(chan error, len(services))
	for _, s := range services {
		go func() { served <- s.Serve() }()
	}
	d.Ready()

	var cause error
	left := len(services)
	select {
	case <-signals:
	case <-ctx.Done():
		cause = context.Cause(ctx)
		if errors.Is(cause, context.Canceled) {
			cause = nil // told to stop, by nobody in particular
		}
	case cause = <-served:
		left--
		if cause == nil {
			cause = errors.New("a service ended by itself")
		}
	}
	for _, s := range services {
		if duck, ok := s.(LameDucker); ok {
			duck.LameDuck()
		}
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
	for range left {
		errs = append(errs, <-served)
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}

// shutdown shuts all services down, at the same time.
func shutdown(ctx context.Context, services []Service) error {
	errs := make(chan error, len(services))
	for _, s := range services {
		go func() {
			err := s.Shutdown(ctx)
			if err != nil {
				err = fmt.Errorf("%T: %w", s, err)
			}
			errs <- err
		}()
	}
	var all []error
	for range services {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
