// Package pq stands in for github.com/lib/pq.
package pq

import "time"

type Listener struct{}

func NewListener(name string, min, max time.Duration, callback func(int, error)) *Listener {
	return nil
}
