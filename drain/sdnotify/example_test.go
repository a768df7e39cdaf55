package sdnotify_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/httpdrain"
	"git.sr.ht/~sourcehut/ha-go/drain/sdnotify"
)

// A web service under systemd that reloads its configuration on SIGHUP.
func Example() {
	systemd := &sdnotify.Notifier{}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	go func() {
		for range reload {
			if err := systemd.Reload(func() error { return nil /* read the configuration */ }); err != nil {
				log.Print(err)
			}
		}
	}()
	srv := &http.Server{Addr: ":8080", ReadHeaderTimeout: 10 * time.Second}
	err := drain.Main(context.Background(), drain.Config{Beside: []drain.Service{systemd}}, httpdrain.Server(srv))
	if err != nil {
		log.Fatal(err)
	}
}
