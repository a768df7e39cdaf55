package query

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewTrigger = &Check{
	ID:      "new-trigger",
	Catches: "A trigger that may refuse a row, or an INSTEAD rule, that the other schema does not have is in the way of a change.",
	Code:    "P0001",
	Rules:   []string{"add-trigger", "change-function"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "trigger-definition.html: a BEFORE trigger that returns NULL skips the row, an exception ends the transaction",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			for _, t := range s.cat.Triggers(w.rel.OID) {
				if t.InsteadOf || !s.fires(t, w) {
					continue
				}
				f, _ := s.cat.Get(t.Function).(*catalog.Func)
				old, had := s.was.cat.Get(t.OID).(*catalog.Trigger)
				if had && old.Enabled != 'D' && !s.functionChanged(f) {
					continue
				}
				what, known := refusesRow(t, f)
				switch {
				case !known:
					s.out.unsure("what trigger \"" + t.Name + "\" of " + s.cat.NameOf(w.rel.OID).String() + " does")
				case what != "":
					p := w.about(s.reading, nil, t.OID, t.Function)
					p.Code = "P0001"
					s.report(c, p, "trigger %q of %s runs for %s and %s: a row that it does not like is lost", t.Name, s.cat.NameOf(w.rel.OID), s.verb(), what)
				}
			}
		})
		s.newRules(c)
	},
}

// newRules looks for rules on what the statement changes. What those do that are not INSTEAD is not compared with anything.
func (s *step) newRules(c *Check) {
	for _, w := range s.an.Writes {
		for _, rule := range s.rules(w) {
			if s.was.cat.Get(rule.OID) != nil || s.was.cat.Get(w.Relation) == nil {
				continue
			}
			name := s.cat.NameOf(w.Relation).String()
			if !rule.Instead {
				s.out.unsure(fmt.Sprintf("what rule %q of %s does besides", rule.Name, name))
				continue
			}
			s.report(c, Problem{Offset: w.Offset, Relation: name, Objects: []catalog.Address{{OID: w.Relation}, {OID: rule.OID}}},
				"rule %q of %s does something else INSTEAD: %s has no effect, or another", rule.Name, name, s.verb())
		}
	}
}

func (s *step) functionChanged(f *catalog.Func) bool {
	if f == nil {
		return false
	}
	old, ok := s.was.cat.Get(f.OID).(*catalog.Func)
	return !ok || !catalog.SameBody(old, f)
}

// fires reports whether a trigger runs for the change. Of a partition these are those for rows that are not its parent's as well: the
// statement is the parent's. A row that UPDATE moves is deleted in one partition and inserted into another (sql-createtrigger.html).
func (r *reading) fires(t *catalog.Trigger, w change) bool {
	if r.below() && (!t.Row || t.Parent != 0) {
		return false
	}
	return hears(t, w) || t.Row && r.moves(w) && (hears(t, change{Write: &catalog.Write{Op: 'd'}}) || hears(t, change{Write: &catalog.Write{Op: 'i'}}))
}

// moves reports whether an UPDATE may move rows to another partition.
func (r *reading) moves(w change) bool {
	write, rel := w.Write, w.rel
	if r.below() {
		write = r.via.effect.write
		rel, _ = r.cat.Get(write.Relation).(*catalog.Relation)
	}
	return write.Op == 'u' && rel != nil && rel.PartitionKey != nil && (change{Write: write}).sets(rel.PartitionKey.Columns)
}

// hears reports whether a trigger is one for changes of the kind.
func hears(t *catalog.Trigger, w change) bool {
	if t.Enabled == 'D' || t.Enabled == 'R' {
		return false
	}
	switch w.Op {
	case 'i':
		return t.Insert
	case 'd':
		return t.Delete
	case 't':
		return t.Truncate
	}
	return t.Update && (len(t.Columns) == 0 || slices.ContainsFunc(t.Columns, func(n int) bool { return w.Target(n) != nil }))
}

var (
	raises      = regexp.MustCompile(`(?i)\braise\s+(exception|sqlstate|'|using|[a-z_]+\s*(;|using))|\bassert\b`)
	raisesLess  = regexp.MustCompile(`(?i)\braise\s+(debug|log|info|notice|warning)\b`)
	returnsNull = regexp.MustCompile(`(?i)\breturn\s+null\s*;`)
)

// refusesRow tells what a trigger function does to a row that it does not like, as far as its text says.
func refusesRow(t *catalog.Trigger, f *catalog.Func) (what string, known bool) {
	if f == nil || !strings.EqualFold(f.Language, "plpgsql") {
		return "", false
	}
	body := raisesLess.ReplaceAllString(f.Body, "")
	switch {
	case raises.MatchString(body):
		return "may raise an exception", true
	case t.Before && t.Row && returnsNull.MatchString(body):
		return "may skip the row", true
	}
	return "", true
}
