// Package hazards lists what public linters of PostgreSQL migrations check, and what this project says of each: a survey of 21 of them
// made in November 2026 from their sources and documentation. docs/hazards.md is printed from it, and the tests run each example
// through the linter.
package hazards

import "slices"

// Hazard is one row of the survey.
type Hazard struct {
	Name string
	// Tools is how many of the 21 check it, 0 for nobody.
	Tools int
	// Rules are the rules of ours that speak of it, each of which reports the example; none when Note says why.
	Rules []string
	Note  string
	// Schema is what is released, and Changes are pending migrations, a file each: "-- +brant Up" is put in front of one that does not
	// begin with it.
	Schema  string
	Changes []string
	// Version is the major version of PostgreSQL, 0 for the default.
	Version int
	// Says is what the findings of the example must say, where the rule alone does not.
	Says []string
	// Shown are tests or fixtures of this repository that show what no example here can: what needs code, git or a server.
	Shown []string
}

// Section is a group of rows.
type Section struct {
	Title   string
	Hazards []Hazard
	Wishes  bool // from issue threads: no tool has them
}

// Tools are the linters that were read.
const Tools = "squawk 2.66, eugene 0.8.2, atlas, strong_migrations 2.8, online_migrations 0.36, pg-schema-diff 1.0.7, " +
	"django-migration-linter 6.0, django-pg-zero-downtime-migrations 0.19, pgfence 0.5.1, pg-safe-migrate, pg-migration-lint, " +
	"MigrationPilot 1.6.1, pgsafe 0.11, postgres-language-server 0.25, eslint-plugin-postgresql, Bytebase's advisor for PostgreSQL, " +
	"GitLab's RuboCop cops, PandaDoc's migration-lint, oh-my-pg-linter, safe-migrate 0.8 and Photoroom's zero-downtime-migrations"

// Survey lists the rows in the order of the page.
func Survey() []Section {
	return []Section{
		{Title: "Old code on the new schema", Hazards: oldCode()},
		{Title: "New code on the old schema", Hazards: newCode()},
		{Title: "Locks and time: indexes and constraints", Hazards: slices.Concat(indexes(), constraints())},
		{Title: "Locks and time: rewrites, and the rest", Hazards: slices.Concat(rewrites(), locks(), transactions())},
		{Title: "Hygiene", Hazards: hygiene()},
		{Title: "What their users still ask for", Hazards: wishes(), Wishes: true},
	}
}
