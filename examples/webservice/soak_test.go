package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSoakRolling: 200 restarts, or as many as there is time for (HA_SOAK), then some more with uploads of ten seconds.
func TestSoakRolling(t *testing.T) {
	t.Parallel()
	most, long := 2, 3*time.Second
	limit := time.Now().Add(time.Minute)
	if soak := os.Getenv("HA_SOAK"); soak != "" {
		d, err := time.ParseDuration(soak)
		require.NoError(t, err, "HA_SOAK")
		most, long, limit = 200, 10*time.Second, time.Now().Add(d)
	}
	s := newSite(t, withAgent, 2)
	l := s.load(t, short)
	n := 0
	for ; n < most && time.Now().Before(limit); n++ {
		s.restart(t, 1)
		if n%50 == 25 {
			s.proxies[n/50%2].Reload(t, s.config(n/50%2))
		}
	}
	r := l.Stop()
	t.Logf("%d restarts", n)
	holds(t, r, s.ledger)
	l = s.load(t, long)
	s.restart(t, 2)
	r = l.Stop()
	t.Logf("2 restarts, uploads of %s", long)
	require.Zero(t, r.Failed, "%s", r)
	require.GreaterOrEqual(t, r.Uploads, 2)
}
