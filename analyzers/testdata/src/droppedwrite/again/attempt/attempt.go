// Package attempt tries again what others give it.
package attempt

import (
	"context"
	"errors"
	"time"
)

// Do tries again after any error.
func Do(ctx context.Context, n int, f func(context.Context) error) (err error) { // want Do:`runs argument 2 again`
	for i := 0; i < n; i++ {
		if err = f(ctx); err == nil {
			return nil
		}
		if errors.Is(err, context.Canceled) || !sleep(ctx, time.Second) {
			return err
		}
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// Thrice hands on.
func Thrice(f func() error) error { // want Thrice:`runs argument 0 again`
	return Do(context.Background(), 3, func(context.Context) error { return f() })
}

// Value is generic.
func Value[T any](f func() (T, error)) (v T, err error) { // want Value:`runs argument 0 again`
	for attempt := 1; ; attempt++ {
		v, err = f()
		if err == nil || attempt == 3 {
			return v, err
		}
	}
}

// Safe tries again what the server has refused.
func Safe(n int, f func() error, refused func(error) bool) (err error) {
	for range n {
		if err = f(); err == nil || !refused(err) {
			return err
		}
	}
	return err
}

// Each does several things, each once.
func Each(list []func() error, also func() error) error {
	for _, f := range list {
		if err := f(); err != nil {
			return err
		}
	}
	return also()
}

// Poll calls for as long as all is well.
func Poll(f func() error) error {
	for {
		if err := f(); err != nil {
			return err
		}
		time.Sleep(time.Second)
	}
}

// Retrier has a method.
type Retrier struct{ n int }

func (r *Retrier) Run(f func() error) error { // want Run:`runs argument 0 again`
	for i := 0; i < r.n; i++ {
		if f() == nil {
			return nil
		}
	}
	return errors.New("gave up")
}
