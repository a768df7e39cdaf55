package pgtest

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgserver"
)

// HAProxyServer is a HAProxy of a test's own. It runs as an operator's does: a master, and workers that a reload replaces.
type HAProxyServer struct {
	Socket string // the path of its runtime API, at level admin; the same after a reload
	State  string // the path of its server-state-file, which every backend loads

	dir  string
	proc *process
}

// HAProxy starts a HAProxy for this test alone, and returns once it serves. config is what follows the runtime socket and the
// timeouts in its configuration: frontends and backends, which speak HTTP unless they say otherwise; listen on a Loopback. A
// further "global" section may add to the first. It ends with the test.
func HAProxy(t testing.TB, config string) *HAProxyServer {
	t.Helper()
	program := need.Binary(t, "haproxy", "/usr/sbin/haproxy")
	// -W is what systemd's and OpenRC's units start; -db keeps it in the foreground.
	dir, cmd, err := pgserver.Beside("pgtest-haproxy-", program, "-W", "-db", "-S", "unix@master.sock", "-f", "haproxy.cfg")
	if err != nil {
		t.Fatalf("pgtest: starting HAProxy: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &HAProxyServer{Socket: filepath.Join(dir, "haproxy.sock"), State: filepath.Join(dir, "state"), dir: dir}
	s.write(t, config)
	if err := os.WriteFile(s.State, nil, 0o644); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	if s.proc, err = startProcess(cmd); err != nil {
		t.Fatalf("pgtest: starting HAProxy: %v", err)
	}
	t.Cleanup(func() {
		s.proc.kill() // the worker ends when its master has: it watches their socket pair
		if t.Failed() {
			t.Logf("HAProxy said:\n%s", s.proc.said.String())
		}
	})
	s.await(t, "")
	return s
}

func (s *HAProxyServer) write(t testing.TB, config string) {
	t.Helper()
	const head = `global
	stats socket %s mode 600 level admin expose-fd listeners
	server-state-file %s
defaults
	mode http
	timeout connect 2s
	timeout client 60s
	timeout server 60s
	load-server-state-from-file global
`
	text := fmt.Sprintf(head, s.Socket, s.State) + config + "\n"
	if err := os.WriteFile(filepath.Join(s.dir, "haproxy.cfg"), []byte(text), 0o644); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
}

// Reload replaces the configuration as an operator does who wants the servers' states kept: "show servers state" goes into the
// server-state-file, then SIGUSR2 to the master (HAProxy management guide 2.6, sections 4 and 9.3). It returns once the new worker
// has the runtime API; the old one finishes what it has.
func (s *HAProxyServer) Reload(t testing.TB, config string) {
	t.Helper()
	before := s.worker()
	state, err := s.ask("show servers state")
	if err == nil {
		err = os.WriteFile(s.State, []byte(state), 0o644)
	}
	if err != nil {
		t.Fatalf("pgtest: saving HAProxy's server state: %v", err)
	}
	s.write(t, config)
	if err := s.proc.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatalf("pgtest: reloading HAProxy: %v", err)
	}
	s.await(t, before)
}

// await returns when a worker answers that is not the one before.
func (s *HAProxyServer) await(t testing.TB, before string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); ; {
		// The master answers when it is done with starting, before which it loses signals.
		if worker := s.worker(); worker != "" && worker != before {
			if _, err := ask(filepath.Join(s.dir, "master.sock"), "show proc"); err == nil {
				return
			}
		}
		select {
		case <-tick.C:
		case <-s.proc.ended:
			t.Fatalf("pgtest: HAProxy has ended: %s", s.proc.said.String())
		case <-limit:
			t.Fatalf("pgtest: HAProxy does not answer after a minute: %s", s.proc.said.String())
		}
	}
}

// worker is the process id of the worker that has the runtime API; "" when there is none.
func (s *HAProxyServer) worker() string {
	info, err := s.ask("show info")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(info) {
		if pid, ok := strings.CutPrefix(line, "Pid: "); ok {
			return strings.TrimSpace(pid)
		}
	}
	return ""
}

// ask is a bare client of the runtime API: the one that is tested with this server must not be what starts it.
func (s *HAProxyServer) ask(command string) (string, error) { return ask(s.Socket, command) }

func ask(socket, command string) (string, error) {
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", err
	}
	if err := conn.(*net.UnixConn).CloseWrite(); err != nil { // the master waits for it
		return "", err
	}
	answer, err := io.ReadAll(conn)
	return string(answer), err
}

// Said is what HAProxy has logged on its standard error: servers that went down and came up.
func (s *HAProxyServer) Said() string { return s.proc.said.String() }
