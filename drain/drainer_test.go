package drain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func newDrainer(t *testing.T, cfg Config) *Drainer {
	t.Helper()
	d, err := New(cfg)
	require.NoError(t, err)
	return d
}

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
		d := newDrainer(t, Config{LameDuck: 2 * time.Second, Phases: []Phase{note("intake", time.Second), note("database", 0)}})
		require.Equal(t, Starting, d.State())
		d.Ready()
		require.Equal(t, Ready, d.State())
		require.NoError(t, d.Leaving().Err())
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
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
		require.Equal(t, Stopped, d.State())
		require.Equal(t, []string{"intake at 2s", "database at 3s"}, order)
		require.NoError(t, d.Drain(t.Context()), "again")
	})
}

// TestCause: the first to tell the process to stop says why, to whoever asks.
func TestCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDrainer(t, Config{})
		d.Ready()
		require.NoError(t, d.Cause())
		why := errors.New("a new version comes")
		require.True(t, d.Begin(why))
		require.False(t, d.Begin(errors.New("late")))
		require.Equal(t, why, d.Cause())
		require.Equal(t, why, context.Cause(d.Leaving()))
		require.Equal(t, LameDuck, d.State())
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, LameDuck, d.State(), "Begin alone goes no further")
		began := time.Now()
		require.NoError(t, d.Drain(t.Context()))
		require.Zero(t, time.Since(began), "the lame duck has lasted long enough")

		d = newDrainer(t, Config{})
		require.NoError(t, d.Drain(t.Context()))
		require.NoError(t, d.Cause(), "nobody said")
	})
}

// TestWork: what Go runs is waited for in the phase without Stop; what it starts itself meanwhile, too.
func TestWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d *Drainer
		var order []string
		d = newDrainer(t, Config{LameDuck: time.Second, Phases: []Phase{
			{Name: "http", Stop: func(context.Context) error {
				require.True(t, d.Go(func(context.Context) {}), "handlers in flight may start work")
				return nil
			}},
			{Name: "work"},
			{Name: "database", Stop: func(context.Context) error { order = append(order, "closed"); return nil }},
		}})
		require.True(t, d.Go(func(ctx context.Context) {
			wait(ctx, 10*time.Second)
			require.True(t, d.Go(func(ctx context.Context) {
				wait(ctx, 5*time.Second)
				order = append(order, fmt.Sprint("done ", ctx.Err()))
			}))
		}))
		began := time.Now()
		require.NoError(t, d.Drain(t.Context()))
		require.Equal(t, []string{"done <nil>", "closed"}, order)
		require.Equal(t, 15*time.Second, time.Since(began))
		require.False(t, d.Go(func(context.Context) {}))
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
		"deadline":      {Config{Deadline: 5 * time.Second, Phases: []Phase{{Name: "http", Stop: hang}}}, time.Hour, 5 * time.Second, "http: 2 requests cut\nlast: context deadline exceeded\nwork: cut 1 of what Go runs"},
		"context":       {Config{Phases: []Phase{{Name: "http", Stop: hang}}}, 3 * time.Second, 3 * time.Second, "http: 2 requests cut\nlast: context canceled\nwork: cut 1 of what Go runs"},
		"phase":         {Config{Deadline: time.Minute, Phases: []Phase{{Name: "http", Deadline: 4 * time.Second, Stop: hang}}}, time.Hour, time.Minute, "http: 2 requests cut\nwork: cut 1 of what Go runs"},
		"work":          {Config{Phases: []Phase{{Name: "work", Deadline: 2 * time.Second}}}, time.Hour, 2500 * time.Millisecond, "work: cut 1 of what Go runs"},
		"hangs forever": {Config{Deadline: 5 * time.Second, Phases: []Phase{{Name: "http", Stop: func(ctx context.Context) error { <-t.Context().Done(); return nil }}}}, time.Hour, 6 * time.Second, "http: left behind: it has not returned 1s after it was cut (context deadline exceeded)\nlast: context deadline exceeded\nwork: cut 1 of what Go runs"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "hangs forever" {
				c.cfg.Phases[0].Stop = nil // one of the bubble, below
			}
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				if name == "hangs forever" {
					c.cfg.Phases[0].Stop = func(context.Context) error { <-release; return nil }
				}
				c.cfg.Phases = append(c.cfg.Phases, Phase{Name: "last", Stop: func(ctx context.Context) error { return ctx.Err() }})
				d := newDrainer(t, c.cfg)
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

// TestHolds: they are waited for in turn, within the maximum, and what one was waiting for is logged.
func TestHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := newDrainer(t, Config{LameDuckMax: 4 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for range 2 {
			d.Hold(Hold{"quiet", func(ctx context.Context) error { wait(ctx, time.Second); return ctx.Err() }})
		}
		d.Hold(Hold{"never", func(ctx context.Context) error { <-ctx.Done(); return errors.New("still 2 requests a second") }})
		began := time.Now()
		require.NoError(t, d.Drain(t.Context()))
		require.Equal(t, 4*time.Second, time.Since(began))
		require.Contains(t, log.String(), `hold=never waited=4s err="still 2 requests a second"`)
		require.NotContains(t, log.String(), "hold=quiet")
	})
}

func TestBadConfig(t *testing.T) {
	stop := func(context.Context) error { return nil }
	for text, cfg := range map[string]Config{
		`drain: LameDuck is -1ns: a duration cannot be negative
drain: LameDuckMax is -1m0s: a duration cannot be negative
drain: Deadline is -1s: a duration cannot be negative
drain: Balancers is -2: a count cannot be negative; 0 waits for those that ask
drain: the Deadline of phase 0 ("a") is -1ns: a duration cannot be negative`: {LameDuck: -1, LameDuckMax: -time.Minute, Deadline: -time.Second, Balancers: -2, Phases: []Phase{{Name: "a", Deadline: -1, Stop: stop}}},
		"drain: 2 phases have no Stop: one can wait for what Go runs":                  {Phases: []Phase{{Name: "a"}, {Name: "b"}}},
		"drain: LameDuck, 2s, is longer than LameDuckMax, 1s":                          {LameDuck: 2 * time.Second, LameDuckMax: time.Second},
		"drain: the lame duck, 30s, leaves nothing of the Deadline, 30s, to finish in": {LameDuck: 30 * time.Second},
		"drain: the lame duck, 6s, leaves nothing of the Deadline, 5s, to finish in":   {LameDuckMax: 6 * time.Second, Deadline: 5 * time.Second},
		"drain: Beside[0] is nil": {Beside: []Service{nil}},
	} {
		_, err := New(cfg)
		require.EqualError(t, err, text)
	}
	for deadline := range 2000 { // no deadline is too short for the defaults
		_, err := New(Config{Deadline: time.Duration(deadline) * time.Millisecond})
		require.NoError(t, err)
	}
}

// some is a Reporter.
type some []Open

func (s some) Open() []Open { return s }

// seen is an Observer that remembers.
type seen []string

func (s *seen) Observe(p Progress) { *s = append(*s, fmt.Sprintf("%s %s: %s", p.State, p.Phase, p)) }

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown, log bytes.Buffer
		d := newDrainer(t, Config{Deadline: 20 * time.Second, Progress: &shown, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Phases: []Phase{{Name: "http", Stop: func(ctx context.Context) error { wait(ctx, 10*time.Second); return nil }}}})
		var s seen
		d.Observe(&s)
		d.Report(some{{Kind: "request", Count: 12, Oldest: time.Now().Add(-34 * time.Second), What: "POST /query"}, {Kind: "stream"}})
		d.Report(some{{Kind: "websocket", Count: 2, Oldest: time.Now()}})
		d.Ready()
		d.Go(func(ctx context.Context) { wait(ctx, 1700*time.Millisecond) })
		require.NoError(t, d.Drain(t.Context()))
		require.Equal(t, seen{
			"ready : 12 requests, 2 websockets, oldest 34 s: POST /query",
			"lame duck lame duck: 12 requests, 2 websockets, 1 task, oldest 34 s: POST /query",
			"draining : 12 requests, 2 websockets, 1 task, oldest 34 s: POST /query",
			"draining http: 12 requests, 2 websockets, 1 task, oldest 35 s: POST /query",
			"draining http: 12 requests, 2 websockets, oldest 36 s: POST /query",
		}, s[:5])
		require.Equal(t, "stopped : 12 requests, 2 websockets, oldest 44 s: POST /query", s[len(s)-1])
		require.Len(t, s, 14, "each second, and each state")
		require.Contains(t, shown.String(), clearLine+"draining (http): 12 requests, 2 websockets, oldest 36 s: POST /query; cut in 18 s")
		require.True(t, strings.HasSuffix(shown.String(), clearLine+"stopped after 10.5s\n"), shown.String())
		require.Contains(t, log.String(), `msg="drain: waiting" state=draining phase=http open="12 requests, 2 websockets, oldest 44 s: POST /query"`)
		require.Contains(t, log.String(), `msg="drain: phase" phase=http took=10s`)
	})
}

// TestProgressOfHostileNames: what a client sent stays within its line.
func TestProgressOfHostileNames(t *testing.T) {
	now := time.Now()
	p := Progress{Open: []Open{{Kind: "request", Count: 1, Oldest: now, What: "GET /\x1b[2J\n" + strings.Repeat("ä", 100)}}}
	text := p.at(now)
	require.Equal(t, `1 request, oldest 0 s: GET /\x1b[2J\n`, text[:len(`1 request, oldest 0 s: GET /\x1b[2J\n`)])
	require.Less(t, len(text), 120)
	require.Equal(t, "nothing open", Progress{}.String())
}

// TestTerminalThatDoesNotRead: the process leaves all the same; the terminal gets the line of then and the last one when it reads again.
func TestTerminalThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		screen, w := io.Pipe()
		d := newDrainer(t, Config{LameDuck: time.Nanosecond, Progress: w, Phases: []Phase{{Name: "uploads", Stop: func(ctx context.Context) error {
			wait(ctx, 10*time.Second)
			return nil
		}}}})
		d.Ready()
		began := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- d.Drain(t.Context()) }()
		select {
		case err := <-ended:
			require.NoError(t, err)
			require.Less(t, time.Since(began), 12*time.Second)
		case <-time.After(time.Minute):
			t.Error("it waits for the terminal")
		}
		shown := make(chan string, 1)
		go func() {
			text, _ := io.ReadAll(screen)
			shown <- string(text)
		}()
		synctest.Wait()
		require.NoError(t, w.Close())
		require.Regexp(t, `^\r\x1b\[Klame duck: [^\r]*\r\x1b\[Kstopped after 10[^\r]*\n$`, <-shown)
	})
}
