// Package web serves for a main of another package.
package web

import (
	"context"
	"net/http"
	"time"
)

func Run(ctx context.Context, h http.Handler) error { // want Run:"returns when Shutdown begins"
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_ = srv.Shutdown(deadline)
	}()
	return srv.ListenAndServe()
}

func Wait(ctx context.Context, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	done := make(chan error)
	go func() {
		<-ctx.Done()
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		done <- srv.Shutdown(deadline)
	}()
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		return err
	}
	return <-done
}
