// Package drainprom tells Prometheus how a process is and what it would lose if it were killed. It registers nothing by itself:
//
//	registry.MustRegister(drainprom.Collector(drainer))
//
// In programs of drain.Main, [New] is one of the services that stand beside, which attaches itself.
//
// # Metrics
//
//	drain_state{state}            1 for the state that the process is in, 0 for the others
//	drain_leaving_seconds         since the process was told to stop; 0 before
//	drain_open{kind}              what is open, by kind: request, websocket, task, …
//	drain_oldest_seconds{kind}    age of the oldest of them
//	drain_balancers               balancers that the process will wait for when it leaves
//
// drain_open has the kinds that are open now: an absent series is zero. Nothing that a client sends becomes a label.
package drainprom

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// Collector collects from a Drainer.
func Collector(d *drain.Drainer) prometheus.Collector {
	c := newCollector()
	c.drainer.Store(d)
	return c
}

// Beside is a collector that attaches itself to the process: a drain.Service that does nothing but that.
type Beside struct {
	*collector
	done chan struct{}
	down atomic.Bool
}

// New makes a collector for drain.Config.Beside. The caller registers it; it collects nothing before the process has started.
func New() *Beside { return &Beside{collector: newCollector(), done: make(chan struct{})} }

func (b *Beside) String() string { return "drainprom" }

// Attach collects from d.
func (b *Beside) Attach(d *drain.Drainer) error {
	b.drainer.Store(d)
	return nil
}

// Serve returns after Shutdown.
func (b *Beside) Serve() error {
	<-b.done
	return nil
}

// Shutdown ends Serve. Collecting goes on.
func (b *Beside) Shutdown(context.Context) error {
	if b.down.CompareAndSwap(false, true) {
		close(b.done)
	}
	return nil
}

type collector struct {
	drainer                                 atomic.Pointer[drain.Drainer]
	state, leaving, open, oldest, balancers *prometheus.Desc
}

func newCollector() *collector {
	kind := []string{"kind"}
	return &collector{
		state:     prometheus.NewDesc("drain_state", "1 for the state that the process is in: starting, ready, lame duck, draining, stopped.", []string{"state"}, nil),
		leaving:   prometheus.NewDesc("drain_leaving_seconds", "Seconds since the process was told to stop; 0 before.", nil, nil),
		open:      prometheus.NewDesc("drain_open", "What is open, by kind.", kind, nil),
		oldest:    prometheus.NewDesc("drain_oldest_seconds", "Age of the oldest that is open, by kind.", kind, nil),
		balancers: prometheus.NewDesc("drain_balancers", "Balancers that the process waits for when it leaves.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.leaving, c.open, c.oldest, c.balancers} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	d := c.drainer.Load()
	if d == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	now := time.Now()
	p := d.Progress()
	for s := drain.Starting; s <= drain.Stopped; s++ {
		in := 0.0
		if s == p.State {
			in = 1
		}
		gauge(c.state, in, s.String())
	}
	since := 0.0
	if !p.Began.IsZero() {
		since = now.Sub(p.Began).Seconds()
	}
	gauge(c.leaving, since)
	gauge(c.balancers, float64(d.Balancers()))
	type sum struct {
		count  int
		oldest time.Time
	}
	kinds := map[string]sum{} // of all reporters: two servers have requests
	for _, o := range p.Open {
		s := kinds[o.Kind]
		s.count += o.Count
		if !o.Oldest.IsZero() && (s.oldest.IsZero() || o.Oldest.Before(s.oldest)) {
			s.oldest = o.Oldest
		}
		kinds[o.Kind] = s
	}
	for kind, s := range kinds {
		gauge(c.open, float64(s.count), kind)
		if !s.oldest.IsZero() {
			gauge(c.oldest, max(0, now.Sub(s.oldest).Seconds()), kind)
		}
	}
}
