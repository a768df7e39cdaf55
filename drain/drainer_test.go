package drain

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var order []string
		began := time.Now()
		note := func(name string, takes time.Duration) Phase {
			return Phase{Name: name, Stop: func(ctx context.Context) error {
				order = append(order, name+" at "+time.Since(began).String())
				wait(ctx, takes)
				return ctx.Err()
			}}
		}
		d, err := New(Config{LameDuck: 2 * time.Second, Phases: []Phase{note("intake", time.Second), note("database", 0)}})
		require.NoError(t, err)
		require.Equal(t, Starting, d.State())
		d.Ready()
		require.Equal(t, Ready, d.State())
		ended := make(chan error, 2)
		for range 2 { // whoever comes second waits for the same
			go func() { ended <- d.Drain(t.Context()) }()
		}
		<-d.Draining()
		require.Equal(t, LameDuck, d.State())
		d.Ready()
		require.Equal(t, LameDuck, d.State(), "it does not come back")
		time.Sleep(2*time.Second - 1)
		synctest.Wait()
		require.Equal(t, LameDuck, d.State(), "not a tick too early")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Equal(t, Draining, d.State())
		require.False(t, d.Go(func(context.Context) {}), "nothing new")
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
		require.Equal(t, Stopped, d.State())
		require.Equal(t, []string{"intake at 2s", "database at 3s"}, order)
		require.NoError(t, d.Drain(t.Context()), "again")
	})
}

func TestWorkIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := New(Config{})
		require.NoError(t, err)
		finished := false
		require.True(t, d.Go(func(ctx context.Context) {
			wait(ctx, 10*time.Second)
			finished = ctx.Err() == nil
		}))
		began := time.Now()
		require.NoError(t, d.Drain(t.Context()))
		require.True(t, finished)
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}

// TestCut: at the deadline, at the end of the caller's context, and at a phase's own, what is left is told to end, the later phases
// run all the same, and the error says what was cut.
func TestCut(t *testing.T) {
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("2 requests cut")
	}
	for name, c := range map[string]struct {
		cfg  Config
		ctx  time.Duration
		took time.Duration
		err  string
	}{
		"deadline": {Config{Deadline: 5 * time.Second, Phases: []Phase{{Name: "http", Stop: hang}}}, time.Hour, 5 * time.Second, "http: 2 requests cut\nlast: context deadline exceeded\ncut 1 of what Go runs"},
		"context":  {Config{Phases: []Phase{{Name: "http", Stop: hang}}}, 3 * time.Second, 3 * time.Second, "http: 2 requests cut\nlast: context canceled\ncut 1 of what Go runs"},
		"phase":    {Config{Deadline: time.Minute, Phases: []Phase{{Name: "http", Deadline: 4 * time.Second, Stop: hang}}}, time.Hour, time.Minute, "http: 2 requests cut\ncut 1 of what Go runs"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.cfg.Phases = append(c.cfg.Phases, Phase{Name: "last", Stop: func(ctx context.Context) error { return ctx.Err() }})
				d, err := New(c.cfg)
				require.NoError(t, err)
				d.Go(func(ctx context.Context) { <-ctx.Done() })
				ctx, cancel := context.WithTimeout(t.Context(), c.ctx)
				defer cancel()
				began := time.Now()
				require.EqualError(t, d.Drain(ctx), c.err)
				require.Equal(t, c.took, time.Since(began))
				require.Equal(t, Stopped, d.State())
			})
		})
	}
}

func TestBadConfig(t *testing.T) {
	_, err := New(Config{LameDuck: -1, Deadline: -time.Second, Phases: []Phase{{Name: "a", Deadline: -1}}})
	require.EqualError(t, err, `drain: LameDuck is -1ns: a duration cannot be negative
drain: Deadline is -1s: a duration cannot be negative
drain: phase 0 ("a") has no Stop
drain: the Deadline of phase 0 ("a") is -1ns: a duration cannot be negative`)
}
