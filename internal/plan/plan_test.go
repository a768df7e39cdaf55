package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// died runs a plan of a world's until the fault, and returns the journal that is left.
func died(t *testing.T, w *world, p Plan) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	_, dead := mishap(func() error { return w.runner(path).Run(t.Context(), p) })
	require.True(t, dead)
	w.fault = fault{}
	return path
}

func crashAt(step string, at point) *world {
	return &world{on: map[string]bool{}, fault: fault{step, at, crash}}
}

func TestPlanIsPrinted(t *testing.T) {
	do := func(context.Context) error { return nil }
	p := Plan{Kind: "k", Version: 1, Steps: []Step{
		{Name: "pause", Does: "pause every pooler", Undoes: "resume them", Do: do, Undo: do, Until: "resume"},
		{Name: "promote", Does: "promote the standby", Do: do, NoReturn: true},
		{Name: "resume", Do: do},
	}}
	require.NoError(t, p.validate())
	require.Equal(t, "1. pause: pause every pooler (undo: resume them)\n2. promote: promote the standby (no way back from here)\n3. resume\n", p.String())
}

func TestBadPlans(t *testing.T) {
	do := func(context.Context) error { return nil }
	err := Runner{Journal: "/nonexistent/dir/j"}.Run(t.Context(), Plan{Data: json.RawMessage("{"), Steps: []Step{
		{Name: "a", Do: do}, {Name: "a", Do: do}, {}, {Name: "b"}, {Name: "c", Do: do, Until: "a"}, {Name: strings.Repeat("x", 201), Do: do}, {Name: "a\n", Do: do},
	}})
	require.EqualError(t, err, `a plan needs a kind and a version, and has "" and 0
the plan's Data is no JSON
two steps are named "a"
the name of step 3 has 0 bytes, and not 1 to 200
step "b" has no Do
step "c" lasts until "a", and no later step is named so
the name of step 6 has 201 bytes, and not 1 to 200
the name of step 7, "a\n", cannot be printed`)
	err = Runner{Journal: "/nonexistent/dir/j"}.Run(t.Context(), Plan{Kind: "k", Version: 1})
	require.ErrorContains(t, err, "making the journal /nonexistent/dir/j")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestJournalHasRoomForEverything: mode 0600, and it never grows, whatever is recorded and however long the errors are.
func TestJournalHasRoomForEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	long := strings.Repeat("é\"\n\x00", 1000)
	step := func(name string, err error) Step {
		return Step{Name: name, Do: func(context.Context) error { return err }, Undo: func(context.Context) error { return errors.New(long) }}
	}
	p := Plan{Kind: "k", Version: 1, Data: json.RawMessage(`{"a":[1,2]}`), Steps: []Step{
		step(strings.Repeat("n", 200), nil), step(strings.Repeat("é", 100), nil), step(strings.Repeat(`"`, 200), errors.New(long))}}
	sizes := map[int64]bool{}
	r := Runner{Journal: path, Observe: func(Event) {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode())
		sizes[info.Size()] = true
	}}
	require.Error(t, r.Run(t.Context(), p))
	require.Error(t, r.Undo(t.Context(), p))
	require.Len(t, sizes, 1)
	status, err := Read(path)
	require.NoError(t, err)
	require.JSONEq(t, `{"a":[1,2]}`, string(status.Data))
	for _, s := range status.Steps {
		require.Equal(t, StepUndoing, s.Status)
		require.True(t, s.Text == "" || strings.HasPrefix(long, s.Text), "%q", s.Text)
	}
	require.True(t, strings.HasPrefix(long, status.Undoing))
	require.NotEmpty(t, status.Undoing)
}

func TestTruncatedJournalIsRefused(t *testing.T) {
	w := crashAt("fence", unwritten)
	p := w.switchover(false)
	path := died(t, w, p)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	lengths := []int{0, 1, 50, len(whole) - 1, len(whole) - slot, len(whole) / 2}
	for _, n := range lengths {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		for _, err := range []error{w.runner(path).Resume(t.Context(), p), w.runner(path).Undo(t.Context(), p), w.runner(path).Run(t.Context(), p)} {
			require.ErrorIs(t, err, ErrUnreadable, n)
			require.ErrorContains(t, err, path)
		}
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, whole[:n], left, "it is left as it is")
	}
	acts := len(w.acts)
	require.NoError(t, os.WriteFile(path, append(whole, '\n'), 0o600))
	require.ErrorIs(t, w.runner(path).Resume(t.Context(), p), ErrUnreadable)
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	require.Len(t, w.acts, acts, "nothing was done")
	require.NoError(t, w.runner(path).Resume(t.Context(), p))
}

// TestTornRecord: each record in turn was being written when the machine stopped. What comes of it is right; two cannot be.
func TestTornRecord(t *testing.T) {
	for _, s := range (&world{}).switchover(false).Steps {
		for _, at := range []point{before, unwritten, recorded} {
			for _, then := range []string{"resume", "undo"} {
				w := crashAt(s.Name, at)
				p := w.switchover(false)
				path := died(t, w, p)
				j, err := open(path)
				require.NoError(t, err)
				last, where := 0, 0
				for n, e := range j.entries {
					if e != nil && e.Seq > last {
						last, where = e.Seq, n
					}
				}
				_, err = j.f.WriteAt([]byte("?????"), j.base+int64(where)*slot+30)
				require.NoError(t, err)
				require.NoError(t, j.f.Close())
				if then == "resume" {
					require.NoError(t, w.runner(path).Resume(t.Context(), p))
					require.True(t, w.complete(), "%s %s: %v", at, s.Name, w.on)
				} else {
					require.NoError(t, w.runner(path).Undo(t.Context(), p))
					require.True(t, w.clean(), "%s %s: %v", at, s.Name, w.on)
				}
			}
		}
	}
	w := crashAt("fence", unwritten)
	path := died(t, w, w.switchover(false))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte(`"event":"intended"`), []byte(`"event":"inTended"`)), 0o600))
	_, err = Read(path)
	require.ErrorIs(t, err, ErrUnreadable)
	require.ErrorContains(t, err, "is damaged in 3 lines")
}

func TestJournalOfAnotherIsRefused(t *testing.T) {
	w := crashAt("fence", unwritten)
	p := w.switchover(false)
	path := died(t, w, p)
	acts := len(w.acts)
	for says, change := range map[string]func(*Plan){
		"is of version 1 of a test, and this program makes version 2: resume it with the program that began it": func(p *Plan) { p.Version = 2 },
		"is of a test, and not of a rollout": func(p *Plan) { p.Kind = "rollout" },
		"is of another plan":                 func(p *Plan) { p.Steps = p.Steps[:5] },
	} {
		other := w.switchover(false)
		change(&other)
		require.ErrorContains(t, w.runner(path).Resume(t.Context(), other), says)
		require.ErrorContains(t, w.runner(path).Undo(t.Context(), other), says)
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for says, change := range map[string][2]string{
		"is of format 2, and this program knows 1": {`"format":1`, `"format":2`},
		"does not begin as a journal does":         {`"journal":"ha-go plan"`, `"journal":"something"`},
		"is damaged in its first line":             {`"pause"`, `"pauze"`},
	} {
		require.NoError(t, os.WriteFile(path, bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1), 0o600))
		err := w.runner(path).Resume(t.Context(), p)
		require.ErrorContains(t, err, says)
		require.ErrorIs(t, err, ErrUnreadable)
	}
	require.Len(t, w.acts, acts, "nothing was done")
}

// TestTwoControllers: while one works, no other does, by whatever door it comes; and of many that come at once, one works.
func TestTwoControllers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	entered, leave := make(chan struct{}), make(chan struct{})
	p := Plan{Kind: "k", Version: 1, Steps: []Step{{Name: "a", Do: func(context.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	}}}}
	r := Runner{Journal: path}
	ended := make(chan error, 1)
	go func() { ended <- r.Run(t.Context(), p) }()
	<-entered
	for _, other := range []func(context.Context, Plan) error{r.Run, r.Resume, r.Undo} {
		require.ErrorIs(t, other(t.Context(), p), ErrLocked)
	}
	status, err := Read(path)
	require.NoError(t, err, "reading needs no lock")
	require.Equal(t, StepIntended, status.Steps[0].Status)
	close(leave)
	require.NoError(t, <-ended)

	for _, ended := range []bool{false, true} { // no journal, and one that has ended
		if !ended {
			require.NoError(t, os.Remove(path))
		}
		var running, most atomic.Int32
		p.Steps[0].Do = func(context.Context) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			return nil
		}
		errs := make(chan error, 20)
		for range cap(errs) {
			go func() { errs <- r.Run(t.Context(), p) }()
		}
		worked := 0
		for range cap(errs) {
			if err := <-errs; err == nil {
				worked++
			} else {
				require.ErrorIs(t, err, ErrLocked)
			}
		}
		require.Positive(t, worked)
		require.Equal(t, int32(1), most.Load())
	}
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Equal(t, []string{path}, left, "no temporary files")
}

func TestWhatIsFoundDoneIsNotUndone(t *testing.T) {
	w := &world{on: map[string]bool{"fence": true}, fault: fault{"promote", unwritten, failure}}
	err := w.runner(filepath.Join(t.TempDir(), "journal")).Run(t.Context(), w.switchover(false))
	require.EqualError(t, err, `step "promote": injected; what had been done is undone`)
	require.Equal(t, []string{"preflight", "pause", "promote", "undo promote", "undo pause", "undo preflight"}, w.acts)
	require.True(t, w.on["fence"])
}

// TestKeep: a failure takes back what came after, a resume does that again, and an undo takes back everything.
func TestKeep(t *testing.T) {
	for _, then := range []string{"resume", "undo"} {
		w := &world{on: map[string]bool{}}
		plan := func() Plan {
			return Plan{Kind: "k", Version: 1, Steps: []Step{w.step("drain 1", Step{Check: w.check("drain 1"), Until: "ready 1"}), w.step("ready 1", Step{Keep: true}), w.step("drain 2", Step{Check: w.check("drain 2"), Until: "ready 2"}), w.step("ready 2", Step{Keep: true})}}
		}
		path := filepath.Join(t.TempDir(), "journal")
		w.fault = fault{"ready 2", before, failure}
		require.EqualError(t, w.runner(path).Run(t.Context(), plan()), `step "ready 2": injected; what had been done after step "ready 1" is undone: resume, or undo the rest`)
		require.Equal(t, []string{"drain 1", "ready 1", "drain 2", "undo ready 2", "undo drain 2"}, w.acts)
		w.acts = nil
		if then == "resume" {
			w.on["drain 1"] = false // as ready 1 did
			require.NoError(t, w.runner(path).Resume(t.Context(), plan()))
			require.Equal(t, []string{"ready 1", "drain 2", "ready 2"}, w.acts, "ready 1 cannot be asked: told again; drain 1 is over")
		} else {
			require.NoError(t, w.runner(path).Undo(t.Context(), plan()))
			require.Equal(t, []string{"undo ready 1", "undo drain 1"}, w.acts)
		}
	}
}

// TestLeavingIsAnError: the end of the run's context ends the step and takes back what was done, on the undo's own deadline.
func TestLeavingIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var undone []string
	undo := func(name string, wait bool) func(context.Context) error {
		return func(ctx context.Context) error {
			undone = append(undone, name)
			require.NoError(t, ctx.Err(), "of the run's end the undo knows nothing")
			if wait {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
	}
	p := Plan{Kind: "k", Version: 1, Steps: []Step{
		{Name: "a", Do: func(context.Context) error { return nil }, Undo: undo("a", true)},
		{Name: "b", Do: func(ctx context.Context) error {
			Report(ctx, "%d left", 3)
			cancel(errors.New("the operator left"))
			<-ctx.Done()
			return context.Cause(ctx)
		}, Undo: undo("b", false)},
	}}
	var events []string
	r := Runner{Journal: filepath.Join(t.TempDir(), "journal"), UndoTimeout: 20 * time.Millisecond, Observe: func(e Event) {
		require.Equal(t, 2, e.Steps)
		events = append(events, fmt.Sprintf("%s %s%s", e.Kind, e.Name, e.Text))
	}}
	err := r.Run(ctx, p)
	require.EqualError(t, err, `step "b": the operator left; and the undo failed: undoing step "a": context deadline exceeded`)
	require.Equal(t, []string{"b", "a"}, undone)
	require.Equal(t, []string{"begun a", "done a", "begun b", "progress b3 left", "failed b", "undoing b", "undone b", "undoing a", "undo failed a"}, events)
	var failed *Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "b", failed.Step)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"journal":"ha-go plan","format":1,"kind":"k","version":1,"created":"2026-11-25T00:00:00Z","steps":["a"],"sum":"00000000"}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := read(bytes.NewReader(text), "j")
		if err == nil {
			for i := range j.head.Steps {
				j.status(i)
			}
		}
	})
}
