// Command waits waits for Shutdown in several ways.
package main

import (
	"context"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	switch len(os.Args) {
	case 1:
		waits()
	case 2:
		deferred()
	case 3:
		handled()
	default:
		unknown(func() {})
	}
}

func waits() {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	done := make(chan bool)
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}()
	_ = srv.ListenAndServe()
	<-done
}

func deferred() {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Add(1)
	go func() {
		defer wg.Done()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}()
	_ = srv.ListenAndServe()
}

// Served in a goroutine: main is free to wait.
func handled() {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	go srv.ListenAndServe()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = srv.Shutdown(ctx)
}

// What the function value does is not known.
func unknown(after func()) {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_ = srv.Shutdown(ctx)
	}()
	_ = srv.ListenAndServe()
	after()
}
