package httpdrain

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
)

// goAway tells an HTTP/2 client to open no more streams, by a GOAWAY that leaves none out, a while before net/http sends its own, which
// names the last stream that it has seen and ignores what is on its way: "A server that is attempting to gracefully shut down a connection
// SHOULD send an initial GOAWAY frame with the last stream identifier set to 2^31-1 and a NO_ERROR code" (RFC 9113, section 6.8). net/http
// does not, and its client cannot repeat a request whose body it has begun to send. The frame goes between two of net/http's, which is why
// what is written is followed; inside of TLS that cannot be done.
type goAway struct {
	wanted atomic.Bool
	mu     sync.Mutex // over a write and what is known of it
	sent   bool
	begun  bool    // the first frame, SETTINGS, has been written (RFC 9113, section 3.4)
	block  bool    // a field block goes on: only CONTINUATION may come (section 6.10)
	head   [9]byte // of the frame that is being written: its length comes first
	n      int     // of head, what has been written
	left   int     // of its payload, what has not
}

const lastGoAway = "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x7f\xff\xff\xff" + "\x00\x00\x00\x00"

// write is a Write of net/http's.
func (g *goAway) write(w io.Writer, b []byte) (int, error) {
	g.mu.Lock()
	n, err := w.Write(b)
	g.follow(b[:max(n, 0)])
	if err == nil {
		err = g.send(w)
	}
	g.mu.Unlock()
	g.now(w) // if it was asked for just now
	return n, err
}

func (g *goAway) follow(b []byte) {
	for len(b) > 0 {
		if g.left > 0 {
			n := min(g.left, len(b))
			g.left -= n
			b = b[n:]
			continue
		}
		n := copy(g.head[g.n:], b)
		g.n += n
		b = b[n:]
		if g.n == len(g.head) {
			g.n = 0
			g.begun = true
			if kind := g.head[3]; kind == 1 || kind == 5 || kind == 9 { // HEADERS, PUSH_PROMISE, CONTINUATION
				g.block = g.head[4]&4 == 0 // END_HEADERS
			}
			g.left = int(binary.BigEndian.Uint32(g.head[:4]) >> 8)
		}
	}
}

// send sends the frame if it is wanted and a frame has ended. mu is held.
func (g *goAway) send(w io.Writer) error {
	if !g.wanted.Load() || g.sent || !g.begun || g.block || g.n > 0 || g.left > 0 {
		return nil
	}
	g.sent = true
	_, err := io.WriteString(w, lastGoAway)
	return err
}

// now sends the frame, unless net/http is writing: then that does.
func (g *goAway) now(w io.Writer) {
	if g.wanted.Load() && g.mu.TryLock() {
		_ = g.send(w) // net/http sees the error too
		g.mu.Unlock()
	}
}
