package sqlquery

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Config says what to read.
type Config struct {
	// Dir is read with everything below it; "" is the current directory.
	Dir string
	// Tree stands for what is at and below Root, in place of the file system: the files of a git revision, as if they were
	// checked out there. nil reads the file system alone.
	Tree fs.FS
	Root string
	// Env are the variables that decide what the Go code is: GOOS, GOARCH, GOFLAGS (its -tags), GOMODCACHE, GOPATH, GOROOT.
	// nil is the process's own environment.
	Env []string
	// WithoutDependencies leaves out the SQL that dependencies send.
	WithoutDependencies bool
}

// Tree is what the Go code below a directory sends.
type Tree struct {
	// Sites are sorted by position; those of dependencies come last.
	Sites []query.Site
	// Gaps are the modules, packages and files that were not seen, or not in full.
	Gaps []Gap
}

// Gap is something that was not seen.
type Gap struct {
	// Name is a module with its version, an import path, or a file relative to Dir.
	Name string
	// Reason says why, for a person.
	Reason string
}

// Load finds the queries of all Go code below a directory, module by module. It reads what is there and goes on: neither a
// missing dependency nor a syntax error stops it, what it could not see is a [Gap]. It runs no command, opens no network
// connection and writes nothing. The error says that Dir cannot be read, or is ctx's.
func Load(ctx context.Context, cfg Config) (*Tree, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", cfg.Dir, err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if cfg.Tree != nil {
		if cfg.Root, err = filepath.EvalSymlinks(cfg.Root); err != nil {
			return nil, fmt.Errorf("reading Go code: %w", err)
		}
	}
	disk := disk{cfg.Root, cfg.Tree}
	if info, err := disk.stat(dir); err != nil {
		return nil, fmt.Errorf("reading Go code: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("reading Go code: %s is not a directory", dir)
	}
	p, err := newProgram(ctx, dir, cfg)
	if err != nil {
		return nil, err
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	p.check()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := newMachine(p)
	m.runAll()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tree := &Tree{Sites: m.sites(), Gaps: p.gaps}
	sort.SliceStable(tree.Gaps, func(i, j int) bool { return tree.Gaps[i].Name < tree.Gaps[j].Name })
	return tree, nil
}

// env looks a variable up in a list as os/exec takes it, the last one counting.
func env(list []string, name string) string {
	if list == nil {
		return os.Getenv(name)
	}
	for i := len(list) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(list[i], name+"="); ok {
			return value
		}
	}
	return ""
}
