package supervise

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// shim is one job's supervisor. Its working directory is the job's.
type shim struct {
	Shim
	id   string
	spec Spec
	self processRecord

	stops chan time.Duration // asks to stop the job; graces
	term  chan os.Signal
	child chan os.Signal
	lease *lease // nil without one

	mu        sync.Mutex
	log       *jobLog // nil until there is one
	result    *Result
	answering int           // requests that have no response yet
	changed   chan struct{} // closed and replaced when any of the above changes
	done      chan struct{} // closed when the result has been collected
}

func (s Shim) run() error {
	// There is one for each job: memory counts, speed does not.
	debug.SetGCPercent(20)
	runtime.GOMAXPROCS(1)
	if !IsShim() {
		return errors.New("it is started by supervise, not by hand")
	}
	dir := os.Args[2]
	sh := &shim{Shim: s, id: filepath.Base(dir), stops: make(chan time.Duration), term: make(chan os.Signal, 1), child: make(chan os.Signal, 1),
		changed: make(chan struct{}), done: make(chan struct{})}
	syscall.CloseOnExec(lockFD)
	syscall.CloseOnExec(readyFD)
	// Caught and not ignored: a signal that is ignored stays so in the job.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	signal.Notify(sh.term, syscall.SIGTERM)
	signal.Notify(sh.child, syscall.SIGCHLD)
	if err := os.Chdir(dir); err != nil {
		return err
	}
	if err := sh.claim(); err != nil {
		return err
	}
	s.faults.at(shimBegin)
	listener, err := net.Listen("unix", sockFile)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(sockFile, 0o600); err != nil {
		return err
	}
	s.faults.at(shimListens)
	if err := writeRecord(".", shimFile, sh.self); err != nil {
		return err
	}
	s.faults.at(shimKnown)
	go sh.serve(listener.(*net.UnixListener))
	_ = syscall.Close(readyFD) // the worker may have died: nobody needs to hear it
	sh.finish(sh.job())
	return nil
}

// claim makes sure that this is the one shim that the job has ever had.
func (sh *shim) claim() error {
	// The descriptor stays open, and locked, until this process ends. An os.File of it would be closed as garbage.
	var inherited, ours syscall.Stat_t
	if err := errors.Join(syscall.Fstat(lockFD, &inherited), syscall.Stat(lockFile, &ours)); err != nil {
		return fmt.Errorf("it is started by supervise, not by hand: %w", err)
	}
	if inherited.Dev != ours.Dev || inherited.Ino != ours.Ino {
		return errors.New("it did not inherit the job's lock")
	}
	for _, name := range []string{shimFile, exitFile} {
		if exists(name) {
			return fmt.Errorf("the job has had a shim: there is %s", name)
		}
	}
	var record specRecord
	if err := readRecord(specFile, &record); err != nil {
		return err
	}
	sh.spec = record.Spec
	boot, err := kernelBootID()
	if err != nil {
		return err
	}
	self, err := readProcess(os.Getpid())
	if err != nil {
		return err
	}
	sh.self = processRecord{V: version, Boot: boot, PID: self.pid, Start: self.start}
	return becomeSubreaper()
}

// job runs the job and returns how it ended, when no process of it is left and the log is on the disk.
func (sh *shim) job() Result {
	if sh.spec.RenewEvery > 0 {
		if sh.Renew == nil {
			return notExecuted(errors.New("RenewEvery is set, but the program's Shim has no Renew"))
		}
		sh.lease = newLease(sh.spec, sh.Renew)
		if err := sh.lease.first(); err != nil {
			return Result{Outcome: LeaseLost, Code: -1, Err: err.Error()}
		}
		sh.faults.at(leaseSure)
	}
	log, err := openLog(sh.spec.logLimit(), sh.change, func() { sh.faults.at(jobWrote) })
	if err != nil {
		return notExecuted(err)
	}
	sh.mu.Lock()
	sh.log = log
	sh.mu.Unlock()
	began := time.Now()
	var result Result
	t, err := startTree(sh.spec, marker(sh.id, sh.self), log.input, sh.child)
	if err != nil {
		result = notExecuted(err)
	} else {
		sh.faults.at(jobForked)
		result = sh.watch(t, began)
		sh.faults.at(allDead)
	}
	if err := log.end(); err != nil {
		result.Err = joinText(result.Err, err)
	}
	result.Began, result.Ended, result.Took = began.Round(0), time.Now().Round(0), time.Since(began)
	result.LogDropped, result.LogLost = log.dropped, log.lost
	sh.faults.at(logSynced)
	return result
}

func notExecuted(err error) Result { return Result{Outcome: NotExecuted, Code: -1, Err: err.Error()} }

func joinText(text string, err error) string {
	if text == "" {
		return err.Error()
	}
	return text + "; " + err.Error()
}

// killEvery is how often what is left of a job is killed: what a process leaves to the shim when it dies comes to light then.
const killEvery = 10 * time.Millisecond

// watch waits for the end of the job, and sees to it when it is told to.
func (sh *shim) watch(t *tree, began time.Time) Result {
	result := Result{Outcome: Exited, Code: -1}
	if p, err := readProcess(t.leader); err == nil {
		if err := writeRecord(".", jobFile, processRecord{V: version, Boot: sh.self.Boot, PID: p.pid, Start: p.start}); err != nil {
			result.Err = err.Error() // it is missed only if this process dies
		}
	}
	sh.faults.at(jobKnown)
	var deadline, grace, lost, tick <-chan time.Time
	if sh.spec.Deadline > 0 {
		timer := time.NewTimer(sh.spec.Deadline - time.Since(began))
		defer timer.Stop()
		deadline = timer.C
	}
	if sh.lease != nil {
		lost = sh.lease.lost
	}
	ticker := time.NewTicker(killEvery)
	defer ticker.Stop()
	leader := t.leaderEnded
	var killAt time.Time // when grace ends
	told := false        // init stops this process
	stop := func(why Outcome, after time.Duration) {
		if leader == nil {
			return // it has ended by itself, the rest is being killed
		}
		if result.Outcome == Exited {
			result.Outcome = why
			if after > 0 {
				t.terminate()
				sh.faults.at(stopSent)
			}
		}
		if at := time.Now().Add(after); grace == nil || at.Before(killAt) {
			killAt, grace = at, time.After(after)
		}
	}
	for {
		select {
		case <-t.ended:
			result.Code, result.Signal = t.code()
			if result.Outcome == Exited && result.Code != 0 && (told || sh.toldToo(result.Signal == int(syscall.SIGTERM))) {
				result.Outcome = Terminated
			}
			return result
		case <-leader:
			leader, tick = nil, ticker.C
			sh.faults.at(leaderDead)
			t.killAll()
		case <-grace:
			tick = ticker.C
			t.killAll()
		case <-tick:
			t.killAll()
		case after := <-sh.stops:
			stop(Stopped, after)
		case <-deadline:
			stop(Late, sh.spec.grace())
		case <-sh.term:
			told = true
			stop(Terminated, sh.spec.grace())
		case <-lost:
			lost = nil
			if leader != nil && result.Outcome == Exited {
				result.Err = joinText(result.Err, sh.lease.why())
			}
			stop(LeaseLost, sh.spec.grace())
		}
	}
}

// toldToo reports whether init stops this process as well as the job, which got its signal, or died of it, first: at the machine's shutdown all get one.
func (sh *shim) toldToo(likely bool) bool {
	patience := time.Duration(0)
	if likely {
		patience = 500 * time.Millisecond
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-sh.term:
		return true
	case <-late.C:
	}
	select {
	case <-sh.term: // both were ready
		return true
	default:
		return false
	}
}

// finish records the result, tells it to whoever asks, and returns when this process has nothing more to do: a job with a lease
// keeps it until its result has been collected, or else somebody might run it again meanwhile, as somebody should whose machine goes down.
func (sh *shim) finish(result Result) {
	if len(result.Err) > 1000 {
		result.Err = result.Err[:1000] + "…"
	}
	record := exitRecord{V: version, Result: result}
	err := writeRecord(".", exitFile, record)
	sh.faults.at(exitKnown)
	sh.mu.Lock()
	sh.result = &result
	sh.mu.Unlock()
	sh.change()
	var lost <-chan time.Time
	if sh.lease != nil {
		defer sh.lease.end()
		if result.Outcome != LeaseLost && result.Outcome != Terminated {
			lost = sh.lease.lost
		}
	}
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for err != nil || lost != nil {
		select {
		case <-sh.done:
			sh.faults.at(shimLeaves)
			err, lost = nil, nil
		case <-sh.term:
			err, lost = nil, nil
		case <-lost:
			lost = nil
		case <-again.C:
			if err != nil {
				err = writeRecord(".", exitFile, record) // the disk was full
			}
		}
	}
	sh.settle()
}

// settle lets those have their answers who have asked; whoever comes too late finds the record.
func (sh *shim) settle() {
	sh.await(func() bool { return sh.answering == 0 }, time.Second)
}

// change tells those who wait.
func (sh *shim) change() {
	sh.mu.Lock()
	close(sh.changed)
	sh.changed = make(chan struct{})
	sh.mu.Unlock()
}

// lease is renewed for as long as the shim lives.
type lease struct {
	spec  Spec
	renew func(context.Context, Spec) error
	lost  chan time.Time // closed when it is
	stop  context.CancelFunc
	ended chan struct{} // closed when nothing is renewed any more

	mu    sync.Mutex
	cause error // why it is lost
	last  error // what went wrong the last time
}

func newLease(spec Spec, renew func(context.Context, Spec) error) *lease {
	return &lease{spec: spec, renew: renew, lost: make(chan time.Time), ended: make(chan struct{})}
}

// first makes sure that the job still is ours, as far as can be told, and goes on to renew. The worker has the job on a fresh lease: not to reach
// the queue at this moment means nothing.
func (l *lease) first() error {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	var giveUp *time.Timer
	if l.spec.RenewWithin > 0 {
		giveUp = time.AfterFunc(l.spec.RenewWithin, func() {
			l.lose(fmt.Errorf("the lease could not be renewed for %s: %w", l.spec.RenewWithin, l.lastError()))
		})
	}
	if l.once(ctx, giveUp) {
		close(l.ended)
		return l.why()
	}
	go func() {
		defer close(l.ended)
		if giveUp != nil {
			defer giveUp.Stop()
		}
		tick := time.NewTicker(l.spec.RenewEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if l.once(ctx, giveUp) {
				return
			}
		}
	}()
	return nil
}

// once renews, and reports whether the lease is lost.
func (l *lease) once(ctx context.Context, giveUp *time.Timer) bool {
	ctx, cancel := context.WithTimeout(ctx, max(l.spec.RenewEvery, time.Second))
	defer cancel()
	asked := time.Now()
	err := l.renew(ctx, l.spec)
	switch {
	case errors.Is(err, ErrLost):
		l.lose(err)
	case err == nil && giveUp != nil:
		giveUp.Reset(l.spec.RenewWithin - time.Since(asked))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = err
	return l.cause != nil
}

func (l *lease) lose(why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		l.cause = why
		close(l.lost)
	}
}

func (l *lease) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

func (l *lease) lastError() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		return errors.New("no answer")
	}
	return l.last
}

func (l *lease) end() {
	l.stop()
	<-l.ended
}
