// Package cli serves nobody: what it does ends with the keyboard's signal.
package cli

import (
	"context"
	"os"
	"os/signal"
)

func run() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	<-ctx.Done()
	shield := make(chan os.Signal, 1)
	signal.Notify(shield, os.Interrupt) // a child gets the signal, and decides
}
