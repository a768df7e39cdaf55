package haproxy_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/haproxy"
)

// A web service is upgraded on all of its nodes, which two HAProxies send to.
func ExampleRollout() {
	r := haproxy.Rollout{
		Balancers: []*haproxy.Client{{Address: "/run/haproxy/admin.sock"}, {Address: "10.0.0.2:9999"}},
		Backend:   "web",
		MinUp:     2,
		Drain:     time.Minute,
		Deploy: func(ctx context.Context, s haproxy.Server) error {
			return exec.CommandContext(ctx, "ssh", s.Name, "apk", "upgrade", "web").Run()
		},
		Journal:  "/var/lib/rollout/web",
		Progress: func(e haproxy.Event) { fmt.Println(e.Kind, e.Name, e.Text) },
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := r.Run(ctx); err != nil {
		log.Fatal(err) // it says in which state each server is
	}
}

// What is on a node, before it is rebooted by hand.
func ExampleClient_Stats() {
	lb := haproxy.Client{Address: "/run/haproxy/admin.sock"}
	stats, err := lb.Stats(context.Background(), "web")
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range stats {
		fmt.Println(s.Server, s.Status, s.Sessions)
	}
}
