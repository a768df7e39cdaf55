package workertest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"git.sr.ht/~sourcehut/ha-go/drain/worker"
)

// Memory is a queue of one process, with leases, for the tests of those who write handlers. Its zero value is empty and ready, and may be
// used by several workers at once.
type Memory struct {
	// Lease is how long a job is handed out for; 0 means a minute.
	Lease time.Duration

	mu      sync.Mutex
	waiting []string // the head first
	taken   map[string]lease
	done    map[string]string // receipt → what was done with it
	results map[string][]Result
	tokens  int64
	changed chan struct{}
}

type lease struct {
	job   *worker.Job
	until time.Time
}

// Result is how a job ended.
type Result struct {
	Value    any
	Failure  error
	Rejected bool
}

// Add puts a job at the end of the queue. Its name is its ID.
func (m *Memory) Add(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waiting = append(m.waiting, id)
	m.change()
}

// Results are the ends that were recorded, by the jobs' IDs.
func (m *Memory) Results() map[string][]Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[string][]Result{}
	for id, results := range m.results {
		all[id] = slices.Clone(results)
	}
	return all
}

// Waiting are the jobs that nobody has, the head first.
func (m *Memory) Waiting() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.waiting)
}

func (m *Memory) change() {
	if m.changed != nil {
		close(m.changed)
	}
	m.changed = nil
}

func (m *Memory) lease() time.Duration {
	if m.Lease == 0 {
		return time.Minute
	}
	return m.Lease
}

// Take implements worker.Queue.
func (m *Memory) Take(ctx context.Context) (*worker.Job, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.mu.Lock()
		next := m.recover()
		if len(m.waiting) > 0 {
			defer m.mu.Unlock()
			m.tokens++
			job := &worker.Job{ID: m.waiting[0], Name: m.waiting[0], Attempt: 1, Token: m.tokens, Receipt: fmt.Sprint(m.tokens), Taken: time.Now()}
			m.waiting = m.waiting[1:]
			if m.taken == nil {
				m.taken = map[string]lease{}
			}
			m.taken[job.Receipt] = lease{job: job, until: time.Now().Add(m.lease())}
			return job, nil
		}
		if m.changed == nil {
			m.changed = make(chan struct{})
		}
		changed := m.changed
		m.mu.Unlock()
		t := time.NewTimer(next)
		select {
		case <-changed:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// recover puts jobs whose leases have run out at the head, and returns how long it is until the next does.
func (m *Memory) recover() time.Duration {
	next, now := m.lease(), time.Now()
	for receipt, l := range m.taken {
		if left := l.until.Sub(now); left > 0 {
			next = min(next, left)
			continue
		}
		m.release(receipt, "recovered")
		m.waiting = slices.Insert(m.waiting, 0, l.job.ID)
	}
	return next
}

func (m *Memory) release(receipt, why string) {
	delete(m.taken, receipt)
	if m.done == nil {
		m.done = map[string]string{}
	}
	m.done[receipt] = why
	m.change()
}

// settle does what is to be done with a job that is still the caller's.
func (m *Memory) settle(job *worker.Job, why string, do func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.taken[job.Receipt]; ok {
		m.release(job.Receipt, why)
		do()
		return nil
	}
	if m.done[job.Receipt] == why {
		return nil
	}
	return worker.ErrLost
}

func (m *Memory) record(job *worker.Job, r Result) {
	if m.results == nil {
		m.results = map[string][]Result{}
	}
	m.results[job.ID] = append(m.results[job.ID], r)
}

// Finish implements worker.Queue.
func (m *Memory) Finish(_ context.Context, job *worker.Job, value any, failure error) error {
	return m.settle(job, "finished", func() { m.record(job, Result{Value: value, Failure: failure}) })
}

// GiveBack implements worker.Queue.
func (m *Memory) GiveBack(_ context.Context, job *worker.Job) error {
	return m.settle(job, "given back", func() { m.waiting = slices.Insert(m.waiting, 0, job.ID) })
}

// Reject implements worker.Rejecter.
func (m *Memory) Reject(_ context.Context, job *worker.Job, why error) error {
	return m.settle(job, "rejected", func() { m.record(job, Result{Failure: why, Rejected: true}) })
}

// Renew implements worker.Renewer.
func (m *Memory) Renew(_ context.Context, jobs ...*worker.Job) (lost []*worker.Job, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, job := range jobs {
		if l, ok := m.taken[job.Receipt]; ok {
			l.until = time.Now().Add(m.lease())
			m.taken[job.Receipt] = l
		} else {
			lost = append(lost, job)
		}
	}
	return lost, nil
}

// RenewEvery implements worker.Renewer.
func (m *Memory) RenewEvery() time.Duration { return m.lease() / 3 }
