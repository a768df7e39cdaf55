// Package compat checks the 2×2 matrix: old and new code on the old and the new schema, and on every schema in between,
// since each migration commits by itself.
//
// The schemas come from migratecheck.Timelines, the queries of the code from its two versions ([ReadCode]), and package
// query judges one against the other. [Check] puts this together: for each query site and each schema what breaks, which
// statement of which migration is the cause, and how to split the change over releases.
//
// A site is judged on the schema it was written for first. What it has against that is its own mistake, not the
// migration's; everywhere else only what is added to it counts.
package compat

import (
	"io/fs"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Version is one of the two versions of the code.
type Version int

const (
	Old Version = iota
	New
)

func (v Version) String() string { return [...]string{"old", "new"}[v] }

// Cell is one of the four: a version of the code on a version of the schema.
type Cell struct{ Code, Schema Version }

// Cells lists the four in the order in which they are shown.
func Cells() []Cell { return []Cell{{Old, Old}, {Old, New}, {New, Old}, {New, New}} }

// String is the cell's name in JSON.
func (c Cell) String() string { return c.Code.String() + "-code-" + c.Schema.String() + "-schema" }

// Code is one version of a service's code, as far as it was read.
type Code struct {
	// Rev is how the version is shown: what the user or the base named, or "worktree".
	Rev string
	// Files are the directory's, nil when they cannot be had.
	Files fs.FS
	Sites []query.Site
	// Gaps are the parts that could not be looked at, each a sentence.
	Gaps []Gap
}

// Gap is a part of the code that could not be looked at.
type Gap struct {
	Pos    query.Position // File "" when it is about more than a file
	Reason string
}

// Count is what was found in a cell. Both count query sites.
type Count struct{ Checked, Broken int }

// Coverage says how many query sites a version has, how many of them could be judged, and how many of these in part only:
// all that is known to be sent was judged, but something else may be added at run time.
type Coverage struct{ Found, Checked, Partly int }

// Service is the verdict on one service: a directory of migrations and the code around it.
type Service struct {
	Dir      string // relative to the directory that was read; "." for all of it
	Timeline *migratecheck.Timeline
	Code     [2]*Code // by Version
	Cells    [2][2]Count
	Coverage [2]Coverage
	Breaks   []*Break
	// Doubts are findings about the migrations that put the schemas in doubt: what cannot run, what is not understood, what
	// was released and is another now.
	Doubts []migratecheck.Finding
	// Verified is what a real server said, nil when none was asked; VerifyErr why it could not say all.
	Verified  *Verification
	VerifyErr error
	// Unchecked are the sites that could not be judged, or only partly, by Version.
	Unchecked [2][]Unchecked
}

// Count is what was found in a cell.
func (s *Service) Count(c Cell) Count { return s.Cells[c.Code][c.Schema] }

// Unchecked is a site that could not be judged, or only partly.
type Unchecked struct {
	Site   *query.Site
	Reason string
	Partly bool
}

// Break is one site that does not work on one schema as it does on its own.
type Break struct {
	// Rule is the lint rule that the code confirms ("rename-column"), or NeedsMigration, BrokenQuery or StaleGate.
	Rule     string
	Severity migratecheck.Severity
	Cell     Cell
	// Schema names the schema on which it breaks: "after 0009_x.sql", "before 0009_x.sql". It is the first such one of
	// the old code, the last such one of the new.
	Schema string
	// Late: the code is in a branch for an older schema, which a gate still takes until it reads the version again.
	Late bool
	// Own: that is the schema that the site was written for.
	Own  bool
	Site *query.Site
	Rev  string
	// Pos is where in the code, SQL the text of the variant that breaks ("" where it is a name that is compared).
	Pos query.Position
	SQL string
	// Cause is the statement that makes the difference; nil when the site breaks on its own schema.
	Cause   *migratecheck.Step
	Problem query.Problem
	Message string
	Help    string
	// Suppressed: a comment on the cause takes it back, with a reason, or its rule is disabled. It still counts as broken.
	Suppressed bool
}

// Rules of this package besides those of migratecheck.
const (
	// NeedsMigration: new code uses something that a pending migration makes.
	NeedsMigration = "needs-migration"
	// BrokenQuery: a query does not work on the schema it was written for.
	BrokenQuery = "broken-query"
	// StaleGate: code for the schema before a migration, which a gate still lets in for a while after it.
	StaleGate = "stale-gate"
)

// Order is the order in which a service's operator releases.
type Order string

const (
	// AnyOrder is the rule this project was made for: both versions of the code run on both schemas.
	AnyOrder Order = "any"
	// MigrateFirst: new code is never started on an old schema. What it needs is said, as a warning.
	MigrateFirst Order = "migrate-first"
)
