// Package state has handlers that remember.
package state

import (
	"context"
	"net"
	"net/http"
	"sync"

	"golang.org/x/time/rate"
)

type job struct {
	id     int
	cancel context.CancelFunc
}

var (
	mu        sync.Mutex
	jobs      = map[string]*job{}
	users     = map[string]string{}
	accepted  []string
	sessions  = map[string]string{}
	titles    = map[string]string{} // written when a read has missed it
	pageCache = map[string]string{}
	hits      = map[string]int{}
	known     = map[string]bool{"a": true}
	waiting   = map[string]chan int{}
	pending   []string
	limiters  = map[string]*rate.Limiter{}
	only      = map[string]string{}
	shared    sync.Map
	loaded    sync.Map
)

// start and cancel are the shape of a build worker: its jobs are known where they run.
type build struct{ id string }

func (b *build) ParseKwargs(map[string]any) error { return nil }

func (b *build) RunTask() (any, error) {
	_, cancel := context.WithCancel(context.Background())
	mu.Lock()
	jobs[b.id] = &job{1, cancel} // want `warning: handler-state: handler \(\*build\).RunTask keeps what other requests look for in jobs, in the memory of this node: those that reach another node do not find it, and every deploy forgets it`
	mu.Unlock()
	defer delete(jobs, b.id)
	return nil, nil
}

func cancel(w http.ResponseWriter, r *http.Request) {
	j, ok := jobs[r.FormValue("id")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	j.cancel()
}

func register(w http.ResponseWriter, r *http.Request) {
	if _, taken := users[r.FormValue("name")]; taken {
		w.WriteHeader(http.StatusConflict)
		return
	}
	users[r.FormValue("name")] = r.FormValue("mail") // want `handler-state: handler register keeps .* in users`
	accepted = append(accepted, r.FormValue("name")) // want `in accepted`
	shared.Store(r.FormValue("name"), true)          // want `in shared`
	loaded.LoadOrStore(r.FormValue("name"), true)
	only[r.FormValue("name")] = "" // nobody asks
	hits[r.URL.Path]++
	pending = append(pending, r.FormValue("name"))
	waiting[r.FormValue("name")] = make(chan int)
}

func show(w http.ResponseWriter, r *http.Request) {
	w.Write([]byte(users[r.FormValue("name")]))
	for _, name := range accepted {
		w.Write([]byte(name))
	}
	shared.Load("a")
	loaded.Load("a")
	if known["a"] {
		waiting["a"] <- hits["a"]
	}
}

func flush(w http.ResponseWriter, r *http.Request) {
	for _, name := range pending {
		w.Write([]byte(name))
	}
	pending = nil
}

func login(w http.ResponseWriter, r *http.Request) {
	sessions[r.FormValue("token")] = r.FormValue("name") // want `error: local-sessions: handler login, in sessions, keeps sessions in the memory of the node`
}

func whoami(w http.ResponseWriter, r *http.Request) {
	w.Write([]byte(sessions[r.FormValue("token")]))
}

func title(w http.ResponseWriter, r *http.Request) {
	t, ok := titles[r.URL.Path]
	if !ok {
		t = "read from the database"
		titles[r.URL.Path] = t
	}
	w.Write([]byte(t + other(r) + page(r)))
}

func other(r *http.Request) string { return titles[r.FormValue("other")] }

func page(r *http.Request) string { return pageCache[r.URL.Path] }

func fill(w http.ResponseWriter, r *http.Request) { pageCache[r.URL.Path] = "…" }

func limit(w http.ResponseWriter, r *http.Request) {
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	l, ok := limiters[ip]
	if !ok {
		l = rate.NewLimiter(1, 10)
		limiters[ip] = l // want `warning: local-rate-limit: handler limit, in limiters keeps its counts in the memory of the node`
	}
	if !l.Allow() {
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// server lives as long as the program.
type server struct {
	votes map[string]int
	seen  map[string]bool
	rooms *rooms
}

type rooms struct{ names map[string]string }

func (s *server) vote(w http.ResponseWriter, r *http.Request) {
	s.votes[r.FormValue("for")] = 1 // want `in votes`
	s.rooms.add(r.FormValue("room"))
	q := &query{args: map[string]string{}}
	q.set("a", "b")
	w.Write([]byte(q.get("a")))
}

func (rs *rooms) add(name string) {
	rs.names[name] = name // want `in names`
}

func (s *server) result(w http.ResponseWriter, r *http.Request) {
	if s.votes["a"] > s.votes["b"] {
		w.Write([]byte(s.rooms.names["a"]))
	}
}

// query is one request's.
type query struct{ args map[string]string }

func (q *query) set(k, v string)     { q.args[k] = v }
func (q *query) get(k string) string { return q.args[k] }

func routes() http.Handler {
	mux := http.NewServeMux()
	counts := map[string]string{}
	mux.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		counts[r.URL.Path] = r.FormValue("v") // want `in counts`
		local := map[string]string{}
		local["a"] = "b"
	})
	mux.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(counts[r.URL.Path]))
	})
	return mux
}

// configure is no handler.
func configure() { known["b"] = true }

// perIP is behind an interface that handlers know.
type perIP struct{ byAddress map[string]*visitor }

type visitor struct {
	*rate.Limiter
	seen int64
}

func (p *perIP) Allow(key string) bool {
	v, ok := p.byAddress[key]
	if !ok {
		v = &visitor{Limiter: rate.NewLimiter(1, 1)}
		p.byAddress[key] = v // want `local-rate-limit: p.byAddress keeps its counts in the memory of the node`
	}
	return v.Allow()
}

// crawler is polite to each host that it asks.
type crawler struct{ hosts map[string]*rate.Limiter }

func (c *crawler) wait(host string) { c.hosts[host] = rate.NewLimiter(1, 1) }
