// Package drained shuts its servers down.
package drained

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type app struct{ web *http.Server }

func (a *app) start(h http.Handler) {
	a.web = &http.Server{Handler: h}
	a.web.ReadHeaderTimeout = time.Second
	go a.web.ListenAndServe()
}

func (a *app) stop(ctx context.Context) error { return a.web.Shutdown(ctx) }

func run(h http.Handler) error {
	srv := &http.Server{Handler: h}
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt)
	signal.Notify(sig, syscall.SIGTERM)
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-sig:
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := srv.Shutdown(ctx)
	if closed := <-failed; !errors.Is(closed, http.ErrServerClosed) {
		log.Print(closed)
	}
	return err
}
