package drain

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// ask tells source the state each interval, until the process has stopped.
func ask(d *Drainer, source string, interval time.Duration, fall int) {
	go func() {
		for d.State() != Stopped {
			d.Told(source, d.State(), fall)
			pause(interval)
		}
	}()
}

// TestBalancers: how long the lame duck lasts, for who asks.
func TestBalancers(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   Config
		ask   func(d *Drainer)
		lasts time.Duration
		log   string
	}{
		"nobody asks": {ask: func(*Drainer) {}, lasts: 500 * time.Millisecond},
		"agent-check": {ask: func(d *Drainer) { ask(d, "lb1", 100*time.Millisecond, 1) }, lasts: 500 * time.Millisecond},
		"two health checks, the slower counts": {ask: func(d *Drainer) {
			ask(d, "lb1", 200*time.Millisecond, 3)
			ask(d, "lb2", 2*time.Second, 3)
		}, lasts: 6 * time.Second},
		"either kind of check is enough": {ask: func(d *Drainer) {
			ask(d, "lb1", 2*time.Second, 3)
			ask(d, "lb1", 800*time.Millisecond, 1)
		}, lasts: 800 * time.Millisecond},
		"too slow": {Config{LameDuckMax: 5 * time.Second}, func(d *Drainer) { ask(d, "lb1", 2*time.Second, 3) }, 5 * time.Second,
			"balancers that have not read the new state: lb1"},
		"who looked once is no balancer": {ask: func(d *Drainer) { d.Told("scanner", Ready, 1) }, lasts: 500 * time.Millisecond},
		"who asks no more is none either": {ask: func(d *Drainer) {
			d.Told("gone", Ready, 1)
			pause(time.Second)
			d.Told("gone", Ready, 1)
			pause(4 * time.Second)
		}, lasts: 500 * time.Millisecond},
		"who stops asking in that moment is missed for three intervals": {ask: func(d *Drainer) {
			go func() {
				for d.State() < LameDuck {
					d.Told("lb1", d.State(), 1)
					pause(time.Second)
				}
			}()
		}, lasts: 3 * time.Second},
		"one of two": {Config{Balancers: 2, LameDuckMax: 3 * time.Second}, func(d *Drainer) { ask(d, "lb1", 100*time.Millisecond, 1) }, 3 * time.Second,
			"1 of 2 balancers have not read the new state"},
		"both, one of them for the first time": {Config{Balancers: 2}, func(d *Drainer) {
			ask(d, "lb1", 100*time.Millisecond, 1)
			go func() {
				<-d.Draining()
				pause(3 * time.Second)
				d.Told("lb2", d.State(), 1)
			}()
		}, 3 * time.Second, ""},
		"two backends of one balancer, which ask in pairs": {ask: func(d *Drainer) {
			ask(d, "lb1", 2*time.Second, 3)
			pause(100 * time.Millisecond)
			ask(d, "lb1", 2*time.Second, 3)
			pause(1500 * time.Millisecond)
		}, lasts: 2400 * time.Millisecond},
		"one told ready in the moment of the change": {ask: func(d *Drainer) {
			ask(d, "lb1", time.Second, 1)
			go func() {
				<-d.Draining()
				d.Told("lb1", Ready, 1)
			}()
		}, lasts: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				c.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
				d := newDrainer(t, c.cfg)
				d.Ready()
				c.ask(d)
				pause(4*time.Second + 1) // all intervals divide 4 s: the answers just given are of Ready
				synctest.Wait()
				began := time.Now()
				require.NoError(t, d.Drain(t.Context()))
				require.Equal(t, c.lasts, time.Since(began).Round(time.Millisecond))
				if c.log == "" {
					require.NotContains(t, log.String(), "hold=balancers")
				} else {
					require.Contains(t, log.String(), c.log)
				}
				pause(5 * time.Second) // for those who ask
			})
		})
	}
}

// TestBalancersAreForgotten: a port that anybody reads does not fill the memory.
func TestBalancersAreForgotten(t *testing.T) {
	d := newDrainer(t, Config{})
	d.Ready()
	for i := range 10 * forget {
		d.Told(fmt.Sprint(i), Ready, 1)
	}
	require.Len(t, d.balancers.sources, forget)
}

// pause is for goroutines of a bubble: synctest's time.
func pause(d time.Duration) { wait(context.Background(), d) }
