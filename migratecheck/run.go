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

	rules      []*Rule
	rule       *Rule // whose History hook runs
	findings   []Finding
	statements int
	notUnderst int // in pending files
	unfollowed int // statements and gaps of the whole history whose effect the catalog does not hold
	suppressed int
	used       map[ignoreKey]bool // suppression comments (and rule) that suppressed something
	filled     map[filledColumn]bool
	session    session
	tentative  bool // see walk
	incomplete bool
}

// SchemaFile is a schema.sql, applied to an empty catalog.
type SchemaFile struct {
	File     string
	Catalog  *catalog.Catalog
	Problems []string // what could not be applied
}

// Problem is something that kept a part of a file from being read as statements.
type Problem struct {
	Pos       source.Position
	Message   string
	Statement string
	Down      bool
	// Limit: the statement may be right, but was too complex to hand to the parser.
	Limit bool
}

type ignoreKey struct {
	pos  source.Position
	rule string
}

// session is what SET has changed for the statements to come.
type session struct{ lockTimeout, statementTimeout string }

// newRun prepares the judging of set with the history before it in base.
func newRun(cfg *Config, set *source.Set, pending *Pending) *Run {
	r := &Run{Config: cfg, Set: set, Pending: pending, rules: cfg.rules(), used: map[ignoreKey]bool{}, filled: map[filledColumn]bool{}}
	for i := range set.Migrations {
		m := &set.Migrations[i]
		r.Files = append(r.Files, &File{Run: r, Migration: m, Index: i, Pending: pending.Includes(m)})
	}
	return r
}

// walk applies the whole history to cat and runs the rules. With tentative set it gives up, and returns false, at the
// first statement that needs an object which was never there: the history does not begin with an empty database.
func (r *Run) walk(cat *catalog.Catalog, tentative bool) bool {
	trees := parseAhead(r.Set, func(i int) bool { return r.Files[i].Pending })
	defer trees.stop()
	r.tentative, r.incomplete = tentative, false
	for i, f := range r.Files {
		if f.Pending && r.Base == nil && r.Pending.Known {
			r.Base = cat.Clone()
		}
		ft := trees.of(i)
		f.Before = cat.Clone()
		r.unfollowed += len(f.Migration.Up.Gaps)
		r.script(f, cat, &f.Migration.Up, ft.up, false)
		if r.incomplete {
			return false
		}
		f.After = cat.Clone()
		if f.Pending {
			if f.Migration.HasDown {
				back := cat.Clone()
				r.script(f, back, &f.Migration.Down, ft.down, true)
				f.DownAfter = back
			}
			r.countNotUnderstood(f)
			r.eachRule(func(rule *Rule) {
				if rule.File != nil {
					f.rule = rule
					rule.File(f)
				}
			})
		}
		// The catalogs of every statement would otherwise live as long as the run.
		f.Up, f.Down, f.Before, f.After, f.DownAfter = nil, nil, nil, nil, nil
	}
	if r.Base == nil && r.Pending.Known {
		r.Base = cat.Clone()
	}
	r.Final = cat
	r.eachRule(func(rule *Rule) {
		if rule.History != nil {
			r.rule = rule
			rule.History(r)
		}
	})
	r.checkIgnores()
	return true
}

// script runs one direction of a file.
func (r *Run) script(f *File, cat *catalog.Catalog, script *source.Script, trees []parsed, down bool) {
	var tx *Transaction
	txID := 0
	saved := r.session
	explicit := false // between BEGIN and COMMIT written in the file
	for i := range script.Statements {
		text := &script.Statements[i]
		tree := trees[i]
		for _, err := range tree.errs {
			f.Problems = append(f.Problems, problemOf(text, err, down))
		}
		if !explicit {
			switch {
			case text.Tx != 0 && (text.Tx != txID || tx == nil):
				tx = &Transaction{Explicit: true}
			case text.Tx == 0:
				tx = nil
			}
			txID = text.Tx
		}
		for _, stmt := range tree.stmts {
			if f.Pending {
				r.statements++
			}
			cur := tx
			if cur == nil {
				// Several statements in one text are one implicit transaction (protocol-flow, "Multiple Statements in a
				// Simple Query"); a single one commits by itself.
				cur = &Transaction{Explicit: len(tree.stmts) > 1}
				if cur.Explicit {
					tx = cur
				}
			}
			if ts := stmt.Node.GetTransactionStmt(); ts != nil {
				switch ts.Kind {
				case pgast.TransactionStmtKind_TRANS_STMT_BEGIN, pgast.TransactionStmtKind_TRANS_STMT_START:
					explicit = true
					tx = &Transaction{Explicit: true, begun: true}
					cur = tx
				case pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK:
					explicit = false
					tx = nil
				}
			}
			r.step(f, cat, text, stmt, cur, down)
		}
		if !explicit && text.Tx == 0 {
			tx = nil
		}
	}
	r.session = saved
}

// step applies one statement and, in a pending file, shows it to the rules.
func (r *Run) step(f *File, cat *catalog.Catalog, text *source.Statement, stmt pgast.Stmt, tx *Transaction, down bool) {
	if !f.Pending {
		if _, err := cat.Apply(stmt); err != nil {
			r.noteError(asCatalogError(err), down)
		}
		return
	}
	s := &Step{File: f, Down: down, Stmt: stmt, Before: cat.Clone(), Tx: tx, text: text, base: stmt.Offset,
		LockTimeout: r.session.lockTimeout, StatementTimeout: r.session.statementTimeout}
	applied := s.Before.Clone()
	eff, err := applied.Apply(stmt)
	s.Effects = eff
	if !down {
		r.unfollowed += len(eff.Gaps)
	}
	if err != nil {
		if e := asCatalogError(err); !isBookkeeping(e.Object.Name) {
			s.Err = e
			r.noteError(e, down)
		}
	}
	// Changes are taken on a clone, whose list of touched objects begins with this statement.
	s.Changes = catalog.Diff(s.Before, applied)
	s.After = applied
	*cat = *applied
	if s.Err == nil || s.Err.Code == catalog.NotUnderstood {
		s.Lock = r.lockEffect(s.Before, s.afterIfApplied(), stmt)
	}
	r.session.apply(stmt.Node)
	tx.Steps = append(tx.Steps, s)
	f.add(s)
	if len(eff.Inner) > 0 {
		// What a body did is judged statement by statement; the call itself did nothing else.
		s.Changes = nil
	}
	r.runStepRules(s)
	r.noteFilled(s)
	for _, in := range eff.Inner {
		inner := &Step{File: f, Down: down, Stmt: in.Stmt, Via: in.Via, Before: in.Before, After: in.After, Tx: tx,
			Changes: catalog.Diff(in.Before, in.After), text: text, base: stmt.Offset,
			LockTimeout: s.LockTimeout, StatementTimeout: s.StatementTimeout}
		inner.Lock = r.lockEffect(in.Before, in.After, in.Stmt)
		tx.Steps = append(tx.Steps, inner)
		f.add(inner)
		r.runStepRules(inner)
		r.noteFilled(inner)
	}
}

func (f *File) add(s *Step) {
	if s.Down {
		f.Down = append(f.Down, s)
	} else {
		f.Up = append(f.Up, s)
	}
}

func (r *Run) runStepRules(s *Step) {
	for _, rule := range r.rules {
		if rule.Step != nil && (rule.Down || !s.Down) {
			s.rule = rule
			rule.Step(s)
		}
	}
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

func (r *Run) lockEffect(before, after *catalog.Catalog, stmt pgast.Stmt) lockmode.Effect {
	eff, err := lockmode.AnalyzeApplied(r.Config.version(), before, after, stmt)
	if err != nil {
		eff.Unknown = err.Error()
	}
	return eff
}

// countNotUnderstood counts the parts of a pending file of whose effect nothing is known.
func (r *Run) countNotUnderstood(f *File) {
	r.notUnderst += len(f.Gaps())
	for _, p := range f.Problems {
		if p.Limit {
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
func (r *Run) noteError(e *catalog.Error, down bool) {
	if !down {
		r.unfollowed++
	}
	if r.tentative && !down && isMissing(e) && !isBookkeeping(e.Object.Name) {
		r.incomplete = true
	}
}

// released is the catalog that released code runs on, as seen from f.
func (r *Run) released(f *File) *catalog.Catalog {
	if r.Base != nil {
		return r.Base
	}
	return f.Before
}

// report takes a finding unless a comment suppresses it.
func (r *Run) report(f Finding, s *Step) {
	if f.Severity < Info {
		f.Severity = Warning
	}
	if r.suppress(f, s) {
		r.suppressed++
		return
	}
	r.findings = append(r.findings, f)
}

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
	case errors.As(err, &lim):
		offset, p.Limit = lim.Offset, true
	}
	p.Pos = text.Position(offset)
	p.Statement = lineAt(text.SQL, offset)
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

// apply follows SET, RESET and set_config of the timeouts that the rules ask about.
func (s *session) apply(n *pgast.Node) {
	set := n.GetVariableSetStmt()
	if set == nil {
		return
	}
	value := ""
	if set.Kind == pgast.VariableSetKind_VAR_SET_VALUE && len(set.Args) > 0 {
		if c := set.Args[0].GetAConst(); c != nil {
			switch {
			case c.GetSval() != nil:
				value = c.GetSval().Sval
			case c.GetIval() != nil:
				value = itoa(c.GetIval().Ival)
			}
		}
	}
	switch strings.ToLower(set.Name) {
	case "lock_timeout":
		s.lockTimeout = value
	case "statement_timeout":
		s.statementTimeout = value
	case "":
		if set.Kind == pgast.VariableSetKind_VAR_RESET_ALL {
			*s = session{}
		}
	}
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
