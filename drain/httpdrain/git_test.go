package httpdrain

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/drain"
	"git.sr.ht/~sourcehut/ha-go/drain/listen"
	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// repository is a bare one behind git http-backend, whose pre-receive hook waits.
type repository struct {
	dir         string
	env         []string
	in, release string // pipes: the hook has begun; let it go on
}

func (g *repository) git(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Env = g.env
	cmd.Dir = g.dir
	return cmd
}

func (g *repository) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := g.git(t, args...).CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

func newRepository(t *testing.T) (*repository, http.Handler) {
	t.Helper()
	need.Binary(t, "git")
	dir := t.TempDir()
	g := &repository{dir: dir, in: filepath.Join(dir, "in"), release: filepath.Join(dir, "release")}
	g.env = append(os.Environ(), "HOME="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "no_proxy=127.0.0.1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	g.must(t, "init", "-q", "--bare", "-b", "main", "served/r.git")
	g.must(t, "-C", "served/r.git", "config", "http.receivepack", "true")
	require.NoError(t, syscall.Mkfifo(g.in, 0o600))
	require.NoError(t, syscall.Mkfifo(g.release, 0o600))
	hook := fmt.Sprintf("#!/bin/sh\necho begun >%s\nread -r _ <%s\n", g.in, g.release)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "served/r.git/hooks/pre-receive"), []byte(hook), 0o700)) // #nosec G306
	g.must(t, "init", "-q", "-b", "main", "work")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "work", "file"), make([]byte, 1<<20), 0o600))
	g.must(t, "-C", "work", "add", "file")
	g.must(t, "-C", "work", "commit", "-q", "-m", "first")
	backend := filepath.Join(g.must(t, "--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		need.Missing(t, "no %s (Debian's package git has it)", backend)
	}
	return g, &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(dir, "served"), "GIT_HTTP_EXPORT_ALL=1", "HOME=" + dir}}
}

// TestPushSpansARestart: a git push, over a reverse proxy that is replaced by a new process in the middle of it, arrives; the new one
// serves meanwhile.
func TestPushSpansARestart(t *testing.T) {
	g, backend := newRepository(t)
	behind := httptest.NewServer(backend)
	defer behind.Close()
	target, err := url.Parse(behind.URL)
	require.NoError(t, err)
	patience := func(_, path string) time.Duration {
		if strings.HasSuffix(path, "/git-receive-pack") {
			return 0
		}
		return time.Millisecond
	}
	// node is one process, on a port that two share.
	node := func(addr string) (*Service, *drain.Drainer) {
		l, err := listen.Config{Address: addr, Shared: true}.Listen(t.Context())
		require.NoError(t, err)
		proxy := httputil.NewSingleHostReverseProxy(target)
		s, err := New(Config{Server: &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}, Listener: l, Patience: patience, KeepIdle: time.Millisecond})
		require.NoError(t, err)
		d, err := drain.New(drain.Config{LameDuck: time.Millisecond, Deadline: time.Hour, Phases: []drain.Phase{{Name: "http", Stop: s.Shutdown}}})
		require.NoError(t, err)
		require.NoError(t, s.Attach(d))
		require.NoError(t, s.Listen())
		go func() { _ = s.Serve() }()
		d.Ready()
		return s, d
	}
	s, old := node("127.0.0.1:0")
	addr := s.Addr().String()

	remote := "http://" + addr + "/r.git"
	push := g.git(t, "-C", "work", "push", "-q", remote, "main")
	var said strings.Builder
	push.Stdout, push.Stderr = &said, &said
	require.NoError(t, push.Start())
	begun, err := os.ReadFile(g.in) // the push is on the server, whose answer it waits for
	require.NoError(t, err)
	require.Equal(t, "begun\n", string(begun))
	require.Contains(t, drain.Progress{Open: s.Open()}.String(), ": POST /r.git/git-receive-pack")

	next, d := node(addr)
	drained := make(chan error, 1)
	go func() { drained <- old.Drain(t.Context()) }()
	<-s.served // its listener is closed
	require.Empty(t, g.must(t, "ls-remote", remote), "the new one answers; nothing has been pushed")
	require.Zero(t, next.InFlight())
	select {
	case err := <-drained:
		t.Fatalf("the push was not waited for: %v", err)
	default:
	}
	require.NoError(t, os.WriteFile(g.release, []byte("go\n"), 0))
	require.NoError(t, push.Wait(), said.String())
	require.NoError(t, <-drained)
	require.Equal(t, g.must(t, "-C", "work", "rev-parse", "main")+"\trefs/heads/main", g.must(t, "ls-remote", remote, "main"))
	require.NoError(t, d.Drain(context.Background()))
}
