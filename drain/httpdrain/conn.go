package httpdrain

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// conns is the connections that are open.
type conns struct {
	mu   sync.Mutex
	open map[*track]struct{}
}

// track is what is known of a connection.
type track struct {
	net.Conn // the one that was accepted
	of       *conns
	since    int64        // when it was accepted, in nanoseconds since 1970
	state    atomic.Int32 // http.ConnState
	heard    atomic.Bool  // something was read since it became idle: a request is coming
	spoke    atomic.Bool  // something was read at all
	http2    atomic.Bool  // without TLS
	tls2     atomic.Bool  // HTTP/2 inside of TLS
	idle     atomic.Int64 // since when, in nanoseconds since 1970; 0: since before the lame duck
	closed   atomic.Bool
	goAway   goAway
	stammers int64        // since when it has been idle and heard at once, for settled
	told     atomic.Int64 // when goAway was wanted, in nanoseconds since 1970

	hijacked *entry // not nil: by which request; under conns.mu
}

func (t *track) read(b []byte) {
	if len(b) == 0 || t.heard.Load() {
		return
	}
	t.heard.Store(true)
	if !t.spoke.Load() {
		t.spoke.Store(true)
		t.http2.Store(bytes.HasPrefix(b, []byte("PRI * HTTP/2.0"))) // without TLS (RFC 9113, section 3.4)
	}
}

func (t *track) gone() {
	if t.closed.CompareAndSwap(false, true) {
		t.of.mu.Lock()
		delete(t.of.open, t)
		t.of.mu.Unlock()
	}
}

// tcpConn is a *net.TCPConn in all but identity, sendfile and splice included: net/http asks for io.ReaderFrom.
type tcpConn struct {
	*net.TCPConn
	t *track
}

func (c *tcpConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	c.t.read(b[:max(n, 0)])
	return n, err
}

func (c *tcpConn) Write(b []byte) (int, error) {
	if c.t.http2.Load() {
		return c.t.goAway.write(c.TCPConn, b)
	}
	return c.TCPConn.Write(b)
}

func (c *tcpConn) Close() error {
	c.t.gone()
	return c.TCPConn.Close()
}

func (c *tcpConn) tracked() *track { return c.t }

// anyConn is a connection of another kind.
type anyConn struct {
	net.Conn
	t *track
}

func (c *anyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.t.read(b[:max(n, 0)])
	return n, err
}

func (c *anyConn) Write(b []byte) (int, error) {
	if c.t.http2.Load() {
		return c.t.goAway.write(c.Conn, b)
	}
	return c.Conn.Write(b)
}

func (c *anyConn) Close() error {
	c.t.gone()
	return c.Conn.Close()
}

func (c *anyConn) tracked() *track { return c.t }

// trackOf finds the track below what net/http has made of a connection.
func trackOf(c net.Conn) *track {
	for {
		switch conn := c.(type) {
		case interface{ tracked() *track }:
			return conn.tracked()
		case interface{ NetConn() net.Conn }: // *tls.Conn
			c = conn.NetConn()
		default:
			return nil
		}
	}
}

var errEncrypted = errors.New("httpdrain: the listener is one of crypto/tls: set Server.TLSConfig and pass the listener below")

// listener tracks what it accepts.
type listener struct {
	net.Listener
	of   *conns
	once sync.Once
	err  error
}

// Close may be called by the drain, and by net/http once more.
func (l *listener) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := conn.(*tls.Conn); ok { // hidden by what tracks it, net/http would serve without HTTP/2 and Request.TLS
		_ = conn.Close()
		return nil, errEncrypted
	}
	t := &track{Conn: conn, of: l.of, since: time.Now().UnixNano()}
	l.of.mu.Lock()
	l.of.open[t] = struct{}{}
	l.of.mu.Unlock()
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &tcpConn{tcp, t}, nil
	}
	return &anyConn{conn, t}, nil
}

// each calls do with each connection that is open, which must not block.
func (c *conns) each(do func(*track)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for t := range c.open {
		do(t)
	}
}

// connState is the server's hook. What it costs, each request pays twice.
func (s *Service) connState(c net.Conn, state http.ConnState) {
	if t := trackOf(c); t != nil {
		if state == http.StateIdle {
			t.heard.Store(false)
			if encrypted, ok := c.(*tls.Conn); ok && !t.tls2.Load() {
				t.tls2.Store(encrypted.ConnectionState().NegotiatedProtocol == "h2")
			}
			if s.leaving.Load() {
				t.idle.Store(time.Now().UnixNano())
			}
		}
		t.state.Store(int32(state))
		if state == http.StateHijacked {
			s.hijack(t)
		}
	}
	if s.userConnState != nil {
		s.userConnState(c, state)
	}
}

// hijack notes which request took the connection: the one from its address, for a connection of HTTP/1 serves one at a time.
func (s *Service) hijack(t *track) {
	address := t.RemoteAddr().String()
	from := 0 // how many requests: unix sockets' clients have no address, and the headers of others are not to be touched
	s.flight.each(func(sl *slot) {
		if sl.remote == address {
			from++
		}
	})
	e := entry{Kind: "hijacked connection", Remote: address}
	if from == 1 {
		s.flight.each(func(sl *slot) {
			if sl.remote == address {
				e = s.entry(sl)
				e.Kind = "hijacked connection"
				if strings.EqualFold(sl.header.Get("Upgrade"), "websocket") {
					e.Kind = "websocket"
				}
				sl.hijack = true
			}
		})
	}
	e.Since = time.Now()
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	t.hijacked = &e
}
