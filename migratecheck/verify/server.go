package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgserver"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Launcher starts the throwaway cluster; see Divert.
type Launcher = pgserver.Launcher

// Divert is for the very beginning of the main of a program that uses Config without a DSN: the cluster is supervised by this
// program started once more, which ends in Divert. Elsewhere it returns at once.
func Divert() Launcher { return pgserver.Divert() }

// Config says which server to ask. The zero value is no good: either DSN or Launcher is needed.
type Config struct {
	// DSN is the connection string of a role that may create databases (CREATEDB is enough); scratch databases are made
	// beside the one that it names, which is otherwise left alone. "" starts a throwaway cluster.
	DSN string
	// Launcher, from Divert, starts the throwaway cluster.
	Launcher Launcher
	// Version is the major version of the throwaway cluster; zero takes PostgreSQL 15 when it is installed, else the newest.
	Version int
	// StatementTimeout and LockTimeout bound each statement; zero means a minute and ten seconds.
	StatementTimeout, LockTimeout time.Duration
	// Log gets what may surprise the server's owner; nil discards it.
	Log *slog.Logger
}

func (cfg Config) timeouts() (statement, lock time.Duration) {
	statement, lock = cfg.StatementTimeout, cfg.LockTimeout
	if statement == 0 {
		statement = time.Minute
	}
	if lock == 0 {
		lock = 10 * time.Second
	}
	return statement, lock
}

// prefix begins the name of every database that is made, and of no other.
const prefix = "srhtvet_verify_"

// closeTimeout bounds Close: its work is done even when the caller's context has ended.
const closeTimeout = 30 * time.Second

// Server is a PostgreSQL that is asked. Its methods may be called by several goroutines at once.
type Server struct {
	cfg     Config
	id      string // of this run, in the names of its databases
	config  *pgx.ConnConfig
	admin   *pgx.Conn        // to the database that DSN names, or to the cluster's own as its superuser
	cluster *pgserver.Server // the throwaway one, nil with a DSN
	version int

	mu        sync.Mutex // of admin and of what follows
	databases []string
	states    []*State
	carrying  map[*State][2]*State // by state: two copies of it, see Cross
	closed    bool
}

// throwawayRole owns everything in a throwaway cluster: what is run there comes out of files that nobody vouches for, and a
// superuser's COPY runs programs.
const throwawayRole = "srhtvet"

// Open connects to a server, or starts one. Close must be called in the end, also when ctx was cancelled.
func Open(ctx context.Context, cfg Config) (*Server, error) {
	s := &Server{cfg: cfg}
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails (crypto/rand)
	s.id = hex.EncodeToString(id)
	if cfg.Log == nil {
		s.cfg.Log = slog.New(slog.DiscardHandler)
	}
	dsn, adminDSN := cfg.DSN, cfg.DSN
	if cfg.DSN == "" {
		inst, err := new(pgserver.Finder).Find(cfg.Version)
		if err != nil {
			return nil, fmt.Errorf("starting a throwaway cluster: %w; install PostgreSQL's server programs, or name a server", err)
		}
		if s.cluster, err = cfg.Launcher.Start(inst, pgserver.Config{Prefix: "srhtvet-pg-"}); err != nil {
			return nil, err
		}
		dsn, adminDSN = s.cluster.DSN(throwawayRole, "postgres"), s.cluster.DSN("postgres", "postgres")
	}
	if err := s.connect(ctx, dsn, adminDSN); err != nil {
		return nil, errors.Join(s.scrub(err), s.Close())
	}
	return s, nil
}

func (s *Server) connect(ctx context.Context, dsn, adminDSN string) error {
	var err error
	if s.config, err = pgx.ParseConfig(dsn); err != nil {
		return fmt.Errorf("reading the connection string: %w", err)
	}
	admin, err := pgx.ParseConfig(adminDSN)
	if err != nil {
		return fmt.Errorf("reading the connection string: %w", err)
	}
	for _, c := range []*pgx.ConnConfig{s.config, admin} {
		c.RuntimeParams["application_name"] = prefix + s.id
	}
	if s.admin, err = pgx.ConnectConfig(ctx, admin); err != nil {
		return fmt.Errorf("connecting to the server: %w", err)
	}
	if s.cluster != nil {
		if _, err := s.admin.Exec(ctx, "CREATE ROLE "+throwawayRole+" LOGIN CREATEDB CREATEROLE"); err != nil {
			return fmt.Errorf("making the throwaway cluster's role: %w", err)
		}
	}
	var name string
	var creates, super bool
	err = s.admin.QueryRow(ctx, `SELECT rolname, rolcreatedb OR rolsuper, rolsuper, current_setting('server_version_num')::int / 10000
		FROM pg_roles WHERE rolname = current_user`).Scan(&name, &creates, &super, &s.version)
	switch {
	case err != nil:
		return fmt.Errorf("asking for the role's rights: %w", err)
	case !creates:
		return fmt.Errorf("role %s may not create databases, which each state of the schema needs: ALTER ROLE %s CREATEDB", name, pgx.Identifier{name}.Sanitize())
	case super && s.cluster == nil:
		s.cfg.Log.Warn("the role is a superuser; CREATEDB would be enough", "role", name)
	}
	return s.sweep(ctx)
}

// scrub takes the password out of an error's text. pgx leaves it out of its own; what a server or a library below says is
// not known.
func (s *Server) scrub(err error) error {
	if err == nil || s.config == nil || s.config.Password == "" || !strings.Contains(err.Error(), s.config.Password) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), s.config.Password, "xxxxx"))
}

// sweep drops what runs that were killed have left: databases of our name and role, of whose run there is no session. A run
// keeps one under the run's name from before its first database to after its last.
func (s *Server) sweep(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT d.datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
		WHERE rolname = current_user AND d.datname ~ '^srhtvet_verify_[0-9a-f]{8}_[0-9]+$'
		AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = substr(d.datname, 1, 23) OR a.datname = d.datname)`)
	if err != nil {
		return fmt.Errorf("looking for what earlier runs have left: %w", err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("looking for what earlier runs have left: %w", err)
	}
	for _, name := range left {
		s.cfg.Log.Warn("dropping a database that an earlier run has left", "database", name)
		if _, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("dropping database %s, which an earlier run has left: %w", name, err)
		}
	}
	return nil
}

// Version is the server's major version.
func (s *Server) Version() int { return s.version }

// create makes a database of the role's own, a copy of another or empty, and returns its name.
func (s *Server) create(ctx context.Context, template string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", errClosed
	}
	name := fmt.Sprintf("%s%s_%d", prefix, s.id, len(s.databases)+1)
	sql := "CREATE DATABASE " + name + " TEMPLATE " + template
	if s.cluster != nil {
		sql += " OWNER " + throwawayRole
	}
	if s.version >= 15 {
		sql += " STRATEGY file_copy" // of small databases, many a second
	}
	s.databases = append(s.databases, name) // before: whether it was made is not known when ctx ends
	if _, err := s.admin.Exec(ctx, sql); err != nil {
		return "", fmt.Errorf("making a scratch database: %w", s.scrub(err))
	}
	return name, nil
}

// session opens a connection to a scratch database.
func (s *Server) session(ctx context.Context, database string) (*pgconn.PgConn, error) {
	config := s.config.Copy()
	config.Database = database
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return nil, fmt.Errorf("connecting to a scratch database: %w", s.scrub(err))
	}
	if err := s.bound(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// bound keeps the session's statements from running or waiting too long.
func (s *Server) bound(ctx context.Context, conn *pgconn.PgConn) error {
	statement, lock := s.cfg.timeouts()
	//srhtvet:ignore session-set a connection of its own to a server of its own, or one that a DSN names for this
	set := fmt.Sprintf("SET statement_timeout = %d; SET lock_timeout = %d; SET client_min_messages = error", statement.Milliseconds(), lock.Milliseconds())
	if err := run(ctx, conn, set); err != nil {
		return fmt.Errorf("bounding a session: %w", err)
	}
	return nil
}

// renew makes a session like a new one. A transaction that a script has left open is committed: its end may be in another.
func (s *Server) renew(ctx context.Context, conn *pgconn.PgConn, begins string) error {
	if conn.TxStatus() != 'I' {
		if err := run(ctx, conn, "COMMIT"); err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
	}
	if err := run(ctx, conn, "DISCARD ALL"); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	if err := run(ctx, conn, begins); err != nil {
		return fmt.Errorf("beginning a session: %w", err)
	}
	return s.bound(ctx, conn)
}

// asSuperuser runs a statement in a scratch database as the throwaway cluster's superuser.
func (s *Server) asSuperuser(ctx context.Context, database, sql string) error {
	conn, err := pgconn.Connect(ctx, s.cluster.DSN("postgres", database))
	if err != nil {
		return fmt.Errorf("connecting to a scratch database: %w", err)
	}
	_, err = conn.Exec(ctx, sql).ReadAll()
	return errors.Join(err, conn.Close(ctx))
}

// Close drops every database that was made and stops the throwaway cluster. It has a deadline of its own, so that it does its
// work after the caller's context has ended; closing twice is fine.
func (s *Server) Close() error {
	s.mu.Lock()
	closed, states := s.closed, s.states
	s.closed = true // nobody uses admin from here on
	s.mu.Unlock()
	if closed {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var errs []error
	for _, st := range states {
		st.release(ctx)
	}
	if s.cluster != nil {
		s.cluster.Stop()
		return nil
	}
	if s.admin == nil {
		return nil
	}
	if s.admin.IsClosed() { // a cancelled context closes the connection that it was used on
		admin, err := pgx.ConnectConfig(ctx, s.admin.Config())
		if err != nil {
			return fmt.Errorf("connecting to drop scratch databases %s: %w", strings.Join(s.databases, ", "), s.scrub(err))
		}
		s.admin = admin
	}
	for _, name := range s.databases {
		if err := s.drop(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("dropping scratch database %s: %w", name, s.scrub(err)))
		}
	}
	errs = append(errs, s.admin.Close(ctx))
	return errors.Join(errs...)
}

func (s *Server) drop(ctx context.Context, name string) error {
	if s.version >= 13 {
		_, err := s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		return err
	}
	_, err := s.admin.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
	if err != nil {
		return err
	}
	_, err = s.admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name)
	return err
}

// roleMissing matches the server's words for a role that does not exist; the SQLSTATE, 42704, is that of many other objects
// (get_role_oid, src/backend/utils/adt/acl.c). TestRoleMissingReadsTheServersWords shows it.
func roleMissing(f *Failure) bool {
	return f.Code == "42704" && strings.HasPrefix(f.Message, `role "`) && strings.HasSuffix(f.Message, `" does not exist`)
}
