package plan

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// StepStatus is what a journal knows of a step.
type StepStatus string

const (
	StepOpen     StepStatus = "open"     // not begun
	StepIntended StepStatus = "intended" // begun; perhaps done, perhaps not
	StepDone     StepStatus = "done"
	StepUndoing  StepStatus = "undoing" // its undo has begun, and not ended, or failed
	StepUndone   StepStatus = "undone"
	StepFound    StepStatus = "found done" // by somebody else; not to be undone
)

// StepRecord is what a journal says of a step.
type StepRecord struct {
	Name   string
	Status StepStatus
	At     time.Time // of the last record
	Text   string    // of the last record: an error
}

// Status is what a journal says of a run.
type Status struct {
	Kind    string
	Version int
	Created time.Time
	Data    json.RawMessage
	Steps   []StepRecord
	// Undoing says that the plan is being taken back, Ended that the run has ended, each with why or how.
	Undoing, Ended string
}

// Read tells how a run stands, by its journal, without locking it.
func Read(path string) (Status, error) {
	f, err := os.Open(path)
	if err != nil {
		return Status{}, fmt.Errorf("opening the journal: %w", err)
	}
	defer func() { _ = f.Close() }()
	j, err := read(f, path)
	if err != nil {
		return Status{}, err
	}
	s := Status{Kind: j.head.Kind, Version: j.head.Version, Created: j.head.Created, Data: j.head.Data}
	for i, name := range j.head.Steps {
		step := StepRecord{Name: name, Status: j.status(i)}
		if e, _ := j.latest(i); e != nil && !e.torn {
			step.At, step.Text = e.At, e.Text
		}
		s.Steps = append(s.Steps, step)
	}
	text := func(e *entry) string {
		switch {
		case e == nil:
			return ""
		case e.Text == "":
			return "at " + e.At.Format(time.RFC3339)
		}
		return e.Text
	}
	s.Undoing, s.Ended = text(j.plan(undoBegun)), text(j.plan(ended))
	return s, nil
}

// foundText marks the record of a step that was found done.
const foundText = "found done"

// latest is the last record of a step, nil without one, and its event.
func (j *journal) latest(i int) (last *entry, event int) {
	for n := range stepEvents {
		if e := j.step(i, n); e != nil && (last == nil || e.Seq > last.Seq) {
			last, event = e, n
		}
	}
	return last, event
}

// status is what a step's records say. A torn one counts as what is safe: the act has perhaps been begun, and is not over.
func (j *journal) status(i int) StepStatus {
	switch e, event := j.latest(i); {
	case e == nil:
		return StepOpen
	case event == intended, event == done && e.torn:
		return StepIntended
	case event == done && e.Text == foundText:
		return StepFound
	case event == done:
		return StepDone
	case event == undoing, e.torn:
		return StepUndoing
	}
	return StepUndone
}
