// Package pgserver starts throwaway PostgreSQL clusters: made by initdb in a temporary directory, listening on a Unix
// socket there and nowhere else, and gone with the program that started them.
//
//	func main() {
//		launcher := pgserver.Divert() // before anything else
//		…
//		inst, err := new(pgserver.Finder).Find(0)
//		server, err := launcher.Start(inst, pgserver.Config{})
//		defer server.Stop()
//
// The binaries are looked for, in this order, in the directories that the environment variable HA_PG_BINDIRS lists
// (separated as PATH is), under /usr/lib/postgresql/*/bin, on PATH, and in the cache that "make postgres-versions"
// fills.
//
// initdb and postgres refuse to run as root (src/bin/initdb/initdb.c get_id, src/backend/main/main.c check_root). For
// root the server is therefore run as the user "postgres" or, without one, "nobody".
//
// No server outlives its program, however that ends. Each is the child of a supervisor, which is the program started once
// more and diverted by Divert. The supervisor holds the read end of a pipe whose write end only the program has: when
// that is closed, by Stop or by the death of the process, it stops the server and removes the directory. Should the
// supervisor be killed too, the kernel stops the server (prctl PR_SET_PDEATHSIG, Linux only).
package pgserver

import (
	"errors"
	"fmt"
)

// Config says how to run a server. The zero value is a server with the settings for short lives: no durability, nothing
// that acts by itself (autovacuum).
type Config struct {
	// Settings are added to postgresql.conf and win over the package's own.
	Settings map[string]string
	// Prefix begins the name of the server's temporary directory; "" means "pgserver-".
	Prefix string
}

// Launcher starts servers. Only Divert makes one that can, because a server's supervisor is this program started once more:
// without Divert in its main it would begin its own work a second time.
type Launcher struct{ diverts bool }

// Server is a running PostgreSQL. Its methods may be called by several goroutines at once.
type Server struct {
	inst Installation
	proc *supervised
}

// Start starts a server and returns once it takes connections.
func (l Launcher) Start(inst Installation, cfg Config) (*Server, error) {
	if !l.diverts {
		return nil, errors.New("starting PostgreSQL: the program's main does not begin with pgserver.Divert")
	}
	if cfg.Prefix == "" {
		cfg.Prefix = "pgserver-"
	}
	proc, err := superviseServer(inst, cfg)
	if err != nil {
		return nil, fmt.Errorf("starting PostgreSQL %s from %s: %w", inst.Version, inst.Bin, err)
	}
	return &Server{inst: inst, proc: proc}, nil
}

// Stop stops the server at once, with no regard for its data, and removes its directory. Stopping twice is fine.
func (s *Server) Stop() { s.proc.stop() }

// Stopped reports whether Stop was called.
func (s *Server) Stopped() bool { return s.proc.stopped() }

// Installation is what the server was started from.
func (s *Server) Installation() Installation { return s.inst }

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.proc.PID }

// SupervisorPID is the process id of its supervisor.
func (s *Server) SupervisorPID() int { return s.proc.cmd.Process.Pid }

// Dir is the server's directory, which Stop removes.
func (s *Server) Dir() string { return s.proc.Dir }

// SocketDir is the directory of the server's Unix socket, its only listener, at port 5432.
func (s *Server) SocketDir() string { return s.proc.Socket }

// DSN is the connection string for a role (the superuser is "postgres") and a database, in libpq's keyword form, which
// pgx, lib/pq, psql and pg_dump all take. No password is asked for.
func (s *Server) DSN(role, database string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable", s.proc.Socket, port, role, database)
}

// Log is what the server has written to its log so far.
func (s *Server) Log() string { return s.proc.log() }

// LogTail is the end of Log, introduced as such, for the end of an error message.
func (s *Server) LogTail() string { return s.proc.logTail() }
