// Package ignores has suppression comments of every kind.
package ignores

import (
	"net/http"
)

func one(w http.ResponseWriter, r *http.Request) {
	//srhtvet:ignore call-without-context it is this process
	http.Get("http://localhost")

	http.Get("http://localhost") // srhtvet:ignore call-without-context it is this process

	//srhtvet:ignore call-without-context,unbounded-context it is this process // want `warning: unused-ignore: nothing here is a finding of unbounded-context`
	http.Get("http://localhost")

	//srhtvet:ignore call-without-context it is this process // want `unused-ignore: nothing here is a finding of call-without-context`
	w.Write(nil)

	//srhtvet:ignore call-without-context // want `bad-ignore: a suppression comment gives no reason`
	http.Get("http://localhost") // want `call-without-context`

	//srhtvet:ignore call-without-contxt it is this process // want `bad-ignore: a suppression comment names "call-without-contxt", which is no rule; did you mean "?call-without-context"?\?`
	http.Get("http://localhost") // want `call-without-context`

	//srhtvet:ignore // want `bad-ignore: a suppression comment names no rule`
	w.Write(nil)

	if r.URL.Path == "/" { //srhtvet:ignore handlerdeadline not the block's // want `unused-ignore`
		http.Get("http://localhost") // want `call-without-context`
	}

	// What stands above a statement of several lines holds for all of them,
	//srhtvet:ignore call-without-context whoever it calls
	// also with other comments around it.
	w.Write(
		body(http.Get("http://localhost")),
	)

	//srhtvet:ignore call-without-context the line only, of what has a block
	if _, err := http.Get("http://localhost"); err != nil {
		http.Get("http://localhost") // want `call-without-context`
	}

	//srhtvet:ignore call-without-context not what a literal does // want `unused-ignore`
	func() {
		http.Get("http://localhost") // want `call-without-context`
	}()
}

// whole is taken back as a whole.
//
//srhtvet:ignore handlerdeadline this runs in a test server only
func whole(w http.ResponseWriter, r *http.Request) {
	http.Get("http://localhost")
	if r.URL.Path == "/" {
		http.Get("http://localhost")
	}
}

func after(w http.ResponseWriter, r *http.Request) {
	http.Get("http://localhost") // want `call-without-context`
}

func body(*http.Response, error) []byte { return nil }
