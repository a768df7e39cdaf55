// Package mocks is there for tests.
package mocks

import "net/http"

func Run(h http.Handler) { http.ListenAndServe(":8080", h) }
