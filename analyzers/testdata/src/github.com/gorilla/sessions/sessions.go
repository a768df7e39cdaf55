// Package sessions stands in for the session stores of that name.
package sessions

type CookieStore struct{ keys [][]byte }

func NewCookieStore(keyPairs ...[]byte) *CookieStore { return &CookieStore{keyPairs} }

type FilesystemStore struct{ path string }

func NewFilesystemStore(path string, keyPairs ...[]byte) *FilesystemStore {
	return &FilesystemStore{path}
}
