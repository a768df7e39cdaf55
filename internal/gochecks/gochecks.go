// Package gochecks lists what the analyzers of Go code report: the names that findings, settings and suppression comments
// use. What each means is written once, in the section of that name in the analyzer's doc.go.
package gochecks

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Check is one thing that an analyzer reports.
type Check struct {
	// ID is kebab-case, stable, and not that of a rule about migrations.
	ID string
	// Analyzer is the name of the analyzer that reports it; settings take it for all its checks, as a category.
	Analyzer string
	// Severity is Error for what loses requests, writes or jobs whenever a node leaves or a primary fails over, Warning for what
	// does under conditions that are likely enough.
	Severity migratecheck.Severity
	// Summary says in a line what is reported.
	Summary string
}

// All lists the checks, sorted by analyzer and, within one, as its manual has them. The slice is shared: it is not to be
// changed.
func All() []Check { return all }

var all = slices.Concat(
	detachedwork,
	droppedwrite,
	failoversafe,
	gracefulserver,
	handlerdeadline,
	ignores,
	localstate,
	poolsafe,
)

// ByID finds a check.
func ByID(id string) (Check, bool) {
	for _, c := range All() {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}
