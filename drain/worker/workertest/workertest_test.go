package workertest

import (
	"testing"
	"time"
)

func TestMemory(t *testing.T) {
	Run(t, func(t *testing.T) Subject {
		m := &Memory{Lease: 300 * time.Millisecond}
		return Subject{A: m, B: m, Add: m.Add, Results: func() map[string]int {
			all := map[string]int{}
			for id, results := range m.Results() {
				all[id] = len(results)
			}
			return all
		}}
	})
}
