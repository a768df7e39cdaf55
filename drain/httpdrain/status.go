package httpdrain

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain"
)

// entry is something in flight, for the status page.
type entry struct {
	Kind   string    `json:"kind"` // "request", "websocket", "hijacked connection"
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	Remote string    `json:"remote,omitempty"`
	Since  time.Time `json:"since"`
}

func (s *Service) entry(sl *slot) entry {
	return entry{"request", sl.method, sl.path, sl.query, sl.remote, s.flight.since(sl)}
}

func (e entry) what() string { return strings.TrimSpace(e.Method + " " + e.Path) }

// entries are all that is in flight, the oldest first.
func (s *Service) entries() []entry {
	var all []entry
	hijacked := map[string]bool{} // by address
	s.conns.each(func(t *track) {
		if t.hijacked != nil {
			all = append(all, *t.hijacked)
			hijacked[t.hijacked.Remote] = true
		}
	})
	s.flight.each(func(sl *slot) {
		if !sl.hijack || !hijacked[sl.remote] { // a handler may work on when its connection is closed
			all = append(all, s.entry(sl))
		}
	})
	slices.SortStableFunc(all, func(a, b entry) int { return a.Since.Compare(b.Since) })
	return all
}

// Open is what is in flight, by kind: requests, websockets, other hijacked connections.
func (s *Service) Open() []drain.Open {
	var open []drain.Open
	for _, e := range s.entries() {
		i := slices.IndexFunc(open, func(o drain.Open) bool { return o.Kind == e.Kind })
		if i < 0 {
			open = append(open, drain.Open{Kind: e.Kind, Oldest: e.Since, What: e.what()})
			i = len(open) - 1
		}
		open[i].Count++
	}
	return open
}

// Connections is how many connections are open, in any state.
func (s *Service) Connections() int {
	s.conns.mu.Lock()
	defer s.conns.mu.Unlock()
	return len(s.conns.open)
}

// mostRows bounds the status page.
const mostRows = 200

// Status is a page of what is in flight, the oldest first: JSON for those who Accept it or ask with ?format=json, an HTML table for
// others. It shows methods and paths of other people's requests (query strings and addresses with Config.Details), so it belongs
// on a listener, or behind a check, of the operators' own. It is served nowhere unless the caller does so.
func (s *Service) Status() http.Handler { return http.HandlerFunc(s.status) }

func (s *Service) status(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	page := statusPage{State: drain.Ready.String(), Open: s.entries(), Connections: s.Connections()}
	if d := s.drainer.Load(); d != nil {
		p := d.Progress()
		page.State, page.Phase = p.State.String(), p.Phase
		if p.Cause != nil {
			page.Cause = p.Cause.Error()
		}
	} else if s.leaving.Load() {
		page.State = drain.LameDuck.String()
	}
	page.Count = len(page.Open)
	if page.Count > mostRows {
		page.Open = page.Open[:mostRows]
	}
	for i := range page.Open {
		e := &page.Open[i]
		if !s.cfg.Details {
			e.Query, e.Remote = "", ""
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Query().Get("format") == "json" || strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(page)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	page.html(w, now)
}

// statusPage is the JSON of the status page.
type statusPage struct {
	State       string  `json:"state"`
	Cause       string  `json:"cause,omitempty"`
	Phase       string  `json:"phase,omitempty"`
	Connections int     `json:"connections"`
	Count       int     `json:"count"` // of what is in flight; Open has the 200 oldest
	Open        []entry `json:"open"`
}

func (p statusPage) html(w io.Writer, now time.Time) {
	state := p.State
	if p.Phase != "" && p.Phase != state {
		state += " (" + p.Phase + ")"
	}
	fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title>
<style>:root{color-scheme:light dark}body{font:1rem/1.4 sans-serif;margin:1rem}td,th{text-align:left;padding:.1rem .8rem .1rem 0;vertical-align:top}td{overflow-wrap:anywhere}</style>
<h1>%[1]s</h1>
`, html.EscapeString(state))
	if p.Cause != "" {
		fmt.Fprintf(w, "<p>Cause: %s</p>\n", html.EscapeString(p.Cause))
	}
	fmt.Fprintf(w, "<p>%d in flight, %d connections.", p.Count, p.Connections)
	if p.Count > len(p.Open) {
		fmt.Fprintf(w, " The %d oldest:", len(p.Open))
	}
	fmt.Fprint(w, "</p>\n")
	if p.Count == 0 {
		return
	}
	fmt.Fprint(w, "<table><tr><th>Seconds<th>Kind<th>Request<th>Client</tr>\n")
	for _, e := range p.Open {
		request := e.what()
		if e.Query != "" {
			request += "?" + e.Query
		}
		fmt.Fprintf(w, "<tr><td>%d<td>%s<td>%s<td>%s</tr>\n", int(max(0, now.Sub(e.Since)).Seconds()), e.Kind, html.EscapeString(request), html.EscapeString(e.Remote))
	}
	fmt.Fprint(w, "</table>\n")
}
