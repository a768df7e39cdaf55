package sqlquery

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// disk is where files are read from: the file system, but for what lies at or below root, which is read from tree (a git
// revision, say) as if it stood there. A nil tree has nothing of its own.
type disk struct {
	root string
	tree fs.FS
}

// inTree is a name's path in the tree; ok is false when the file system has it.
func (d disk) inTree(name string) (string, bool) {
	if d.tree == nil {
		return "", false
	}
	rel, err := filepath.Rel(d.root, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

func (d disk) readFile(name string) ([]byte, error) {
	if in, ok := d.inTree(name); ok {
		return fs.ReadFile(d.tree, in)
	}
	return os.ReadFile(name)
}

func (d disk) readDir(name string) ([]fs.DirEntry, error) {
	if in, ok := d.inTree(name); ok {
		return fs.ReadDir(d.tree, in)
	}
	return os.ReadDir(name)
}

func (d disk) stat(name string) (fs.FileInfo, error) {
	if in, ok := d.inTree(name); ok {
		return fs.Stat(d.tree, in)
	}
	return os.Stat(name)
}

func (d disk) isDir(name string) bool {
	info, err := d.stat(name)
	return err == nil && info.IsDir()
}

func (d disk) isFile(name string) bool {
	info, err := d.stat(name)
	return err == nil && info.Mode().IsRegular()
}

// open is for go/build.
func (d disk) open(name string) (io.ReadCloser, error) {
	if in, ok := d.inTree(name); ok {
		return d.tree.Open(in)
	}
	return os.Open(name)
}

// walk is filepath.WalkDir. In the file system symbolic links are not followed; a tree has none.
func (d disk) walk(dir string, visit fs.WalkDirFunc) error {
	in, ok := d.inTree(dir)
	if !ok {
		return filepath.WalkDir(dir, visit)
	}
	return fs.WalkDir(d.tree, in, func(name string, e fs.DirEntry, err error) error {
		return visit(filepath.Join(d.root, filepath.FromSlash(name)), e, err)
	})
}
