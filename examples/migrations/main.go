// Command migrations is a small issue tracker in the shape of an sr.ht service: migrations/ and schema.sql beside an API
// on PostgreSQL. Its history is right up to 0004; 0005 is pending, and wrong in instructive ways. testdata/v1 holds the
// code that is released, and that runs beside this one while nodes are upgraded. "make demo" puts both into a repository
// and runs
//
//	srhtvet lint
//	srhtvet compat
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"git.sr.ht/~sourcehut/ha-go/examples/migrations/store"
)

func main() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	db.SetConnMaxLifetime(5 * time.Minute) // a new primary is found
	srv := &http.Server{Addr: "127.0.0.1:5003", Handler: routes(db), ReadHeaderTimeout: 5 * time.Second}
	if err := serve(srv); err != nil {
		log.Fatal(err)
	}
}

// serve returns when a signal has come and every request has been answered.
func serve(srv *http.Server) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- srv.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return srv.Shutdown(ctx)
}

func routes(db *sql.DB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users/{name}/trackers", func(w http.ResponseWriter, r *http.Request) {
		list, err := store.Trackers(r.Context(), db, r.PathValue("name"))
		answer(w, list, err)
	})
	mux.HandleFunc("GET /trackers/{id}/tickets", func(w http.ResponseWriter, r *http.Request) {
		list, err := store.Tickets(r.Context(), db, number(r.PathValue("id")))
		answer(w, list, err)
	})
	mux.HandleFunc("POST /trackers/{id}/tickets", func(w http.ResponseWriter, r *http.Request) {
		id, err := store.Submit(r.Context(), db, number(r.PathValue("id")), number(r.FormValue("submitter")),
			r.FormValue("title"), r.FormValue("description"), number(r.FormValue("priority")))
		answer(w, id, err)
	})
	return mux
}

// number is 0, which no row has, for what is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		log.Print(err)
		http.Error(w, "the database did not answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		log.Print(err)
	}
}
