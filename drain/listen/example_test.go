package listen_test

import (
	"context"
	"errors"
	"log"
	"net/http"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
	"git.sr.ht/~sourcehut/ha-go/drain/listen"
)

// A port that two versions of a service share for as long as one replaces the other.
func ExampleConfig() {
	ctx := context.Background()
	l, err := listen.Config{Address: ":8080", Shared: true}.Listen(ctx)
	if err != nil {
		log.Fatal(err) // listen tcp :8080: address already in use: nginx (pid 123) has it
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	if err := drain.Main(ctx, drain.Config{}, httpdrain.On(l, srv)); err != nil {
		log.Fatal(err)
	}
}

// Sockets from systemd, with FileDescriptorName=web in the socket unit; without systemd, a port of its own.
func ExampleActivated() {
	ctx := context.Background()
	sockets, err := listen.Activated()
	if err != nil {
		log.Fatal(err)
	}
	l, err := sockets.Listener("web")
	if errors.Is(err, listen.ErrNone) {
		l, err = listen.Config{Address: ":8080"}.Listen(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second}
	if err := drain.Main(ctx, drain.Config{}, httpdrain.On(l, srv)); err != nil {
		log.Fatal(err)
	}
}
