// Package supervise runs jobs that outlive their worker: it can be restarted, upgraded or killed at any moment, and the jobs go on. Each job is
// in the care of a process of its own, its shim, which is the worker's program started once more.
//
//	func main() {
//		if supervise.IsShim() {
//			os.Exit(supervise.ShimMain())
//		}
//		s, err := supervise.New(supervise.Config{Dir: "/var/lib/buildworker", Slots: 4})
//		…
//		jobs, err := s.Adopt(ctx) // what earlier workers have started, in its slots
//		for _, j := range jobs {
//			go collect(j)
//		}
//		j, err := s.Start(ctx, supervise.Spec{ID: "1138", Args: []string{"make", "test"}, Deadline: time.Hour})
//		go collect(j)
//		…
//	}
//
//	func collect(j *supervise.Job) {
//		result, err := j.Wait(ctx)
//		…                    // record the result, keep the log (Job.Log)
//		err = j.Done(ctx)    // only now is the job forgotten
//	}
//
// The program examples/buildworker does so with package worker, whose queue is on Redis.
//
// # The shim
//
// A shim has a session of its own, so nothing that is sent to the worker's reaches it. It owns the job's process group, output and deadline, and
// adopts what the job's processes leave behind (PR_SET_CHILD_SUBREAPER): when the first process has ended, all that is left is killed, wherever it has
// gone to, and only then has the job ended. The result is written to the disk before anybody is told. A shim has some 10 MB resident, of which 2 to 3
// are its own, the rest is the program that all have in common (measured: TestManyJobs, 200 at once).
//
// The program may be replaced while jobs run: their shims stay what they were, and what they write and say (version 1) is understood by
// every later version of this package.
//
// # What becomes of a job
//
//	the worker dies, is killed, or replaced    the job goes on; Adopt finds it
//	its first process ends                     Exited
//	Stop, Kill; Spec.Deadline                  Stopped; Late
//	the program cannot be executed             NotExecuted
//	the queue has given the job away           LeaseLost, the job is ended
//	the queue is away for Spec.RenewWithin     LeaseLost as well: given back, it is refused or runs anew
//	the worker dies while it starts the job    NeverBegan, or the job goes on: one of the two
//	the shim is killed                         ShimDied: the kernel kills the first process, whoever finds out the rest
//	the machine goes down in order (SIGTERM)   Terminated
//	the machine dies                           Rebooted, by another boot id
//	a record is torn or of the future          Unreadable, with what is wrong
//	the disk is full when a job is started     Start fails, nothing is left; the space for all later records is reserved here
//	the disk is full while it runs             the job goes on; the log says what it lacks, Result.LogLost how much
//	the end cannot be recorded all the same    the shim stays and keeps the result until it can be, or is collected
//
// No job vanishes: each is in the state directory, and found by Adopt, until Job.Done. A process is known by boot id, pid and start time,
// never by its pid alone, and that a shim is alive by a lock that the kernel takes from it when it dies. After a shim's death the job's processes are
// found by a variable in their environment (and their session, while its leader lives): one that has emptied its environment and left may be missed then.
//
// # One result
//
// A job may run more than once, after a reboot for one, but has one result: whoever records it compares the fencing token ([Spec.Token]) with the
// highest that was given out, as the queues of package worker do, and recording it twice with one token is recording it once. A job whose worker has died
// is not run elsewhere meanwhile, because its shim renews its lease ([Shim.Renew], [Spec.RenewEvery]) until the result has been collected.
//
// # Under a service manager
//
// The manager must leave the shims alone when it stops the worker. systemd: KillMode=process in the unit. runit signals the worker alone. OpenRC
// does too, unless rc_cgroup_cleanup is set. Containers end with their first process; the worker is not for them.
//
// Linux only: elsewhere [New] returns an error that is [errors.ErrUnsupported].
package supervise
