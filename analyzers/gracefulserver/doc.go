// Package gracefulserver finds servers that lose requests when they are told to stop.
//
// # Analyzer gracefulserver
//
// gracefulserver: find servers that cut requests when they are told to stop
//
// A node leaves at every deploy. The service manager sends SIGTERM, waits, and sends SIGKILL: systemd after 90 seconds, OpenRC
// after 5, Kubernetes after 30, unless told otherwise. What the process does in between decides what becomes of the requests
// in flight. In Go the parts are http.Server.Shutdown, a signal, a deadline, and a main that waits; each of them is easily left
// out or undone by the next, and none is missed until a deploy under load.
//
// Servers that have only metrics, profiles or health checks to offer, http.DefaultServeMux or the callback of a login on a constant loopback address, and
// what a function serves to the browser that it opens are passed over where the check is about requests in flight.
//
// # undrainable-server
//
// http.ListenAndServe, http.Serve, their TLS forms and gin's Run make an http.Server that nobody else gets hold of, so nothing can
// shut it down. A timeout cannot be set either.
//
//	log.Fatal(http.ListenAndServe(":8080", mux)) // reported
//
// Make the server yourself, serve in a goroutine, and shut it down:
//
//	srv := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 10 * time.Second}
//	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
//	defer stop()
//	go func() {
//		if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
//			log.Fatal(err)
//		}
//	}()
//	<-ctx.Done()
//	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
//	defer cancel()
//	if err := srv.Shutdown(deadline); err != nil {
//		log.Printf("shutting down: %v", err)
//	}
//
// This still loses what is on its way over kept-alive connections when the listener closes; git.sr.ht/~sourcehut/ha-go/drain
// does not.
//
// # shutdown-never-called
//
// An http.Server in a variable or an unexported field serves, every use of it is in this package, and none of them is a call of
// Shutdown. Close is not enough: it cuts what is in flight.
//
// # shutdown-error-ignored
//
// Shutdown returns the error of its context when that ends before the last request. Dropped, a deploy that cuts requests
// looks like one that does not. "_ = srv.Shutdown(ctx)" says that this is meant, and is silent. There is a suggested fix
// where package log is imported.
//
// # shutdown-without-deadline
//
// The context of Shutdown comes from context.Background and gets no deadline: one request that never ends, one stuck client,
// and the process waits until SIGKILL. What comes behind Shutdown (flushing queues, the last writes, closing the database) is
// then lost as well. There is a suggested fix, of 30 seconds.
//
// # shutdown-with-ended-context
//
// The context is one that has ended when Shutdown is called, typically that of signal.NotifyContext after <-ctx.Done(), or one
// made from it. Shutdown looks at the connections once, then at the context, and returns: every request in flight is cut
// by the end of the process.
//
//	<-ctx.Done()
//	srv.Shutdown(ctx) // reported
//
// Make the deadline from context.WithoutCancel(ctx) or context.Background(); there is a suggested fix.
//
// # main-returns-before-shutdown
//
// ListenAndServe returns ErrServerClosed at once when Shutdown begins. Where main serves, and Shutdown is called in a
// goroutine, main falls off its end while Shutdown waits, and the process is gone. Close a channel when Shutdown has
// returned, and receive from it at the end of main. An exported function that does the same in another package of the module is
// known by a fact, and reported where main calls it and waits for nothing behind it. There is a suggested fix where nothing else
// can hold main up.
//
// # sigterm-not-handled
//
// The package serves and takes SIGINT, but nothing in it takes SIGTERM, whose effect in Go is then to exit at once. SIGINT is
// what a developer's keyboard sends; systemd, OpenRC, runit, docker stop and Kubernetes send SIGTERM. Where the unit
// of a service names SIGINT (KillSignal=SIGINT, retry="INT/30"), say so in a comment that suppresses this. There is a suggested fix.
//
// # unbuffered-signal-channel
//
// "Package signal will not block sending to c: the caller must ensure that c has sufficient buffer space" (os/signal.Notify).
// The signal that comes while the receiver is elsewhere is gone. There is a suggested fix.
//
// # unread-signal-channel
//
// The signal is caught, so its default effect is off, and nothing in the package receives from the channel: the process goes
// on until it is killed.
//
// # exit-on-signal
//
// The code receives the signal to stop and calls os.Exit or log.Fatal, with nothing but logging and cleaning up in between, in a
// package that serves and calls no Shutdown anywhere.
//
// # exit-in-handler
//
// os.Exit, log.Fatal and the Fatal of logrus, zap, klog and glog end the process, not the request. In a handler, or in a function
// of the same package that a handler calls, that takes all other requests of the node along.
//
// # exit-skips-deferred
//
// os.Exit, and so log.Fatal, runs no deferred functions. Behind a call that has served, in a function that has deferred a
// Shutdown, GracefulStop, Flush, ForceFlush, Wait, Join or Drain, it loses what that call was to bring to an end.
//
// # fatal-on-server-closed
//
// log.Fatal(srv.ListenAndServe()), or an if err != nil behind it, for a server on which Shutdown is called: ErrServerClosed arrives
// when Shutdown begins, and ends the process that was to wait. There is a suggested fix.
//
// # missing-read-header-timeout
//
// An http.Server literal with neither ReadHeaderTimeout nor ReadTimeout, in a package that does not set them later. Clients that
// connect and say nothing are then kept for ever, and a few thousand of them use up a node's file descriptors. A
// balancer in front with a timeout of its own (HAProxy: timeout http-request) also helps. There is a suggested fix.
//
// # What it does not see
//
// A server that is handed on (given to a function, returned, kept in an exported field, embedded) may be shut down elsewhere, and is
// passed over. Packages for tests (mocks, testutil, names that end in test) are passed over. Signals handled in another package of the module are not seen; where the signals are in a variable, it
// is silent. Other libraries' servers (fasthttp, gRPC, go-smtp) count as running servers, but how they are shut down is not
// checked. Whether the balancer hears of the drain before the listener closes is not seen.
package gracefulserver
