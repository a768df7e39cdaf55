// Package httpdrain takes HTTP servers out of service: see package drain.
//
//	srv := &http.Server{Addr: ":8080", Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
//	err := drain.Main(ctx, drain.Config{}, httpdrain.Server(srv))
//
// A program with a main of its own calls [Service.Attach] with its drain.Drainer, [Service.Serve], and [Service.Shutdown] in a phase.
//
// # What happens to a connection
//
// A client that is just writing its next request into a connection which the server closes cannot tell whether it was read, and must
// not send a POST again (RFC 9110, section 9.2.2). net/http's Shutdown closes idle connections at once, and busy ones behind a response
// that did not say so. Therefore, in order:
//
//   - Lame duck: HTTP/1 responses say "Connection: close", so that connections leave by themselves, behind a response that says it. HTTP/2
//     connections are left alone: a new one would come to this process again. /readyz answers 503.
//   - Then the listener is closed, after what is in its queue has been accepted. HTTP/1 connections that are idle are closed when they
//     have been for [Config.KeepIdle]; until then, and while anything is in flight, what comes is served. HTTP/2 connections are told
//     GOAWAY that leaves no stream out, so that what is on its way is served (inside of TLS that cannot be done: GOAWAY goes with the next
//     response, and a client must repeat what was on its way, as RFC 9113, section 6.8, lets it).
//   - When nothing is in flight, and KeepIdle has passed, Shutdown of net/http sends the GOAWAY that names the last stream which was served,
//     and leaves a second for it.
//   - Hijacked connections (WebSocket) are waited for. Their handlers, and long streams, hear of the drain from [Leaving] or [OnLeave].
//   - At the end of the context what is left is closed, and counted in the error.
//
// What no server can prevent: a request that is written in the very moment in which a connection that has been idle for KeepIdle is closed.
// Behind a balancer that has read the new state nobody writes then.
//
// # Cost
//
// Nothing is allocated for a request, and its ResponseWriter is not wrapped: all that net/http's can do (http.Flusher, http.Hijacker,
// io.ReaderFrom, http.ResponseController) handlers find. Connections from Hijack embed the *net.TCPConn instead of being one, which
// is how it is known when they are closed. BenchmarkRequest measures the time: some tens of nanoseconds.
package httpdrain
