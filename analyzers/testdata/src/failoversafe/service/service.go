package service // want package:"serves"

import (
	"database/sql"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"failoversafe/store"
)

const driver = "postgres"

type app struct{ db *sql.DB }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

func start(dsn, name string) {
	db, _ := sql.Open(driver, dsn) // want `warning: unlimited-connection-lifetime: database/sql.Open opens a pool that keeps its connections for ever`
	http.ListenAndServe(":80", &app{db})
	store.Open(dsn)                 // want `unlimited-connection-lifetime: failoversafe/store.Open opens a pool \(database/sql.Open, store.go:8\) that keeps`
	store.New(dsn)                  // want `unlimited-connection-lifetime`
	stdlib.OpenDB(pgx.ConnConfig{}) // want `unlimited-connection-lifetime`
	sqlx.Open("pgx", dsn)           // want `unlimited-connection-lifetime`
	connector, _ := pq.NewConnector(dsn)
	sql.OpenDB(connector) // want `unlimited-connection-lifetime`
	sql.Open(name, dsn)
	sql.Open("mysql", dsn)
	store.Dial(dsn) // want `unlimited-connection-lifetime`
	Given(dsn)      // want `unlimited-connection-lifetime`
	store.Other(dsn)
	store.Ask(dsn)
}

func ask(dsn string) error {
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Ping()
}

// The session is what matters here.
func session(dsn string) *sql.DB {
	db, _ := sql.Open("postgres", dsn)
	db.SetMaxOpenConns(1)
	db.Exec(`SET search_path TO pg_temp`)
	return db
}

func main() {
	db, _ := sql.Open("postgres", "") // want `unlimited-connection-lifetime`
	defer db.Close()
	http.ListenAndServe(":80", &app{db})
}

// Given is for whoever calls it.
func Given(dsn string) (*sql.DB, error) { // want Given:`opens by database/sql.Open`
	return sql.Open("postgres", dsn)
}
