package httpdrain

import (
	"context"
	"net/http"
)

// serviceKey is where a request's context has its Service: in what the server's BaseContext gives, so that it costs a request nothing.
type serviceKey struct{}

func serviceOf(r *http.Request) *Service {
	s, _ := r.Context().Value(serviceKey{}).(*Service)
	return s
}

// Draining reports whether the server that serves the request is to leave: whether a handler should end a long poll, say, or tell a
// client to come back elsewhere. It is false for requests of servers that are no Service.
func Draining(r *http.Request) bool {
	s := serviceOf(r)
	return s != nil && s.leaving.Load()
}

// Leaving is closed when the server that serves the request is told to leave: a stream of server-sent events ends then, and its
// client comes back elsewhere; a WebSocket's handler sends its close frame. It is nil, which is never closed, for requests of servers that
// are no Service. It stays valid after Hijack, and after the handler's return.
func Leaving(r *http.Request) <-chan struct{} {
	if s := serviceOf(r); s != nil {
		return s.left.Done()
	}
	return nil
}

// OnLeave calls f in a goroutine of its own when the server that serves the request is told to leave. stop takes it back, and reports
// whether it did so before f was called; a handler defers it.
func OnLeave(r *http.Request, f func()) (stop func() bool) {
	if s := serviceOf(r); s != nil {
		return context.AfterFunc(s.left, f)
	}
	return func() bool { return true }
}
