package drainprom_test

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/drainprom"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
)

// Metrics on a port of the operators' own, which answers until the process has ended.
func Example() {
	metrics := drainprom.New()
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	admin := httpdrain.Server(&http.Server{Addr: "localhost:8081", Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), ReadHeaderTimeout: time.Second})
	srv := httpdrain.Server(&http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second})
	if err := drain.Main(context.Background(), drain.Config{Beside: []drain.Service{metrics, admin}}, srv); err != nil {
		log.Fatal(err)
	}
}
