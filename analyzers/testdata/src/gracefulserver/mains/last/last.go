// Command last serves in a function behind which main does nothing.
package main

import (
	"context"
	"log"
	"net/http"
	"time"
)

func main() {
	if err := last(); err != nil {
		log.Print(err)
	}
}

// main does nothing behind it.
func last() error {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	go shut(srv)
	other := &http.Server{ReadHeaderTimeout: time.Second}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		other.Shutdown(ctx) // want `shutdown-error-ignored`
	}()
	err := other.ListenAndServe() // want `main-returns-before-shutdown`
	return err
}

func shut(srv *http.Server) {}
