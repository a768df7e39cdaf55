// Command racepackages prints, a line each, the import paths of this module's packages whose tests link no cgo outside
// the standard library: those for which "go test -race" is cheap.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// pkg is what is used of "go list -json". Where tests are listed too, each package with tests also appears as its test
// binary, "path.test", whose Deps are everything the tests link.
type pkg struct {
	ImportPath string
	Standard   bool
	DepOnly    bool
	CgoFiles   []string
	Deps       []string
}

func main() {
	cmd := exec.Command("go", "list", "-test", "-deps", "-json=ImportPath,Standard,DepOnly,CgoFiles,Deps", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err == nil {
		var paths []string
		if paths, err = raceable(bytes.NewReader(out)); err == nil {
			for _, path := range paths {
				fmt.Println(path)
			}
			return
		}
	}
	fmt.Fprintln(os.Stderr, "racepackages: listing packages:", err)
	os.Exit(1)
}

// raceable reads go list's output.
func raceable(list io.Reader) ([]string, error) {
	var tests []pkg
	cgo := map[string]bool{}
	for stream := json.NewDecoder(list); ; {
		var p pkg
		err := stream.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if !p.Standard && len(p.CgoFiles) > 0 {
			cgo[p.ImportPath] = true
		}
		if !p.DepOnly && strings.HasSuffix(p.ImportPath, ".test") {
			tests = append(tests, p)
		}
	}
	var paths []string
	for _, test := range tests {
		if !linksAny(test, cgo) {
			paths = append(paths, strings.TrimSuffix(test.ImportPath, ".test"))
		}
	}
	return paths, nil
}

func linksAny(p pkg, cgo map[string]bool) bool {
	for _, dep := range p.Deps {
		if cgo[dep] {
			return true
		}
	}
	return false
}
