// Package handlerdeadline finds work in handlers that nothing ends.
//
// # Analyzer handlerdeadline
//
// handlerdeadline: find handlers that wait for a server without a deadline
//
// A handler that waits for a database, another service or Redis without a deadline waits for as long as the other side is
// silent: through a failover, behind a firewall that forgot the connection, on a lock that a migration holds. Meanwhile the
// request is in flight, so a node that is to leave drains until it is killed, and its other requests die with it.
//
// What is a handler: http.HandlerFunc and ServeHTTP (gin, echo, fiber, fasthttp and httprouter too), gqlgen's resolvers, gRPC methods, go-smtp's Session, jobs
// of dowork, gocelery, river and asynq; and the functions of the same package that they call. A function of another package of
// the module is known by what it does (facts): the calls of all such functions of a package are one finding, at the first of them.
//
// # unbounded-context
//
// The call has a context, but one that comes from context.Background, context.TODO or context.WithoutCancel and gets no
// deadline on the way, directly or through functions that hand their context on.
//
//	func (s *Server) show(w http.ResponseWriter, r *http.Request) {
//		s.db.QueryRowContext(context.Background(), `SELECT …`) // reported
//	}
//
// Use the request's context when nobody wants the result once the client has gone; when the work has to be finished all the
// same, say how long it may take:
//
//	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
//	defer cancel()
//
// # call-without-context
//
// The call takes no context and has no timeout of its own: Query, Exec, Begin and their like of database/sql and sqlx,
// http.Get and other calls of an http.Client without a Timeout, smtp.SendMail. A statement of a transaction counts
// too: that the transaction's context ends does not interrupt a statement which was sent without one.
//
// Use QueryContext, http.NewRequestWithContext. smtp.SendMail has no such form: dial with a deadline,
// then smtp.NewClient. There is a suggested fix for a statement of a transaction that was begun with a context at hand.
//
// # What it does not see
//
// A request's own context counts as bounded: the client's leaving ends it, and what a handler may take in all is the server's
// affair (WriteTimeout, http.TimeoutHandler, or drain's deadline). Timeouts in a DSN (statement_timeout) are not seen; a deferred
// Rollback or Close with a fresh context is right and silent. Lookups of names and connects are ended by the resolver and the kernel. Calls through interfaces of the module are not followed.
package handlerdeadline
