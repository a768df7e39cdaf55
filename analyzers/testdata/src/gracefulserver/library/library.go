// Package library stops servers that others make.
package library

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

func ignored(srv *http.Server, ctx context.Context) {
	srv.Shutdown(ctx)       // want `warning: shutdown-error-ignored: the error of Shutdown is dropped`
	defer srv.Shutdown(ctx) // want `shutdown-error-ignored`
	go srv.Shutdown(ctx)    // want `shutdown-error-ignored`
	_ = srv.Shutdown(ctx)
	if err := srv.Shutdown(ctx); err != nil {
		log.Print(err)
	}
}

func forEver(srv *http.Server) error {
	if err := srv.Shutdown(context.Background()); err != nil { // want `warning: shutdown-without-deadline: Shutdown waits for the slowest request`
		return err
	}
	return nil
}

func forEverByVariable(srv *http.Server) error {
	ctx := context.Background()
	return srv.Shutdown(ctx) // want `shutdown-without-deadline`
}

func forEverInLoop(list []*http.Server) {
	for _, srv := range list {
		if err := srv.Shutdown(context.TODO()); err != nil { // want `shutdown-without-deadline`
			log.Print(err)
		}
	}
}

func forEverIgnored(srv *http.Server) {
	srv.Shutdown(context.TODO()) // want `shutdown-without-deadline`
}

func forEverBoth(a, b *http.Server) {
	if err := a.Shutdown(context.Background()); err != nil { // want `shutdown-without-deadline`
		log.Print(err)
	}
	if err := b.Shutdown(context.Background()); err != nil { // want `shutdown-without-deadline`
		log.Print(err)
	}
}

func bounded(srv *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return srv.Shutdown(ctx)
}

// The context is the caller's, and so is its deadline.
func callers(ctx context.Context, srv *http.Server) error {
	return srv.Shutdown(ctx)
}

func ended(srv *http.Server) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	go func() {
		if err := srv.ListenAndServe(); err != http.ErrServerClosed {
			log.Print(err)
		}
	}()
	<-ctx.Done()
	if err := srv.Shutdown(ctx); err != nil { // want `error: shutdown-with-ended-context: when this is reached ctx has ended, so Shutdown returns at once`
		log.Print(err)
	}
}

func endedParent(ctx context.Context, srv *http.Server) error {
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return srv.Shutdown(deadline) // want `shutdown-with-ended-context: when this is reached ctx has ended`
}

func endedInCase(ctx context.Context, srv *http.Server, failed chan error) error {
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return srv.Shutdown(ctx) // want `shutdown-with-ended-context`
	}
}

func endedInGoroutine(ctx context.Context, srv *http.Server) {
	go func() {
		<-ctx.Done()
		_ = srv.Shutdown(ctx) // want `shutdown-with-ended-context`
	}()
}

func endedBehindSelect(ctx context.Context, srv *http.Server, failed chan error) error {
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return srv.Shutdown(ctx) // want `shutdown-with-ended-context`
}

func endedDeferred(ctx context.Context, srv *http.Server) {
	defer func() {
		_ = srv.Shutdown(ctx) // want `shutdown-with-ended-context`
	}()
	<-ctx.Done()
}

func endedAfter(ctx context.Context, srv *http.Server) {
	context.AfterFunc(ctx, func() {
		_ = srv.Shutdown(ctx) // want `shutdown-with-ended-context`
	})
}

func withoutCancel(ctx context.Context, srv *http.Server) error {
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return srv.Shutdown(deadline)
}

// Another context than the one that has ended, of the same name.
func shadowed(ctx context.Context, srv *http.Server) error {
	<-ctx.Done()
	{
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return srv.Shutdown(ctx)
	}
}

func givenAgain(ctx context.Context, srv *http.Server) error {
	<-ctx.Done()
	ctx = context.WithoutCancel(ctx)
	return srv.Shutdown(ctx)
}

// The case that goes on is another's.
func returnsWhenDone(ctx context.Context, srv *http.Server, quit chan bool) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-quit:
	}
	return srv.Shutdown(ctx)
}

// Known to end some time, not to have ended.
func both(ctx context.Context, srv *http.Server) {
	var wg sync.WaitGroup
	wg.Go(func() { <-ctx.Done() })
	if err := srv.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	wg.Wait()
}

func timeouts(h http.Handler, port int) []*http.Server {
	return []*http.Server{
		&http.Server{Handler: h}, // want `warning: missing-read-header-timeout: this http.Server waits for ever for a request's header`
		&http.Server{},           // want `missing-read-header-timeout`
		&http.Server{ // want `missing-read-header-timeout`
			Addr:         ":8080",
			WriteTimeout: time.Minute,
		},
		&http.Server{Handler: h, ReadHeaderTimeout: time.Second},
		&http.Server{Handler: h, ReadTimeout: time.Second},
		&http.Server{Addr: "localhost:6060"},
		&http.Server{Addr: fmt.Sprintf("127.0.0.1:%d", port)},
	}
}
