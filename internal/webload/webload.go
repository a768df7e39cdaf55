// Package webload is the load that tests and examples put on a web service while its servers are restarted: keep-alive clients, half of
// whose requests are POSTs with an id each, uploads that last, WebSockets. It counts what failed, and keeps a ledger of what was
// acknowledged, so that what the servers say they did can be held against it.
//
// It is bounded: so many clients, each one request at a time with a pause behind it, for no longer than Start's context.
package webload

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says what load. Its zero value is none at all.
type Config struct {
	// URLs are where to send: "http://127.0.0.1:8000". Clients take them in turn.
	URLs []string
	// Clients is how many keep a connection each and send one request after the other; H2C how many do by HTTP/2 without TLS, to
	// H2CURLs.
	Clients, H2C int
	H2CURLs      []string
	// Pause is between two requests of a client; 0 is 2 ms, so that a client asks for less than it could.
	Pause time.Duration
	// Uploads is how many clients POST to /upload for UploadFor each time, WebSockets how many talk to /socket.
	Uploads    int
	UploadFor  time.Duration
	WebSockets int
}

// Load is load that is on.
type Load struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	result Result
}

// Result is what came of it.
type Result struct {
	OK, Failed int
	// Failures counts the errors by their text.
	Failures map[string]int
	// Worst is the longest time that a request took, uploads and WebSockets apart; WorstRequest says which.
	Worst        time.Duration
	WorstRequest string
	// Sent are the ids of all POSTs, with whether each was acknowledged.
	Sent map[string]bool
	// Uploads and Messages count uploads and WebSocket messages that went well, Farewells the WebSockets that the server closed with a word.
	Uploads, Messages, Farewells int
}

func (r Result) String() string {
	text := fmt.Sprintf("%d ok, %d failed, worst %s (%s)", r.OK, r.Failed, r.Worst.Round(time.Millisecond), r.WorstRequest)
	if r.Uploads > 0 || r.Messages > 0 {
		text += fmt.Sprintf(", %d uploads, %d WebSocket messages, %d farewells", r.Uploads, r.Messages, r.Farewells)
	}
	for _, failure := range slices.Sorted(maps.Keys(r.Failures)) {
		text += fmt.Sprintf("\n%6d  %s", r.Failures[failure], failure)
	}
	return text
}

// Start puts the load on, until Stop or the end of ctx.
func Start(ctx context.Context, cfg Config) *Load {
	if cfg.Pause == 0 {
		cfg.Pause = 2 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(ctx)
	l := &Load{cancel: cancel, result: Result{Failures: map[string]int{}, Sent: map[string]bool{}}}
	each := func(n int, urls []string, do func(ctx context.Context, client int, url string)) {
		for i := range n {
			l.wg.Go(func() { do(ctx, i, urls[i%len(urls)]) })
		}
	}
	each(cfg.Clients, cfg.URLs, func(ctx context.Context, i int, url string) {
		l.client(ctx, fmt.Sprintf("h1-%d", i), url, &http.Transport{MaxIdleConnsPerHost: 1}, cfg.Pause)
	})
	each(cfg.H2C, cfg.H2CURLs, func(ctx context.Context, i int, url string) {
		t := &http.Transport{Protocols: new(http.Protocols)}
		t.Protocols.SetUnencryptedHTTP2(true)
		l.client(ctx, fmt.Sprintf("h2-%d", i), url, t, cfg.Pause)
	})
	each(cfg.Uploads, cfg.URLs, func(ctx context.Context, i int, url string) { l.uploads(ctx, i, url, cfg.UploadFor) })
	each(cfg.WebSockets, cfg.URLs, func(ctx context.Context, _ int, url string) { l.sockets(ctx, url, 10*cfg.Pause) })
	return l
}

// Stop ends the load: requests that are on their way come to their end first.
func (l *Load) Stop() Result {
	l.cancel()
	l.wg.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.result
}

// patience is how long a request may take before it has failed.
const patience = 30 * time.Second

// client sends one request after the other.
func (l *Load) client(ctx context.Context, name, url string, t *http.Transport, pause time.Duration) {
	defer t.CloseIdleConnections()
	for n := 0; wait(ctx, pause); n++ {
		method, id := http.MethodGet, ""
		if n%2 == 1 {
			method, id = http.MethodPost, fmt.Sprintf("%s-%d", name, n)
		}
		began := time.Now()
		err := l.send(t, method, url, id, strings.NewReader(id))
		took := time.Since(began)
		l.note(method, id, took, err)
	}
}

// send sends one request, and nothing again: a client that does not know whether a POST was read must not.
func (l *Load) send(t http.RoundTripper, method, url, id string, body io.Reader) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	if method == http.MethodGet {
		req.Body, req.ContentLength = nil, 0
	}
	req.GetBody = nil // else net/http may send it again
	req.Header.Set("X-Id", id)
	resp, err := t.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return err
}

func (l *Load) note(what, id string, took time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id != "" {
		l.result.Sent[id] = err == nil
	}
	if err != nil {
		l.result.Failed++
		l.result.Failures[what+": "+withoutPorts(err.Error())]++
		return
	}
	l.result.OK++
	if took > l.result.Worst {
		l.result.Worst, l.result.WorstRequest = took, what
	}
}

// withoutPorts makes equal failures of different connections the same.
func withoutPorts(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		if host, _, err := net.SplitHostPort(strings.TrimSuffix(word, ":")); err == nil && strings.Contains(word, "->") {
			words[i] = host
		}
	}
	return strings.Join(words, " ")
}

// uploads sends bodies that take their time.
func (l *Load) uploads(ctx context.Context, i int, url string, lasts time.Duration) {
	t := &http.Transport{}
	defer t.CloseIdleConnections()
	const parts = 20
	for n := 0; wait(ctx, lasts/parts); n++ {
		id := fmt.Sprintf("upload-%d-%d", i, n)
		r, w := io.Pipe()
		go func() {
			var err error
			for part := 0; part < parts && err == nil; part++ {
				if _, err = io.WriteString(w, "part of an upload\n"); err == nil {
					wait(context.Background(), lasts/parts)
				}
			}
			_ = w.CloseWithError(err)
		}()
		err := l.send(t, http.MethodPost, url+"/upload", id, r)
		_ = r.CloseWithError(errors.New("the request has ended"))
		l.note("upload", id, 0, err)
		if err == nil {
			l.mu.Lock()
			l.result.Uploads++
			l.mu.Unlock()
		}
	}
}

// Accept is the header that a server answers this package's WebSockets with: what RFC 6455, section 1.3, works out for the key of
// its example, which they send.
const Accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// Farewell is the line by which a server ends a WebSocket that it wants to go elsewhere.
const Farewell = "bye"

// sockets keeps a WebSocket open, and says something every pause: a line, in place of the protocol's frames, which nothing on
// the way looks into. One that ends without a farewell has failed.
func (l *Load) sockets(ctx context.Context, url string, pause time.Duration) {
	for wait(ctx, pause) {
		if err := l.socket(ctx, strings.TrimPrefix(url, "http://"), pause); err != nil {
			l.note("websocket", "", 0, err)
		}
	}
}

func (l *Load) socket(ctx context.Context, address string, pause time.Duration) error {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address) // HAProxy insists on the key
	if err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(resp.Status)
	}
	for n := 0; wait(ctx, pause); n++ {
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		// A farewell may cross what we say: it is what is read next, and the error of the writing is nobody's.
		_, writing := fmt.Fprintf(conn, "%d\n", n)
		line, err := r.ReadString('\n')
		switch {
		case strings.TrimSpace(line) == Farewell:
			l.mu.Lock()
			l.result.Farewells++
			l.mu.Unlock()
			return nil
		case err != nil:
			return errors.Join(err, writing)
		case strings.TrimSpace(line) != fmt.Sprint(n):
			return fmt.Errorf("the echo of %d is %q", n, line)
		}
		l.mu.Lock()
		l.result.Messages++
		l.mu.Unlock()
	}
	return nil
}

// wait waits, and reports whether to go on.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// Audit holds the ids that the servers did, a line each in the file, against the ledger: lost were acknowledged and never done,
// replayed were done more than once.
func (r Result) Audit(path string) (lost, replayed []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	count := map[string]int{}
	for line := range strings.Lines(string(text)) {
		count[strings.TrimSpace(line)]++
	}
	for id, acknowledged := range r.Sent {
		if acknowledged && count[id] == 0 {
			lost = append(lost, id)
		}
	}
	for id, n := range count {
		if n > 1 {
			replayed = append(replayed, id)
		}
	}
	slices.Sort(lost)
	slices.Sort(replayed)
	return lost, replayed, nil
}
