package web

import (
	"context"
	"log"
	"net/http"
	"time"
)

func (s *server) outlived(w http.ResponseWriter, r *http.Request) {
	go s.mail.Send(r.Context(), "") // want `error: request-context-outlived: \(detachedwork/web.mailer\).Send, in a goroutine that nobody waits for, is given the context of the HTTP request, which is cancelled as soon as handler \(\*server\).outlived returns` `unwaited-goroutine`
	ctx := r.Context()
	go func() { // want `unwaited-goroutine`
		s.db.ExecContext(ctx, `DELETE FROM t`) // want `request-context-outlived`
		s.db.ExecContext(ctx, `DELETE FROM u`)
	}()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	go s.st.RemoveContext(short, 1) // want `request-context-outlived` `unwaited-goroutine`
	go func(ctx context.Context) {  // want `unwaited-goroutine`
		s.st.RemoveContext(ctx, 1) // want `request-context-outlived`
	}(ctx)
	go func() { // want `unwaited-goroutine`
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://localhost", nil) // want `request-context-outlived: \(\*net/http.Client\).Do`
		http.DefaultClient.Do(req)
	}()
	s.passed(ctx)
}

func (s *server) passed(ctx context.Context) {
	go s.st.RemoveContext(ctx, 1) // want `request-context-outlived` `unwaited-goroutine`
}

func (s *server) detachedContext(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context())
	go s.mail.Send(ctx, "")                                      // want `unwaited-goroutine`
	go s.mail.Send(context.Background(), "")                     // want `unwaited-goroutine`
	go func() { s.own() }()                                      // want `unwaited-goroutine`
	go func(ctx context.Context) { s.mail.Send(ctx, "") }(ctx)   // want `unwaited-goroutine`
	go func(ctx context.Context) { log.Print(ctx) }(r.Context()) // only reads its values
}

func (s *server) waitedContext(w http.ResponseWriter, r *http.Request) {
	done := make(chan bool)
	go func() {
		s.mail.Send(r.Context(), "")
		close(done)
	}()
	<-done
}

func (s *server) own() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s.mail.Send(ctx, "")
}

type Resolver struct{ server }

type mutationResolver struct{ *Resolver }

func (r *mutationResolver) Remove(ctx context.Context, id int) (bool, error) {
	go r.st.RemoveContext(ctx, id) // want `is given the context of the GraphQL request` `unwaited-goroutine`
	return true, nil
}

// Removals is a subscription: its context and its channel live as long.
func (r *mutationResolver) Removals(ctx context.Context) (<-chan int, error) {
	ids := make(chan int)
	go func() {
		defer close(ids)
		r.st.RemoveContext(ctx, 1)
		ids <- 1
	}()
	return ids, nil
}
