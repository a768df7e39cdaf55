// Package hangup waits before it exits.
package hangup

import (
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type Server struct{}

func (s *Server) Serve(l net.Listener) error { return nil }

func run(s *Server, l net.Listener) {
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-sig
		time.Sleep(5 * time.Second)
		os.Exit(0)
	}()
	s.Serve(l)
}
