package final // want package:"serves"

import (
	"errors"
	"log"
	"net/http"

	"github.com/cenkalti/backoff/v4"
	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
)

func query() error { return nil }

func handler(w http.ResponseWriter, r *http.Request) {
	err := query()
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == pgerrcode.AdminShutdown { // want `error: failover-error-final: SQLSTATE 57P01 says that the server is shutting down, which passes within seconds of a failover, and here the client is told 400`
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	if pgErr.Code == "25006" {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if pgErr.Code == pgerrcode.UniqueViolation {
		http.Error(w, "there is one", http.StatusConflict)
		return
	}
	if pgErr.Code == "25006" {
		w.WriteHeader(429)
	}
	switch pgErr.SQLState() {
	case "23505":
		w.WriteHeader(409)
	case "08006", "08003": // want `failover-error-final: SQLSTATE 08006 says that the connection is gone`
		w.WriteHeader(404)
	}
	for range 3 {
		if pgErr.Code == "57P01" {
			continue
		}
	}
}

func job(err *pq.Error) error {
	if err.Code == "57P02" { // want `failover-error-final: .*here it ends the process`
		log.Fatal(err)
	}
	if err.Code.Class() == "08" { // want `failover-error-final: .*backoff/v4.Permanent gives the work up for good`
		return backoff.Permanent(err)
	}
	if pgerrcode.IsConnectionException(string(err.Code)) { // want `failover-error-final`
		return backoff.Permanent(err)
	}
	if string(err.Code) != "57P01" {
		return backoff.Permanent(err)
	}
	if err.Code == "57P03" {
		log.Print(err)
		return err
	}
	return nil
}

type reply struct{ Code string }

// Not an SQLSTATE.
func other(r reply) {
	if r.Code == "57P01" {
		log.Fatal(r)
	}
}
