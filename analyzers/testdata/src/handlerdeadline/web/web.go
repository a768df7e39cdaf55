// Package web has handlers that wait for a server.
package web

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"net/smtp"
	"time"

	"github.com/jmoiron/sqlx"

	"handlerdeadline/store"
)

var (
	db     *sql.DB
	st     *store.Store
	client = &http.Client{}
	slow   = &http.Client{Timeout: time.Minute}
)

func background(w http.ResponseWriter, r *http.Request) {
	db.QueryRowContext(context.Background(), `SELECT 1`) // want `warning: unbounded-context: \(\*database/sql.DB\).QueryRowContext, on behalf of handler background, waits for the database with a context that nothing ends: when it does not answer, the HTTP request never ends`
	ctx := context.TODO()
	db.ExecContext(ctx, `DELETE FROM t`)                                // want `unbounded-context`
	db.ExecContext(context.WithValue(ctx, "a", 1), `DELETE FROM t`)     // want `unbounded-context`
	db.ExecContext(context.WithoutCancel(r.Context()), `DELETE FROM t`) // want `unbounded-context`
	helper(context.Background())                                        // want `unbounded-context`
	st.Show(context.Background(), 1)                                    // want `unbounded-context: .*Show, on behalf of handler background`
	st.Twice(ctx, 1)                                                    // want `unbounded-context`
	st.Count()                                                          // want `unbounded-context: .*Count, which handler background calls, waits in .*QueryRow \(store.go:31\).*; in all 3 calls of 2 such functions of package store, for 2 handlers of this one`
	st.Refresh()
}

func helper(ctx context.Context) {
	db.ExecContext(ctx, `DELETE FROM t`)
}

func bounded(w http.ResponseWriter, r *http.Request) {
	db.ExecContext(r.Context(), `DELETE FROM t`)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), time.Second)
	defer cancel()
	db.ExecContext(ctx, `DELETE FROM t`)
	helper(ctx)
	st.Show(ctx, 1)
	st.Bounded(context.Background(), 1)
	st.Later()
	child, stop := context.WithCancel(context.Background())
	defer stop()
	db.ExecContext(child, `DELETE FROM t`)
	go db.ExecContext(context.Background(), `DELETE FROM t`) // another analyzer's
	go func() {
		db.Exec(`DELETE FROM t`)
	}()
	var either context.Context
	if r.URL.Path == "/" {
		either = r.Context()
	} else {
		either = context.Background()
	}
	db.ExecContext(either, `DELETE FROM t`)
	slow.Get("http://localhost")
	http.NewRequest("GET", "/", nil)
}

func without(w http.ResponseWriter, r *http.Request) {
	st.Count()
	st.Count()           //srhtvet:ignore unbounded-context a test server
	db.Query(`SELECT 1`) // want `warning: call-without-context: \(\*database/sql.DB\).Query, on behalf of handler without, waits for the database without a context`
	var x sqlx.DB
	x.Get(nil, `SELECT 1`)               // want `call-without-context`
	http.Get("http://localhost")         // want `call-without-context: net/http.Get, on behalf of handler without, waits for another service without a context`
	net.Dial("tcp", "localhost:1")       // the kernel gives up
	smtp.SendMail("", nil, "", nil, nil) // want `call-without-context`
	client.Get("http://localhost")       // want `call-without-context`
	req, _ := http.NewRequest("GET", "http://localhost", nil)
	client.Do(req)             // want `call-without-context`
	http.DefaultClient.Do(req) // want `call-without-context`
	slow.Do(req)
	//srhtvet:ignore call-without-context the other side is this process
	http.Get("http://localhost")
	http.Get("http://localhost") //srhtvet:ignore handlerdeadline the other side is this process
	with, _ := http.NewRequestWithContext(r.Context(), "GET", "http://localhost", nil)
	client.Do(with)
	func() {
		db.Ping() // want `call-without-context`
	}()
}

func tx(ctx context.Context, w http.ResponseWriter, r *http.Request) { // no handler: too many parameters
	db.Exec(`DELETE FROM t`)
}

func transaction(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return
	}
	defer tx.Rollback()
	tx.Exec(`DELETE FROM t`) // want `call-without-context`
	tx.Commit()
}

type Resolver struct{}

type mutationResolver struct{ *Resolver }

func (r *mutationResolver) Remove(ctx context.Context, id int) (bool, error) {
	_, err := db.Exec(`DELETE FROM t`) // want `call-without-context: .*on behalf of handler \(\*mutationResolver\).Remove.*the GraphQL request never ends`
	return err == nil, err
}

func main() {
	db.Exec(`DELETE FROM t`)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		db.Exec(`DELETE FROM t`) // want `on behalf of the function literal in main that handles HTTP requests`
	})
}
