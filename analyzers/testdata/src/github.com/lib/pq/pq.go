// Package pq is a stub.
package pq

import "database/sql/driver"

type ErrorCode string

type ErrorClass string

func (c ErrorCode) Class() ErrorClass { return ErrorClass(c[:2]) }

type Error struct{ Code ErrorCode }

func (e *Error) Error() string { return "" }

func NewConnector(dsn string) (driver.Connector, error) { return nil, nil }
