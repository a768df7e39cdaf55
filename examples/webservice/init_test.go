package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// stopping is for how long a request is under way when the service is told to stop: longer than the five seconds after which
// start-stop-daemon gives up by itself. What sv waits by itself, seven, it exceeds as well.
const stopping = 7500 * time.Millisecond

// upload begins a POST that lasts, and returns once the server has it. The answer comes to the channel.
func upload(t *testing.T, address string) <-chan string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	require.NoError(t, err)
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "the handler reads")
	answer := make(chan string, 1)
	go func() {
		_, _ = r.ReadString('\n')
		<-time.After(stopping)
		_, _ = io.WriteString(conn, "last")
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			answer <- err.Error()
			return
		}
		answer <- resp.Status
	}()
	return answer
}

// reachable returns when the service serves.
func reachable(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
}

// install copies the test binary, as the service.
func install(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := os.ReadFile(self)
	require.NoError(t, err)
	path := filepath.Join(dir, "webservice")
	require.NoError(t, os.WriteFile(path, text, 0o755))
	return path
}

// TestOpenRC: the service script as it is, by openrc-run and start-stop-daemon, in a mount namespace in which OpenRC has booted.
func TestOpenRC(t *testing.T) {
	t.Parallel()
	need.Binary(t, "openrc-run", "/usr/sbin/openrc-run", "/sbin/openrc-run")
	unshare := need.Binary(t, "unshare")
	args := []string{"-m"}
	if os.Geteuid() != 0 {
		args = []string{"-r", "-m"}
	}
	if out, err := exec.CommandContext(t.Context(), unshare, append(args, "mount", "-t", "tmpfs", "none", "/run")...).CombinedOutput(); err != nil {
		need.Missing(t, "no mount namespace to be had here (unshare: %s)", bytes.TrimSpace(out))
	}
	address, dir := pgtest.Loopback(t), t.TempDir()
	binary := install(t, dir)
	script, err := filepath.Abs("init/webservice.openrc")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), unshare, append(args, "sh", "-ec", `
		cp `+script+` `+dir+`/initd
		mkdir -p /usr/local/bin
		mount -t tmpfs none /run
		mount -t tmpfs none /usr/local/bin
		for d in daemons exclusive failed hotplugged inactive options prefix scheduled started starting stopping tmp wasinactive; do
			mkdir -p /run/openrc/$d
		done
		touch /run/openrc/softlevel
		mkdir /run/init.d /run/conf.d
		cp `+binary+` /usr/local/bin/webservice
		echo 'command_args="-listen `+address+`:8081 -agent `+address+`:9081"' >/run/conf.d/webservice
		echo command_user=root >>/run/conf.d/webservice
		cp `+dir+`/initd /run/init.d/webservice
		chmod +x /run/init.d/webservice
		/run/init.d/webservice start
		echo started; read word
		/run/init.d/webservice status
		/run/init.d/webservice stop && echo stopped || echo "stop: $?"
	`)...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	require.NoError(t, cmd.Start())
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "started" {
		fmt.Fprintln(&said, lines.Text())
	}
	require.Equal(t, "started", lines.Text(), "%s%s", &said, &complaint)
	reachable(t, address+":8081")
	answer := upload(t, address+":8081")
	_, err = io.WriteString(in, "stop\n")
	require.NoError(t, err)
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
	}
	require.NoError(t, cmd.Wait(), "%s%s", &said, &complaint)
	require.Equal(t, "200 OK", <-answer)
	require.True(t, strings.HasSuffix(said.String(), "stopped\n"), "%s%s", &said, &complaint)
	_, err = net.Dial("tcp", address+":8081")
	require.Error(t, err)
}

// TestRunit: the run script as it is, by runsv and sv. Without -w sv gives up, and says so.
func TestRunit(t *testing.T) {
	t.Parallel()
	runsv, sv := need.Binary(t, "runsv"), need.Binary(t, "sv")
	address, dir := pgtest.Loopback(t), t.TempDir()
	service := filepath.Join(dir, "service")
	require.NoError(t, os.Mkdir(service, 0o755))
	script, err := os.ReadFile("init/webservice.runit")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(service, "run"), script, 0o755))
	cmd := exec.Command(runsv, service)
	cmd.Env = append(os.Environ(), "WEBSERVICE="+install(t, dir), "WEBSERVICE_USER=root", "WEBSERVICE_LISTEN="+address+":8081", "WEBSERVICE_AGENT="+address+":9081")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = exec.Command(sv, "-w", "10", "force-shutdown", service).Run()
		_ = cmd.Wait()
	})
	reachable(t, address+":8081")
	answer := upload(t, address+":8081")
	out, err := exec.CommandContext(t.Context(), sv, "-w", "35", "stop", service).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "ok: down")
	require.Equal(t, "200 OK", <-answer)
	_, err = net.Dial("tcp", address+":8081")
	require.Error(t, err)

	out, err = exec.CommandContext(t.Context(), sv, "start", service).CombinedOutput()
	require.NoError(t, err, "%s", out)
	reachable(t, address+":8081")
}

// TestSystemdUnit: systemd's own check of the unit. Nothing here runs systemd as process 1.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	analyze := need.Binary(t, "systemd-analyze")
	dir := t.TempDir()
	unit, err := os.ReadFile("init/webservice.service")
	require.NoError(t, err)
	text := strings.Replace(string(unit), "/usr/local/bin/webservice", install(t, dir), 1)
	path := filepath.Join(dir, "webservice.service")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	verify := func() string {
		out, _ := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", path).CombinedOutput()
		return string(out)
	}
	require.NotContains(t, verify(), "webservice.service")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(text, "TimeoutStopSec=35s", "TimeoutStopSec=soon", 1)), 0o644))
	require.Contains(t, verify(), "webservice.service:12: Failed to parse time value", "the check checks")
}
