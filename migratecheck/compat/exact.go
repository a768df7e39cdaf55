package compat

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Exact returns the findings of the service's migrations with what the old code says of them. A finding about the two
// versions that a query confirms names the queries; one that no query confirms is no error any more, and says which
// revision was looked at and what of it could not be seen. The other findings are as they were.
func Exact(s *Service) []migratecheck.Finding {
	list := slices.Clone(s.Timeline.Findings)
	if s.Coverage[Old].Found == 0 {
		return list // nothing is known of the code
	}
	for i := range list {
		f := &list[i]
		if f.Down || !decidable(f.Rule) {
			continue
		}
		step := s.stepOf(f)
		if step == nil {
			continue
		}
		switch broken, stale := s.confirm(f, step); {
		case len(broken) > 0:
			confirmed(f, broken)
		case len(stale) > 0:
			confirmed(f, stale)
			f.Message += ", which a gate lets in only until it has read the version again"
			f.Severity = min(f.Severity, migratecheck.Warning)
		default:
			s.clear(f, step)
		}
	}
	return list
}

// stepOf is the statement that a finding is about.
func (s *Service) stepOf(f *migratecheck.Finding) *migratecheck.Step {
	for _, file := range s.Timeline.Pending {
		for _, step := range file.Up {
			if sameStatement(f, step) && slices.ContainsFunc(step.Changes, func(c catalog.Change) bool { return slices.Contains(family(c), f.Rule) }) {
				return step
			}
		}
	}
	return nil
}

// confirm lists the old code's breaks that a finding foretold, those of code that a gate lets in late apart.
func (s *Service) confirm(f *migratecheck.Finding, step *migratecheck.Step) (list, stale []*Break) {
	for _, b := range s.Breaks {
		if b.Cell != (Cell{Old, New}) || b.Cause == nil || !slices.Contains(candidates(b.Cause, &b.Problem), f.Rule) {
			continue
		}
		// INSERTs that miss a column say nothing of those that SELECT * gets one more: another finding speaks of them.
		if b.Rule != f.Rule && !slices.Contains(rulesOf(b.Problem.Check), f.Rule) {
			continue
		}
		// A change of several statements (a swap of columns) takes effect with the last of them.
		if b.Cause != step && (b.Cause.File != step.File || b.Rule != f.Rule) {
			continue
		}
		alone := b.Cause == step && (b.Problem.Column == "" || len(names(f, step)) < 2)
		if alone || b.Problem.Column != "" && about(f, b.Problem.Column) {
			if b.Late {
				stale = append(stale, b)
			} else {
				list = append(list, b)
			}
		}
	}
	return list, stale
}

// names are what a finding's statement changes, as far as the finding's rule speaks of it.
func names(f *migratecheck.Finding, step *migratecheck.Step) []string {
	var list []string
	for _, c := range step.Changes {
		if !slices.Contains(family(c), f.Rule) {
			continue
		}
		name := c.Object().ObjectName()
		switch {
		case c.OldColumn != nil:
			name = c.OldColumn.Name
		case c.NewColumn != nil:
			name = c.NewColumn.Name
		case c.Old != nil:
			name = c.Old.ObjectName()
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// shownQueries is how many queries a finding names.
const shownQueries = 3

func confirmed(f *migratecheck.Finding, broken []*Break) {
	var places []string
	for _, b := range broken {
		f.Severity = max(f.Severity, b.Severity)
		if place := fmt.Sprintf("%s:%d", b.Pos.File, b.Pos.Line); !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	more := ""
	if n := len(places) - shownQueries; n > 0 {
		places, more = places[:shownQueries], fmt.Sprintf(" and %d more", n)
	}
	verb := "query of %s breaks"
	if len(broken) > 1 {
		verb = "queries of %s break"
	}
	f.Message += fmt.Sprintf(" — %d "+verb+": %s%s", len(broken), broken[0].Rev, strings.Join(places, ", "), more)
}

// clear takes the weight from a finding that no query confirms, as far as no blind spot leaves it some.
func (s *Service) clear(f *migratecheck.Finding, step *migratecheck.Step) {
	c, old := s.Coverage[Old], s.Code[Old]
	spot := s.blindSpot(f, step)
	text := fmt.Sprintf(" — no query of %s depends on it", old.Rev)
	if spot.leaves == migratecheck.Error {
		spot.leaves = f.Severity // as the rule has it
		text = fmt.Sprintf(" — whether a query of %s depends on it cannot be told", old.Rev)
	}
	text += fmt.Sprintf(" (%d of %d query sites were judged", s.judged()-c.Partly, c.Found)
	if c.Partly > 0 {
		text += fmt.Sprintf(" as a whole, %d in part", c.Partly)
	}
	if n := len(old.Gaps); n > 0 {
		text += fmt.Sprintf("; %d parts of the code could not be seen", n)
	}
	if spot.why != "" {
		text += "; " + spot.why
	}
	f.Severity = min(f.Severity, spot.leaves)
	f.Message += text + ")"
}
