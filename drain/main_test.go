package drain

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fake serves until it is shut down, which takes some time.
type fake struct {
	name   string
	port   error      // of Listen
	fails  chan error // ends Serve
	down   chan struct{}
	takes  time.Duration
	d      *Drainer
	served bool
	note   func(string)
	once   sync.Once
}

func newFake(takes time.Duration) *fake {
	return &fake{name: "fake", fails: make(chan error, 1), down: make(chan struct{}), takes: takes, note: func(string) {}}
}

func (f *fake) String() string { return f.name }

func (f *fake) Attach(d *Drainer) error { f.d = d; return nil }

func (f *fake) Listen() error { return f.port }

func (f *fake) Serve() error {
	f.served = true
	select {
	case err := <-f.fails:
		return err
	case <-f.down:
		return nil
	}
}

func (f *fake) Shutdown(ctx context.Context) error {
	f.note(f.name + " down")
	f.once.Do(func() { close(f.down) })
	wait(ctx, f.takes)
	return ctx.Err()
}

func TestMainDrainsAtASignal(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		synctest.Test(t, func(t *testing.T) {
			signals := make(chan os.Signal, 2)
			a, b, agent := newFake(3*time.Second), newFake(time.Second), newFake(0)
			agent.name = "agent"
			var order []string
			agent.note = func(s string) { order = append(order, s) }
			cfg := Config{Beside: []Service{agent}, Phases: []Phase{{Name: "database", Stop: func(context.Context) error { order = append(order, "closed"); return nil }}}}
			ended := make(chan error, 1)
			go func() { ended <- run(t.Context(), cfg, signals, []Service{a, b}) }()
			synctest.Wait()
			require.Equal(t, Ready, a.d.State())
			a.d.Go(func(ctx context.Context) { wait(ctx, 5*time.Second); order = append(order, "work") })
			began := time.Now()
			signals <- sig
			synctest.Wait()
			require.Equal(t, LameDuck, a.d.State())
			var cause *SignalError
			require.ErrorAs(t, a.d.Cause(), &cause)
			require.Equal(t, sig, cause.Signal)
			require.NoError(t, <-ended)
			require.Equal(t, 5*time.Second, time.Since(began), "services at the same time, and work meanwhile")
			require.Equal(t, []string{"work", "closed", "agent down"}, order)
		})
	}
}

func TestSecondSignalMeansNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		ended := make(chan error, 1)
		go func() { ended <- run(t.Context(), Config{}, signals, []Service{newFake(time.Hour)}) }()
		began := time.Now()
		signals <- syscall.SIGTERM
		time.Sleep(2 * time.Second)
		signals <- syscall.SIGTERM
		require.EqualError(t, <-ended, "services: fake: context canceled")
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

func TestServiceThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(0), newFake(time.Second)
		a.fails <- errors.New("the socket is gone")
		require.EqualError(t, run(t.Context(), Config{}, nil, []Service{a, b}), "fake: the socket is gone")
		require.EqualError(t, b.d.Cause(), "fake: the socket is gone")
		a, b = newFake(0), newFake(time.Second)
		a.fails <- nil
		require.EqualError(t, run(t.Context(), Config{}, nil, []Service{a, b}), "fake: it ended by itself")
	})
}

// TestPortTaken: nothing serves, and nothing is called ready, when a port cannot be had.
func TestPortTaken(t *testing.T) {
	a, b := newFake(0), newFake(0)
	b.port = errors.New("listen tcp :25: address already in use")
	require.EqualError(t, run(t.Context(), Config{}, nil, []Service{a, b}), "fake: listen tcp :25: address already in use")
	require.False(t, a.served)
	require.Equal(t, Starting, a.d.State())
	<-a.down // what it had taken is given back
}

func TestContextIsACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the lease is lost"))
		s := newFake(time.Second)
		require.EqualError(t, run(ctx, Config{}, nil, []Service{s}), "the lease is lost")
		require.EqualError(t, s.d.Cause(), "the lease is lost")
		plain, stop := context.WithCancel(t.Context())
		stop()
		require.NoError(t, run(plain, Config{}, nil, []Service{newFake(time.Second)}))
	})
}

// TestServeThatDoesNotReturn: Main does, and says so.
func TestServeThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s := newFake(0)
		s.once.Do(func() {}) // Shutdown does not end Serve
		require.EqualError(t, run(ctx, Config{}, nil, []Service{s}), "1 services have not returned from Serve after their Shutdown")
		close(s.down)
	})
}

func TestMainSaysWhatIsWrong(t *testing.T) {
	require.ErrorContains(t, Main(t.Context(), Config{Deadline: -1}, newFake(0)), "Deadline is -1ns")
	require.EqualError(t, Main(t.Context(), Config{}, newFake(0), nil), "drain: service 1 is nil")
}
