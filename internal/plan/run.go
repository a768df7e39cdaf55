package plan

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Runner runs plans by a journal.
type Runner struct {
	// Journal is the path of the journal. It is locked for as long as a plan runs.
	Journal string
	// UndoTimeout bounds an undo as a whole, which the end of the run's context does not end; 0 is a minute.
	UndoTimeout time.Duration
	// Observe is told of each event, in the run's own goroutine; nil: nobody is.
	Observe func(Event)

	wrap func(file) file // for tests
}

// EventKind says what an Event is.
type EventKind string

const (
	Found     EventKind = "found"    // a step is done already, by somebody else
	Begun     EventKind = "begun"    // a step; it is on disk
	Progress  EventKind = "progress" // from within a step
	Done      EventKind = "done"     // a step; it is on disk
	Failed    EventKind = "failed"   // a step
	Undoing   EventKind = "undoing"
	Undone    EventKind = "undone"
	UndoLost  EventKind = "undo failed"
	Unwritten EventKind = "unrecorded" // the journal cannot be written
)

// Event is something that happens in a run.
type Event struct {
	Kind  EventKind
	Step  int    // from 0; -1 for the plan
	Name  string // of the step
	Steps int    // how many there are
	At    time.Time
	Took  time.Duration // since Begun, or Undoing
	Text  string        // of Progress
	Err   error
}

// Error is how a run failed.
type Error struct {
	// Step is the name of the step that failed; "" when it was not a step.
	Step string
	// Err is why.
	Err error
	// Undo is what could not be taken back; nil when everything was that had to be.
	Undo error
	// Kept is the step up to which nothing was taken back (Step.Keep); "" when everything was.
	Kept string
	// Stuck says that nothing was taken back, since there is no way back (Step.NoReturn): resume.
	Stuck bool
	// Unrecorded is why the journal could not be written, if that was so. The undo went on without it, and the journal says less
	// than was done: a resume, or another undo, asks the servers.
	Unrecorded error
}

func (e *Error) Error() string {
	text := e.Err.Error()
	if e.Step != "" {
		text = fmt.Sprintf("step %q: %s", e.Step, text)
	}
	switch {
	case e.Stuck:
		text += "; there is no way back from here: resume"
	case e.Undo != nil:
		text += fmt.Sprintf("; and the undo failed: %s", e.Undo)
	case e.Kept != "":
		text += fmt.Sprintf("; what had been done after step %q is undone: resume, or undo the rest", e.Kept)
	default:
		text += "; what had been done is undone"
	}
	if e.Unrecorded != nil {
		text += fmt.Sprintf("; not all of it is recorded (%s)", e.Unrecorded)
	}
	return text
}

// Unwrap gives all of them.
func (e *Error) Unwrap() []error { return []error{e.Err, e.Undo, e.Unrecorded} }

// Run makes a journal and runs a plan by it. The error is an *Error when the plan was begun. A journal of an earlier run that
// has not ended is an error that is ErrUnfinished; a path where another process runs, ErrLocked.
func (r Runner) Run(ctx context.Context, p Plan) error {
	if err := p.validate(); err != nil {
		return err
	}
	j, err := create(r.Journal, p)
	if err != nil {
		return err
	}
	return r.drive(ctx, p, j, (*run).forward)
}

// Resume goes on with a run that a crash, or a failed undo, has interrupted: forward, or backward if it was being undone. The plan must be
// the one that the journal was made for.
func (r Runner) Resume(ctx context.Context, p Plan) error {
	return r.again(ctx, p, func(run *run, ctx context.Context) error {
		if run.j.plan(undoBegun) != nil {
			return run.takeBack(ctx)
		}
		return run.forward(ctx)
	})
}

// Undo takes back what a run has done that has not ended. After a step without return it is refused.
func (r Runner) Undo(ctx context.Context, p Plan) error {
	return r.again(ctx, p, func(run *run, ctx context.Context) error {
		if name, stuck := run.stuck(); stuck {
			return fmt.Errorf("step %q has been begun, from which there is no way back: resume", name)
		}
		return run.takeBack(ctx)
	})
}

func (r Runner) again(ctx context.Context, p Plan, how func(*run, context.Context) error) error {
	if err := p.validate(); err != nil {
		return err
	}
	j, err := open(r.Journal)
	if err != nil {
		return err
	}
	if err := j.matches(p); err != nil {
		return errors.Join(err, j.f.Close())
	}
	return r.drive(ctx, p, j, how)
}

func (r Runner) drive(ctx context.Context, p Plan, j *journal, how func(*run, context.Context) error) (err error) {
	lock := j.f
	defer func() { err = errors.Join(err, lock.Close()) }()
	if r.wrap != nil {
		j.f = r.wrap(j.f)
	}
	if r.UndoTimeout == 0 {
		r.UndoTimeout = time.Minute
	}
	return how(&run{Runner: r, p: p, j: j}, ctx)
}

// run is a plan that runs.
type run struct {
	Runner
	p         Plan
	j         *journal
	unwritten error // the first record that could not be written
}

// forward does what is left to be done.
func (r *run) forward(ctx context.Context) error {
	for i := range r.p.Steps {
		if err := r.do(ctx, i); err != nil {
			return r.fail(ctx, i, err)
		}
	}
	return r.record(func() error { return r.j.writePlan(ended, "done") })
}

// fail takes back what a failure at a step asks for.
func (r *run) fail(ctx context.Context, i int, err error) error {
	failed := &Error{Step: r.p.Steps[i].Name, Err: err}
	r.tell(Event{Kind: Failed, Step: i, Err: err})
	keep := -1
	for k, s := range r.p.Steps[:i] {
		if s.Keep {
			keep, failed.Kept = k, s.Name
		}
	}
	if _, failed.Stuck = r.stuck(); !failed.Stuck {
		failed.Undo = r.backward(ctx, keep, err.Error())
	}
	failed.Unrecorded = r.unwritten
	return failed
}

// takeBack undoes everything.
func (r *run) takeBack(ctx context.Context) error {
	return errors.Join(r.backward(ctx, -1, "asked for"), r.unwritten)
}

// do does one step, unless it is done.
func (r *run) do(ctx context.Context, i int) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s, status := r.p.Steps[i], r.j.status(i)
	over := status == StepDone || status == StepFound
	if over && (s.Check == nil && s.Undo == nil || r.begun(s.Until)) {
		return nil // else it may have been undone unrecorded: the world is asked, or, where it cannot be, told again
	}
	ctx = r.reporting(ctx, i)
	if s.Check != nil {
		found, err := s.Check(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("finding out whether it is done: %w", err)
		case found && over:
			return nil
		case found && (status == StepIntended || status == StepUndoing): // by us, and not recorded; or a part of it
			return r.advance(func() error { return r.j.write(i, done, "") })
		case found:
			err := r.advance(func() error { return r.j.write(i, done, foundText) })
			if err == nil {
				r.tell(Event{Kind: Found, Step: i})
			}
			return err
		}
	}
	if err := r.advance(func() error { return r.j.write(i, intended, "") }); err != nil {
		return err
	}
	r.tell(Event{Kind: Begun, Step: i})
	began := time.Now()
	if err := s.Do(ctx); err != nil {
		return err
	}
	if err := r.advance(func() error { return r.j.write(i, done, "") }); err != nil {
		return err
	}
	r.tell(Event{Kind: Done, Step: i, Took: time.Since(began)})
	return nil
}

// begun tells whether a step of that name has been begun.
func (r *run) begun(name string) bool {
	for i, s := range r.p.Steps {
		if s.Name == name {
			return r.j.status(i) != StepOpen
		}
	}
	return false
}

// advance records a step forward, and fails if that cannot be done; except after a step without return, from where going on
// unrecorded is better than to stand still.
func (r *run) advance(write func() error) error {
	if err := r.record(write); err != nil {
		if _, stuck := r.stuck(); !stuck {
			return err
		}
	}
	return nil
}

// backward undoes what has been begun after a step, in the opposite order, on a deadline of its own. Each undo is tried.
func (r *run) backward(ctx context.Context, keep int, why string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.UndoTimeout)
	defer cancel()
	if keep < 0 && r.j.plan(undoBegun) == nil {
		_ = r.record(func() error { return r.j.writePlan(undoBegun, why) }) // it is remembered; the undo goes on
	}
	var errs []error
	// Where an undo had failed, what came before it was undone all the same, and comes after it now: the undo of "resume" pauses.
	again := false
	for i := len(r.p.Steps) - 1; i > keep; i-- {
		status := r.j.status(i)
		if status == StepOpen || status == StepFound || status == StepUndone && !again {
			continue
		}
		again = true
		if err := r.undo(ctx, i); err != nil {
			errs = append(errs, fmt.Errorf("undoing step %q: %w", r.p.Steps[i].Name, err))
		}
	}
	if len(errs) == 0 && keep < 0 {
		_ = r.record(func() error { return r.j.writePlan(ended, "undone") })
	}
	return errors.Join(errs...)
}

func (r *run) undo(ctx context.Context, i int) error {
	s := r.p.Steps[i]
	if s.Undo == nil {
		_ = r.record(func() error { return r.j.write(i, undone, "") }) // nothing to take back: not done any more
		return nil
	}
	_ = r.record(func() error { return r.j.write(i, undoing, "") })
	r.tell(Event{Kind: Undoing, Step: i})
	began := time.Now()
	if err := s.Undo(r.reporting(ctx, i)); err != nil {
		_ = r.record(func() error { return r.j.write(i, undoing, err.Error()) })
		r.tell(Event{Kind: UndoLost, Step: i, Took: time.Since(began), Err: err})
		return err
	}
	_ = r.record(func() error { return r.j.write(i, undone, "") })
	r.tell(Event{Kind: Undone, Step: i, Took: time.Since(began)})
	return nil
}

// stuck names the step without return that has been intended, if there is one.
func (r *run) stuck() (string, bool) {
	for i, s := range r.p.Steps {
		if status := r.j.status(i); s.NoReturn && (status == StepIntended || status == StepDone) {
			return s.Name, true
		}
	}
	return "", false
}

// record writes to the journal, unless that has failed before: one record that is missing makes the later ones lie. The
// first error is kept, and told once.
func (r *run) record(write func() error) error {
	if r.unwritten != nil {
		return r.unwritten
	}
	if err := write(); err != nil {
		r.unwritten = err
		r.tell(Event{Kind: Unwritten, Step: -1, Err: err})
		return err
	}
	return nil
}

func (r *run) tell(e Event) {
	if r.Observe == nil {
		return
	}
	e.At, e.Steps = time.Now(), len(r.p.Steps)
	if e.Step >= 0 {
		e.Name = r.p.Steps[e.Step].Name
	}
	r.Observe(e)
}

type reporting struct{}

func (r *run) reporting(ctx context.Context, i int) context.Context {
	return context.WithValue(ctx, reporting{}, func(text string) { r.tell(Event{Kind: Progress, Step: i, Text: text}) })
}

// Report tells the observer of the run, from within a step's Do or Undo, how far it has come.
func Report(ctx context.Context, format string, args ...any) {
	if report, ok := ctx.Value(reporting{}).(func(string)); ok {
		report(fmt.Sprintf(format, args...))
	}
}
