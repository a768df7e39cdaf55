package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says where jobs are kept and how many there may be. Dir is needed.
type Config struct {
	// Dir is the state directory: absolute, on a local file system that outlives the machine's boot, such as /var/lib/buildworker. It is made
	// with mode 0700 if it is not there, and is one worker's at a time.
	Dir string
	// Slots is how many jobs may run at once, adopted ones included; 0 means any number.
	Slots int
	// ShimPath is the program that shims are; "" means this one, as it runs, though its file may have been replaced. Its main begins as
	// IsShim says.
	ShimPath string
	// BootID tells one boot of the machine from the next; "" asks the kernel. Tests use it to say that there was a reboot.
	BootID string
	// Log gets a record for each job that starts, is adopted or ends, and for what goes wrong; nil discards them.
	Log *slog.Logger

	faults faults
}

func (c *Config) validate() error {
	var errs []error
	switch {
	case c.Dir == "":
		errs = append(errs, errors.New("supervise: Dir is empty: name a state directory, such as /var/lib/buildworker"))
	case !filepath.IsAbs(c.Dir):
		errs = append(errs, fmt.Errorf("supervise: Dir is %q: it has to be absolute", c.Dir))
	}
	if c.Slots < 0 {
		errs = append(errs, fmt.Errorf("supervise: Slots is %d: it cannot be negative", c.Slots))
	}
	return errors.Join(errs...)
}

var (
	// ErrNoSlot says that as many jobs run as may.
	ErrNoSlot = errors.New("all slots are taken")
	// ErrExists says that there is a job of that name, with the same token or a higher one, whose result has not been collected.
	ErrExists = errors.New("there is such a job already")
	// ErrNotAdopted says that nothing can be started before Adopt has counted what runs.
	ErrNotAdopted = errors.New("call Adopt first: jobs of an earlier worker may hold the slots")
	// ErrClosed says that the supervisor was closed; the job goes on.
	ErrClosed = errors.New("the supervisor is closed")
)

// Supervisor starts jobs and finds them again. Its methods may be called concurrently.
type Supervisor struct {
	cfg  Config
	boot string
	log  *slog.Logger

	base     context.Context // of what watches jobs; ends when closed
	stop     context.CancelFunc
	watching sync.WaitGroup // and of starts under way
	adopting chan struct{}  // holds one while Adopt runs

	mu     sync.Mutex
	lock   *os.File        // of the state directory, once jobs are adopted
	jobs   map[string]*Job // those whose result was not collected, and those on their way
	closed bool
}

// New checks the configuration. Nothing is touched before Adopt.
func New(cfg Config) (*Supervisor, error) {
	if !supported {
		return nil, fmt.Errorf("supervise: jobs that outlive their worker need Linux: %w", errors.ErrUnsupported)
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if IsShim() {
		return nil, errors.New("supervise: this process was started as a shim: main has to begin with if supervise.IsShim() { os.Exit(supervise.ShimMain()) }")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.BootID == "" {
		boot, err := kernelBootID()
		if err != nil {
			return nil, fmt.Errorf("supervise: asking for the boot's id: %w", err)
		}
		cfg.BootID = boot
	}
	s := &Supervisor{cfg: cfg, boot: cfg.BootID, log: cfg.Log, jobs: map[string]*Job{}, adopting: make(chan struct{}, 1)}
	s.base, s.stop = context.WithCancel(context.Background())
	return s, nil
}

func (s *Supervisor) path(elem ...string) string {
	return filepath.Join(append([]string{s.cfg.Dir}, elem...)...)
}

// The directories below Config.Dir. What is in fresh and trash is nobody's when there is no worker.
const (
	jobsDir  = "jobs"
	freshDir = "new"
	trashDir = "trash"
)

// Adopt takes possession of the state directory, and returns the jobs in it that no worker has collected: those that run, and those that
// have ended, in whatever way. It waits for an earlier worker to leave the directory, until ctx ends. It comes before everything
// else, and is called once; after an error it can be called again.
func (s *Supervisor) Adopt(ctx context.Context) ([]*Job, error) {
	s.adopting <- struct{}{}
	defer func() { <-s.adopting }()
	s.mu.Lock()
	again, closed := s.lock != nil, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return nil, fmt.Errorf("supervise: %w", ErrClosed)
	case again:
		return nil, errors.New("supervise: Adopt was called before")
	}
	jobs, err := s.adopt(ctx)
	if err != nil {
		return nil, fmt.Errorf("supervise: adopting the jobs in %s: %w", s.cfg.Dir, err)
	}
	return jobs, nil
}

func (s *Supervisor) adopt(ctx context.Context) ([]*Job, error) {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := ownedPrivately(s.cfg.Dir); err != nil {
		return nil, err
	}
	lock, err := s.takeDir(ctx)
	if err != nil {
		return nil, err
	}
	s.cfg.faults.at(adoptBegin)
	jobs, err := s.look()
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(ErrClosed, lock.Close())
	}
	s.lock = lock
	for _, j := range jobs {
		s.jobs[j.id] = j
		s.watching.Go(func() { j.watch(s.base) })
	}
	s.cfg.faults.at(adopted)
	return jobs, nil
}

// takeDir locks the state directory.
func (s *Supervisor) takeDir(ctx context.Context) (*os.File, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		f, err := lock(s.path(lockFile))
		if f != nil || err != nil {
			return f, err
		}
		if !told {
			told = true
			s.log.Info("waiting for another worker to leave the state directory", "dir", s.cfg.Dir)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("another worker has it: %w", context.Cause(ctx))
		case <-s.base.Done():
			return nil, ErrClosed
		}
	}
}

// look makes the directories if need be, removes what a dead worker has left half-done, and returns the jobs.
func (s *Supervisor) look() ([]*Job, error) {
	for _, dir := range []string{jobsDir, freshDir, trashDir} {
		if err := os.Mkdir(s.path(dir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	for _, dir := range []string{freshDir, trashDir} {
		entries, err := os.ReadDir(s.path(dir))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if err := os.RemoveAll(s.path(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	entries, err := os.ReadDir(s.path(jobsDir))
	if err != nil {
		return nil, err
	}
	var jobs []*Job
	for _, e := range entries {
		if !e.IsDir() || !validID.MatchString(e.Name()) {
			s.log.Warn("not a job, left alone", "path", s.path(jobsDir, e.Name()))
			continue
		}
		j := s.job(e.Name())
		j.adopted = true
		var record specRecord
		if err := readRecord(j.path(specFile), &record); err != nil {
			j.broken = err
		}
		j.spec = record.Spec
		j.spec.ID = e.Name()
		jobs = append(jobs, j)
		s.log.Info("job adopted", "job", j.id, "token", j.spec.Token)
	}
	return jobs, nil
}

// Job returns the job of that name, if there is one whose result has not been collected.
func (s *Supervisor) Job(id string) (*Job, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.jobs[id]
	return j, ok
}

// Jobs are those whose result was not collected, by name.
func (s *Supervisor) Jobs() []*Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Job
	for _, j := range s.jobs {
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b *Job) int { return strings.Compare(a.id, b.id) })
	return all
}

// Running is how many jobs have not ended: what takes slots. Before Adopt it is not known, and 0.
func (s *Supervisor) Running() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running()
}

func (s *Supervisor) running() int {
	n := 0
	for _, j := range s.jobs {
		if !j.over() {
			n++
		}
	}
	return n
}

// Start starts a job under a shim of its own and returns when the shim has it in its care; the job may not have begun then.
// A program that cannot be executed is the job's result, not an error of Start.
//
// If there is a job of that name with a lower token, whoever has that token has lost it: it is killed and forgotten first. With the
// same token or a higher one Start returns that job and [ErrExists]. Other errors mean that nothing was started, and that nothing is left of it.
func (s *Supervisor) Start(ctx context.Context, spec Spec) (*Job, error) {
	if spec.Env == nil {
		spec.Env = environment()
	}
	if spec.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("supervise: starting job %s: %w", spec.ID, err)
		}
		spec.Dir = dir
	}
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	j, err := s.start(ctx, spec)
	if err != nil {
		return j, fmt.Errorf("supervise: starting job %s: %w", spec.ID, err)
	}
	s.log.Info("job starts", "job", j.id, "token", spec.Token)
	return j, nil
}

func (s *Supervisor) start(ctx context.Context, spec Spec) (*Job, error) {
	j, err := s.enter(spec)
	for j != nil && err != nil {
		if j.spec.Token >= spec.Token {
			return j, err
		}
		s.log.Warn("job superseded", "job", j.id, "token", j.spec.Token, "by", spec.Token)
		if err := j.supersede(ctx); err != nil {
			return nil, fmt.Errorf("ending the same job of token %d first: %w", j.spec.Token, err)
		}
		j, err = s.enter(spec)
	}
	if err != nil {
		return nil, err
	}
	defer s.watching.Done()
	if err := s.launch(ctx, j); err != nil {
		j.settle(Result{Outcome: NeverBegan, Code: -1, Err: err.Error()})
		j.gone()
		return nil, err
	}
	s.watching.Go(func() { j.watch(s.base) })
	return j, nil
}

// enter takes a slot and the name for a job that is about to be started, or returns who has the name and ErrExists.
func (s *Supervisor) enter(spec Spec) (*Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.jobs[spec.ID]
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.lock == nil:
		return nil, ErrNotAdopted
	case old != nil:
		return old, ErrExists
	case s.cfg.Slots > 0 && s.running() >= s.cfg.Slots:
		return nil, fmt.Errorf("%d jobs run: %w", s.running(), ErrNoSlot)
	}
	j := s.job(spec.ID)
	j.spec = spec
	s.jobs[spec.ID] = j
	s.watching.Add(1)
	return j, nil
}

// launch makes the job's directory and its shim. After an error neither is there.
func (s *Supervisor) launch(ctx context.Context, j *Job) error {
	s.cfg.faults.at(startBegin)
	lock, err := s.prepare(j)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	s.cfg.faults.at(prepared)
	if err := s.spawn(ctx, j, lock); err != nil {
		return errors.Join(err, s.remove(j))
	}
	s.cfg.faults.at(begun)
	return nil
}

// prepare writes the job's directory, with room for what will be recorded, and returns its lock.
func (s *Supervisor) prepare(j *Job) (lock *os.File, err error) {
	dir, err := os.MkdirTemp(s.path(freshDir), "job-") // mode 0700
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
			if lock != nil {
				err = errors.Join(err, lock.Close())
			}
		}
	}()
	if lock, err = lockIn(dir); err != nil {
		return nil, err
	}
	for _, name := range []string{shimFile, jobFile, exitFile} {
		if err := reserve(filepath.Join(dir, name+".tmp"), reservedBytes); err != nil {
			return lock, err
		}
	}
	for _, name := range []string{logFile, errorFile} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			return lock, err
		}
	}
	if err := writeRecord(dir, specFile, specRecord{V: version, Boot: s.boot, Spec: j.spec}); err != nil {
		return lock, err
	}
	s.cfg.faults.at(specMade)
	if err := os.Rename(dir, j.dir); err != nil {
		return lock, err
	}
	if err := syncDir(s.path(jobsDir)); err != nil {
		return lock, errors.Join(err, s.remove(j))
	}
	return lock, nil
}

func lockIn(dir string) (*os.File, error) {
	f, err := lock(filepath.Join(dir, lockFile))
	if f == nil && err == nil {
		err = fmt.Errorf("%s is locked by somebody else", dir)
	}
	return f, err
}

// spawn starts the shim, and returns when it has said that it has the job in its care. After an error there is no shim, and the job
// has not begun.
func (s *Supervisor) spawn(ctx context.Context, j *Job, lock *os.File) error {
	path := s.cfg.ShimPath
	if path == "" {
		path = "/proc/self/exe"
	}
	says, err := os.OpenFile(j.path(errorFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer func() { _ = says.Close() }()
	ready, child, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = ready.Close() }()
	cmd := exec.Command(path, shimArg, j.dir)
	cmd.Args[0] = filepath.Base(os.Args[0])
	cmd.Stderr = says
	cmd.ExtraFiles = []*os.File{lock, child} // lockFD, readyFD
	shimProcess(cmd)
	err = cmd.Start()
	_ = child.Close()
	if err != nil {
		return fmt.Errorf("starting the shim: %w", err)
	}
	s.cfg.faults.at(spawned)
	ended := make(chan struct{})
	go func() { // as long as this process lives: it is the shim's parent
		_ = cmd.Wait()
		close(ended)
	}()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	_, _ = ready.Read(make([]byte, 1)) // the shim closes its end
	if exists(j.path(shimFile)) {
		return nil // if it has died since, that is the job's end
	}
	<-ended
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, _ := os.ReadFile(j.path(errorFile))
	return fmt.Errorf("the shim ended before the job began (%v; does the program's main begin with supervise.IsShim?): %s", cmd.ProcessState, bytes.TrimSpace(text))
}

// remove takes a job's directory away, as one.
func (s *Supervisor) remove(j *Job) error {
	aside, err := os.MkdirTemp(s.path(trashDir), j.id+"-")
	if err != nil {
		return err
	}
	if err := os.Rename(j.dir, filepath.Join(aside, j.id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := syncDir(s.path(jobsDir)); err != nil {
		return err
	}
	s.cfg.faults.at(trashed)
	return os.RemoveAll(aside)
}

// Close lets go of all jobs, which go on, and of the state directory, so that another worker can have it. Closing it again does nothing.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	first, lock := !s.closed, s.lock
	s.closed = true
	s.mu.Unlock()
	s.stop()
	s.watching.Wait()
	if first && lock != nil {
		return lock.Close()
	}
	return nil
}

// environment is the worker's own, less what its supervisor tells it alone (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)).
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return name == "NOTIFY_SOCKET" || strings.HasPrefix(name, "LISTEN_") || strings.HasPrefix(name, "WATCHDOG_")
	})
}
