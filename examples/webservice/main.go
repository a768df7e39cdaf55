// Command webservice is the least that a web service needs to be restarted behind HAProxy without a failed request: main below. Around
// it: haproxy.cfg, units for systemd, OpenRC and runit in init/, and rolling.sh, which restarts two of it behind a HAProxy under load and
// prints how many requests failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/haproxy/agent"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
	"git.sr.ht/~sourcehut/ha-go/drain/sdnotify"
)

func main() {
	address := flag.String("listen", ":8080", "where to serve")
	check := flag.String("agent", ":9080", "where HAProxy's agent-check asks")
	flag.Parse()

	srv := &http.Server{Addr: *address, Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
	cfg := drain.Config{
		LameDuck: 100 * time.Millisecond, // and until every balancer has heard
		Deadline: 30 * time.Second,       // init/ gives it five more
		Beside:   []drain.Service{&agent.Agent{Addr: *check}, &sdnotify.Notifier{}},
	}
	if err := drain.Main(context.Background(), cfg, httpdrain.Server(srv)); err != nil {
		log.Fatal(err)
	}
}

// routes are the service. It answers who it is.
func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "process %d\n", os.Getpid())
	})
	return mux
}
