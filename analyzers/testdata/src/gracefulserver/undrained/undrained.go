// Package undrained has servers that nobody shuts down.
package undrained

import (
	"log"
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

func routes() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {})
}

func functions(l net.Listener, h http.Handler) {
	log.Fatal(http.ListenAndServe(":8080", nil))     // want `error: undrainable-server: net/http.ListenAndServe keeps its http.Server to itself, so nothing can call Shutdown: when the process is told to stop, every request in flight is cut`
	http.Serve(l, h)                                 // want `undrainable-server`
	http.ListenAndServeTLS(":443", "cert", "key", h) // want `undrainable-server`
	http.ListenAndServe("localhost:8080", h)         // want `undrainable-server`
	gin.Default().Run(":8080")                       // want `undrainable-server: \(\*github.com/gin-gonic/gin.Engine\).Run keeps`
	http.ListenAndServe("localhost:6060", nil)       // profiles, for whoever is on this machine
}

func local(h http.Handler) {
	srv := &http.Server{Handler: h} // want `missing-read-header-timeout`
	defer srv.Close()
	srv.ListenAndServe() // want `error: shutdown-never-called: srv serves, and nothing in the package calls its Shutdown`
}

type app struct {
	web   *http.Server
	other *http.Server
}

func (a *app) start(l net.Listener) {
	a.web = &http.Server{}   // want `missing-read-header-timeout`
	a.other = &http.Server{} // want `missing-read-header-timeout`
	go a.web.Serve(l)        // want `shutdown-never-called: web serves`
	go a.other.Serve(l)
	var zero http.Server
	zero.ListenAndServe() // want `shutdown-never-called`
}

// Whoever is given a server may shut it down.
func handedOn(h http.Handler, group func(func() error, func())) *http.Server {
	a := &http.Server{Handler: h, ReadHeaderTimeout: 1}
	go a.ListenAndServe()
	stop(a)
	b := &http.Server{Handler: h, ReadHeaderTimeout: 1}
	group(b.ListenAndServe, func() { b.Close() })
	c := &http.Server{Handler: h, ReadHeaderTimeout: 1}
	go c.ListenAndServe()
	known := &app{}
	known.other = c
	d := &http.Server{Handler: h, ReadHeaderTimeout: 1}
	go d.ListenAndServe()
	return d
}

func stop(srv *http.Server) {}
