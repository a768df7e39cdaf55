// Package httpdrain takes HTTP servers out of service: see package drain.
package httpdrain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// Service is an *http.Server as a drain.Service. Make it with Server.
type Service struct {
	srv      *http.Server
	listener net.Listener // nil: ListenAndServe
	lame     atomic.Bool
	open     atomic.Int64 // requests in flight
}

// Server makes a drain.Service of a server that has not been started. It wraps the server's Handler, http.DefaultServeMux when
// that is nil. The server listens on its Addr.
//
// From the lame duck on, HTTP/1 responses say "Connection: close", so that keep-alive connections leave by themselves, with a
// response, before Shutdown closes them: a client that is just writing its next request into a connection which is being closed
// cannot tell whether it was read, and must not send a POST again (RFC 9110, section 9.2.2). HTTP/2 connections get GOAWAY from Shutdown.
//
// Shutdown waits for connections to become idle. Hijacked ones (WebSocket) are not waited for (net/http, Server.Shutdown). At the end of its
// context what is left is closed, and the error says how many requests that were.
func Server(srv *http.Server) *Service {
	s := &Service{srv: srv}
	handler := srv.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.open.Add(1)
		defer s.open.Add(-1) // whatever the handler does, panics included
		if s.lame.Load() && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
	return s
}

// On is Server for a listener that is there already, of socket activation say.
func On(listener net.Listener, srv *http.Server) *Service {
	s := Server(srv)
	s.listener = listener
	return s
}

// Serve serves until Shutdown, and then returns nil.
func (s *Service) Serve() error {
	var err error
	if s.listener != nil {
		err = s.srv.Serve(s.listener)
	} else {
		err = s.srv.ListenAndServe()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Attach makes the service a lame duck when the process is one.
func (s *Service) Attach(d *drain.Drainer) error {
	context.AfterFunc(d.Leaving(), s.LameDuck)
	return nil
}

// LameDuck makes keep-alive connections leave with their next response.
func (s *Service) LameDuck() { s.lame.Store(true) }

// Shutdown stops listening, waits for what is in flight, and closes what is left when ctx has ended.
func (s *Service) Shutdown(ctx context.Context) error {
	s.LameDuck()
	err := s.srv.Shutdown(ctx)
	if err == nil {
		return nil
	}
	left := s.open.Load()
	return fmt.Errorf("cut with %d requests in flight: %w", left, errors.Join(err, s.srv.Close()))
}

// InFlight is how many requests are being served.
func (s *Service) InFlight() int { return int(s.open.Load()) }
