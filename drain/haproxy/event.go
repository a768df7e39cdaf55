package haproxy

import (
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/plan"
)

// Plan is what a rollout will do: its String is the dry run.
type Plan struct {
	Steps []Step
	steps plan.Plan
}

// Step is one of a plan's: a name, and what it and its undo do, in words. Undoes is "" where there is nothing to take back.
type Step struct{ Name, Does, Undoes string }

// String prints a line for each step.
func (p Plan) String() string { return p.steps.String() }

func planned(p plan.Plan) Plan {
	list := Plan{steps: p}
	for _, s := range p.Steps {
		list.Steps = append(list.Steps, Step{s.Name, s.Does, s.Undoes})
	}
	return list
}

// EventKind says what an Event is.
type EventKind string

const (
	Found       EventKind = EventKind(plan.Found)     // a step is done already, by somebody else, who may undo it
	Begun       EventKind = EventKind(plan.Begun)     // a step; it is in the journal
	InProgress  EventKind = EventKind(plan.Progress)  // from within a step: Text says how far it is
	Done        EventKind = EventKind(plan.Done)      // a step; it is in the journal
	Failed      EventKind = EventKind(plan.Failed)    // a step, with Err
	Undoing     EventKind = EventKind(plan.Undoing)   // a step's undo has begun
	Undone      EventKind = EventKind(plan.Undone)    // a step
	UndoFailed  EventKind = EventKind(plan.UndoLost)  // a step, with Err; the undo of the others goes on
	NotRecorded EventKind = EventKind(plan.Unwritten) // the journal cannot be written, with Err: from now on what is done is not in it
)

// Event is something that happens in a rollout.
type Event struct {
	Kind EventKind
	// Step counts from 0, to Steps; it is -1 for what is no step's. Name is the step's.
	Step, Steps int
	Name        string
	At          time.Time
	// Took is how long a step, or its undo, has taken, when it has ended.
	Took time.Duration
	Text string // of InProgress
	Err  error
}

// observer tells Progress of the driver's events; nil when nobody listens.
func (r *Rollout) observer() func(plan.Event) {
	if r.Progress == nil {
		return nil
	}
	return func(e plan.Event) {
		r.Progress(Event{EventKind(e.Kind), e.Step, e.Steps, e.Name, e.At, e.Took, e.Text, e.Err})
	}
}
