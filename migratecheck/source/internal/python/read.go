package python

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// File is one file to read.
type File struct {
	Path string // slash-separated
	Text string
}

// ParseAll parses the Python files on all processors.
func ParseAll(files []File) ([]*Module, error) {
	var todo []int
	for i, f := range files {
		if IsPython(f.Path) {
			todo = append(todo, i)
		}
	}
	if len(todo) == 0 {
		return nil, nil
	}
	modules := make([]*Module, len(todo))
	workers := min(runtime.GOMAXPROCS(0), len(todo))
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p, err := newParser()
			if err != nil {
				errs[w] = fmt.Errorf("starting the Python parser: %w", err)
				return
			}
			defer p.close()
			for i := w; i < len(todo); i += workers {
				f := files[todo[i]]
				modules[i] = p.parse(todo[i], f.Path, f.Text)
			}
		}()
	}
	wg.Wait()
	return modules, errors.Join(errs...)
}

// IsPython reports whether a file is Python by its name.
func IsPython(name string) bool { return strings.HasSuffix(name, ".py") }
