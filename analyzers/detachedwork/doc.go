// Package detachedwork finds work that nobody waits for, and what makes a stop hang or panic.
//
// # Analyzer detachedwork
//
// detachedwork: find work that nobody waits for, and channels that deadlock or panic at a stop
//
// A node that leaves stops taking requests, waits for the handlers that run, and exits. A goroutine that a handler started is no
// handler: (*http.Server).Shutdown waits for connections to become idle, not for goroutines, and when main returns "it does not wait for
// other (non-main) goroutines to complete" (The Go Programming Language Specification, Program execution). What such a goroutine was
// about to write, send or mail is lost at every deploy, with the user told that all is well.
//
// What is a handler: http.HandlerFunc and ServeHTTP (gin, echo, fiber, fasthttp and httprouter too), gqlgen's resolvers, gRPC methods, go-smtp's Session, jobs
// of dowork, gocelery, river and asynq; and the functions of the same package that they call, up to three calls away. Functions of another package of
// the module are known by what they do (facts): the call is reported.
//
// # unwaited-goroutine
//
// A go statement in a handler, a function given to a helper that does no more than start it, or time.AfterFunc whose timer nobody keeps; its work is
// one that somebody relies on: statements that write to a database, requests to other services, mail, writes to Redis, changes of files,
// commands; methods called Send, Publish, Notify, Deliver, Enqueue, Save, Insert, Upload and the like, of interfaces and libraries.
//
//	func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
//		go s.store.Remove(id) // reported
//	}
//
// What waits, and is silent: a sync.WaitGroup (a method Done called in the goroutine), errgroup and other helpers that take a
// function and count it, a channel that the function which starts it receives from or shares with it, any receive or Wait behind the go
// statement, a goroutine that watches a context's Done, and the pumps of a connection, a stream or a pipe, which end with it.
//
// To fix it, do the work before the handler returns; or count it, and wait between Shutdown and the end of main, with a deadline:
//
//	s.background.Add(1)
//	go func() {
//		defer s.background.Done()
//		…
//	}()
//
// That loses nothing at a deploy, but still at a crash: what must not be lost is a row, written in the handler's transaction, that
// a worker finds.
//
// # request-context-outlived
//
// The goroutine does such work with the context of the request. net/http cancels it when ServeHTTP returns (Request.Context), and so
// do gRPC, river and asynq at the end of theirs: the work is cut off whenever the handler is faster, not only at a deploy. There is a suggested fix,
// context.WithoutCancel (Go 1.21), which keeps the values; give it a deadline of its own too.
//
//	go s.mail.Send(r.Context(), m)                        // reported
//	go s.mail.Send(context.WithoutCancel(r.Context()), m) // still a goroutine that nobody waits for
//
// # send-under-lock
//
// A send on a channel, with nothing else to choose, while a mutex is held that the loop which receives from the channel takes
// too, directly or in what it calls. When the channel is full, the sender waits for the receiver and the receiver for the mutex: the queue
// stands still, what is in it is never done, and a stop that waits for it hangs until it is killed.
//
//	func (q *Queue) Enqueue(t *Task) {
//		q.mu.Lock()
//		defer q.mu.Unlock()
//		q.tasks <- t // reported: run takes q.mu between two receives
//	}
//
// Unlock before the send, or give what the receiver guards a mutex of its own. (git.sr.ht/~sircmpwn/dowork, queue.go, enqueue and do, as of
// 2024-12-16, with a full queue and one worker.)
//
// # racy-close
//
// select { case <-done: default: close(done) } looks whether a channel is closed and then closes it: two callers can both find it
// open, and "closing a closed channel" panics (The Go Programming Language Specification, Close). Stops are called by a signal, by an
// error and by a deferred call, so the second caller comes exactly when the program has work to finish. Use a sync.Once, or hold a mutex; there is a
// suggested fix where the channel is a field of a struct of the package.
//
// # What it does not see
//
// Goroutines whose work is not known: calls of interfaces' methods by other names, metrics, caches, reads. Whether a WaitGroup is waited
// for, and whether a receive behind the go statement is of that goroutine: either silences. Goroutines that goroutines start, and
// helpers that take a function by an interface. A request's body read after the handler has returned. For send-under-lock: sends in a select with another case,
// receivers outside of the package or not in a loop, mutexes other than sync's, and channels of which some loop receives without the
// mutex. For racy-close: unexported functions that are called in one place, and functions that lock anything, swap an atomic value or recover.
package detachedwork
