package pgtest

import (
	"bufio"
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgserver"
)

// RedisServer is a redis-server of a test's own. It listens on a Unix socket in a temporary directory and nowhere else, and keeps
// its data in an append-only file there, so that what it has answered is still so after Kill and Start (appendfsync always: with everysec
// Redis holds writes back while an fsync is under way, src/aof.c flushAppendOnlyFile).
type RedisServer struct {
	Socket string // the path of its Unix socket, the same after a restart

	cmd  *exec.Cmd // what to start; never started itself
	proc *process  // the last that was started
}

// Redis starts a Redis for this test alone; settings are those of redis.conf, and win. It ends with the test.
func Redis(t testing.TB, settings map[string]string) *RedisServer {
	t.Helper()
	program := need.Binary(t, "redis-server", "/usr/sbin/redis-server")
	dir, cmd, err := pgserver.Beside("pgtest-redis-", program, "redis.conf")
	if err != nil {
		t.Fatalf("pgtest: starting Redis: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &RedisServer{Socket: filepath.Join(dir, "redis.sock"), cmd: cmd}
	all := map[string]string{"port": "0", "unixsocket": s.Socket, "dir": dir, "appendonly": "yes", "appendfsync": "always", "save": `""`, "daemonize": "no"}
	maps.Copy(all, settings)
	var conf bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&conf, "%s %s\n", key, all[key])
	}
	if err := os.WriteFile(filepath.Join(dir, "redis.conf"), conf.Bytes(), 0o644); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	s.Start(t)
	t.Cleanup(func() { s.Kill() })
	return s
}

// Start starts a server that was killed, with the data it had, and returns once it answers.
func (s *RedisServer) Start(t testing.TB) {
	t.Helper()
	cmd := &exec.Cmd{Path: s.cmd.Path, Args: s.cmd.Args, Env: s.cmd.Env, Dir: s.cmd.Dir, SysProcAttr: s.cmd.SysProcAttr}
	proc, err := startProcess(cmd)
	if err != nil {
		t.Fatalf("pgtest: starting Redis: %v", err)
	}
	s.proc = proc
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !s.answers(); {
		select {
		case <-tick.C:
		case <-proc.ended:
			t.Fatalf("pgtest: Redis ended while starting: %s", proc.said.String())
		case <-limit:
			t.Fatalf("pgtest: Redis does not answer after a minute: %s", proc.said.String())
		}
	}
}

// Kill ends the server with SIGKILL, and returns when it has ended. Killing it twice is fine.
func (s *RedisServer) Kill() {
	s.proc.kill()
}

// answers tells whether the server takes commands: not before it has read its append-only file.
func (s *RedisServer) answers() bool {
	conn, err := net.Dial("unix", s.Socket)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "+PONG\r\n"
}
