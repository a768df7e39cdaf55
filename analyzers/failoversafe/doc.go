// Package failoversafe finds code that a failover of PostgreSQL leaves behind.
//
// # Analyzer failoversafe
//
// failoversafe: find connections that never notice a new primary, and errors of a failover that are treated as final
//
// A failover takes seconds; what the clients make of it takes longer. Connections that nothing ends stay with the old server,
// attempts to connect to a machine that is gone wait for the kernel, an error that would have passed ends a request for good,
// and retries come in step.
//
// # unlimited-connection-lifetime
//
// A pool of database/sql keeps a connection for ever unless SetConnMaxLifetime says otherwise. When the primary moves behind a DNS name
// or a balancer, connections that were not cut go on to the old server: as a standby it refuses each write with 25006, as a machine that is gone
// it answers nothing. Reported: opening a pool to PostgreSQL (database/sql, sqlx, otelsql, pgx's stdlib) in a service whose package never
// calls SetConnMaxLifetime, or calls it with 0. pgxpool's own default is an hour, and silent; MaxConnLifetime of 0 or less
// is "unlimited" since pgx 5.11 and is reported. A pool of one connection (SetMaxOpenConns(1)) means to keep its session, and is silent.
//
//	db.SetConnMaxLifetime(5 * time.Minute)
//
// An exported function that opens a pool in a package that serves nothing is known to its importers by a fact, and reported
// where a service calls it. Behind a PgBouncer that moves by itself (server_lifetime, RECONNECT) the limit matters less; say so in a
// comment that suppresses this.
//
// # missing-connect-timeout
//
// A DSN in the code, or a format of fmt.Sprintf for one, has no connect_timeout, and its host is not this machine. lib/pq: "Zero or
// not specified means wait indefinitely"; pgx has none by default either. The kernel then gives up after tcp_syn_retries, about
// two minutes on Linux (tcp(7)). PGCONNECT_TIMEOUT in the environment would help, and is not seen. There is a suggested fix.
//
// # single-database-host
//
// A DSN that stands in the code whole has one host that is not this machine, no target_session_attrs, not PgBouncer's port
// 6432, and a host whose name does not say that it is a pooler, a balancer or the primary's (bouncer, pool, proxy, vip, -rw, primary,
// cluster and the like).
//
// # failover-error-final
//
// Code that recognises 57P01, 57P02, 57P03, 25006 or class 08 by comparison (.Code, SQLState(), Class(), pgerrcode.IsConnectionException)
// and then ends the process, gives the work up (backoff.Permanent, river.JobCancel), or, in a handler, answers 400 to 499 other than
// 408, 425 and 429. Whoever has recognised them can retry: the transaction was rolled back, except where the connection went during
// COMMIT (08xxx and 57P01 may then hide a success, so a write needs a key by which it is recognised).
//
// # cached-primary-flag
//
// The answer to pg_is_in_recovery(), SHOW transaction_read_only or SHOW in_hot_standby is put into a variable of the package or a field,
// by init, main, sync.Once or a function called New…, Open…, Connect…, Setup…, Init…, Must… or Make…, outside of loops; other
// functions read it, and none sets it again.
//
// # sleeping-retry
//
// A loop that tries again to reach a server (database/sql, pgx, sqlx, Redis, gRPC, net/http, net, AMQP, or a function of the package that
// calls these) after a time.Sleep, where a context or a request is a parameter of the function. The sleep does not end with it, so
// a drain waits; and without something random in it, all clients that a failover cut off come back in the same moment, again and
// again. There is a suggested fix for functions that return an error; it adds no jitter.
//
// # What it does not see
//
// DSNs from configuration, and what a pooler or a balancer in front of the database does. Pools in programs that serve nothing, or that the
// opening function closes itself, or limits to one connection. A lifetime set in another package on a pool that is handed on there. Loops that retry by
// recursion or by a library. Errors whose code is not compared. Packages for tests are passed over.
package failoversafe
