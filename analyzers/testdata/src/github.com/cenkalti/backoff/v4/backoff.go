// Package backoff stands in for github.com/cenkalti/backoff/v4.
package backoff

func Retry(f func() error, b any) error { return f() }

func Permanent(err error) error { return err }
