package httpdrain

import (
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// flight is the requests that are being served. Each takes a slot; slots are found by the address of the stack, which differs
// between goroutines and stays with a connection's, so that concurrent requests share no cache line and the next one finds its slot warm.
type flight struct {
	newest atomic.Pointer[table]
	clock  atomic.Int64 // nanoseconds since the epoch, set by tick: reading the time costs more than all the rest
	epoch  time.Time
	grow   sync.Mutex
}

type table struct {
	slots []slot // a power of two
	older *table // half of its size
}

const (
	firstTable = 64
	probes     = 8                      // in each table
	resolution = 500 * time.Millisecond // of the clock
)

const (
	free  = iota
	held  // somebody reads or writes the slot
	taken // by a request
)

type slot struct {
	state  atomic.Uint32
	cut    bool  // by Patience
	hijack bool  // its connection is tracked instead
	began  int64 // by the clock
	method string
	path   string
	query  string
	remote string
	header http.Header // for Hijack, which is called where the handler runs
	w      http.ResponseWriter
	_      [24]byte // to two cache lines, with 64 bits: neighbours are other goroutines'
}

func (f *flight) init() {
	f.epoch = time.Now()
	f.newest.Store(&table{slots: make([]slot, firstTable)})
}

// tick keeps the clock until the function that it returns is called.
func (f *flight) tick() (stop func()) {
	f.now() // the program may have started slowly
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(resolution)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				f.now()
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func (f *flight) now() { f.clock.Store(int64(time.Since(f.epoch))) }

// since is when a slot was taken, at most resolution too early.
func (f *flight) since(s *slot) time.Time { return f.epoch.Add(time.Duration(s.began)) }

// start takes a slot for a request. Strings are kept, not the request: handlers may change that.
func (f *flight) start(w http.ResponseWriter, r *http.Request) *slot {
	s := f.take()
	s.began = f.clock.Load()
	s.method, s.path, s.query, s.remote = r.Method, r.URL.Path, r.URL.RawQuery, r.RemoteAddr
	s.header, s.w = r.Header, w
	s.state.Store(taken)
	return s
}

func (f *flight) take() *slot {
	var here byte
	hash := uint32((uint64(uintptr(unsafe.Pointer(&here))>>9) * 0x9e3779b97f4a7c15) >> 32)
	for {
		newest := f.newest.Load()
		for t := newest; t != nil; t = t.older {
			at := hash
			for range probes {
				s := &t.slots[at&uint32(len(t.slots)-1)]
				if s.state.Load() == free && s.state.CompareAndSwap(free, held) {
					return s
				}
				at = rand.Uint32() // so that all of them fail only where few slots are free
			}
		}
		f.grow.Lock()
		if f.newest.Load() == newest {
			f.newest.Store(&table{slots: make([]slot, 2*len(newest.slots)), older: newest})
		}
		f.grow.Unlock()
	}
}

// end gives the slot back, and forgets what was in it.
func (s *slot) end() {
	for !s.state.CompareAndSwap(taken, held) {
		runtime.Gosched() // each holds it while it is read
	}
	s.w, s.header, s.path, s.query, s.cut, s.hijack = nil, nil, "", "", false, false
	s.state.Store(free)
}

// each calls f with each slot that is taken, which it is not given back meanwhile.
func (f *flight) each(do func(*slot)) {
	for t := f.newest.Load(); t != nil; t = t.older {
		for i := range t.slots {
			s := &t.slots[i]
			if s.state.Load() == taken && s.state.CompareAndSwap(taken, held) {
				do(s)
				s.state.Store(taken)
			}
		}
	}
}

func (f *flight) count() (n int) {
	f.each(func(s *slot) {
		if !s.hijack {
			n++
		}
	})
	return n
}
