package gitrepo

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Export writes the files below dir of the tree (slash-separated, "" for all) for which want is true, by their path in the
// tree, into a directory of the file system, which must exist. The repository, its index and its work tree are not touched. It returns
// what it left out although it was wanted: symbolic links and submodules, sorted.
func (t *Tree) Export(dir, to string, want func(name string) bool) (left []string, err error) {
	wanted := func(name string) bool {
		return (dir == "" || dir == "." || strings.HasPrefix(name, dir+"/")) && want(name)
	}
	if err := t.Load(wanted); err != nil {
		return nil, err
	}
	for name, e := range t.files {
		if !wanted(name) {
			continue
		}
		if e.mode != 0 {
			left = append(left, name)
			continue
		}
		// A tree can hold any name but "..": git refuses those, and so does this.
		if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("%s holds a file called %q, which is not a path inside it", t.Commit, name)
		}
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, e.data, 0o600); err != nil {
			return nil, err
		}
	}
	slices.Sort(left)
	return left, nil
}
