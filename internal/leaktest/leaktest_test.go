package leaktest

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWait(t *testing.T) {
	before := runtime.NumGoroutine()
	require.Empty(t, wait(before, time.Minute))
	leave, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		<-leave
	}()
	require.Contains(t, wait(before, time.Millisecond), "leaktest.TestWait.func1")
	close(leave)
	<-left
	require.Empty(t, wait(before, time.Minute))
}
