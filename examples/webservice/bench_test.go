package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRolling is ten restarts under load, by how the servers leave: what failed, POSTs among it that nobody may send again, and
// the longest that anybody waited. "bare" is net/http's Shutdown at the signal, behind health checks.
func BenchmarkRolling(b *testing.B) {
	for _, mode := range []string{bare, withChecks, withAgent} {
		b.Run(mode, func(b *testing.B) {
			failed, posts, ok, worst := 0, 0, 0, 0.0
			for b.Loop() {
				s := newSite(b, mode, 1)
				l := s.load(b, short)
				s.restart(b, 10)
				r := l.Stop()
				_, replayed, err := r.Audit(s.ledger)
				require.NoError(b, err)
				require.Empty(b, replayed)
				ok += r.OK
				failed += r.Failed
				for _, acknowledged := range r.Sent {
					if !acknowledged {
						posts++
					}
				}
				worst = max(worst, float64(r.Worst.Milliseconds()))
				b.Log(r)
				for _, n := range s.nodes {
					n.stop(b)
				}
			}
			b.ReportMetric(float64(ok), "ok")
			b.ReportMetric(float64(failed), "failed")
			b.ReportMetric(float64(posts), "failed_POST")
			b.ReportMetric(worst, "worst_ms")
		})
	}
}
