// Package leaktest finds goroutines that a package's tests have left behind: whoever starts one waits for it.
package leaktest

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"
)

// Run runs a package's tests and returns the status for os.Exit: 1 if they fail, or if goroutines are left of those they started.
func Run(m *testing.M) int {
	// The first Notify of a process starts a goroutine of os/signal that stays.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	before := runtime.NumGoroutine()
	if status := m.Run(); status != 0 {
		return status
	}
	if left := wait(before, 10*time.Second); left != "" {
		fmt.Fprintln(os.Stderr, "goroutines are left behind by the tests:\n"+left)
		return 1
	}
	return 0
}

// wait waits until no more goroutines run than before, and returns the stacks of all if that does not come to be.
func wait(before int, most time.Duration) string {
	for limit := time.Now().Add(most); runtime.NumGoroutine() > before; <-time.After(time.Millisecond) {
		if time.Now().After(limit) {
			stacks := make([]byte, 1<<20)
			return string(stacks[:runtime.Stack(stacks, true)])
		}
	}
	return ""
}
