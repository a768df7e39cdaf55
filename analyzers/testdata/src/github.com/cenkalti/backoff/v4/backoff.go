// Package backoff is a stub.
package backoff

func Permanent(err error) error { return err }
