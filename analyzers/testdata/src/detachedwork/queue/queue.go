// Package queue has channels and mutexes.
package queue

import "sync"

// Queue has a worker that takes the mutex which a sender holds.
type Queue struct {
	tasks chan func()
	todo  sync.WaitGroup
	mu    sync.Mutex

	stop    sync.RWMutex
	stopped bool
}

func (q *Queue) Enqueue(f func()) bool {
	q.stop.RLock()
	defer q.stop.RUnlock()
	if q.stopped {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks <- f // want `warning: send-under-lock: the send on tasks holds mu, which Run takes between two receives: when the channel is full`
	q.todo.Add(1)
	return true
}

// Try never waits.
func (q *Queue) Try(f func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.tasks <- f:
		return true
	default:
		return false
	}
}

// Within waits for something else as well.
func (q *Queue) Within(f func(), cancelled chan bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case q.tasks <- f:
		return true
	case <-cancelled:
		return false
	}
}

// After sends when it has unlocked.
func (q *Queue) After(f func()) {
	q.mu.Lock()
	q.todo.Add(1)
	q.mu.Unlock()
	q.tasks <- f
}

// Early unlocks on every way to the send.
func (q *Queue) Early(f func(), urgent bool) {
	q.mu.Lock()
	if urgent {
		q.mu.Unlock()
	} else {
		q.todo.Add(1)
		q.mu.Unlock()
	}
	q.tasks <- f
	q.mu.Lock()
	if urgent {
		q.mu.Unlock()
		return
	}
	q.tasks <- f // want `send-under-lock`
	q.mu.Unlock()
}

// Through calls what sends.
func (q *Queue) Through(f func()) {
	q.mu.Lock()
	q.After2(f) // want `send-under-lock: the send on tasks, by After2, holds mu`
	q.unlock()
	q.After2(f)
}

func (q *Queue) After2(f func()) { q.tasks <- f }

func (q *Queue) unlock() { q.mu.Unlock() }

func (q *Queue) Run() {
	for f := range q.tasks {
		q.do(f)
	}
}

func (q *Queue) do(f func()) {
	f()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.todo.Done()
}

// Hub is right: who receives takes no mutex that a sender holds, or takes it elsewhere.
type Hub struct {
	sync.Mutex
	ch, both, later chan int
	seen            map[int]bool
	rw              sync.RWMutex
}

func (h *Hub) Send(n int) {
	h.Lock()
	defer h.Unlock()
	h.ch <- n
	h.both <- n
	h.later <- n
}

func (h *Hub) Run() {
	for n := range h.ch {
		print(n)
	}
}

func (h *Hub) one() {
	for n := range h.both {
		h.Lock()
		h.seen[n] = true
		h.Unlock()
	}
}

func (h *Hub) other() {
	for {
		select {
		case n := <-h.both:
			print(n)
		}
	}
}

func (h *Hub) started() {
	for n := range h.later {
		go func() {
			h.Lock()
			defer h.Unlock()
			h.seen[n] = true
		}()
	}
}

// Readers exclude nobody.
type Readers struct {
	rw sync.RWMutex
	ch chan int
}

func (r *Readers) Send() {
	r.rw.RLock()
	defer r.rw.RUnlock()
	r.ch <- 1
}

func (r *Readers) Run() {
	for range r.ch {
		r.rw.RLock()
		print("seen")
		r.rw.RUnlock()
	}
}

// Embedded locks by a promoted method.
type Embedded struct {
	sync.Mutex
	ch chan int
}

func (e *Embedded) Send() {
	e.Lock()
	e.ch <- 1 // want `holds Mutex, which Run takes`
	e.Unlock()
}

func (e *Embedded) Run() {
	for {
		<-e.ch
		e.Lock()
		e.Unlock()
	}
}

// Bounded knows how much will come.
func Bounded(list []int) (sum int) {
	var mu sync.Mutex
	results := make(chan int, len(list))
	for _, n := range list {
		go func() {
			mu.Lock()
			defer mu.Unlock()
			results <- n
		}()
	}
	for range list {
		n := <-results
		mu.Lock()
		sum += n
		mu.Unlock()
	}
	return sum
}

// Pool never has more than fit.
type Pool struct {
	mu   sync.Mutex
	free chan *int
	used int
}

func (p *Pool) Fill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range cap(p.free) {
		p.free <- new(int)
	}
}

func (p *Pool) Get(stop chan bool) *int {
	for {
		select {
		case n := <-p.free:
			p.mu.Lock()
			p.used++
			p.mu.Unlock()
			if *n > 0 {
				return n
			}
		case <-stop:
			return nil
		}
	}
}
