// Package worker runs jobs from a queue, and leaves without losing one.
//
//	queue, err := celery.New(celery.Config{URL: "redis://localhost:6379/0"})
//	…
//	w, err := worker.New(worker.Config{
//		Queue:    queue,
//		Capacity: 4,
//		Handlers: map[string]worker.Handler{"buildsrht.runner.run_build_manifest": build},
//	})
//	…
//	if err := drain.Main(ctx, drain.Config{Deadline: time.Hour}, w); err != nil {
//		log.Fatal(err)
//	}
//
// # How it leaves
//
// A [Worker] is a service for package drain, and stops in two steps. [Worker.LameDuck] shuts the gate: once it has returned no job
// starts any more. What a poll under way still brings is given back to its queue, where other workers find it. [Worker.Shutdown] waits
// for the jobs that run. Those that still run at its deadline are put before [Config.Cut], which says of each whether it is told to
// end and goes back to the queue, or is left to whoever runs it on (a supervisor process of its own, as of package supervise).
//
// # Once, and at least once
//
// A job may be begun more than once: its worker can die with all it knew. It has one result all the same. A queue hands a job out on a lease,
// which the worker renews; a job whose lease has run out is handed to somebody else, under a new and higher [Job.Token]. From then on the
// first one is refused ([ErrLost]): its result is not recorded, and if it still runs, its context ends. A handler whose
// effects must not come twice compares the tokens where the effects are, such as UPDATE … WHERE token < $1.
//
// # Jobs that outlive their worker
//
// A handler that only watches a process of its own ends with [ErrLeave] when it leaves that process to itself. Whoever finds it
// after the restart has the worker take it over by [Worker.Adopt]: adopted jobs take slots before the first poll, and finish like all others. A [Job]
// survives encoding/json, which is how it gets from one process to the next.
package worker
