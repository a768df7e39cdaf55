package drain

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// balancers remembers who asks for the state of the process, and says when each of them knows that it leaves.
type balancers struct {
	count   int // how many there must be; 0: those that were asking
	mu      sync.Mutex
	sources map[string]*source
	changed chan struct{} // closed, and made anew, when a source has been told often enough
	leaving bool
}

// source is one that asks.
type source struct {
	last     time.Time     // the latest answer while ready
	interval time.Duration // between answers, the longest lately: two backends of one balancer ask in pairs
	told     int           // answers since that it leaves
	knows    bool
}

const (
	// forget bounds how many sources are remembered: a port that anybody can reach is read by anybody.
	forget = 1024
	// recent is how long after its last reading a source still counts as one that asks.
	recent = 30 * time.Second
)

func (b *balancers) tell(name string, state State, fall int, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[name]
	if s == nil {
		if b.leaving && b.count == 0 {
			return // whoever comes now has been told first thing
		}
		if len(b.sources) >= forget {
			b.forgetOldest()
		}
		s = &source{}
		b.sources[name] = s
	}
	if state < LameDuck {
		if !s.last.IsZero() {
			s.interval = max(now.Sub(s.last), s.interval/2, 1)
		}
		s.last = now
		return
	}
	s.told++
	if s.told >= max(fall, 1) && !s.knows {
		s.knows = true
		close(b.changed)
		b.changed = make(chan struct{})
	}
}

func (b *balancers) forgetOldest() {
	oldest := ""
	for name, s := range b.sources {
		if oldest == "" || s.last.Before(b.sources[oldest].last) {
			oldest = name
		}
	}
	delete(b.sources, oldest)
}

// leave drops those that do not ask regularly: once only (somebody looked, or scanned the port), or no more for three of its
// own intervals.
func (b *balancers) leave(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaving = true
	if b.count > 0 {
		return
	}
	maps.DeleteFunc(b.sources, func(_ string, s *source) bool {
		if s.told > 0 {
			return false // in the same moment
		}
		return s.interval == 0 || s.silent(now)
	})
}

// silent says that a source asks no more: an operator has told the balancer to leave the agent alone, say.
func (s *source) silent(now time.Time) bool {
	silence := now.Sub(s.last)
	return silence > recent || silence > max(time.Second, 3*s.interval)
}

func (b *balancers) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.count > 0 {
		return b.count
	}
	return len(b.sources)
}

// missing are the sources that do not know yet; and how many are expected that have not asked at all.
func (b *balancers) missing(now time.Time) (names []string, unseen int, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	know := 0
	for name, s := range b.sources {
		if s.knows {
			know++
		} else if b.count == 0 && !(s.told == 0 && s.silent(now)) || b.count > 0 && !s.last.IsZero() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if b.count > 0 {
		unseen = max(0, b.count-know)
		if unseen == 0 {
			names = nil
		}
	}
	return names, unseen, b.changed
}

// wait returns when all know, or the context has ended.
func (b *balancers) wait(ctx context.Context) error {
	for {
		names, unseen, changed := b.missing(time.Now())
		if len(names) == 0 && unseen == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(100 * time.Millisecond): // one may have gone silent
		case <-ctx.Done():
			if b.count > 0 {
				return fmt.Errorf("%d of %d balancers have not read the new state", unseen, b.count)
			}
			return fmt.Errorf("balancers that have not read the new state: %s", strings.Join(names, ", "))
		}
	}
}
