// Package web has handlers that start goroutines.
package web

import (
	"context"
	"database/sql"
	"io"
	"log"
	"net"
	"net/http"
	"net/smtp"
	"os"
	"sync"
	"time"

	"detachedwork/far"
)

type mailer interface {
	Send(ctx context.Context, to string) error
	Sender() string
}

type server struct {
	db    *sql.DB
	st    *far.Store
	mail  mailer
	wg    sync.WaitGroup
	count int
}

func (s *server) lost(w http.ResponseWriter, r *http.Request) {
	go func() { // want `error: unwaited-goroutine: nobody waits for this goroutine, which handler \(\*server\).lost starts for a statement to the database \(\(\*database/sql.DB\).Exec\): the HTTP request ends before it does`
		if _, err := s.db.Exec(`DELETE FROM t`); err != nil {
			log.Print(err)
		}
	}()
	go s.st.Remove(1)                                   // want `unwaited-goroutine`
	go s.remove()                                       // want `unwaited-goroutine: .*\(\*database/sql.DB\).Exec`
	go smtp.SendMail("", nil, "", nil, nil)             // want `for a mail \(net/smtp.SendMail\)`
	go s.mail.Send(context.Background(), "")            // want `for what Send does \(\(detachedwork/web.mailer\).Send\)`
	go http.Post("", "", nil)                           // want `for a request to another service`
	go func(path string) { os.RemoveAll(path) }("/srv") // want `for a change of files`
	s.st.Later(1)                                       // want `unwaited-goroutine: .*Later, which handler \(\*server\).lost calls, starts a goroutine \(far.go:22\) that nobody waits for`
	far.Go(func() { s.remove() })                       // want `unwaited-goroutine`
	background(func() { s.remove() })                   // want `unwaited-goroutine`
	time.AfterFunc(time.Minute, func() { s.remove() })  // want `unwaited-goroutine`
	var id int
	go s.db.QueryRow(`INSERT INTO t DEFAULT VALUES RETURNING id`).Scan(&id) // the row is there before the go statement runs
	go func() {                                                             // want `unwaited-goroutine`
		s.db.QueryRow(`INSERT INTO t DEFAULT VALUES RETURNING id`).Scan(&id)
	}()
	s.indirect()
}

func (s *server) remove() { s.db.Exec(`DELETE FROM t`) }

func (s *server) indirect() {
	go s.remove() // want `which handler \(\*server\).lost starts`
}

func background(f func()) { go f() }

func (s *server) tracked(f func()) {
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		f()
	}()
}

func (s *server) waited(w http.ResponseWriter, r *http.Request) {
	s.tracked(func() { s.remove() })
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		s.remove()
	}()
	go s.counted()
	s.wg.Go(func() { s.remove() })
	timer := time.AfterFunc(time.Minute, func() { s.remove() })
	defer timer.Stop()
	s.st.StartCleanup()
	//srhtvet:ignore unwaited-goroutine the next start removes what is left
	go s.remove()
}

func (s *server) counted() {
	defer s.wg.Done()
	s.remove()
}

func (s *server) received(w http.ResponseWriter, r *http.Request) {
	done := make(chan error, 1)
	go func() { done <- s.st.Remove(1) }()
	select {
	case <-done:
	case <-r.Context().Done():
	}
}

func (s *server) ranged(w http.ResponseWriter, r *http.Request) {
	ids := make(chan int)
	go func() {
		for id := range ids {
			s.st.Remove(id)
		}
	}()
	for id := range 10 {
		ids <- id
	}
	close(ids)
}

func (s *server) joined(w http.ResponseWriter, r *http.Request) {
	var wg sync.WaitGroup
	for id := range 10 {
		wg.Go(func() { s.st.Remove(id) })
	}
	wg.Wait()
}

func (s *server) harmless(w http.ResponseWriter, r *http.Request) {
	go log.Print("seen")
	go func() { s.count = s.st.Count() }()
	go s.db.Query(`SELECT 1`)
	go s.mail.Sender()
	go func() { http.Get("http://localhost") }() // who reads only has nothing to lose
}

func (s *server) watches(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	go func() {
		<-ctx.Done()
		s.remove()
	}()
}

func (s *server) hijacked(w http.ResponseWriter, r *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	go s.pump(conn)
	io.Copy(io.Discard, conn)
}

func (s *server) pump(conn net.Conn) {
	defer conn.Close()
	s.remove()
}

func (s *server) piped(w http.ResponseWriter, r *http.Request) {
	pr, pw := io.Pipe()
	go func() {
		s.remove()
		pw.Close()
	}()
	io.Copy(w, pr)
}

func main() {
	s := &server{}
	go s.remove() // of the program
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		go s.remove() // want `which the function literal in main that handles HTTP requests starts`
	})
}

// far away from the handler, it may as well be the program's.
func (s *server) one(w http.ResponseWriter, r *http.Request) { s.two() }
func (s *server) two()                                       { s.three() }
func (s *server) three()                                     { s.four(); go s.remove() } // want `which handler \(\*server\).one starts`
func (s *server) four()                                      { s.five(); go s.remove() } // want `which handler \(\*server\).one starts`
func (s *server) five()                                      { go s.remove() }
