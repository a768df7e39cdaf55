package httpdrain_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
)

// All that a web service needs.
func Example() {
	srv := &http.Server{Addr: ":8080", Handler: http.DefaultServeMux, ReadHeaderTimeout: 10 * time.Second}
	if err := drain.Main(context.Background(), drain.Config{}, httpdrain.Server(srv)); err != nil {
		log.Fatal(err)
	}
}

// A service with a status page on a port of the operators' own, a database, and uploads that may take an hour.
func ExampleNew() {
	srv := &http.Server{Addr: ":8080", Handler: http.DefaultServeMux, ReadHeaderTimeout: 10 * time.Second}
	service, err := httpdrain.New(httpdrain.Config{
		Server: srv,
		Checks: []httpdrain.Check{{Name: "database", Ready: func(ctx context.Context) error { return nil /* db.PingContext(ctx) */ }}},
		Patience: func(method, path string) time.Duration {
			if path == "/upload" {
				return 0 // the drain's Deadline
			}
			return 20 * time.Second
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	status := httpdrain.Server(&http.Server{Addr: "localhost:8081", Handler: service.Status(), ReadHeaderTimeout: time.Second})
	err = drain.Main(context.Background(), drain.Config{
		Deadline: time.Hour,
		Beside:   []drain.Service{status},
		Phases:   []drain.Phase{{Name: "database", Stop: func(context.Context) error { return nil /* db.Close() */ }}},
	}, service)
	if err != nil {
		log.Fatal(err)
	}
}

// A stream of events ends when the server is to leave; its client comes back elsewhere.
func ExampleLeaving() {
	http.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
		ticks := time.NewTicker(time.Second)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				fmt.Fprint(w, "data: tick\n\n")
			case <-httpdrain.Leaving(r):
				return
			case <-r.Context().Done():
				return
			}
		}
	})
}
