// Package second exits at the second signal.
package second

import (
	"net"
	"os"
	"os/signal"
	"syscall"
)

type Server struct{}

func (s *Server) Serve(l net.Listener) error { return nil }
func (s *Server) close()                     {}

func run(s *Server, l net.Listener, stop func()) {
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-sig
		stop()
		<-sig
		os.Exit(1)
	}()
	s.Serve(l)
}
