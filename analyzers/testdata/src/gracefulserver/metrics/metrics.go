// Package metrics serves monitoring only.
package metrics

import (
	"context"
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
