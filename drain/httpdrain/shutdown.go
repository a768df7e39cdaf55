package httpdrain

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// Shutdown closes the listener, waits for what is in flight, hijacked connections included, and closes what is left when ctx has
// ended. The error says what was cut. Further calls wait for the first and return the same; one before Serve keeps that from serving.
func (s *Service) Shutdown(ctx context.Context) error {
	s.down.Do(func() { s.err = s.shutdown(ctx) })
	return s.err
}

func (s *Service) shutdown(ctx context.Context) error {
	s.LameDuck()
	s.closing.Store(true)
	s.mu.Lock()
	l, served := s.listener, s.served
	s.mu.Unlock()
	if l == nil {
		if s.cfg.Listener != nil {
			_ = s.cfg.Listener.Close()
		}
		return s.cfg.Server.Shutdown(ctx) // of a program that serves by itself
	}
	err := l.Close()
	if served != nil {
		select {
		case <-served: // what it had accepted last is known now
		case <-ctx.Done():
		}
	}
	s.until(ctx, s.settled)
	// Of HTTP/1 nothing is left now but what stammers. HTTP/2's are told to go.
	if ctx.Err() == nil {
		ended := make(chan error, 1)
		go func() { ended <- s.cfg.Server.Shutdown(ctx) }()
		var down error
		s.until(context.WithoutCancel(ctx), func() bool { // HTTP/2's requests that come meanwhile have their Patience too
			select {
			case down = <-ended:
				return true
			default:
				return false
			}
		})
		err = errors.Join(err, ignoreEnd(ctx, down))
	}
	s.until(ctx, s.empty)
	if ctx.Err() != nil && !s.empty() {
		err = errors.Join(err, s.cut(ctx))
	}
	_ = s.cfg.Server.Close() // what remains is idle
	if n := s.cuts.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("cut %d that outlasted Patience", n))
	}
	return err
}

// ignoreEnd drops the error that says no more than that the context has ended: what was cut is said elsewhere.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// until waits for something that is looked at often at first, and cuts what outlasts its Patience meanwhile.
func (s *Service) until(ctx context.Context, done func() bool) {
	t := time.NewTimer(0)
	defer t.Stop()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		s.flight.now() // for what still comes: Serve, and tick with it, has returned
		s.cutImpatient(time.Now())
		if done() {
			return
		}
		t.Reset(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// settled closes HTTP/1 connections that have been idle for long enough, and reports whether none is left that speaks, and nothing in
// flight: from net/http's Shutdown on, a request that has just been read is dropped without an answer (conn.serve).
func (s *Service) settled() bool {
	now := time.Now().UnixNano()
	left := s.leftSince.Load()
	settled := true
	var idle []*track
	s.conns.each(func(t *track) {
		if t.tls2.Load() || t.hijacked != nil {
			return
		}
		if t.http2.Load() {
			if t.told.CompareAndSwap(0, now) {
				t.goAway.wanted.Store(true)
				go t.goAway.now(t.Conn) // in a goroutine, for the client may not read; its connection is closed in the end
			}
			settled = settled && now-t.told.Load() >= int64(s.cfg.KeepIdle)
			return
		}
		since := t.since
		switch http.ConnState(t.state.Load()) {
		case http.StateNew:
			if t.heard.Load() && now-since >= int64(speechless) {
				return // left to net/http
			}
		case http.StateIdle:
			since = max(left, t.idle.Load())
			if t.heard.Load() { // a request comes, or stammers
				if t.stammers == 0 {
					t.stammers = now
				}
				if now-t.stammers >= int64(speechless) {
					idle = append(idle, t)
					return
				}
			} else {
				t.stammers = 0
			}
		default:
			settled = false
			return
		}
		if t.heard.Load() || now-since < int64(s.cfg.KeepIdle) {
			settled = false
		} else {
			idle = append(idle, t)
		}
	})
	for _, t := range idle {
		if pending(t.Conn) {
			settled = false
			continue
		}
		_ = t.Close() // net/http sees its end, and forgets it
	}
	return settled && s.flight.count() == 0
}

// speechless is how long a new connection may take to say the first request whole before nobody waits for it (net/http has the same for
// those that have said nothing: golang/go issue 22682).
const speechless = 5 * time.Second

// empty reports whether nothing is in flight, hijacked or not, and no handler works on behind a connection that it has hijacked and closed.
func (s *Service) empty() bool {
	n := 0
	s.flight.each(func(*slot) { n++ })
	s.conns.each(func(t *track) {
		if t.hijacked != nil {
			n++
		}
	})
	return n == 0
}

// cutImpatient cuts what outlasts its Patience.
func (s *Service) cutImpatient(now time.Time) {
	if s.cfg.Patience == nil {
		return
	}
	since := now.Sub(time.Unix(0, s.leftSince.Load()))
	over := func(method, path string) bool {
		patience := s.cfg.Patience(method, path)
		return patience > 0 && since >= patience
	}
	s.flight.each(func(sl *slot) {
		if sl.cut || sl.hijack || !over(sl.method, sl.path) {
			return
		}
		sl.cut = true
		s.cuts.Add(1)
		s.cfg.Log.Warn("httpdrain: cut", "method", sl.method, "path", sl.path, "open", now.Sub(s.flight.since(sl)))
		c := http.NewResponseController(sl.w)
		_ = c.SetReadDeadline(now) // both ends of a handler that reads or writes; an error says that it cannot be helped
		_ = c.SetWriteDeadline(now)
	})
	s.closeHijacked(func(e *entry) bool {
		if !over(e.Method, e.Path) {
			return false
		}
		s.cuts.Add(1)
		s.cfg.Log.Warn("httpdrain: cut", "method", e.Method, "path", e.Path, "open", now.Sub(e.Since), "kind", e.Kind)
		return true
	})
}

func (s *Service) closeHijacked(which func(*entry) bool) {
	var cut []*track
	s.conns.each(func(t *track) {
		if t.hijacked != nil && which(t.hijacked) {
			cut = append(cut, t)
		}
	})
	for _, t := range cut {
		t.gone()
		_ = t.Close()
	}
}

// cut closes what is left, and gives handlers a moment to notice, so that what they need is not closed below them.
func (s *Service) cut(ctx context.Context) error {
	err := fmt.Errorf("cut %s: %w", drain.Progress{Open: s.Open()}, context.Cause(ctx))
	s.closeHijacked(func(*entry) bool { return true })
	err = errors.Join(err, s.cfg.Server.Close())
	moment, cancel := context.WithTimeout(context.WithoutCancel(ctx), 500*time.Millisecond)
	defer cancel()
	s.until(moment, func() bool {
		n := 0
		s.flight.each(func(*slot) { n++ })
		return n == 0
	})
	return err
}
