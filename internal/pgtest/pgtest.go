// Package pgtest gives tests a real PostgreSQL: a throwaway cluster made by initdb in a temporary directory, listening
// on a Unix socket there and nowhere else, and a fresh database per test.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestThing(t *testing.T) {
//		conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{}).Database(t))
//		…
//	}
//
// The binaries are looked for, in this order, in the directories that the environment variable HA_PG_BINDIRS lists
// (separated as PATH is), under /usr/lib/postgresql/*/bin, on PATH, and in the cache that "make postgres-versions"
// fills. Where there are none the test is skipped, or fails when CI=true (package need).
//
// initdb and postgres refuse to run as root (src/bin/initdb/initdb.c get_id, src/backend/main/main.c check_root). When
// the tests are run by root the server is therefore run as the user "postgres" or, without one, "nobody".
//
// No server outlives its test binary, however that ends. Each is the child of a supervisor, which is the test binary
// started once more and diverted by Main. The supervisor holds the read end of a pipe whose write end only the test
// process has: when that is closed, by Stop or by the death of the process, it stops the server and removes the
// directory. Should the supervisor be killed too, the kernel stops the server (prctl PR_SET_PDEATHSIG, Linux only).
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"github.com/jackc/pgx/v5"
)

// DefaultVersion is the major version that a zero Config asks for when it is installed: Debian 12's, and the one that
// srhtvet assumes unless told otherwise.
const DefaultVersion = 15

// Config says which server a test wants. The zero value is any installed version with the default settings.
type Config struct {
	// Version is the major version, such as 15. Zero takes DefaultVersion when it is installed, else the newest that is.
	Version int

	// Settings are added to postgresql.conf and win over pgtest's own, which trade durability for speed and turn off what
	// acts by itself (autovacuum).
	Settings map[string]string
}

// key tells apart servers that tests must not share.
func (c Config) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", c.Version)
	for _, name := range slices.Sorted(maps.Keys(c.Settings)) {
		fmt.Fprintf(&b, "\n%s=%s", name, c.Settings[name])
	}
	return b.String()
}

// running holds what the tests of this binary share. It is package state because the testing package has no place to
// keep a value from one test to the next.
var running registry

type registry struct {
	mu      sync.Mutex
	inMain  bool
	servers map[string]*shared

	inspected sync.Map // from a directory to the installation in it
}

type shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Main runs a package's tests and stops the servers they shared. Call it from TestMain, before anything else; the exit
// status is what m.Run made it.
func Main(m *testing.M) {
	superviseIfAsked()
	running.mu.Lock()
	running.inMain = true
	running.mu.Unlock()
	m.Run()
	running.stopAll()
}

func (r *registry) stopAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.servers {
		if s.server != nil {
			s.server.Stop()
		}
	}
	r.servers, r.inMain = nil, false
}

// get returns the shared server for cfg, starting it if this is the first test to ask.
func (r *registry) get(cfg Config, inst installation) (*Server, error) {
	r.mu.Lock()
	if r.servers == nil {
		r.servers = map[string]*shared{}
	}
	cfg.Version = inst.major
	s := r.servers[cfg.key()]
	if s == nil {
		s = &shared{}
		r.servers[cfg.key()] = s
	}
	r.mu.Unlock()
	s.once.Do(func() { s.server, s.err = start(inst, cfg.Settings) })
	return s.server, s.err
}

func (r *registry) usable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inMain
}

// Shared returns the server that all tests of the package with an equal Config share, starting it if need be. Tests
// must keep to databases of their own (Database) and leave alone what a cluster has only one of: roles, tablespaces,
// settings of the system.
func Shared(t testing.TB, cfg Config) *Server {
	t.Helper()
	server, err := running.get(cfg, prepare(t, cfg))
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	return server
}

// Start starts a server for this test alone and stops it when the test ends.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	server, err := start(prepare(t, cfg), cfg.Settings)
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(server.Stop)
	return server
}

func prepare(t testing.TB, cfg Config) installation {
	t.Helper()
	if !running.usable() {
		t.Fatal("pgtest: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	inst, err := find(cfg.Version)
	if err != nil {
		need.Missing(t, "%v", err)
	}
	return inst
}

// Server is a running PostgreSQL. Its methods may be called by several goroutines at once.
type Server struct {
	inst installation
	proc *supervised

	mu        sync.Mutex
	databases int
}

func start(inst installation, settings map[string]string) (*Server, error) {
	proc, err := superviseServer(inst, settings)
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL %s from %s: %w", inst.version, inst.bin, err)
	}
	return &Server{inst: inst, proc: proc}, nil
}

// Stop stops the server at once, with no regard for its data, and removes its directory. Stopping twice is fine.
func (s *Server) Stop() { s.proc.stop() }

// Major is the server's major version, such as 15.
func (s *Server) Major() int { return s.inst.major }

// BinDir is the directory of the server's own programs. Client programs (psql, pg_dump) may not be among them.
func (s *Server) BinDir() string { return s.inst.bin }

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.proc.PID }

// SocketDir is the directory of the server's Unix socket, its only listener, at port 5432.
func (s *Server) SocketDir() string { return s.proc.Socket }

// DSN is the connection string for the named database as the superuser "postgres", in libpq's keyword form, which pgx,
// lib/pq, psql and pg_dump all take.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("host=%s port=%s user=postgres dbname=%s sslmode=disable", s.proc.Socket, port, database)
}

// Database creates an empty database for this test and returns its connection string. It is dropped, whoever may still
// be connected, when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	s.databases++
	name := fmt.Sprintf("test_%d", s.databases)
	s.mu.Unlock()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	create := "CREATE DATABASE " + name + " TEMPLATE template0"
	if s.inst.major >= 15 {
		create += " STRATEGY file_copy" // as older servers do; half the time of wal_log where fsync is off
	}
	if err := s.exec(ctx, create); err != nil {
		t.Fatalf("pgtest: creating a database: %v", err)
	}
	t.Cleanup(func() { s.drop(t, name) })
	return s.DSN(name)
}

func (s *Server) drop(t testing.TB, name string) {
	// The test's own context ends before its cleanup begins.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	var err error
	if s.inst.major >= 13 {
		err = s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	} else {
		err = errors.Join(
			s.exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'"),
			s.exec(ctx, "DROP DATABASE IF EXISTS "+name))
	}
	if err != nil && !s.proc.stopped() {
		t.Errorf("pgtest: dropping database %s: %v", name, err)
	}
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("%w%s", err, s.proc.logTail())
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// Log is what the server has written to its log so far.
func (s *Server) Log() string { return s.proc.log() }

// Connect opens a connection that is closed when the test ends.
func Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("pgtest: connecting: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		// The test may have closed or broken it on purpose, so the error says nothing.
		_ = conn.Close(ctx)
	})
	return conn
}
