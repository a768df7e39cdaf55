// Package quiet starts nothing: what it does is known all the same.
package quiet

import "os"

func Save(name string) error { // want Save:`acts by os.WriteFile`
	return os.WriteFile(name, nil, 0o644)
}
