package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// load reads one file and checks that it is text.
func load(fsys fs.FS, name string) (File, *Problem) {
	l := loader{fsys: fsys}
	return l.load(name, false)
}

// loader reads files one after the other.
type loader struct {
	fsys fs.FS
	buf  []byte
}

// load reads one file and checks that it is text. Without regular, it may be something that must not be opened.
func (l *loader) load(name string, regular bool) (File, *Problem) {
	text, err := l.read(name, regular)
	if err != nil {
		return File{}, &Problem{Pos: Position{File: name}, Reason: "cannot read the file: " + cause(err), Err: err}
	}
	f := NewFile(name, text)
	if offset, reason := notText(f.Text); reason != "" {
		p := &Problem{Pos: Position{File: name}, Reason: reason}
		if offset >= 0 {
			p.Pos = f.Position(offset)
		}
		return File{}, p
	}
	return f, nil
}

func (l *loader) read(name string, regular bool) (string, error) {
	if !regular {
		// Opening a named pipe would wait for somebody to write to it.
		info, err := fs.Stat(l.fsys, name)
		if err != nil {
			return "", err
		}
		if !info.Mode().IsRegular() {
			return "", fmt.Errorf("not a regular file (%s)", info.Mode().Type())
		}
	}
	f, err := l.fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if l.buf == nil {
		l.buf = make([]byte, 64<<10)
	}
	n := 0 // bytes in l.buf
	for {
		m, err := f.Read(l.buf[n:])
		n += m
		switch {
		case errors.Is(err, io.EOF):
			return string(l.buf[:n]), nil
		case err != nil:
			return "", err
		case n == len(l.buf):
			more := make([]byte, 4*len(l.buf))
			copy(more, l.buf)
			l.buf = more
		}
	}
}

// notText says why a file cannot be SQL, and where; offset is -1 when it is the file as a whole.
func notText(text string) (offset int, reason string) {
	if strings.HasPrefix(text, "\xff\xfe") || strings.HasPrefix(text, "\xfe\xff") {
		return -1, "UTF-16 file: convert it to UTF-8"
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		return i, "binary file: NUL byte"
	}
	if utf8.ValidString(text) {
		return 0, ""
	}
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i, fmt.Sprintf("invalid UTF-8: byte 0x%02x", text[i])
			}
		}
	}
	return 0, ""
}

// loadAll reads files with bounded parallelism, in the order of the names.
func (d *directory) loadAll(names []string) ([]File, []Problem) {
	regular := map[string]bool{}
	for _, e := range d.entries {
		if e.Type().IsRegular() {
			regular[e.Name()] = true
		}
	}
	files := make([]File, len(names))
	bad := make([]*Problem, len(names))
	d.parallel(len(names), func() func(int) {
		l := loader{fsys: d.fsys}
		return func(i int) {
			dir, base := path.Split(names[i])
			known := regular[base] && path.Clean(dir) == path.Clean(d.path)
			files[i], bad[i] = l.load(names[i], known)
		}
	})
	var problems []Problem
	kept := files[:0]
	for i, p := range bad {
		if p != nil {
			problems = append(problems, *p)
		} else {
			kept = append(kept, files[i])
		}
	}
	return kept, problems
}

// parallel makes the calls 0 to n-1 of functions that worker returns, one for each goroutine, and returns when all have.
func (d *directory) parallel(n int, worker func() func(i int)) {
	workers := d.workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const perWorker = 8 // fewer files than this are not worth a goroutine
	workers = min(workers, n/perWorker+1)
	if workers <= 1 {
		do := worker()
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			do := worker()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}
