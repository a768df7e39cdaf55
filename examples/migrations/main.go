// Command migrations is a small issue tracker in the shape of an sr.ht service: migrations/ and schema.sql beside an API
// on PostgreSQL. Its history is right up to 0004; 0005 is pending, and wrong in instructive ways. Lint it with
//
//	srhtvet lint -since 4 examples/migrations
package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// ticket is what the API returns.
type ticket struct {
	ID          int       `json:"id"`
	Created     time.Time `json:"created"`
	Title       string    `json:"title"`
	Description *string   `json:"description"`
}

func main() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Addr: "127.0.0.1:5003", Handler: routes(db), ReadHeaderTimeout: 5 * time.Second}
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func routes(db *sql.DB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trackers/{id}/tickets", func(w http.ResponseWriter, r *http.Request) {
		rows, err := db.QueryContext(r.Context(),
			`SELECT id, created, title, description FROM ticket WHERE tracker_id = $1 ORDER BY id`, r.PathValue("id"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer rows.Close()
		list := []ticket{}
		for rows.Next() {
			var t ticket
			if err := rows.Scan(&t.ID, &t.Created, &t.Title, &t.Description); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			list = append(list, t)
		}
		if err := rows.Err(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(list); err != nil {
			log.Print(err)
		}
	})
	return mux
}
