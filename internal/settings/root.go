package settings

import (
	"os"
	"path/filepath"
)

// Root is the directory that a service's files are relative to: the nearest one at or above dir that holds a go.mod, else
// the nearest that holds a .git; found is false, and the result dir, when there is neither.
func Root(dir string) (root string, found bool) {
	if root := ModuleRoot(dir); root != "" {
		return root, true
	}
	if root := RepositoryRoot(dir); root != "" {
		return root, true
	}
	return dir, false
}

// ModuleRoot is the nearest directory at or above dir that holds a go.mod, "" for none.
func ModuleRoot(dir string) string { return above(dir, "go.mod") }

// RepositoryRoot is the nearest directory at or above dir that holds a .git, "" for none.
func RepositoryRoot(dir string) string { return above(dir, ".git") }

func above(dir, name string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}
