package pgtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHAProxyServesAndKeepsItsServersStateOverAReload(t *testing.T) {
	address := Loopback(t)
	l, err := net.Listen("tcp", address+":8001")
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "one") })}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	config := func(backend string) string {
		return fmt.Sprintf("frontend web\n\tbind %[1]s:8000\n\tdefault_backend %[2]s\nbackend %[2]s\n\tserver one %[1]s:8001 check inter 50\n\tserver two %[1]s:8002\n", address, backend)
	}
	p := HAProxy(t, config("b"))
	get := func() string {
		resp, err := http.Get("http://" + address + ":8000/")
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(text)
	}
	_, err = p.ask("set server b/two state maint")
	require.NoError(t, err)
	require.Equal(t, "one", get())

	p.Reload(t, config("b"))
	state, err := p.ask("show servers state b")
	require.NoError(t, err)
	require.Contains(t, state, "two "+address+" 0 1 ", "still in maintenance") // srv_op_state, srv_admin_state
	require.Equal(t, "one", get())
	http.DefaultClient.CloseIdleConnections()
}

func TestHAProxyIsGoneWithItsTest(t *testing.T) {
	var dir, worker string
	t.Run("inner", func(t *testing.T) {
		p := HAProxy(t, "frontend web\n\tbind "+Loopback(t)+":8000\n")
		dir, worker = p.dir, p.worker()
		require.DirExists(t, "/proc/"+worker)
	})
	require.NoDirExists(t, dir)
	require.Eventually(t, func() bool {
		status, err := os.ReadFile("/proc/" + worker + "/status")
		return err != nil || strings.Contains(string(status), "State:\tZ")
	}, 10e9, 5e6, "the worker outlives its master")
}
