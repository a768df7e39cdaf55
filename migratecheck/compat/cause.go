package compat

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// presence says whether a site has a problem on a schema.
type presence int

const (
	absent presence = iota
	present
	// hidden: the site fails there for another reason, which it has not on its own schema, so that nobody can tell.
	hidden
)

// presenceOf looks for a problem on a schema, seen from the one the site was written for (nil: on that schema by itself).
func presenceOf(b *query.Bound, home, cat *catalog.Catalog, k key) presence {
	var own problems
	if home != nil {
		own.add(b.On(home).Problems, nil)
	}
	holds := func(list []query.Problem) bool {
		return slices.ContainsFunc(list, func(p query.Problem) bool { return keyOf(&p) == k })
	}
	on := b.On(cat).Problems
	switch {
	case holds(on) || home != nil && holds(b.Between(home, cat).Problems):
		return present
	case slices.ContainsFunc(on, func(p query.Problem) bool {
		return p.Variant == k.variant && refusedUnread(p.Code) && !own.keys[keyOf(&p)]
	}):
		return hidden
	}
	return absent
}

// refusedUnread reports whether the server refuses a statement before it looks at any row, so that nothing else is known of
// it: all classes of SQLSTATE but that of violated constraints.
func refusedUnread(code string) bool { return code != "" && !strings.HasPrefix(code, "23") }

// cause is the statement of pending file i (counted from 1) that brings a problem about: the last after which it is there
// and before which it is not.
func (j *judge) cause(b *query.Bound, home *catalog.Catalog, i int, p *query.Problem) *migratecheck.Step {
	return j.turn(b, home, i, p, present)
}

// cure is the statement of pending file i after which a problem is gone.
func (j *judge) cure(b *query.Bound, home *catalog.Catalog, i int, p *query.Problem) *migratecheck.Step {
	return j.turn(b, home, i, p, absent)
}

// turn finds the last statement of pending file i that brings a site from the contrary to what it is after it. Between
// statements that only together make the difference, the site may fail for another reason: then it is the one of them that
// is about the problem.
func (j *judge) turn(b *query.Bound, home *catalog.Catalog, i int, p *query.Problem, to presence) *migratecheck.Step {
	k := keyOf(p)
	var span []*migratecheck.Step // the latest first; before each of them but the first nobody can tell
	for _, s := range slices.Backward(j.service.Timeline.Pending[i-1].Up) {
		if len(s.Changes) == 0 {
			continue
		}
		if len(span) == 0 {
			if after := presenceOf(b, home, s.After, k); after != to && after != hidden {
				continue
			}
		}
		span = append(span, s)
		switch presenceOf(b, home, s.Before, k) {
		case to:
			span = nil
		case hidden:
		default:
			return likeliest(span, p)
		}
	}
	return likeliest(span, p)
}

// likeliest is the step that changes what a problem is about, in the way that its check looks for; the latest if there are
// several or none, nil of no steps.
func likeliest(span []*migratecheck.Step, p *query.Problem) *migratecheck.Step {
	rules := rulesOf(p.Check)
	for _, about := range []func(c catalog.Change) bool{
		func(c catalog.Change) bool {
			return concerns(c, p) && slices.ContainsFunc(family(c), func(rule string) bool { return slices.Contains(rules, rule) })
		},
		func(c catalog.Change) bool { return concerns(c, p) },
		func(c catalog.Change) bool { return true },
	} {
		for _, s := range span {
			if slices.ContainsFunc(s.Changes, about) {
				return s
			}
		}
	}
	return nil
}
