// Package files has handlers that write files.
package files

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"localstate/disk"
)

type server struct {
	uploads, cacheDir string
	store             *disk.Store
}

func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	f, err := os.Create(filepath.Join(s.uploads, r.FormValue("name"))) // want `warning: local-file: os.Create, on behalf of handler \(\*server\).upload, makes filepath.Join\(s.uploads, r.FormValue\("name"\)\) on the disk of this node`
	if err != nil {
		return
	}
	defer f.Close()
	io.Copy(f, r.Body)
}

func (s *server) far(w http.ResponseWriter, r *http.Request) {
	s.store.Save("a", nil) // want `local-file: .*Save, which handler \(\*server\).far calls, writes to the disk of this node \(os.WriteFile at disk.go:9\)`
	disk.Write(filepath.Join(os.TempDir(), "a"), nil)
}

func (s *server) fixed(w http.ResponseWriter, r *http.Request) {
	os.WriteFile("/var/lib/app/count", nil, 0o644) // want `local-file`
}

func (s *server) named(w http.ResponseWriter, r *http.Request) {
	path := fmt.Sprintf("%s/%s", s.uploads, r.FormValue("name"))
	os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644) // want `local-file`
}

func (s *server) configured(w http.ResponseWriter, r *http.Request) {
	repos, ok := os.LookupEnv("REPOS")
	if !ok {
		return
	}
	repo := filepath.Join(repos, r.FormValue("name"))
	os.Mkdir(filepath.Join(repo, "hooks"), 0o755) // want `local-file`
}

func (s *server) unknown(w http.ResponseWriter, r *http.Request) {
	os.Create(filepath.Join(somewhere(), "a"))
}

func somewhere() string { return os.TempDir() }

func (s *server) passing(w http.ResponseWriter, r *http.Request) {
	dir, _ := os.MkdirTemp("", "upload")
	os.WriteFile(filepath.Join(dir, "a"), nil, 0o644)
	os.Create("/tmp/a")
	os.Create(filepath.Join(os.TempDir(), "a"))
	os.Create(filepath.Join(s.cacheDir, "a"))
	f, _ := os.CreateTemp("", "a")
	os.WriteFile(f.Name(), nil, 0o644)
	os.OpenFile("/dev/null", os.O_CREATE, 0)
	os.OpenFile(s.uploads, os.O_RDONLY, 0)
	s.given("/x")
}

func (s *server) given(path string) { os.Create(path) }

func (s *server) removed(w http.ResponseWriter, r *http.Request) {
	work := filepath.Join(s.uploads, "a")
	os.Mkdir(work, 0o755)
	defer os.RemoveAll(work)
}

func (s *server) owned(w http.ResponseWriter, r *http.Request) {
	//srhtvet:ignore local-file the nodes share this file system
	os.Create(filepath.Join(s.uploads, "a"))
}

func main() { os.Create("/var/lib/app/started") }
