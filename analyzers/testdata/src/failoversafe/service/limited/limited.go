package limited // want package:"serves"

import (
	"database/sql"
	"net/http"
	"time"

	_ "github.com/lib/pq"
)

func start(dsn string, h http.Handler) {
	db, _ := sql.Open("postgres", dsn)
	db.SetConnMaxLifetime(5 * time.Minute)
	other, _ := sql.Open("postgres", dsn)
	other.SetConnMaxLifetime(0) // want `unlimited-connection-lifetime: with SetConnMaxLifetime\(0\) the pool keeps`

	held, _ := sql.Open("postgres", "")
	held.SetMaxOpenConns(1) // for a lock of the session
	held.SetConnMaxLifetime(0)
	http.ListenAndServe(":80", h)
}
