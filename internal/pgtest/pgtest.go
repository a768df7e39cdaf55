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
// Package pgserver says where the binaries are looked for and how it is made sure that no server outlives its test binary.
// Where there are no binaries the test is skipped, or fails when CI=true (package need).
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"git.sr.ht/~sourcehut/ha-go/internal/pgserver"
	"github.com/jackc/pgx/v5"
)

// DefaultVersion is the major version that a zero Config asks for when it is installed: Debian 12's, and the one that
// srhtvet assumes unless told otherwise.
const DefaultVersion = pgserver.DefaultVersion

// BinDirsVariable names the environment variable that lists further directories of server programs.
const BinDirsVariable = pgserver.BinDirsVariable

// CacheDir is where "make postgres-versions" keeps the major versions that the system does not package.
func CacheDir() string { return pgserver.CacheDir() }

// Versions lists the major versions that are installed and that the current user can run, in ascending order. Tests
// that hold for every version range over it; it is empty where there is no PostgreSQL.
func Versions() []int { return running.finder.Versions() }

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
	mu       sync.Mutex
	inMain   bool
	launcher pgserver.Launcher
	servers  map[string]*shared

	finder pgserver.Finder
}

type shared struct {
	once   sync.Once
	server *Server
	err    error
}

// RequireVariable names the environment variable that lists major versions without which no package that uses servers passes its
// tests: where they are meant to be proved on each, one that is missing must not go unnoticed.
const RequireVariable = "HA_PG_REQUIRE"

// missingMajors lists the words of required that are not in installed.
func missingMajors(required string, installed []int) []string {
	var missing []string
	for _, word := range strings.Fields(required) {
		major, err := strconv.Atoi(word)
		if err != nil || !slices.Contains(installed, major) {
			missing = append(missing, word)
		}
	}
	return missing
}

// Main runs a package's tests and stops the servers they shared. Call it from TestMain, before anything else; the exit
// status is what m.Run made it.
func Main(m *testing.M) {
	launcher := pgserver.Divert()
	if missing := missingMajors(os.Getenv(RequireVariable), Versions()); len(missing) > 0 {
		fmt.Fprintf(os.Stderr, "pgtest: $%s asks for PostgreSQL %s, which cannot be run here\n", RequireVariable, strings.Join(missing, ", "))
		os.Exit(1)
	}
	running.mu.Lock()
	running.inMain, running.launcher = true, launcher
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
func (r *registry) get(cfg Config, inst pgserver.Installation) (*Server, error) {
	r.mu.Lock()
	if r.servers == nil {
		r.servers = map[string]*shared{}
	}
	cfg.Version = inst.Major
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

func prepare(t testing.TB, cfg Config) pgserver.Installation {
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

// find is the Finder's, and says how to get what is missing.
func find(major int) (pgserver.Installation, error) {
	inst, err := running.finder.Find(major)
	if err != nil {
		err = fmt.Errorf("%w (make test installs Debian's, make postgres-versions the others)", err)
	}
	return inst, err
}

// Server is a running PostgreSQL. Its methods may be called by several goroutines at once.
type Server struct {
	*pgserver.Server

	mu        sync.Mutex
	databases int
}

func start(inst pgserver.Installation, settings map[string]string) (*Server, error) {
	running.mu.Lock()
	launcher := running.launcher
	running.mu.Unlock()
	server, err := launcher.Start(inst, pgserver.Config{Settings: settings, Prefix: "pgtest-"})
	if err != nil {
		return nil, err
	}
	return &Server{Server: server}, nil
}

// Major is the server's major version, such as 15.
func (s *Server) Major() int { return s.Installation().Major }

// BinDir is the directory of the server's own programs. Client programs (psql, pg_dump) may not be among them.
func (s *Server) BinDir() string { return s.Installation().Bin }

// DSN is the connection string for the named database as the superuser "postgres", in libpq's keyword form, which pgx,
// lib/pq, psql and pg_dump all take.
func (s *Server) DSN(database string) string { return s.Server.DSN("postgres", database) }

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
	if s.Major() >= 15 {
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
	if s.Major() >= 13 {
		err = s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	} else {
		err = errors.Join(
			s.exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'"),
			s.exec(ctx, "DROP DATABASE IF EXISTS "+name))
	}
	if err != nil && !s.Stopped() {
		t.Errorf("pgtest: dropping database %s: %v", name, err)
	}
}

func (s *Server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.DSN("postgres"))
	if err != nil {
		return fmt.Errorf("%w%s", err, s.LogTail())
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

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
