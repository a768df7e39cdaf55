package httpdrain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/listen"
)

// Service is an *http.Server as a drain.Service. Make it with New, Server or On. Its methods are safe for concurrent use.
type Service struct {
	cfg           Config
	handler       http.Handler
	userConnState func(net.Conn, http.ConnState)
	drainer       atomic.Pointer[drain.Drainer]

	flight flight
	conns  conns
	checks checks

	leaving   atomic.Bool  // lame duck, or later
	closing   atomic.Bool  // the listener closes
	last      atomic.Int64 // when the latest request came since, in nanoseconds since 1970
	left      context.Context
	leave     context.CancelFunc
	leftSince atomic.Int64
	cuts      atomic.Int64 // of what outlasted Patience

	mu       sync.Mutex
	listener net.Listener
	served   chan struct{} // closed when Serve returns; nil before it is called
	tls      bool

	down sync.Once
	err  error // of Shutdown
}

// New makes a Service of a server that has not been started. The error names every field that is wrong.
func New(cfg Config) (*Service, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.fill()
	return newService(cfg), nil
}

// Server is New with a Config of a server alone.
func Server(srv *http.Server) *Service { return On(nil, srv) }

// On is Server for a listener that is there already, of socket activation say. For TLS set Server.TLSConfig: with a listener of tls.NewListener
// Serve ends with an error.
func On(l net.Listener, srv *http.Server) *Service {
	s, err := New(Config{Server: srv, Listener: l})
	if err != nil {
		panic(err) // srv is nil
	}
	return s
}

func newService(cfg Config) *Service {
	srv := cfg.Server
	s := &Service{cfg: cfg, handler: srv.Handler, userConnState: srv.ConnState}
	s.flight.init()
	s.conns.open = map[*track]struct{}{}
	s.checks.init(cfg)
	s.left, s.leave = context.WithCancel(context.Background())
	if s.handler == nil {
		s.handler = http.DefaultServeMux
	}
	srv.Handler = s
	srv.ConnState = s.connState
	base := srv.BaseContext
	srv.BaseContext = func(l net.Listener) context.Context {
		ctx := context.Background()
		if base != nil {
			ctx = base(l)
		}
		return context.WithValue(ctx, serviceKey{}, s)
	}
	if c := srv.TLSConfig; c != nil {
		s.tls = len(c.Certificates) > 0 || c.GetCertificate != nil || c.GetConfigForClient != nil
	}
	return s
}

// String names the server in errors.
func (s *Service) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return "http " + s.listener.Addr().String()
	}
	return "http " + s.cfg.Server.Addr
}

// Attach makes the service part of a process: it becomes a lame duck with it, reports what is open, and holds the lame duck until
// requests have gone quiet.
func (s *Service) Attach(d *drain.Drainer) error {
	if !s.drainer.CompareAndSwap(nil, d) {
		return errors.New("httpdrain: the service is attached already")
	}
	d.Report(s)
	d.Hold(drain.Hold{Name: "quiet", Until: s.quiet})
	context.AfterFunc(d.Leaving(), s.LameDuck)
	return nil
}

// Listen takes the port.
func (s *Service) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	l := s.cfg.Listener
	if l == nil {
		address := s.cfg.Server.Addr
		if address == "" {
			address = ":http"
		}
		var err error
		if l, err = (listen.Config{Address: address}).Listen(context.Background()); err != nil {
			return err
		}
	}
	s.listener = &listener{Listener: listen.Gentle(l), of: &s.conns}
	return nil
}

// Addr is where the service listens; nil before Listen.
func (s *Service) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Serve serves until Shutdown, and then returns nil.
func (s *Service) Serve() error {
	if s.closing.Load() {
		return nil
	}
	if err := s.Listen(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.served != nil {
		s.mu.Unlock()
		return errors.New("httpdrain: Serve was called before")
	}
	s.served = make(chan struct{})
	s.mu.Unlock()
	defer close(s.served)
	defer s.flight.tick()()
	var err error
	if s.tls {
		err = s.cfg.Server.ServeTLS(s.listener, "", "")
	} else {
		err = s.cfg.Server.Serve(s.listener)
	}
	if s.closing.Load() {
		return nil // http.ErrServerClosed, or the listener's own
	}
	return err
}

// ServeHTTP is the middleware. The server calls it.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.health(w, r) {
		return
	}
	slot := s.flight.start(w, r)
	defer slot.end() // whatever the handler does, panics included
	if s.leaving.Load() {
		s.last.Store(time.Now().UnixNano())
		_, upgrade := r.Header["Upgrade"] // which a reverse proxy may answer with these headers
		if !upgrade && (r.ProtoMajor == 1 || r.TLS != nil && s.closing.Load()) {
			w.Header().Set("Connection", "close") // of HTTP/2, net/http makes GOAWAY; without TLS there is goAway
		}
	}
	s.handler.ServeHTTP(w, r)
}

// LameDuck makes connections leave with their next response, and /readyz say so. It is what Attach calls.
func (s *Service) LameDuck() {
	if s.leftSince.CompareAndSwap(0, time.Now().UnixNano()) {
		s.leaving.Store(true)
		s.leave()
	}
}

// quiet returns when no request has come for a while. If nobody asks for the state, nobody turns away because of it.
func (s *Service) quiet(ctx context.Context) error {
	if s.drainer.Load().Balancers() == 0 {
		return nil
	}
	for {
		silent := time.Since(time.Unix(0, max(s.last.Load(), s.leftSince.Load())))
		if silent >= s.cfg.Quiet {
			return nil
		}
		t := time.NewTimer(s.cfg.Quiet - silent)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("the latest request came %s ago: clients, or a balancer, still send", silent.Round(time.Millisecond))
		}
	}
}

// InFlight is how many requests are being served, those left out that have hijacked their connection.
func (s *Service) InFlight() int { return s.flight.count() }
