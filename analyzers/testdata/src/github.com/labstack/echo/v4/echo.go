// Package echo stands in for the web framework of that name.
package echo

import "net/http"

type Context interface {
	Request() *http.Request
	NoContent(code int) error
}
