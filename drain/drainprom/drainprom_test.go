package drainprom

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

type some []drain.Open

func (s some) Open() []drain.Open { return s }

func TestCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := drain.New(drain.Config{Balancers: 2})
		require.NoError(t, err)
		now := time.Now()
		d.Report(some{{Kind: "request", Count: 12, Oldest: now.Add(-34 * time.Second), What: "POST /query"}, {Kind: "websocket", Count: 2, Oldest: now}})
		d.Report(some{{Kind: "request", Count: 1, Oldest: now.Add(-40 * time.Second)}, {Kind: "mail", Count: 3}})
		d.Ready()
		c := Collector(d)
		const open = `
# HELP drain_balancers Balancers that the process waits for when it leaves.
# TYPE drain_balancers gauge
drain_balancers 2
# HELP drain_open What is open, by kind.
# TYPE drain_open gauge
drain_open{kind="mail"} 3
drain_open{kind="request"} 13
drain_open{kind="websocket"} 2
`
		require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(open+`
# HELP drain_leaving_seconds Seconds since the process was told to stop; 0 before.
# TYPE drain_leaving_seconds gauge
drain_leaving_seconds 0
# HELP drain_oldest_seconds Age of the oldest that is open, by kind.
# TYPE drain_oldest_seconds gauge
drain_oldest_seconds{kind="request"} 40
drain_oldest_seconds{kind="websocket"} 0
# HELP drain_state 1 for the state that the process is in: starting, ready, lame duck, draining, stopped.
# TYPE drain_state gauge
drain_state{state="draining"} 0
drain_state{state="lame duck"} 0
drain_state{state="ready"} 1
drain_state{state="starting"} 0
drain_state{state="stopped"} 0
`)))
		d.Begin(nil)
		time.Sleep(3 * time.Second)
		require.NoError(t, testutil.CollectAndCompare(c, strings.NewReader(open+`
# HELP drain_leaving_seconds Seconds since the process was told to stop; 0 before.
# TYPE drain_leaving_seconds gauge
drain_leaving_seconds 3
`), "drain_leaving_seconds", "drain_open", "drain_balancers"))
		problems, err := testutil.CollectAndLint(c)
		require.NoError(t, err)
		require.Empty(t, problems)
	})
}

// TestBeside: it attaches itself to what Main runs, and may be registered twice nowhere.
func TestBeside(t *testing.T) {
	registry := prometheus.NewRegistry()
	b := New()
	require.NoError(t, registry.Register(b))
	require.Error(t, registry.Register(b))
	require.Zero(t, testutil.CollectAndCount(b), "before the process has started")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	require.EqualError(t, drain.Main(ctx, drain.Config{LameDuck: 1, Beside: []drain.Service{b}}), "enough")
	require.Equal(t, 7, testutil.CollectAndCount(b))
}
