package httpdrain

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// TestChi: a router as sr.ht's services use it, with middlewares that wrap the ResponseWriter, change the request and recover from panics.
func TestChi(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	router := chi.NewRouter()
	router.Use(middleware.RealIP, middleware.Compress(5), middleware.Recoverer, middleware.StripSlashes, middleware.Timeout(time.Minute))
	router.Route("/query", func(r chi.Router) {
		r.Post("/{id}", func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			<-leave
			fmt.Fprint(w, chi.URLParam(r, "id"), " ", Draining(r))
		})
	})
	router.Get("/panic", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	router.Get("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, rw := hijack(w, "ResponseController")
		defer conn.Close()
		<-Leaving(r)
		fmt.Fprint(rw, "goodbye")
		rw.Flush()
	})
	s := start(t, Config{Server: &http.Server{ErrorLog: quietLog(), ReadHeaderTimeout: time.Minute}}, router.ServeHTTP)

	bad := dial(t, s.addr)
	bad.write("GET /panic HTTP/1.1\nHost: x\n\n")
	bad.closed()
	require.Zero(t, s.InFlight())
	ws := dial(t, s.addr)
	ws.write(upgrade)
	_, err := http.ReadResponse(ws.r, nil)
	require.NoError(t, err)
	c := dial(t, s.addr)
	c.write("POST /query/7/ HTTP/1.1\nHost: x\nX-Real-IP: 192.0.2.7\nContent-Length: 0\n\n")
	<-entered
	require.Regexp(t, `^1 request, 1 websocket, oldest \d s: (POST /query/7/|GET /ws)$`, drain.Progress{Open: s.Open()}.String())
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	require.NoError(t, <-s.ended)
	close(leave)
	_, text := c.read()
	require.Equal(t, "7 true", text)
	require.NoError(t, <-down)
}
