package main

// point is a place between two steps that leave a trace outside of the process, where tests kill it. A program that is no test
// passes them without effect.
type point string

// Points of the worker.
const (
	startBegin point = "the worker has the job, nothing is written"
	specMade   point = "the job's directory is written, but not among the jobs"
	prepared   point = "the job's directory is among the jobs, there is no shim"
	spawned    point = "there is a shim, the worker has not heard of it"
	begun      point = "the shim has answered the worker"
	adoptBegin point = "the worker has the directory, and has looked at no job"
	adopted    point = "the worker has looked at all jobs"
	buried     point = "the worker has recorded what became of a job without a shim"
	resultSeen point = "the worker knows the result"
	doneBegin  point = "the result is collected, nothing is removed"
	released   point = "the shim knows that its result is collected"
	trashed    point = "the job's directory is not among the jobs any more"
	removed    point = "the job's directory is gone"
)

// Points of the shim.
const (
	shimBegin   point = "the shim has its spec"
	shimListens point = "the shim listens, nobody knows who it is"
	shimKnown   point = "the shim's identity is recorded, the job has not begun"
	leaseSure   point = "the lease was renewed before the job begins"
	jobForked   point = "the job's process runs, its identity is not recorded"
	jobKnown    point = "the job's identity is recorded"
	jobWrote    point = "the job has written something"
	stopSent    point = "the job was told to stop"
	leaderDead  point = "the job's first process has ended"
	allDead     point = "no process of the job is left"
	logSynced   point = "the log is on the disk, the result is not"
	exitKnown   point = "the result is on the disk, nobody was told"
	shimLeaves  point = "the result was collected, the shim ends"
)

// points lists all of them, in the order of a job's life. Each process passes its own.
func points() []point {
	return []point{startBegin, specMade, prepared, spawned, shimBegin, shimListens, shimKnown, begun, leaseSure, jobForked, jobKnown, jobWrote,
		stopSent, leaderDead, allDead, logSynced, exitKnown, adoptBegin, adopted, buried, resultSeen, doneBegin, released, shimLeaves, trashed, removed}
}

// faults is called at each point; nil does nothing.
type faults func(point)

func (f faults) at(p point) {
	if f != nil {
		f(p)
	}
}
