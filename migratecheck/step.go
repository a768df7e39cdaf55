package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Step is one SQL statement about to be judged, with the schema on either side of it.
type Step struct {
	File *File
	Down bool
	Stmt pgast.Stmt
	// Via is "" for a statement written in the file, else the body it comes from ("DO block", "function f()"); such a
	// step reports at its place in the body, or, where that does not stand in the file, at the statement that ran the body.
	Via string

	// Over, Loop and Commits are those of catalog.Inner: the query for each of whose rows a statement in a body is run, that it
	// stands in a loop, and that the body commits by itself.
	Over          *pgast.Node
	Loop, Commits bool

	Before, After *catalog.Catalog
	Changes       []catalog.Change
	Effects       catalog.Effects
	// Err is what the server would answer, nil when it accepts the statement. A Code of catalog.NotUnderstood means
	// that nothing is known about the statement's effect.
	Err  *catalog.Error
	Lock lockmode.Effect
	// Tx is the transaction it runs in; never nil, an autocommitted statement has one of its own.
	Tx *Transaction
	// LockTimeout and StatementTimeout are in force when the statement starts: what SET gave them, "" when unset.
	LockTimeout, StatementTimeout string
	// IdleTimeout is idle_in_transaction_session_timeout, or transaction_timeout, in the same way.
	IdleTimeout string

	// takenBack: a ROLLBACK takes back what it changes, so that Changes are left out.
	takenBack bool

	errAt  int  // where in Stmt.SQL the server sees Err, 0 when that is not known
	unseen bool // it is the first to need something that nobody has seen created
	rule   *Rule
	text   *source.Statement // the text it stands in
	base   int               // offset of the reporting statement in text
	outer  *Step             // what ran the body
	in     catalog.Place     // in that body
	bodies []*bodyText       // that s runs, as far as they were looked for
}

// Transaction is a sequence of steps that commit together.
type Transaction struct {
	// Explicit is false for a single statement that commits by itself: CREATE INDEX CONCURRENTLY may run.
	Explicit bool
	begun    bool // by a BEGIN written in the file
	held     held // by the steps before the one that is judged
	said     map[string]bool
}

// once is true the first time a rule asks: for findings about a transaction as a whole.
func (t *Transaction) once(rule string) bool {
	if t.said[rule] {
		return false
	}
	if t.said == nil {
		t.said = map[string]bool{}
	}
	t.said[rule] = true
	return true
}

// IsNew reports whether an object was created by the pending change itself (or, when no base is known and everything is
// pending, by the same file): nobody uses it yet, it is empty, and locking it blocks no one.
func (s *Step) IsNew(oid catalog.OID) bool {
	if rel := s.relation(oid); rel != nil && source.IsBookkeeping(rel.Name) {
		return true // only the migration tool itself uses it
	}
	if s.File.Run.released(s.File).Get(oid) != nil {
		return false
	}
	for _, c := range []*catalog.Catalog{s.Before, s.After} {
		if o := c.Get(oid); o != nil {
			return !catalog.IsAssumed(o)
		}
	}
	return true
}

// IsNewColumn is IsNew for a column: one added by the pending change is unknown to released code.
func (s *Step) IsNewColumn(table catalog.OID, num int) bool {
	if s.IsNew(table) {
		return true
	}
	old, ok := s.File.Run.released(s.File).Get(table).(*catalog.Relation)
	if ok && old.Att(num) != nil {
		return false
	}
	// Of a table that nobody has seen created, a column that had to be assumed was there; one that was added is new.
	for _, c := range []*catalog.Catalog{s.Before, s.After} {
		if rel, known := c.Get(table).(*catalog.Relation); known {
			if col := rel.Att(num); col != nil {
				return !col.Assumed
			}
		}
	}
	return ok && !old.Assumed
}

// Name is the name people know an object by, taken from the catalog before the statement when it has one there.
func (s *Step) Name(oid catalog.OID) string {
	if s.Before.Get(oid) != nil {
		return s.Before.NameOf(oid).String()
	}
	return s.After.NameOf(oid).String()
}

// releasedName is the name that released code has for an object, Name for one that it does not know.
func (s *Step) releasedName(oid catalog.OID) string {
	if released := s.File.Run.released(s.File); released.Get(oid) != nil {
		return released.NameOf(oid).String()
	}
	return s.Name(oid)
}

// knownName is releasedName, with the name that an earlier statement has given it.
func (s *Step) knownName(oid catalog.OID) string {
	released, now := s.releasedName(oid), s.Name(oid)
	if released == now {
		return now
	}
	return released + " (now " + now + ")"
}

// Rows is the number of rows of a table from -stats; ok is false when nothing is known.
func (s *Step) Rows(table catalog.OID) (rows int64, ok bool) {
	stats := s.File.Run.Config.Stats
	if rel := s.relation(table); rel != nil && rel.Kind == catalog.PartitionedTable {
		if rows, ok = stats.rows(s.Before.NameOf(table)); ok && rows > 0 {
			return rows, true
		}
		// Written by hand, or by the planner, there may be figures of the partitions only.
		for _, p := range partitions(s.Before, table) {
			if n, known := stats.rows(s.Before.NameOf(p.OID)); known {
				rows, ok = rows+n, true
			}
		}
		return rows, ok
	}
	return stats.rows(s.Before.NameOf(table))
}

// Sized is the severity of work that takes time in proportion to a table's rows: otherwise while the size is unknown,
// Info up to 10,000 rows (some milliseconds), Warning up to a million (a second or a few), Error above.
func (s *Step) Sized(table catalog.OID, otherwise Severity) Severity {
	rows, ok := s.Rows(table)
	switch {
	case !ok:
		return otherwise
	case rows <= 10_000:
		return Info
	case rows <= 1_000_000:
		return Warning
	}
	return Error
}

// Report files a finding of the rule being run, at the statement's first byte.
func (s *Step) Report(message, help string) { s.ReportAt(0, s.rule.Severity, message, help) }

// ReportAt files a finding at a byte offset in Stmt.SQL with a severity of its own. In a body (Via) the offset counts where the
// statement is written there as it is run.
func (s *Step) ReportAt(at int, severity Severity, message, help string) {
	pos, exact := s.position(at)
	if s.Via != "" {
		message += s.inTheBody()
	}
	if !exact {
		at = 0
	}
	s.reportAt(pos, at, severity, message, help)
}

// reportAt files a finding about the statement, or about what it runs, at a place in the file.
func (s *Step) reportAt(pos source.Position, at int, severity Severity, message, help string) {
	if s.unseen && s.rule.Category == Compatibility && s.Stmt.Node.GetDropStmt().GetMissingOk() {
		severity = min(severity, Warning)
		message += " (if it is there: no migration creates it)"
	}
	if s.Down && (s.rule.Category == Locks || s.rule.Category == Transactions && severity == Warning) {
		// A roll-back is an emergency: what it blocks is good to know, but no reason to hold up a release.
		severity = Info
	}
	s.File.Run.report(Finding{
		Rule: s.rule.ID, Severity: severity, Pos: pos,
		Message: message, Help: help, Statement: s.Stmt.SQL, At: at, Down: s.Down,
	}, s)
}

// tooMinor counts a finding of a severity that nobody will see, so that a rule which has many of them need not put them
// into words; it does nothing, and returns false, when the finding has to be reported.
func (s *Step) tooMinor(severity Severity) bool {
	r := s.File.Run
	if !r.onlyCounted(severity) || r.Pending.only != nil || len(s.text.Ignores) > 0 {
		return false
	}
	r.below++
	return true
}

// Find is the offset in Stmt.SQL of the first of these words (keywords or identifiers in this order, any white space
// and comments between them), for ReportAt: Find("DROP", "[COLUMN]", name), where words in brackets may be absent. 0 when
// they are not there.
func (s *Step) Find(words ...string) int {
	return findWords(s.Stmt.SQL, words)
}

// File is one migration being judged.
type File struct {
	Run       *Run
	Migration *source.Migration
	Pending   bool
	Index     int // in Run.Files
	Up, Down  []*Step
	// Before and After are the schema on either side of the Up script.
	Before, After *catalog.Catalog
	// DownAfter is the schema after Up and then Down; nil without a Down section.
	DownAfter *catalog.Catalog
	// Problems are the syntax errors.
	Problems []Problem
	// gap is the least OID of objects that were made after the last part of the history before this file that was not understood;
	// 0 when there is none. What that part has made nobody knows.
	gap   catalog.OID
	holes bool // it has such a part itself
	rule  *Rule
	// renamedFrom is the name under which the base has this file.
	renamedFrom string
}

// released reports whether the base is known to have the file, under this name or an earlier one.
func (f *File) released() bool {
	return f.renamedFrom != "" || f.Run.Pending.isReleased(f.Migration)
}

// Report files a finding about the whole file, at its first line.
func (f *File) Report(message, help string) { f.ReportAt(source.Position{}, message, help) }

// ReportAt files a finding about the file at a position in it; the zero Position is its first line.
func (f *File) ReportAt(pos source.Position, message, help string) {
	if pos.Line == 0 {
		pos = source.Position{File: f.Migration.File, Line: 1, Column: 1}
	}
	f.Run.report(Finding{Rule: f.rule.ID, Severity: f.rule.Severity, Pos: pos, Message: message, Help: help}, nil)
}

// ReportStep files a finding of a File hook at one of its steps.
func (f *File) ReportStep(s *Step, severity Severity, message, help string) {
	f.ReportStepAt(s, 0, severity, message, help)
}

// ReportStepAt is ReportStep at a byte offset in the step's SQL (see Step.ReportAt).
func (f *File) ReportStepAt(s *Step, at int, severity Severity, message, help string) {
	saved := s.rule
	s.rule = f.rule
	s.ReportAt(at, severity, message, help)
	s.rule = saved
}

// Gaps are the parts of both directions that the reader of the file did not understand.
func (f *File) Gaps() []source.Gap {
	return append(slices.Clone(f.Migration.Up.Gaps), f.Migration.Down.Gaps...)
}

// refusals are the parts of one direction at which the migration tool, Python or alembic stops with an error. What stops
// both (a syntax error of Python) belongs to Up.
func (f *File) refusals(script *source.Script) []source.Gap {
	var list []source.Gap
	seen := map[source.Position]bool{}
	if script == &f.Migration.Down {
		for _, g := range f.refusals(&f.Migration.Up) {
			seen[g.Pos] = true
		}
	}
	for _, g := range script.Gaps {
		if g.Refused && !seen[g.Pos] {
			seen[g.Pos] = true
			list = append(list, g)
		}
	}
	return list
}

// unknowns are the Gaps whose effect nobody knows, each once: those that are not refused.
func (f *File) unknowns() []source.Gap {
	seen := map[source.Position]string{}
	return slices.DeleteFunc(f.Gaps(), func(g source.Gap) bool {
		again := seen[g.Pos] == g.Reason
		seen[g.Pos] = g.Reason
		return g.Refused || again
	})
}

func (f *File) reportProblem(p Problem, message, help string) {
	f.Run.report(Finding{Rule: f.rule.ID, Severity: f.rule.Severity, Pos: p.Pos, Message: message, Help: help,
		Statement: p.Statement, At: p.at, Down: p.Down}, nil)
}

// Position is where in the migration's file a byte offset in Stmt.SQL stands; for a statement from a body (Via) that is not
// written in the file as it is run, where the EXECUTE, or else the statement begins that ran it.
func (s *Step) Position(at int) source.Position {
	pos, _ := s.position(at)
	return pos
}

// position is Position; exact is false when the statement is not written there as it is run.
func (s *Step) position(at int) (pos source.Position, exact bool) {
	if s.Via != "" {
		return s.located(s.in, at)
	}
	return s.text.Position(s.base + at), true
}

// Suppressed reports whether a comment on the statement takes a rule's findings back: for what is found outside of this
// package.
func (s *Step) Suppressed(rule string) bool {
	for _, ig := range s.text.Ignores {
		if ig.Reason != "" && (ig.Offset == -1 || ig.Offset == s.base) && slices.Contains(ig.Rules, rule) {
			return true
		}
	}
	return false
}

// Line is the line of the file on which the statement begins.
func (s *Step) Line() int { return s.text.Position(s.base).Line }

// toolName is the migration tool as messages name it; of plain SQL nobody knows which it is.
func (f *File) toolName() string {
	if f.Migration.Tool == "plain" {
		return "the migration tool"
	}
	return f.Migration.Tool
}
