// Package scs stands in for the session manager of that name.
package scs

type Store interface {
	Find(token string) ([]byte, bool, error)
}

type SessionManager struct{ Store Store }

func New() *SessionManager { return &SessionManager{} }
