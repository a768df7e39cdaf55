// Command uses serves by another package.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"gracefulserver/mains/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch len(os.Args) {
	case 1:
		if err := web.Run(ctx, nil); err != nil { // want `error: main-returns-before-shutdown: gracefulserver/mains/web.Run \(web.go:18\) returns as soon as Shutdown begins`
			log.Print(err)
		}
	case 2:
		if err := web.Wait(ctx, nil); err != nil {
			log.Print(err)
		}
	case 3:
		var wg sync.WaitGroup
		wg.Go(func() { web.Run(ctx, nil) })
		wg.Wait()
	case 4:
		web.Run(ctx, nil)
		select {}
	}
}
