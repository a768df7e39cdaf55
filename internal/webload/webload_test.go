package webload

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLoadSeesWhatFails: a server that fails every tenth POST, and loses what a WebSocket says; and that no load is left.
func TestLoadSeesWhatFails(t *testing.T) {
	before := runtime.NumGoroutine()
	path := filepath.Join(t.TempDir(), "ledger")
	ledger, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	var posts atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/socket":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
				conn.Close()
			}
		case r.Method == http.MethodPost:
			n := posts.Add(1)
			switch {
			case n%10 == 0:
				w.WriteHeader(http.StatusBadGateway)
				return
			case n == 5:
				fmt.Fprintln(ledger, r.Header.Get("X-Id")) // twice
			case n == 7:
				return // acknowledged, and never done
			}
			fmt.Fprintln(ledger, r.Header.Get("X-Id"))
		}
	}))
	l := Start(context.Background(), Config{URLs: []string{srv.URL}, Clients: 3, Uploads: 1, UploadFor: 20 * time.Millisecond, WebSockets: 1})
	require.Eventually(t, func() bool { return posts.Load() > 100 }, 20*time.Second, time.Millisecond)
	r := l.Stop()
	srv.Close()
	require.NoError(t, ledger.Close())
	require.Positive(t, r.Failures["POST: 502 Bad Gateway"]+r.Failures["upload: 502 Bad Gateway"])
	require.Positive(t, r.Failures["websocket: EOF"], "%v", r)
	require.Equal(t, r.Failed, func() (n int) {
		for _, k := range r.Failures {
			n += k
		}
		return
	}())
	lost, replayed, err := r.Audit(path)
	require.NoError(t, err)
	require.Len(t, lost, 1)
	require.Len(t, replayed, 1)
	require.Contains(t, r.String(), "502 Bad Gateway")
	for limit := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		require.True(t, time.Now().Before(limit), "goroutines are left")
	}
}
