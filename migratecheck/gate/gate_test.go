package gate

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// server stands for a database in tests of time: brant's table, its version, and how long a query takes.
type server struct {
	version atomic.Int64
	takes   time.Duration
	err     atomic.Pointer[error]
	mu      chan struct{} // held during a query; a channel, so that a bubble sees who waits for it as idle
	reads   []time.Time   // when the version was asked for; guarded by mu
}

func newServer(version int64, takes time.Duration) *server {
	s := &server{takes: takes, mu: make(chan struct{}, 1)}
	s.version.Store(version)
	return s
}

func (s *server) QueryText(ctx context.Context, query string) ([]string, error) {
	select {
	case s.mu <- struct{}{}:
	default:
		return nil, errors.New("two queries at once")
	}
	defer func() { <-s.mu }()
	if strings.Contains(query, "pg_attribute") {
		return []string{"version_id", ".brant_db_version"}, nil
	}
	s.reads = append(s.reads, time.Now())
	version := s.version.Load() // what a query sees is what was there when it began
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := s.err.Load(); err != nil {
		return nil, *err
	}
	return []string{fmt.Sprint(version)}, nil
}

var brant = Config{Tool: Brant}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(8, 0)
		var log bytes.Buffer
		g, err := Open(t.Context(), s, Config{Tool: Brant, Interval: time.Minute, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		require.NoError(t, err)
		begun := time.Now()
		require.Equal(t, begun, g.Now().ReadAt())
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Run(ctx) }()

		s.version.Store(9)
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		require.False(t, g.AtLeast(9), "read before the interval is over")
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		require.True(t, g.AtLeast(9))
		require.Equal(t, begun.Add(time.Minute), g.Now().ReadAt())

		// A read that fails leaves the last answer.
		broken := errors.New("server is gone")
		s.err.Store(&broken)
		s.version.Store(8)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.True(t, g.AtLeast(9))
		require.Equal(t, begun.Add(time.Minute), g.Now().ReadAt())

		// A Down is seen as well.
		s.err.Store(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.False(t, g.AtLeast(9))
		require.True(t, g.AtLeast(8))

		why := errors.New("shutdown")
		cancel(why)
		require.ErrorIs(t, <-ended, why)
		require.Len(t, s.reads, 4)
		require.Equal(t, 3, strings.Count(log.String(), `msg="schema version"`), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "server is gone"), log.String())
	})
}

// TestRefreshShares: who comes while a read waits for its turn shares it; who comes once it has begun does not, since it
// may have seen the schema before.
func TestRefreshShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(8, 10*time.Second)
		g, err := New(s, brant)
		require.NoError(t, err)
		var wg sync.WaitGroup
		refresh := func() {
			wg.Go(func() {
				assert.NoError(t, g.Refresh(t.Context()))
				assert.True(t, g.AtLeast(9))
			})
		}
		wg.Go(func() {
			assert.NoError(t, g.Refresh(t.Context()))
			assert.False(t, g.AtLeast(9))
		})
		synctest.Wait()
		s.version.Store(9)
		for range 100 {
			refresh()
		}
		wg.Wait()
		require.Len(t, s.reads, 2)
		require.Equal(t, 10*time.Second, s.reads[1].Sub(s.reads[0]))
	})
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(8, 0)
		g, err := New(s, Config{Tool: Brant, Throttle: time.Second})
		require.NoError(t, err)
		for range 3 {
			require.NoError(t, g.Refresh(t.Context()))
		}
		time.Sleep(time.Hour)
		require.NoError(t, g.Refresh(t.Context()))
		for i, want := range []time.Duration{time.Second, time.Second, time.Hour} {
			require.Equal(t, want, s.reads[i+1].Sub(s.reads[i]))
		}
	})
}

// TestRefreshAbandoned: a caller whose time is over takes the others' read along only for itself.
func TestRefreshAbandoned(t *testing.T) {
	for _, phase := range []struct {
		name  string
		after time.Duration
	}{{"reading", 2 * time.Second}, {"waiting", 500 * time.Millisecond}} {
		t.Run(phase.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(8, 3*time.Second)
				g, err := New(s, Config{Tool: Brant, Throttle: 4 * time.Second})
				require.NoError(t, err)
				require.NoError(t, g.Refresh(t.Context())) // 3 s; the next may begin 1 s later
				s.version.Store(9)
				ctx, cancel := context.WithTimeout(t.Context(), phase.after)
				defer cancel()
				var wg sync.WaitGroup
				wg.Go(func() { assert.ErrorIs(t, g.Refresh(ctx), context.DeadlineExceeded) })
				synctest.Wait()
				wg.Go(func() { assert.NoError(t, g.Refresh(t.Context())) })
				wg.Go(func() { assert.ErrorIs(t, g.Refresh(ctx), context.DeadlineExceeded) })
				wg.Wait()
				require.True(t, g.AtLeast(9))
			})
		})
	}
}

func TestRefreshFails(t *testing.T) {
	s := newServer(8, 0)
	g, err := Open(t.Context(), s, Config{Tool: Brant, Throttle: 1})
	require.NoError(t, err)
	broken := errors.New("server is gone")
	s.err.Store(&broken)
	require.ErrorIs(t, g.Refresh(t.Context()), broken)
	require.True(t, g.AtLeast(8))

	// Do joins what kept it from learning more.
	stale := &coded{"42703"}
	err = g.Do(t.Context(), func(Schema) error { return stale })
	require.ErrorIs(t, err, broken)
	require.ErrorIs(t, err, stale)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, g.Refresh(ctx), context.Canceled)
	_, err = Open(ctx, s, brant)
	require.ErrorIs(t, err, context.Canceled)
}

type coded struct{ code string }

func (c *coded) Error() string    { return "an error with a code" }
func (c *coded) SQLState() string { return c.code }

func TestStale(t *testing.T) {
	g := &Gate{}
	require.True(t, g.Stale(fmt.Errorf("reading a tracker: %w", &coded{"42P01"})))
	for _, err := range []error{nil, sql.ErrNoRows, &coded{"40001"}, &coded{"23505"}, context.Canceled} {
		require.False(t, g.Stale(err), "%v", err)
	}
}

// TestZero: what nobody has opened claims nothing, and cannot be asked.
func TestZero(t *testing.T) {
	var g Gate
	require.False(t, g.AtLeast(1))
	require.True(t, g.AtLeast(0))
	require.Equal(t, "never read", g.Now().String())
	require.True(t, g.Now().ReadAt().IsZero())
	require.ErrorIs(t, g.Refresh(t.Context()), ErrZero)
	require.ErrorIs(t, g.Run(t.Context()), ErrZero)
	require.NoError(t, g.Do(t.Context(), func(Schema) error { return nil }))
	require.False(t, Schema{}.AtLeast(1))
}

func TestConfig(t *testing.T) {
	_, err := New(newServer(0, 0), Config{Tool: "ant", Interval: -1, Throttle: -1})
	for _, field := range []string{"Tool", "Interval", "Throttle"} {
		require.ErrorContains(t, err, field)
	}
	_, err = New(newServer(0, 0), Config{Table: "v"})
	require.ErrorContains(t, err, "Table")
	_, err = New(newServer(0, 0), Config{Tool: Alembic})
	require.ErrorContains(t, err, "Revisions")
	_, err = New(nil, Config{})
	require.Error(t, err)
}

// TestConcurrent is for the race detector: readers ask while others refresh.
func TestConcurrent(t *testing.T) {
	s := newServer(1, 0)
	g, err := Open(t.Context(), s, Config{Tool: Brant, Throttle: 1})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := int64(0)
			for range 500 {
				v := g.Now()
				assert.Equal(t, v.Version() >= 5, v.AtLeast(5))
				assert.GreaterOrEqual(t, v.Version(), last)
				last = v.Version()
			}
		})
		wg.Go(func() {
			for range 50 {
				s.version.Add(1)
				assert.NoError(t, g.Refresh(t.Context()))
			}
		})
	}
	wg.Wait()
	require.NoError(t, g.Refresh(t.Context()))
	require.True(t, g.AtLeast(s.version.Load()))
}
