// Package libs makes stores of sessions and counters.
package libs

import (
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/go-chi/httprate"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

var files = sessions.NewFilesystemStore("/var/lib/sessions") // want `error: local-sessions: github.com/gorilla/sessions.NewFilesystemStore keeps sessions in files of the node: a request that reaches another node finds none`

var random = sessions.NewCookieStore(securecookie.GenerateRandomKey(32)) // want `local-sessions: .*under a key that each process makes for itself`

var signed = sessions.NewCookieStore([]byte(os.Getenv("KEY")))

func indirect() *sessions.CookieStore {
	key := securecookie.GenerateRandomKey(32)
	return sessions.NewCookieStore(key) // want `local-sessions`
}

var manager = scs.New() // want `local-sessions: .*in the memory of the node`

func limits(counter httprate.LimitCounter, options []httprate.Option) []func(http.Handler) http.Handler {
	return []func(http.Handler) http.Handler{
		httprate.LimitByIP(10, time.Minute),                                 // want `warning: local-rate-limit: github.com/go-chi/httprate.LimitByIP keeps its counts in the memory of the node: with a second node each client may do twice as much`
		httprate.Limit(10, time.Minute, httprate.WithKeyByIP()),             // want `local-rate-limit`
		httprate.Limit(10, time.Minute, httprate.WithLimitCounter(counter)), // shared
		httprate.Limit(10, time.Minute, options...),                         // not known
	}
}
