// Package httprate stands in for the limiter of that name.
package httprate

import (
	"net/http"
	"time"
)

type Option func()

type LimitCounter interface{ Increment(key string) error }

func WithLimitCounter(c LimitCounter) Option { return func() {} }

func WithKeyByIP() Option { return func() {} }

func Limit(n int, window time.Duration, options ...Option) func(http.Handler) http.Handler {
	return nil
}

func LimitByIP(n int, window time.Duration) func(http.Handler) http.Handler { return nil }
