package migratecheck

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Run is the judging of one set of migrations: every statement of the history is applied to a catalog, and the rules
// look at those of the pending files.
type Run struct {
	Config *Config
	Set    *source.Set
	// Files are all migrations in order. Pending says from where on they are judged.
	Files   []*File
	Pending *Pending
	// Base is the catalog before the first pending file, i.e. what released code runs on; nil when no base is known, and
	// every file is a unit of its own.
	Base *catalog.Catalog
	// Final is the catalog after the last file.
	Final *catalog.Catalog
	// Schema is the schema.sql of the tree under judgement and its catalog, when there is one.
	Schema *SchemaFile

	byPath      map[string][]*File // Files by Migration.File
	writesDowns bool               // see findDowns
	rules       []*Rule
	stepRules   []*Rule // those with a Step hook
	rule        *Rule   // whose History hook runs
	findings    []Finding
	locks       lockmode.Analyzer
	below       int // findings below Config.Severity that were only counted
	statements  int
	notUnderst  int // in pending files
	unfollowed  int // statements and gaps of the whole history whose effect the catalog does not hold
	suppressed  int
	said        map[saying]bool // of the findings in one file, saidOf
	saidOf      string
	used        map[ignoreKey]bool // suppression comments (and rule) that suppressed something
	filled      map[filledColumn]bool
	notNull     map[filledColumn]bool // see noteNotNull
	dropped     map[droppedObject]source.Position
	baseline    []*source.Script // make the schema on which the history starts, on an empty database
	open        bool             // nobody knows that schema
	gap         catalog.OID      // see File.gap
	session     session
	openTx      *Transaction // left open by the Up script before, with its number
	openTxID    int
	keep        bool // the steps of the pending files and all findings, for Timeline
	fromBase    bool // the catalog to start from is that of the released files: they are not applied
	tentative   bool // see walk
	incomplete  bool
}

// SchemaFile is a schema.sql, applied to an empty catalog.
type SchemaFile struct {
	File     string
	Catalog  *catalog.Catalog
	Problems []string // what could not be applied
	// comments and privileges: it has such; a dump can be made without.
	comments, privileges bool
	file                 *source.File
}

// saying is what makes two findings one: a statement in a loop is judged once for each round.
type saying struct {
	rule, message string
	pos           source.Position
	down          bool
}

// Problem is something that kept a part of a file from being read as statements.
type Problem struct {
	Pos       source.Position
	Message   string
	Statement string
	Down      bool
	// Limit: the statement may be right, but was too complex to hand to the parser.
	Limit bool
	// Newer is set when the statement has a form that is newer than the server or the parser.
	Newer pgast.Newer
	// Reserved is the reserved word that stands where a name should; quoted, the statement is right.
	Reserved string
	at       int // in Statement
}

type ignoreKey struct {
	pos  source.Position
	rule string
}

// newRun prepares the judging of set with the history before it in base.
func newRun(cfg *Config, set *source.Set, pending *Pending) *Run {
	r := &Run{Config: cfg, Set: set, Pending: pending, rules: cfg.rules(), used: map[ignoreKey]bool{}, said: map[saying]bool{}, filled: map[filledColumn]bool{}, notNull: map[filledColumn]bool{}, byPath: map[string][]*File{}}
	for i := range set.Migrations {
		m := &set.Migrations[i]
		f := &File{Run: r, Migration: m, Index: i, Pending: pending.Includes(m)}
		r.Files = append(r.Files, f)
		r.byPath[m.File] = append(r.byPath[m.File], f)
	}
	r.stepRules = slices.DeleteFunc(slices.Clone(r.rules), func(rule *Rule) bool { return rule.Step == nil })
	r.writesDowns = r.findDowns()
	r.findRenamed()
	return r
}

func (r *Run) eachRule(fn func(*Rule)) {
	for _, rule := range r.rules {
		fn(rule)
	}
}

// afterIfApplied is After, nil when the statement was not applied.
func (s *Step) afterIfApplied() *catalog.Catalog {
	if s.Err != nil {
		return nil
	}
	return s.After
}

func (r *Run) lockEffect(before, after *catalog.Catalog, changes []catalog.Change, stmt pgast.Stmt) lockmode.Effect {
	eff, err := r.locks.Applied(r.Config.version(), before, after, changes, stmt)
	if err != nil {
		eff.Unknown = err.Error()
	}
	return eff
}

// countNotUnderstood counts the parts of a pending file of whose effect nothing is known.
func (r *Run) countNotUnderstood(f *File) {
	r.notUnderst += len(f.unknowns())
	for _, p := range f.Problems {
		if p.Limit || f.tooNew(p) {
			r.notUnderst++
		}
	}
	for _, s := range append(slices.Clone(f.Up), f.Down...) {
		r.notUnderst += len(s.Effects.Gaps)
		if s.Err != nil && s.Err.Code == catalog.NotUnderstood {
			r.notUnderst++
		}
	}
}

// noteError looks at the first error of a tentative walk.
func (r *Run) noteError(f *File, cat *catalog.Catalog, e *catalog.Error, down bool) {
	if !down && !source.IsBookkeeping(e.Object.Name) {
		r.unfollowed++
	}
	if !r.tentative || down || !isMissing(e) || !r.Pending.decidesBaseline(f, e, cat) {
		return
	}
	// Another tool's bookkeeping was there without any migration saying so. But a history that begins with dropping it has
	// taken over from that tool, and does not begin with an empty database.
	r.incomplete = !source.IsBookkeeping(e.Object.Name) || !cat.MadeRelations()
}

// released is the catalog that released code runs on, as seen from f.
func (r *Run) released(f *File) *catalog.Catalog {
	if r.Base != nil {
		return r.Base
	}
	return f.Before
}

// report takes a finding unless it has been made already or a comment suppresses it.
func (r *Run) report(f Finding, s *Step) {
	if f.Severity < Info {
		f.Severity = Warning
	}
	if only := r.Pending.only; only != nil && !only[f.Pos.File] {
		return
	}
	saying := saying{f.Rule, f.Message, f.Pos, f.Down}
	if f.Pos.File != r.saidOf { // rounds of one statement are of one file
		r.saidOf = f.Pos.File
		clear(r.said)
	}
	if r.said[saying] {
		return
	}
	r.said[saying] = true
	if r.suppress(f, s) {
		r.suppressed++
		return
	}
	if r.onlyCounted(f.Severity) {
		r.below++
		return
	}
	r.findings = append(r.findings, f)
}

// onlyCounted tells whether findings of a severity are counted and not kept.
func (r *Run) onlyCounted(severity Severity) bool { return !r.keep && severity < r.Config.severity() }

// Report files a finding of a History hook.
func (r *Run) Report(pos source.Position, message, help string) {
	r.report(Finding{Rule: r.rule.ID, Severity: r.rule.Severity, Pos: pos, Message: message, Help: help}, nil)
}

func asCatalogError(err error) *catalog.Error {
	var e *catalog.Error
	if errors.As(err, &e) {
		return e
	}
	return &catalog.Error{Code: catalog.NotUnderstood, Message: err.Error()}
}

func problemOf(text *source.Statement, err error, down bool) Problem {
	p := Problem{Message: err.Error(), Down: down}
	var syn *pgast.SyntaxError
	var lim *pgast.LimitError
	offset := 0
	switch {
	case errors.As(err, &syn):
		offset = syn.Offset
		p.Newer, _ = pgast.FindNewer(text.SQL, offset)
		p.Reserved = pgast.FindReserved(text.SQL, offset)
	case errors.As(err, &lim):
		offset, p.Limit = lim.Offset, true
	}
	p.Pos = text.Position(offset)
	p.Statement = lineAt(text.SQL, offset)
	p.at = min(max(offset, 0), len(text.SQL)) - (strings.LastIndexByte(text.SQL[:min(max(offset, 0), len(text.SQL))], '\n') + 1)
	return p
}

// lineAt is the line of s around offset.
func lineAt(s string, offset int) string {
	offset = min(max(offset, 0), len(s))
	start := strings.LastIndexByte(s[:offset], '\n') + 1
	end := strings.IndexByte(s[offset:], '\n')
	if end < 0 {
		return s[start:]
	}
	return s[start : offset+end]
}

// checkRules lists the ids that the configuration names and no rule has.
func unknownRules(ids []string) []string {
	known := map[string]bool{}
	for _, r := range Rules() {
		known[r.ID] = true
		known[string(r.Category)] = true
	}
	var bad []string
	for _, id := range ids {
		if !known[id] && !slices.Contains(bad, id) {
			bad = append(bad, id)
		}
	}
	return slices.Sorted(maps.Keys(asSet(bad)))
}

func asSet(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}
