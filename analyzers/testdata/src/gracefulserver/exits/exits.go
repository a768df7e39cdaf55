// Package exits ends the process in many places.
package exits

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func handler(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		log.Fatalf("no path") // want `warning: exit-in-handler: log.Fatalf, on behalf of handler handler, ends the process: every other request`
	}
	helper()
}

func helper() {
	os.Exit(1) // want `exit-in-handler: os.Exit, on behalf of handler handler`
}

func start() {
	if len(os.Args) > 3 {
		log.Fatal("usage")
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	go func() {
		log.Fatal(srv.ListenAndServe()) // want `error: fatal-on-server-closed: it returns ErrServerClosed as soon as Shutdown begins, and log.Fatal then ends the process`
	}()
	go func() {
		if err := srv.ListenAndServe(); err != nil { // want `fatal-on-server-closed`
			log.Fatalf("serving: %v", err)
		}
	}()
	go func() {
		err := srv.ListenAndServe() // want `fatal-on-server-closed: .*panic then ends the process`
		if err != nil {
			log.Print(err)
			panic(err)
		}
	}()
	go func() {
		if err := srv.ListenAndServe(); err != nil && err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	go func() {
		if err := srv.ListenAndServe(); err != nil {
			if errors.Is(err, http.ErrServerClosed) {
				return
			}
			log.Fatal(err)
		}
	}()
	go func() {
		if err := srv.ListenAndServe(); err != nil {
			log.Print(err)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
}

func pending(jobs *sync.WaitGroup) {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	if len(os.Args) > 3 {
		log.Fatal("nothing runs yet")
	}
	defer jobs.Wait()
	if len(os.Args) > 2 {
		log.Fatal("nothing runs yet")
	}
	if err := srv.ListenAndServe(); err != nil { // want `shutdown-never-called`
		log.Fatal(err) // want `warning: exit-skips-deferred: log.Fatal ends the process without running deferred functions, so jobs.Wait, deferred above, never runs`
	}
}

func nothingPending() {
	srv := &http.Server{ReadHeaderTimeout: time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_ = ctx
	if err := srv.ListenAndServe(); err != nil { // want `shutdown-never-called`
		log.Fatal(err)
	}
}
