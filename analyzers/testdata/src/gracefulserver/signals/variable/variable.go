// Package variable takes its signals from elsewhere.
package variable

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func Run(srv *http.Server, all ...os.Signal) {
	a := make(chan os.Signal, 1)
	signal.Notify(a, all...)
	<-a
	b := make(chan os.Signal, 1)
	signal.Notify(b, os.Interrupt)
	<-b
	// SIGPIPE and SIGHUP are taken in order to have no effect.
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGPIPE, syscall.SIGHUP)
	d := make(chan os.Signal, 1)
	signal.Notify(d)
	for range d {
	}
	signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
}
