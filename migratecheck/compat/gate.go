package compat

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/gate"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// meeting is whether code meets a schema.
type meeting int

const (
	never meeting = iota
	// late: its gate keeps it from the schema once it has read that this one is there. Until then code runs on that was let in
	// before (package gate, "What AtLeast promises").
	late
	always
)

// meets tells of a part of a site. The schema before the first migration of all has no version, and is one that a gate keeps
// new branches from.
func (j *judge) meets(site *query.Site, i int) meeting {
	admitted := func(i int) bool {
		if i > 0 && j.states[i].version == 0 {
			return true // nothing is known of this tool's versions
		}
		return site.Gate.Admits(j.states[i].version)
	}
	if admitted(i) {
		return always
	}
	for k := range i {
		if admitted(k) && site.Gate.Outlives(j.states[i].version) {
			return late
		}
	}
	return never
}

// lasting leaves out the problems that gate.Do gets over: the server's error makes it read the version, and call its function
// again.
func lasting(list []query.Problem) []query.Problem {
	return slices.DeleteFunc(slices.Clone(list), func(p query.Problem) bool { return new(gate.Gate).Stale(sqlState(p.Code)) })
}

// sqlState is an error of the server's, as drivers have it.
type sqlState string

func (s sqlState) Error() string    { return string(s) }
func (s sqlState) SQLState() string { return string(s) }

// whileLate words a break of code that runs on although its gate would not let it in any more.
func (j *judge) whileLate(br *Break) {
	br.Rule, br.Late = StaleGate, true
	br.Message += "; a gate that has not read yet that the migration has run still lets this code in"
	if br.Site.Gate.Retried {
		br.Help = "gate.Do does not try again after this, since the server has nothing against it that a newer schema explains: let the code for the old schema work on the new one as well, and do the rest of the migration in a release whose code has no such branch any more."
		return
	}
	br.Help = "Ask inside of gate.Do, which reads the version and calls its function again when a query fails so:\ng.Do(ctx, func(schema gate.Schema) error { if schema.AtLeast(…) { … } else { … } })\nor let the code for the old schema work on the new one as well."
}
