// Package pgerrcode is a stub.
package pgerrcode

const (
	AdminShutdown   = "57P01"
	UniqueViolation = "23505"
)

func IsConnectionException(code string) bool { return false }
