// Package shared gives its session manager a store.
package shared

import (
	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

func sessions(store scs.Store, development bool) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	if development {
		m.Store = memstore.New()
	}
	return m
}

func always() *scs.SessionManager {
	m := scs.New()
	m.Store = memstore.New() // want `local-sessions: github.com/alexedwards/scs/v2/memstore.New keeps sessions in the memory of the node`
	return m
}
