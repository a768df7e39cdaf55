// Package signals catches some signals.
package signals

import (
	"context"
	"net/http"
	"os"
	"os/signal"
)

func serve() {
	srv := &http.Server{ReadHeaderTimeout: 1}
	go srv.ListenAndServe()
	sig := make(chan os.Signal)
	signal.Notify(sig, os.Interrupt) // want `error: sigterm-not-handled: SIGINT is handled, but not SIGTERM, by which systemd` `warning: unbuffered-signal-channel: package signal does not wait for a receiver: os.Interrupt is dropped`
	<-sig
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // want `sigterm-not-handled`
	defer stop()
	_ = srv.Shutdown(ctx)
}

func unread() {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, os.Interrupt) // want `sigterm-not-handled` `error: unread-signal-channel: nobody reads the channel that takes os.Interrupt: the process does not stop when it is told to`
	defer signal.Stop(quit)
}

func given(wait func(chan os.Signal)) {
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, os.Interrupt) // want `sigterm-not-handled`
	wait(quit)
}
