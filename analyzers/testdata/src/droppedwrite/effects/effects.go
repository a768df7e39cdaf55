// Package effects sends things, some before their time.
package effects

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"

	"droppedwrite/mailer"
)

var (
	rdb    *redis.Client
	client *http.Client
)

// WithTx is core-go's.
func WithTx(ctx context.Context, opts *sql.TxOptions, fn func(tx *sql.Tx) error) error { return nil }

func closure(ctx context.Context) error {
	err := WithTx(ctx, nil, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO "user" (name) VALUES ('a')`); err != nil {
			mailer.Welcome("admin@example.org")
			return err
		}
		if _, err := mailer.Look("http://example.org"); err != nil {
			return err
		}
		return mailer.Welcome("a@example.org") // want `warning: effect-in-transaction: this sends a mail \(mailer.go:\d+\) before its transaction is committed`
	})
	if err != nil {
		return err
	}
	return mailer.Welcome("a@example.org")
}

func closureUnchecked(ctx context.Context) {
	WithTx(ctx, nil, func(tx *sql.Tx) error { // want `unchecked-commit: nobody looks whether this transaction is committed`
		_, err := tx.ExecContext(ctx, `DELETE FROM thing`)
		return err
	})
	WithTx(ctx, nil, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT 1`).Scan()
	})
}

// later sends when somebody says so.
func later(after func(func())) {
	after(func() { mailer.Welcome("a@example.org") })
}

func closureLater(ctx context.Context, after func(func())) error {
	return WithTx(ctx, nil, func(tx *sql.Tx) error {
		later(after)
		after(func() { mailer.Welcome("a@example.org") })
		_, err := tx.ExecContext(ctx, `DELETE FROM thing`)
		return err
	})
}

func closureReads(ctx context.Context) error {
	return WithTx(ctx, &sql.TxOptions{ReadOnly: true}, func(tx *sql.Tx) error {
		return mailer.Welcome("a@example.org")
	})
}

func pgxClosure(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		rdb.Get(ctx, "a")
		rdb.Del(ctx, "a")
		rdb.LPush(ctx, "celery", "job") // want `effect-in-transaction: this sends a job in Redis before`
		_, err := tx.Exec(ctx, `DELETE FROM thing`)
		return err
	})
}

func between(ctx context.Context, db *sql.DB, body io.Reader) error {
	rdb.Publish(ctx, "before", 1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		rdb.Publish(ctx, "failed", 1)
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `DELETE FROM thing`); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", "http://example.org", body)
	if err != nil {
		return err
	}
	if _, err := client.Do(req); err != nil { // want `effect-in-transaction: this sends an HTTP request before`
		return err
	}
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.org", nil)
	if err != nil {
		return err
	}
	if _, err := client.Do(get); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		rdb.Publish(ctx, "failed", 1)
		return err
	}
	rdb.Publish(ctx, "done", 1)
	return nil
}

func rolledBack(ctx context.Context, db *sql.DB, bad bool) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM thing`); err != nil {
		return err
	}
	if bad {
		tx.Rollback()
		rdb.Publish(ctx, "bad", 1)
		return nil
	}
	return tx.Commit()
}

func afterUnchecked(ctx context.Context, db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec(`DELETE FROM thing`); err != nil {
		return err
	}
	tx.Commit()                    // want `unchecked-commit`
	rdb.Publish(ctx, "deleted", 1) // want `warning: effect-after-unchecked-commit: this sends a Redis message whether or not`
	return nil
}

func deferredCommit(ctx context.Context, db *sql.DB) (err error) {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { err = tx.Commit() }()
	if _, err = tx.Exec(`DELETE FROM thing`); err != nil {
		return err
	}
	rdb.Publish(ctx, "deleted", 1) // want `effect-in-transaction`
	return nil
}

// handler acknowledges a webhook.
func handler(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	tx, err := db.Begin()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if _, err := tx.Exec(`DELETE FROM thing`); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent) // want `error: early-ack: this acknowledges the HTTP request before what it asks for is written`
	if err := tx.Commit(); err != nil {
		fmt.Println(err)
	}
}

func accepted(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	w.WriteHeader(http.StatusAccepted) // want `early-ack`
	if _, err := db.Exec(`INSERT INTO hook (a) VALUES (1)`); err != nil {
		fmt.Println(err)
	}
}

// The response goes on: its status says nothing of what is noted behind it.
func download(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	w.WriteHeader(http.StatusOK)
	io.WriteString(w, "all of it")
	if _, err := db.Exec(`UPDATE file SET downloads = downloads + 1`); err != nil {
		fmt.Println(err)
	}
}

func stream(w http.ResponseWriter, r *http.Request, db *sql.DB, events chan string) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	for e := range events {
		fmt.Fprintf(w, "data: %s\n\n", e)
	}
	if _, err := db.Exec(`UPDATE client SET seen = now()`); err != nil {
		fmt.Println(err)
	}
}

// Too late to say so.
func tooLate(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	w.WriteHeader(http.StatusOK) // want `early-ack`
	if _, err := db.Exec(`INSERT INTO hook (a) VALUES (1)`); err != nil {
		http.Error(w, "not stored", http.StatusInternalServerError)
	}
}

func right(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	if r.Method == "HEAD" {
		w.WriteHeader(http.StatusOK)
		return
	}
	if _, err := db.Exec(`INSERT INTO hook (a) VALUES (1)`); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func consume(ctx context.Context, db *sql.DB, d amqp.Delivery) error {
	if len(d.Body) == 0 {
		return d.Ack(false)
	}
	d.Ack(false) // want `early-ack: this acknowledges the message`
	return WithTx(ctx, nil, func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO job (a) VALUES (1)`)
		return err
	})
}

func consumeRight(ctx context.Context, db *sql.DB, d amqp.Delivery) error {
	if _, err := db.Exec(`INSERT INTO job (a) VALUES (1)`); err != nil {
		return d.Nack(false, true)
	}
	return d.Ack(false)
}

// session is go-smtp's.
type session struct{ db *sql.DB }

func (s *session) Mail(from string) error { return nil }
func (s *session) Rcpt(to string) error   { return nil }
func (s *session) Reset()                 {}
func (s *session) Logout() error          { return nil }

func (s *session) Data(r io.Reader) error {
	go func() { // want `early-ack`
		s.store(1)
	}()
	go s.store(1) // want `early-ack: handler \(\*session\).Data returns, which acknowledges the mail, while this goroutine`
	return nil
}

func (s *session) store(n int) {
	if _, err := s.db.Exec(`INSERT INTO mail (a) VALUES (1)`); err != nil {
		fmt.Println(err)
	}
}

type waiting struct{ session }

func (s *waiting) Data(r io.Reader) error {
	done := make(chan error)
	go func() {
		_, err := s.db.Exec(`INSERT INTO mail (a) VALUES (1)`)
		done <- err
	}()
	return <-done
}

func smtp(w io.Writer, db *sql.DB) error {
	fmt.Fprintf(w, "250 2.0.0 OK\r\n") // want `early-ack: this acknowledges the mail`
	_, err := db.Exec(`INSERT INTO mail (a) VALUES (1)`)
	return err
}
