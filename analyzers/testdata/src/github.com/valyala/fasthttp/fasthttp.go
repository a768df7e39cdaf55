// Package fasthttp stands in for the server of that name.
package fasthttp

type RequestCtx struct{}
