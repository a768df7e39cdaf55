package httpdrain

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

func quick(w http.ResponseWriter, r *http.Request) { w.Header() }

// TestNothingIsAllocated for a request, ready or lame duck but for the header that the latter sets.
func TestNothingIsAllocated(t *testing.T) {
	s := Server(&http.Server{Handler: http.HandlerFunc(quick)})
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
	require.Zero(t, testing.AllocsPerRun(1000, func() { s.ServeHTTP(w, r) }))
}

// TestFlight: whatever many goroutines do, what is in flight is counted, and nothing is remembered of what is not.
func TestFlight(t *testing.T) {
	s := Server(&http.Server{})
	const n = 2000
	var arrived, left sync.WaitGroup
	arrived.Add(n)
	leave := make(chan struct{})
	for i := range n {
		left.Go(func() {
			for range 3 {
				s.flight.start(nil, httptest.NewRequest("GET", "/soon", nil)).end()
			}
			slot := s.flight.start(nil, httptest.NewRequest("GET", fmt.Sprint("/", i), nil))
			arrived.Done()
			<-leave
			slot.end()
		})
	}
	arrived.Wait()
	require.Equal(t, n, s.InFlight())
	paths := map[string]bool{}
	for _, e := range s.entries() {
		paths[e.Path] = true
	}
	require.Len(t, paths, n)
	looked := make(chan struct{})
	go func() { // while they leave
		defer close(looked)
		for s.InFlight() > 0 {
			s.Open()
		}
	}()
	close(leave)
	left.Wait()
	<-looked
	for table := s.flight.newest.Load(); table != nil; table = table.older {
		for i := range table.slots {
			require.Empty(t, table.slots[i].path)
			require.Nil(t, table.slots[i].w)
		}
	}
}

// TestFlightStaysSmall: however slots collide, tables grow only with what is in flight.
func TestFlightStaysSmall(t *testing.T) {
	s := Server(&http.Server{})
	r := httptest.NewRequest("GET", "/", nil)
	for range 1000 { // from one stack
		s.flight.start(nil, r)
	}
	size := 0
	for table := s.flight.newest.Load(); table != nil; table = table.older {
		size += len(table.slots)
	}
	require.Less(t, size, 5000)
}

// BenchmarkRequest is what a request costs, beside the bare handler and one time.Now.
func BenchmarkRequest(b *testing.B) {
	bare := http.HandlerFunc(quick)
	for _, c := range []struct {
		name string
		h    http.Handler
	}{{"bare", bare}, {"drain", Server(&http.Server{Handler: bare})}} {
		b.Run(c.name, func(b *testing.B) {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
			b.ReportAllocs()
			for b.Loop() {
				c.h.ServeHTTP(w, r)
			}
		})
		b.Run(c.name+"-parallel", func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)
				for pb.Next() {
					c.h.ServeHTTP(w, r)
				}
			})
		})
	}
	b.Run("time.Now", func(b *testing.B) {
		for b.Loop() {
			_ = time.Now()
		}
	})
}

// TestAges: a request is as old as it is, in a program that served late, and when it comes after the listener has been closed.
func TestAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &memory{make(chan net.Conn), make(chan struct{})}
		ages := make(chan time.Duration, 1)
		var s *Service
		var err error
		s, err = New(Config{Listener: l, KeepIdle: 10 * time.Second, Server: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			all := s.entries()
			ages <- time.Since(all[len(all)-1].Since) // the youngest
			if r.URL.Path == "/slow" {
				time.Sleep(time.Minute)
			}
		})}})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		go s.Serve()
		synctest.Wait()
		slow, late := l.dial(t), l.dial(t)
		slow.write("GET /slow HTTP/1.1\nHost: x\n\n")
		require.LessOrEqual(t, <-ages, resolution)
		down := make(chan error, 1)
		go func() { down <- s.Shutdown(t.Context()) }()
		time.Sleep(5 * time.Second)
		late.get()
		require.LessOrEqual(t, <-ages, resolution)
		slow.read()
		require.NoError(t, <-down)
	})
}

// TestSlotSize: no two slots share a cache line.
func TestSlotSize(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) == 8 { // which its padding is for
		require.EqualValues(t, 128, unsafe.Sizeof(slot{}))
	}
}
