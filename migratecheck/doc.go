// Package migratecheck tells what a database migration does to the two versions of code that run beside each other while
// a service is upgraded, to the requests that wait for its locks, and to the rows that are there already.
//
// # The invariant
//
// Old and new code must both run on the old and on the new schema. A deployment changes the schema and replaces the
// processes one after the other, so released code meets the new schema every time, and new code meets the old one when a
// migration is late or taken back. A change that breaks one of the four pairs has to be split over releases; every
// finding says how. Beside that, no statement may keep requests waiting for longer than a person would notice, and none
// may fail on, or lose, the rows of a production database.
//
// # The model
//
// A history is a [source.Set] of migrations, in the order of their tool. Those of the base ([Pending]: the newest tag,
// say) are released; what is not in the base is pending, and only that is judged. The schema is a value, a
// [catalog.Catalog]: each statement of the history is applied to it as PostgreSQL would, so a rule sees the schema before
// and after a statement, what it really changed (through CASCADE, DO blocks and functions too), which locks it takes and
// what it rewrites ([lockmode.Effect]), and in which transaction it runs.
//
// Everything a rule says rests on two questions. What did released code see (the catalog at the base, [Run.Base])? And
// was the object there at all: what the pending change itself created is used by nobody, empty, and never reported
// ([Step.IsNew], [Step.IsNewColumn]). When no base is known, each file is a unit of its own.
//
// # How a run goes
//
// [Lint] finds the migrations ([source.Discover]), the base ([Pending]) and the schema on which the history starts (a
// baseline, when the first file does not begin with an empty database). [Run] walks the history: a few goroutines parse
// ahead, one applies the statements in order. For each [Step] of a pending file it calls the rules' Step hooks, after the
// file the File hooks (they know how the file ends: a default dropped and set again is no change), and after the last
// file the History hooks. Findings go through the suppression comments, are sorted, cut at [Config.Severity] and handed
// back as a [Report].
//
// # Where each part lives
//
//   - source reads migrations; catalog holds the schema; lockmode knows the locks. None of them knows a rule.
//   - lint.go, pending.go, baseline.go, run.go and walk.go, trees.go: the run, in this order.
//   - step.go is what a rule is given; finding.go, suppress.go, stats.go, config.go what surrounds it.
//   - rules.go lists the rules, rule_<slug>.go holds one each, with its manual ([Doc]), which `srhtvet explain` and
//     docs/rules.md print.
//   - What several rules share is in files named after it: released.go, swap.go, constraints.go, addlater.go,
//     typechange.go, viewquery.go, backfill.go, repeatable.go, transaction.go, timeouts.go, hygiene.go and others.
//
// # How rules are tested
//
// testdata/rules/<id>.txt holds a rule's cases as text: a released schema, a pending file, and the findings at their
// place, or "ok"; more cases are silent than loud. `go test -run TestRules -rewrite` writes the outputs anew, to be
// reviewed as a diff. The examples in each [Doc] are run as well. What the catalog and lockmode claim is proved on real
// servers in their own packages.
package migratecheck
