package httpdrain

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// frame reads a frame of HTTP/2.
func frame(t *testing.T, r io.Reader) (kind byte, payload []byte) {
	t.Helper()
	var head [9]byte
	_, err := io.ReadFull(r, head[:])
	require.NoError(t, err)
	payload = make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
	_, err = io.ReadFull(r, payload)
	require.NoError(t, err)
	return head[3], payload
}

// TestGoAwayBetweenFrames: wherever net/http's writes end, our frame comes between two of its, behind the SETTINGS that come first and not inside of
// a field block (RFC 9113, sections 3.4 and 6.10).
func TestGoAwayBetweenFrames(t *testing.T) {
	header, rest := "\x00\x00\x01\x01\x00\x00\x00\x00\x03\x82", "\x00\x00\x02\x09\x04\x00\x00\x00\x03\x86\x84" // HEADERS and its CONTINUATION
	frames := []string{"\x00\x00\x00\x04\x01\x00\x00\x00\x00", "\x00\x00\x05\x00\x00\x00\x00\x00\x01hello", "\x00\x01\x00\x00\x00\x00\x00\x00\x01" + strings.Repeat("x", 256), header + rest}
	all := strings.Join(frames, "")
	for at := range len(all) + 1 { // where it is asked for
		for _, size := range []int{1, 7, 100, 1000} { // of writes
			var g goAway
			var wire bytes.Buffer
			for i := 0; i < len(all); i += size {
				if at >= i && at < i+size {
					g.wanted.Store(true)
					g.now(&wire)
				}
				_, err := g.write(&wire, []byte(all[i:min(i+size, len(all))]))
				require.NoError(t, err)
			}
			g.wanted.Store(true)
			g.now(&wire)
			before, after, ok := strings.Cut(wire.String(), lastGoAway)
			require.True(t, ok)
			require.Equal(t, all, before+after)
			require.Contains(t, []string{frames[0], frames[0] + frames[1], frames[0] + frames[1] + frames[2], all}, before)
		}
	}
}

// TestGoAway: an HTTP/2 connection is left alone in the lame duck, and told GOAWAY, not closed, once the listener is: first to open no more
// streams, and later which ones were served.
func TestGoAway(t *testing.T) {
	const ping, goAway = 6, 7
	srv := &http.Server{Protocols: new(http.Protocols)}
	srv.Protocols.SetUnencryptedHTTP2(true)
	s := start(t, Config{Server: srv, KeepIdle: time.Millisecond}, ok)
	c := dial(t, s.addr)
	_, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	require.NoError(t, err)
	// The smallest request: a HEADERS frame (end of stream and headers) with :method GET, :scheme http, :path /, of HPACK's static table.
	_, err = io.WriteString(c, "\x00\x00\x03\x01\x05\x00\x00\x00\x01"+"\x82\x86\x84")
	require.NoError(t, err)
	seen := map[byte]bool{}
	for !seen[0] { // DATA
		kind, _ := frame(t, c.r)
		seen[kind] = true
	}
	s.LameDuck()
	_, err = io.WriteString(c, "\x00\x00\x03\x01\x05\x00\x00\x00\x03"+"\x82\x86\x84"+"\x00\x00\x08\x06\x00\x00\x00\x00\x00"+"12345678")
	require.NoError(t, err)
	answers := map[byte]bool{}
	for !answers[0] || !answers[ping] {
		kind, _ := frame(t, c.r)
		answers[kind] = true
	}
	require.False(t, seen[goAway] || answers[goAway])
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	for _, last := range []uint32{1<<31 - 1, 3} { // what is on its way is served; then, what was
		for {
			kind, payload := frame(t, c.r)
			if kind == goAway {
				require.Equal(t, last, binary.BigEndian.Uint32(payload[:4]))
				require.Zero(t, binary.BigEndian.Uint32(payload[4:8]), "no error")
				break
			}
		}
	}
	require.NoError(t, c.Close())
	require.NoError(t, <-down)
}

// TestTLS: with certificates the server speaks TLS, and HTTP/2 in it, which leaves with its next response or when it is idle.
func TestTLS(t *testing.T) {
	other := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate and a client that trusts it
	defer other.Close()
	entered, leave := make(chan struct{}), make(chan struct{})
	s := start(t, Config{Server: &http.Server{TLSConfig: &tls.Config{Certificates: other.TLS.Certificates, MinVersion: tls.VersionTLS12}, ReadHeaderTimeout: time.Minute}}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(entered)
			<-leave
		}
		fmt.Fprint(w, r.Proto, Draining(r))
	})
	client := other.Client()
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	get := func(path string) string {
		resp, err := client.Get("https://" + s.addr + path)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return fmt.Sprint(string(text), err)
	}
	require.Equal(t, "HTTP/2.0false<nil>", get("/"))
	slow := make(chan string, 1)
	go func() { slow <- get("/slow") }()
	<-entered
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.NoError(t, <-s.ended)
	require.Equal(t, "HTTP/2.0true<nil>", get("/"), "over the connection that is there")
	require.Contains(t, get("/"), "connection refused", "which has been told to go")
	close(leave)
	require.Equal(t, "HTTP/2.0true<nil>", <-slow)
	require.NoError(t, <-down)
}

// TestListenerOfTLS is refused: behind what tracks connections, handlers would find neither HTTP/2 nor Request.TLS.
func TestListenerOfTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := On(tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{}}}), &http.Server{ReadHeaderTimeout: time.Minute})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve() }()
	c := dial(t, l.Addr().String())
	select {
	case err = <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("it serves")
	}
	require.EqualError(t, err, "httpdrain: the listener is one of crypto/tls: set Server.TLSConfig and pass the listener below")
	_, err = c.r.ReadByte()
	require.Error(t, err)
	require.NoError(t, s.Shutdown(t.Context()))
}
