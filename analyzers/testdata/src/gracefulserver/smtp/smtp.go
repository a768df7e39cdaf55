// Package smtp takes mail.
package smtp

import (
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
)

type Server struct{}

func (s *Server) Serve(l net.Listener) error { return nil }

func run(l net.Listener) {
	s := &Server{}
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-sig
		log.Println("stopping")
		os.Exit(0) // want `error: exit-on-signal: os.Exit ends the process as soon as the signal has come: what the server has in flight is cut at each deploy`
	}()
	if err := s.Serve(l); err != nil {
		log.Fatal(err)
	}
}
