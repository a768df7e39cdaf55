// Package stop closes channels.
package stop

import (
	"errors"
	"sync"
	"sync/atomic"
)

type Server struct {
	done chan struct{}
	mu   sync.Mutex
}

func (s *Server) Stop() {
	select {
	case <-s.done:
	default:
		close(s.done) // want `warning: racy-close: two callers can both find s.done open, and the second to close it panics`
	}
}

type Listener struct {
	done chan struct{}
}

func (l *Listener) Close() error {
	select {
	case <-l.done:
		return errors.New("closed")
	default:
	}
	close(l.done) // want `racy-close`
	return nil
}

func (l *Listener) Shutdown() error {
	select {
	case <-l.done:
		return errors.New("closed")
	default:
		close(l.done) // want `racy-close`
	}
	return nil
}

func Cancel() (stop func()) {
	done := make(chan struct{})
	return func() {
		select {
		case <-done:
		default:
			close(done) // want `racy-close`
		}
	}
}

type twice struct{ done chan struct{} }

func (t *twice) stop() {
	select {
	case _, open := <-t.done:
		_ = open
	default:
		close(t.done) // want `racy-close`
	}
}

func (t *twice) a() { t.stop() }
func (t *twice) b() { t.stop() }

// Right has all that keeps callers apart.
type Right struct {
	done, other chan struct{}
	mu          sync.Mutex
	once        sync.Once
	closed      atomic.Bool
}

func (r *Right) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func (r *Right) Once() {
	r.once.Do(func() {
		select {
		case <-r.done:
		default:
			close(r.done)
		}
	})
}

func (r *Right) Swap() {
	if r.closed.Swap(true) {
		return
	}
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func (r *Right) StopLocked() { r.stopLocked() }

func (r *Right) stopLocked() {
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func (r *Right) CloseBoth() {
	r.mu.Lock()
	r.close()
	r.mu.Unlock()
}

func (r *Right) close() {
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func (r *Right) Other() {
	select {
	case <-r.done:
	default:
		close(r.other)
	}
}

func (r *Right) Start() { go r.run() }

func (r *Right) run() { r.finish() }

func (r *Right) finish() { // one goroutine comes here
	select {
	case <-r.done:
	default:
		close(r.done)
	}
}

func local() {
	done := make(chan struct{})
	select {
	case <-done:
	default:
		close(done)
	}
}
