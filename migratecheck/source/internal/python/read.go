package python

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// File is one file to read.
type File struct {
	Path string // slash-separated
	Text string
}

// ParseAll parses the files whose paths want accepts, on all processors; a nil want accepts all.
func ParseAll(files []File, want func(path string) bool) ([]*Module, error) {
	var todo []int
	for i, f := range files {
		if want == nil || want(f.Path) {
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
