package plan

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// world is what plans change. It outlives controllers.
type world struct {
	on    map[string]bool // by name of a step: its effect is there
	acts  []string
	fault fault
	fired bool
}

// fault is one mishap, at one place.
type fault struct {
	step  string
	point point
	kind  kind
}

type point string

const (
	before    point = "before"               // the act
	unwritten point = "after but unrecorded" // the act
	recorded  point = "after recorded"
)

type kind string

const (
	crash    kind = "crash" // of the controller
	failure  kind = "error"
	diskFull kind = "disk full" // from here on
)

// crashed is what a controller that dies panics with: nothing of it runs any more but what the kernel does for it.
type crashed struct{}

// hit is called at every place where the fault may be.
func (w *world) hit(step string, at point) error {
	if w.fired || w.fault.step != step || w.fault.point != at {
		return nil
	}
	switch w.fault.kind {
	case crash:
		w.fired = true
		panic(crashed{})
	case failure:
		w.fired = true
		return errors.New("injected")
	case diskFull:
		w.fired = true // see full
	}
	return nil
}

// full is a journal on a disk that is full once the fault has been hit.
type full struct {
	file
	w *world
}

func (f full) WriteAt(b []byte, at int64) (int, error) {
	if f.w.fired && f.w.fault.kind == diskFull {
		return 0, syscall.ENOSPC
	}
	return f.file.WriteAt(b, at)
}

// step is a step whose effect is an entry of the world's, until another ends it.
func (w *world) step(name string, s Step) Step {
	s.Name = name
	s.Do = func(context.Context) error {
		if err := w.hit(name, before); err != nil {
			return err
		}
		w.acts = append(w.acts, name)
		w.on[name] = true
		return w.hit(name, unwritten)
	}
	s.Undo = func(context.Context) error {
		if err := w.hit("undo "+name, before); err != nil {
			return err
		}
		w.acts = append(w.acts, "undo "+name)
		w.on[name] = false
		return w.hit("undo "+name, unwritten)
	}
	return s
}

func (w *world) check(name string) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) { return w.on[name], nil }
}

// switchover is a plan of every sort of step: with a Check and without, one that a later one ends, and, if final, one without
// return.
func (w *world) switchover(final bool) Plan {
	resume := w.step("resume", Step{Check: func(context.Context) (bool, error) { return !w.on["pause"], nil }})
	do := resume.Do
	resume.Do = func(ctx context.Context) error {
		w.on["pause"] = false // also when the controller dies now
		return do(ctx)
	}
	undo := resume.Undo
	resume.Undo = func(ctx context.Context) error { w.on["pause"] = true; return undo(ctx) }
	return Plan{Kind: "test", Version: 1, Steps: []Step{
		w.step("preflight", Step{}),
		w.step("pause", Step{Check: w.check("pause"), Until: "resume"}),
		w.step("fence", Step{Check: w.check("fence")}),
		w.step("promote", Step{Check: w.check("promote"), NoReturn: final}),
		resume,
		w.step("rejoin", Step{Check: w.check("rejoin")}),
	}}
}

// clean is the world as it was, complete as the plan wants it.
func (w *world) clean() bool {
	for _, on := range w.on {
		if on {
			return false
		}
	}
	return true
}

func (w *world) complete() bool {
	return w.on["preflight"] && !w.on["pause"] && w.on["fence"] && w.on["promote"] && w.on["rejoin"]
}

func (w *world) runner(path string) Runner {
	return Runner{Journal: path,
		wrap: func(f file) file { return full{f, w} },
		Observe: func(e Event) {
			switch e.Kind {
			case Done:
				_ = w.hit(e.Name, recorded) // a crash, or from now on a full disk
			case Undone:
				_ = w.hit("undo "+e.Name, recorded)
			}
		}}
}

// mishap runs a controller until it ends or dies.
func mishap(run func() error) (err error, died bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crashed); !ok {
				panic(r)
			}
			died = true
		}
	}()
	return run(), false
}

// TestEveryFaultAtEveryStep: what a fault leaves, at every place of every step and of its undo, can be resumed to the end and can be
// undone to the beginning; an error, or a full disk, has been undone by itself. The cases are made from the plan.
func TestEveryFaultAtEveryStep(t *testing.T) {
	for _, final := range []bool{false, true} {
		for _, s := range (&world{}).switchover(final).Steps {
			for _, step := range []string{s.Name, "undo " + s.Name} {
				t.Run(fmt.Sprintf("%s, final %v", step, final), func(t *testing.T) {
					t.Parallel() // they wait for the disk
					cases := 0
					for _, at := range []point{before, unwritten, recorded} {
						for _, what := range []kind{crash, failure, diskFull} {
							if what == failure && at == recorded {
								continue // that is the next step's, before its act
							}
							for _, then := range []string{"resume", "undo"} {
								f := fault{step: step, point: at, kind: what}
								cases++
								try(t, fmt.Sprintf("%s %s: %s, then %s (final %v)", f.point, f.step, f.kind, then, final), f, then, final)
							}
						}
					}
					require.Equal(t, (3*3-1)*2, cases)
				})
			}
		}
	}
}

func try(t *testing.T, name string, f fault, then string, final bool) {
	t.Helper()
	w := &world{on: map[string]bool{}, fault: f}
	p := w.switchover(final)
	path := filepath.Join(t.TempDir(), "journal")
	if strings.HasPrefix(f.step, "undo ") {
		// Something must make it go back: the last step fails, once.
		last := &p.Steps[len(p.Steps)-1]
		do, failed := last.Do, false
		last.Do = func(ctx context.Context) error {
			if !failed {
				failed = true
				return errors.New("the last step fails")
			}
			return do(ctx)
		}
	}
	forward := final && slices.Contains([]string{"promote", "resume", "rejoin"}, strings.TrimPrefix(f.step, "undo ")) ||
		final && strings.HasPrefix(f.step, "undo ")
	err, died := mishap(func() error { return w.runner(path).Run(t.Context(), p) })
	status, reading := Read(path)
	require.NoError(t, reading, name)
	switch {
	case died:
		require.Equal(t, crash, f.kind, name)
		require.Empty(t, status.Ended, name)
	case err != nil && !forward && f.kind == failure && !strings.HasPrefix(f.step, "undo "):
		require.True(t, w.clean(), "%s: %v %v", name, err, w.on)
		require.Equal(t, "undone", status.Ended, name)
	case err != nil && f == (fault{"rejoin", recorded, diskFull}):
		require.ErrorIs(t, err, syscall.ENOSPC, name) // all is done, and only that is not recorded
		require.True(t, w.complete(), "%s: %v", name, w.on)
	case err != nil && f.kind == diskFull && !forward:
		require.ErrorIs(t, err, syscall.ENOSPC, name)
		require.True(t, w.clean(), "%s: %v %v", name, err, w.on)
	case err != nil && !forward:
		require.ErrorContains(t, err, "the undo failed", name) // an error in an undo
	case err == nil:
		require.True(t, w.complete(), "%s: %v", name, w.on)
	}

	// The next controller comes, on a disk with room.
	w.fired = true
	w.fault = fault{}
	again := w.runner(path)
	if status.Ended != "" {
		require.ErrorIs(t, again.Resume(t.Context(), p), ErrEnded, name)
		require.ErrorIs(t, again.Undo(t.Context(), p), ErrEnded, name)
		return
	}
	require.ErrorIs(t, again.Run(t.Context(), p), ErrUnfinished, name)
	acts := len(w.acts)
	if then == "undo" {
		err := again.Undo(t.Context(), p)
		if err != nil {
			require.True(t, final, "%s: %v", name, err)
			require.ErrorContains(t, err, "no way back", name)
			require.Len(t, w.acts, acts, "%s: refused, and something done", name)
			then = "resume"
		} else {
			require.True(t, w.clean(), "%s: %v after %q", name, w.on, w.acts)
		}
	}
	if then == "resume" {
		require.NoError(t, again.Resume(t.Context(), p), name)
		if status.Undoing != "" {
			require.True(t, w.clean(), "%s: %v after %q", name, w.on, w.acts)
		} else {
			require.True(t, w.complete(), "%s: %v after %q", name, w.on, w.acts)
		}
	}
	status, reading = Read(path)
	require.NoError(t, reading)
	require.NotEmpty(t, status.Ended, name)
	if final && w.on["promote"] {
		require.NotContains(t, w.acts, "undo promote", name)
	}
}
