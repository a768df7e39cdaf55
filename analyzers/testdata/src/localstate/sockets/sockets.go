// Package sockets listens on unix sockets.
package sockets

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
)

const path = "/run/app.sock"

func fixed() (net.Listener, error) {
	return net.Listen("unix", path) // want `warning: stale-socket: the socket path stays when the process is killed \(SIGKILL, out of memory, power\), and the next start fails with "address already in use"`
}

func setting(addr string) (net.Listener, error) {
	if strings.HasPrefix(addr, "unix:") {
		return net.Listen("unix", strings.TrimPrefix(addr, "unix:")) // want `stale-socket`
	}
	return net.Listen("tcp", addr)
}

func config(ctx context.Context, dir string) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "unix", filepath.Join(dir, "app.sock")) // want `stale-socket`
}

type listenerOpts struct{ Unix string }

func field(opts *listenerOpts) (net.Listener, error) {
	return net.Listen("unix", opts.Unix) // want `stale-socket`
}

// agent gets its path from elsewhere, for each of its runs perhaps.
type agent struct{ Path string }

func (a *agent) listen() (net.Listener, error) { return net.Listen("unix", a.Path) }

type temporary struct{ path string }

func newTemporary(dir string) *temporary {
	name, _ := os.MkdirTemp(dir, "run")
	return &temporary{path: filepath.Join(name, "s")}
}

func (t *temporary) listen() (net.Listener, error) { return net.Listen("unix", t.path) }

func typed(name string) (net.Listener, error) {
	addr := &net.UnixAddr{Name: name, Net: "unix"}
	return net.ListenUnix("unix", addr) // want `stale-socket: the socket name stays`
}

func removes(first string) (net.Listener, error) {
	os.Remove(first)
	return net.Listen("unix", first)
}

func elsewhere(second string) (net.Listener, error) {
	if err := clean(second); err != nil {
		return nil, err
	}
	return net.Listen("unix", second)
}

func clean(p string) error { return os.Remove(p) }

func fresh() (net.Listener, error) {
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		return nil, err
	}
	return net.Listen("unix", filepath.Join(dir, "s"))
}

func abstract() (net.Listener, error) { return net.Listen("unix", "@app") }

func other(network, addr string) (net.Listener, error) { return net.Listen(network, addr) }
