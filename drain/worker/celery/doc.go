// Package celery is a queue for package worker on Redis, in Celery's own wire format: Python programs ask for jobs and get their results as
// from a Celery worker, and workers in Python and Go can take from the same queue.
//
//	queue, err := celery.New(celery.Config{URL: "redis://localhost:6379/0"})
//	…
//	w, err := worker.New(worker.Config{Queue: queue, Handlers: map[string]worker.Handler{
//		"tasks.add": func(ctx context.Context, job *worker.Job) (any, error) {
//			var a, b int
//			if err := celery.Args(job, &a, &b); err != nil {
//				return nil, err
//			}
//			return a + b, nil
//		},
//	}})
//
// # What it speaks
//
// Messages of protocol 1 (which gocelery writes) and 2, as kombu's Redis transport lays them into lists: the queue's own for the
// highest priority, 0, and one for each further step ("celery\x06\x163"); bodies in JSON, plain or in base64, plain or compressed with zlib
// or bzip2; eta, countdown and expires; soft and hard time limits (the context of the job ends at the earlier one). Results are what Celery's Redis backend stores at
// celery-task-meta-<id> and publishes, a success is never overwritten, and ignore_result is heeded. A task that came too late is REVOKED.
//
// What it does not speak ends among the dead letters, see below: pickle and YAML; chains, chords, callbacks and errbacks, because
// what they ask for would otherwise be left undone without a word. The remote control (inspect, revoke) and events are not
// there. Transport options that move keys (global_keyprefix, sep) are not either.
//
// # Where a message is
//
// One script takes a message from its list and lays it, with a lease and a token, among the taken, so that there is no moment at which it
// is in nobody's hands. It stays there until, again in one script, its result is stored and it is removed. Everything of this package's own is below [Config.Prefix]:
//
//	ha:leases    the taken, by the time their leases run out
//	ha:delayed:… those of each list whose eta is to come, by it
//	ha:job:…     each of these: the message byte for byte, the list it came from, its token
//	ha:token     the last token: the server's time in microseconds, or one more than the one before
//	ha:done:…    what became of a hand-out, for some time, so that a question asked again gets the same answer
//	ha:sent:…    what Send has sent, for a minute, so that it is sent once
//	ha:dead      the dead letters
//
// A taken message whose lease runs out goes back to the head of its list, marked as redelivered, and counts one more attempt; so any worker, in
// Python too, may run it next. Leases that ran out while the server was down are left alone until it has been up for as
// long as a lease: live workers renew theirs first. After an outage of the network that was longer than a lease, with the server up all the time, they are
// not: the first worker that comes back hands out again what nobody has renewed, and counts one more attempt. Whoever still runs such a job is told
// that it is lost as soon as it gets through; until then it runs twice, and has one result. A lease that is longer than the outages to be expected costs
// no job. Time is the server's everywhere.
//
// A [worker.Job] is all that [Queue.Renew], [Queue.Finish] and [Queue.GiveBack] need, in whatever process: one that runs a job on when its worker is
// gone keeps the lease itself.
//
// Tasks that wait for their eta are seen by the workers of this package alone. Before the last of them leaves for good, let them run dry.
//
// To wait, a worker blocks in BLMOVE of a list's tail to the same tail, which changes nothing: a poll that is broken off has nothing in its
// hands, and drains at once. Each list is waited for on a connection of its own.
//
// # Dead letters
//
// Messages that cannot be read, tasks that nobody has a handler for, and those whose workers died [Config.Attempts] times are put aside, with
// the reason, and logged. Where an ID is known a FAILURE is stored for whoever waits for the result. [Queue.Dead] lists them, and
// [Queue.Requeue] sends one back. They can be read with redis-cli, too: LRANGE ha:dead 0 -1 shows a line of JSON with the reason and the time, a
// line with the list, and the message.
//
// # What it relies on
//
// Redis 6.2 or later (BLMOVE), one server or a primary: not a Redis Cluster, where kombu does not run either. What Redis forgets in a crash is
// forgotten: with appendonly and appendfsync always nothing that it has answered, with everysec up to two seconds of it. A job whose
// result is forgotten is run again; so is one whose take is, and whoever had it first is told that it is lost. maxmemory-policy must be noeviction,
// as for any queue. What goes wrong is logged to [Config.Log]; go-redis prints a line of its own to standard error when it cannot connect.
package celery
