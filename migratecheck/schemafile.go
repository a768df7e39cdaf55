package migratecheck

import (
	"os"
	"path/filepath"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// readSchema reads a schema file named on the command line.
func readSchema(name string) (*source.Script, error) {
	if _, err := os.Stat(name); err != nil {
		return nil, err
	}
	script, err := source.ReadSchema(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	return &script, err
}
