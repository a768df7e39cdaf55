// Package metrics serves monitoring only.
package metrics

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func run(l net.Listener) {
	mux := &http.ServeMux{}
	mux.Handle("/metrics", promhttp.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go srv.Serve(l)
	http.ListenAndServe(":9090", promhttp.Handler())
	http.Serve(l, mux)

	web := http.NewServeMux()
	web.Handle("/metrics", promhttp.Handler())
	web.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {})
	http.Serve(l, web) // want `undrainable-server`

	given := http.NewServeMux()
	given.Handle("/metrics", promhttp.Handler())
	more(given)
	http.Serve(l, given) // want `undrainable-server`

	stopped := &http.Server{Handler: promhttp.Handler(), ReadHeaderTimeout: time.Second}
	go stopped.Serve(l)
	stopped.Shutdown(context.Background())
}

func more(mux *http.ServeMux) {}

func setupPprof(addr string) { http.ListenAndServe(addr, nil) }

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// login gets the token that a command needs.
func login(port int) {
	mux := http.NewServeMux()
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {})
	srv := &http.Server{Addr: address(port), Handler: mux}
	go srv.ListenAndServe()
}

// The same for everybody is a service.
func callbacks() {
	mux := http.NewServeMux()
	mux.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {})
	srv := &http.Server{Addr: ":80", Handler: mux, ReadHeaderTimeout: time.Second}
	go srv.ListenAndServe() // want `shutdown-never-called`
}

// show serves the one who runs it.
func show(l net.Listener, pages http.Handler) {
	go openBrowser(l.Addr().String())
	http.Serve(l, pages)
}

func openBrowser(url string) {}
