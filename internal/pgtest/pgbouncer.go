package pgtest

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgserver"
)

// Bouncer starts a PgBouncer in front of the database that a connection string of a Server names, and returns the
// connection string by which to reach the database through it. It listens on a Unix socket in a temporary directory, asks no
// password, and pools by transaction; settings are those of pgbouncer.ini, and win. It is stopped when the test ends.
func Bouncer(t testing.TB, dsn string, settings map[string]string) string {
	t.Helper()
	program := bouncerProgram(t)
	server, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	dir, cmd, err := pgserver.Beside("pgbouncer-", program, "pgbouncer.ini")
	if err != nil {
		t.Fatalf("pgtest: starting PgBouncer: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ini := fmt.Sprintf("[databases]\n%s = host=%s port=%d user=%s\n[pgbouncer]\n", server.Database, server.Host, server.Port, server.User)
	all := map[string]string{"listen_port": "6432", "unix_socket_dir": dir, "auth_type": "any", "pool_mode": "transaction"}
	maps.Copy(all, settings)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		ini += key + " = " + all[key] + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "pgbouncer.ini"), []byte(ini), 0o644); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	proc, err := startProcess(cmd)
	if err != nil {
		t.Fatalf("pgtest: starting PgBouncer: %v", err)
	}
	t.Cleanup(proc.kill)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(proc.said.String(), "process up:") {
		select {
		case <-tick.C:
		case <-proc.ended:
			t.Fatalf("pgtest: starting PgBouncer: it has ended: %s", proc.said.String())
		}
	}
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable", dir, all["listen_port"], server.User, server.Database)
}

// bouncerProgram is PgBouncer. Debian's is not on every user's PATH.
func bouncerProgram(t testing.TB) string {
	t.Helper()
	return need.Binary(t, "pgbouncer", "/usr/sbin/pgbouncer")
}

// BouncerVersion is the minor version of the PgBouncer that Bouncer starts: 18 of 1.18.0.
func BouncerVersion(t testing.TB) int {
	t.Helper()
	out, err := exec.Command(bouncerProgram(t), "--version").Output()
	if err != nil {
		t.Fatalf("pgtest: asking PgBouncer for its version: %v", err)
	}
	m := regexp.MustCompile(`(?m)^PgBouncer 1\.(\d+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("pgtest: asking PgBouncer for its version: unexpected answer %q", out)
	}
	minor, _ := strconv.Atoi(string(m[1])) // digits
	return minor
}
