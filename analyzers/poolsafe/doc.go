// Package poolsafe finds what breaks behind a pooler that pools transactions.
//
// # Analyzer poolsafe
//
// poolsafe: find what needs a session, which PgBouncer's transaction pooling does not keep
//
// A failover that clients do not notice needs a pooler in front of PostgreSQL that can hold them back for a moment, and hold few
// connections to the server: PgBouncer with pool_mode = transaction. It then gives each transaction, and each statement outside of one, whatever
// server connection is free. What a statement leaves in its session is found by somebody else, and not by the next statement of the
// same client. None of that fails on a quiet test system, where there is one client and one connection.
//
// The SQL is what package sqlquery finds (database/sql, pgx, lib/pq, sqlx, squirrel, core-go, wrappers). Each claim is shown by a test on a real
// PgBouncer. Everything is a warning: whether there is a pooler, and whether this code goes through it, is not in the
// code.
//
// # session-set
//
// SET without LOCAL, SET SESSION, SET ROLE, SET SESSION CHARACTERISTICS, in a transaction or not: the setting stays on the server
// connection after the transaction has been committed. RESET and SET … TO DEFAULT are silent, and so are client_encoding, DateStyle,
// TimeZone, standard_conforming_strings and application_name, which PgBouncer keeps for each client. A function that sets something on a
// connection that it holds (*sql.Conn, *pgx.Conn, *pgxpool.Conn) and sets it again, or resets it, or one that sets it in a pool of one connection
// (SetMaxOpenConns(1)), is taken to know what it does, on a connection that goes to PostgreSQL itself.
//
//	tx.Exec(ctx, `SET statement_timeout = '5s'`) // reported
//
// Use SET LOCAL; there is a suggested fix in a transaction. Without one, ALTER ROLE … SET or ALTER DATABASE … SET hold for every new server connection.
//
// # session-set-config
//
// The same by set_config with false as its third argument. There is a suggested fix in a transaction: true.
//
// # session-search-path
//
// The same of search_path, where statements then read and write in other schemas; also in a connection string (search_path=, options=-csearch_path=) or
// in pgx's RuntimeParams. PgBouncer refuses such a connection, unless ignore_startup_parameters says to go on without the parameter.
// track_extra_parameters (1.20 and later) does not help: it follows what PostgreSQL reports to clients, and search_path is not
// among that before PostgreSQL 18 (https://www.postgresql.org/docs/18/protocol-flow.html#PROTOCOL-ASYNC).
//
// # session-advisory-lock
//
// pg_advisory_lock, pg_try_advisory_lock and their _shared forms lock for the session. Two clients that get the same server connection one after the other both
// hold the lock; pg_advisory_unlock that goes to another connection gives nothing back, and then everybody else waits for as long as that
// connection lives. That the client keeps its connection (*sql.Conn, pool.Acquire) does not help: PgBouncer does not keep the server's for it. A transaction that
// takes the lock and gives it back is silent.
//
// So is a lock on a connection that is apart: made by pgx.Connect, or out of a sql.Open that is there for it alone; who makes one for a lock
// says where it goes, and it must be PostgreSQL itself. A function that is given its connection leaves that to its callers: reported is, in this package or another of the
// module (facts), who gives it one out of a pool.
//
// Use pg_advisory_xact_lock in a transaction around the work; there is a suggested fix in a transaction.
//
// # session-listen
//
// LISTEN, and what waits for notifications where no LISTEN is seen: lib/pq's NewListener, pgx's WaitForNotification. NOTIFY is fine.
//
// Connect listeners to PostgreSQL itself, with a suppression comment that says so, and look into the table at intervals besides:
// what is notified during a failover is lost.
//
// # session-temp-table
//
// CREATE TEMP TABLE, CREATE TEMP TABLE AS, SELECT INTO TEMP without ON COMMIT DROP, unless the same function drops the table; or
// with it and outside of a transaction. There is a suggested fix for CREATE TEMP TABLE in a transaction.
//
// # cursor-with-hold
//
// DECLARE … CURSOR WITH HOLD: a cursor that outlives its transaction, on a server connection that does not stay. Cursors without WITH HOLD
// live in one transaction and are fine.
//
// # sql-prepare
//
// PREPARE as a statement of SQL, or EXECUTE of what the package does not prepare. PgBouncer follows prepared statements of the
// protocol (from 1.21 on), never these.
//
// # session-sequence
//
// A statement outside of a transaction asks currval or lastval: what its session drew last, which is not its client's.
//
// Use INSERT … RETURNING.
//
// # driver-prepared-statement
//
// Off, unless .srhtvet.toml says which PgBouncer the code runs behind:
//
//	pgbouncer = "1.18" # the oldest
//
// Before 1.21 PgBouncer did not follow the protocol's prepared statements in transaction pooling at all. Since then it follows those that have a
// name, if max_prepared_statements is not 0. The default is 0 up to 1.23, and 200 from 1.24 on: where it is 0, write "1.20".
//
// Reported are connections of pgx in its default mode, and statements prepared outside of a transaction, up to 1.20; and connections of lib/pq without
// binary_parameters=yes behind any PgBouncer. lib/pq prepares a query with arguments without a name and executes it one round trip later, and
// what has no name no version follows (https://github.com/pgbouncer/pgbouncer/issues/1288); in a transaction that does no harm. A package that names
// QueryExecModeExec, QueryExecModeSimpleProtocol or QueryExecModeCacheDescribe has thought about it; so has a connection string
// that is seen to say it.
//
// The tests of this package passed on PgBouncer 1.18.0, 1.20.1, 1.21.0, 1.23.1, 1.24.1 and 1.25.2; CI runs Debian's 1.18.
//
// # What it does not see
//
// The pooler. A migration tool's statements and a listener on a connection of their own that goes to PostgreSQL itself are right, and look the
// same: suppress them with the reason, //srhtvet:ignore session-listen connects to PostgreSQL, not through PgBouncer. Session pooling
// (pool_mode = session) has none of this, and keeps no failover short: disable = ["poolsafe"].
//
// The connection that a function locks on when it is called through an interface or a function value, and where one goes that was made apart.
// Locks that something of an unknown type sends, whose package is missing.
//
// Settings other than search_path in connection strings, functions of the database that do these things, SQL in files of
// migrations, and a session that is made by several statements other than those named here. What sqlquery cannot read it
// cannot judge (srhtvet queries lists that).
package poolsafe
