package agent_test

import (
	"context"
	"log"
	"net/http"
	"runtime"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/haproxy/agent"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
)

// A web service that takes itself out of HAProxy when it is told to stop:
//
//	server node1 10.0.0.1:8080 check agent-check agent-port 9001 agent-inter 100ms
func Example() {
	srv := &http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second}
	cfg := drain.Config{
		LameDuck: 100 * time.Millisecond, // and for as long as a balancer has not heard
		Beside:   []drain.Service{&agent.Agent{Addr: ":9001"}},
	}
	if err := drain.Main(context.Background(), cfg, httpdrain.Server(srv)); err != nil {
		log.Fatal(err)
	}
}

// A busy server wants less of the work.
func ExampleAgent_weight() {
	busy := func() int { return 100 * max(1, 8-runtime.NumGoroutine()/100) / 8 }
	_ = &agent.Agent{Addr: ":9001", Weight: busy}
}
