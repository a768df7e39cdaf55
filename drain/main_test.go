package drain

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// fake serves until it is shut down, which takes some time.
type fake struct {
	fails chan error // ends Serve
	down  chan struct{}
	takes time.Duration
	lame  atomic.Bool
}

func newFake(takes time.Duration) *fake {
	return &fake{fails: make(chan error, 1), down: make(chan struct{}), takes: takes}
}

func (f *fake) Serve() error {
	select {
	case err := <-f.fails:
		return err
	case <-f.down:
		return nil
	}
}

func (f *fake) LameDuck() { f.lame.Store(true) }

func (f *fake) Shutdown(ctx context.Context) error {
	close(f.down)
	wait(ctx, f.takes)
	return ctx.Err()
}

func TestMainDrainsAtASignal(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		synctest.Test(t, func(t *testing.T) {
			signals := make(chan os.Signal, 2)
			a, b := newFake(3*time.Second), newFake(time.Second)
			closed := false
			cfg := Config{Phases: []Phase{{Name: "database", Stop: func(context.Context) error { closed = true; return nil }}}}
			ended := make(chan error, 1)
			go func() { ended <- run(t.Context(), cfg, signals, []Service{a, b}) }()
			synctest.Wait()
			require.False(t, a.lame.Load())
			began := time.Now()
			signals <- sig
			synctest.Wait()
			require.True(t, a.lame.Load() && b.lame.Load())
			require.NoError(t, <-ended)
			require.Equal(t, 3500*time.Millisecond, time.Since(began), "both at the same time, after the lame duck")
			require.True(t, closed)
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
		require.EqualError(t, <-ended, "shutting down: *drain.fake: context canceled")
		require.Equal(t, 2*time.Second, time.Since(began))
	})
}

func TestServiceThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(0), newFake(time.Second)
		a.fails <- errors.New("port taken")
		require.EqualError(t, run(t.Context(), Config{}, nil, []Service{a, b}), "port taken")
	})
}

func TestContextIsACause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("the lease is lost"))
		require.EqualError(t, run(ctx, Config{}, nil, []Service{newFake(time.Second)}), "the lease is lost")
		plain, stop := context.WithCancel(t.Context())
		stop()
		require.NoError(t, run(plain, Config{}, nil, []Service{newFake(time.Second)}))
	})
}

func TestMainSaysWhatIsWrong(t *testing.T) {
	require.ErrorContains(t, Main(t.Context(), Config{Deadline: -1}, newFake(0)), "Deadline is -1ns")
}
