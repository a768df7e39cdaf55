// Package pq stands in for github.com/lib/pq.
package pq

import (
	"database/sql/driver"
	"time"
)

type ErrorCode string

type ErrorClass string

func (c ErrorCode) Class() ErrorClass { return ErrorClass(c[:2]) }

type Error struct{ Code ErrorCode }

func (e *Error) Error() string { return "" }

func NewConnector(dsn string) (driver.Connector, error) { return nil, nil }

type Listener struct{}

func NewListener(name string, min, max time.Duration, callback func(int, error)) *Listener {
	return nil
}
