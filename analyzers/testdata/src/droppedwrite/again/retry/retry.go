// Package retry is called like the libraries, and tries again only what the server has refused.
package retry

import "errors"

func Do(f func() error) (err error) {
	for range 3 {
		if err = f(); err == nil || !errors.Is(err, errRefused) {
			return err
		}
	}
	return err
}

var errRefused = errors.New("40001")
