package worker

import (
	"cmp"
	"slices"
	"time"
)

// Counts are of what has become of jobs since the worker began.
type Counts struct {
	Finished   uint64 `json:"finished"`   // with a result, or a failure, that is recorded
	Failed     uint64 `json:"failed"`     // of these, failures
	GivenBack  uint64 `json:"given_back"` // to the queue
	Left       uint64 `json:"left"`       // to run on elsewhere
	Rejected   uint64 `json:"rejected"`   // nobody can run them
	Lost       uint64 `json:"lost"`       // to another worker, because the lease had run out
	Unrecorded uint64 `json:"unrecorded"` // over, but the queue could not be told; it hands them out again
}

// Running is a job under way.
type Running struct {
	Job     *Job      `json:"job"`
	Since   time.Time `json:"since"` // when it was started or adopted here
	Adopted bool      `json:"adopted,omitempty"`
}

// Status is what a worker is doing.
type Status struct {
	Open     bool      `json:"open"` // the gate: it takes jobs
	Capacity int       `json:"capacity"`
	Running  []Running `json:"running"` // the oldest first
	Counts   Counts    `json:"counts"`
}

// Status says what the worker is doing now.
func (w *Worker) Status() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Status{Open: !w.gate, Capacity: w.cfg.Capacity, Counts: w.counts}
	for r := range w.running {
		s.Running = append(s.Running, Running{Job: r.job, Since: r.since, Adopted: r.adopted})
	}
	slices.SortFunc(s.Running, func(a, b Running) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Job.Token, b.Job.Token))
	})
	return s
}
