// Package disk writes files for handlers of another package.
package disk

import "os"

type Store struct{ dir string }

func (s *Store) Save(name string, data []byte) error { // want Save:`writes by os.WriteFile`
	return os.WriteFile(s.dir+"/"+name, data, 0o644)
}

// Write leaves the place to its caller.
func Write(path string, data []byte) error {
	return os.WriteFile(path, data, 0o644)
}
