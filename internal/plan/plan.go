package plan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Step is one step of a plan. Check, Do and Undo must be idempotent: each may be called again after it has succeeded, or
// after the process died in it.
type Step struct {
	// Name tells the steps of a plan apart, and is what the journal knows a step by: "drain web/node1". At most 200 bytes, all of them printable.
	Name string
	// Does says to a person what the step will do, Undoes what its undo will, in the imperative.
	Does, Undoes string
	// Check says whether the step is done already. nil: it cannot be known, and Do is called; by a resume also when
	// it was done before, if it has an Undo and Until has not been begun.
	Check func(ctx context.Context) (done bool, err error)
	// Do does it, and returns when it is done.
	Do func(ctx context.Context) error
	// Undo takes it back, also when Do has done a part of it only. nil: there is nothing to take back.
	Undo func(ctx context.Context) error
	// Until names the later step that ends what this one has brought about, as "resume" ends "pause". On a resume, a step that
	// was done is checked again, and done again if need be, until that one has been begun. "" is for ever.
	Until string
	// Keep says that a failure after this step is done takes nothing back up to here: what is undone by itself is what was
	// done since. Runner.Undo takes back everything.
	Keep bool
	// NoReturn says that once the step is intended nothing is undone any more, here or before it.
	NoReturn bool
}

// Plan is a list of steps. They are done in order, and undone in the opposite one.
type Plan struct {
	// Kind and Version say which planner made it: "haproxy rollout", 1. The version changes when the steps of a plan, or Data,
	// come to mean something else.
	Kind    string
	Version int
	// Data is what the planner made the plan of, for the one who resumes it: it is kept in the journal.
	Data  json.RawMessage
	Steps []Step
}

const nameLimit = 200

func (p Plan) validate() error {
	var errs []error
	if p.Kind == "" || p.Version < 1 {
		errs = append(errs, fmt.Errorf("a plan needs a kind and a version, and has %q and %d", p.Kind, p.Version))
	}
	if p.Data != nil && !json.Valid(p.Data) {
		errs = append(errs, errors.New("the plan's Data is no JSON"))
	}
	seen := map[string]bool{}
	for i, s := range p.Steps {
		switch {
		case s.Name == "" || len(s.Name) > nameLimit:
			errs = append(errs, fmt.Errorf("the name of step %d has %d bytes, and not 1 to %d", i+1, len(s.Name), nameLimit))
		case !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
			errs = append(errs, fmt.Errorf("the name of step %d, %q, cannot be printed", i+1, s.Name))
		case seen[s.Name]:
			errs = append(errs, fmt.Errorf("two steps are named %q", s.Name))
		case s.Do == nil:
			errs = append(errs, fmt.Errorf("step %q has no Do", s.Name))
		}
		seen[s.Name] = true
		if s.Until != "" && !slices.ContainsFunc(p.Steps[i+1:], func(later Step) bool { return later.Name == s.Until }) {
			errs = append(errs, fmt.Errorf("step %q lasts until %q, and no later step is named so", s.Name, s.Until))
		}
	}
	return errors.Join(errs...)
}

// String prints the plan for a person: a dry run.
func (p Plan) String() string {
	var b strings.Builder
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%*d. %s", len(fmt.Sprint(len(p.Steps))), i+1, s.Name)
		if s.Does != "" {
			fmt.Fprintf(&b, ": %s", s.Does)
		}
		switch {
		case s.NoReturn:
			b.WriteString(" (no way back from here)")
		case s.Undo != nil && s.Undoes != "":
			fmt.Fprintf(&b, " (undo: %s)", s.Undoes)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (p Plan) names() []string {
	names := make([]string, len(p.Steps))
	for i, s := range p.Steps {
		names[i] = s.Name
	}
	return names
}
