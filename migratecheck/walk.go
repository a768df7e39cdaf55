package migratecheck

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// walked is a pending file whose statements were applied and wait to be judged.
type walked struct {
	file  *File
	steps []*Step
}

// walk applies the whole history to cat and runs the rules. With tentative set it gives up, and returns false, at the
// first statement that needs an object which was never there: the history does not begin with an empty database.
//
// Three things go on at once, each in the order of the history: files are parsed ahead, statements are applied here, and
// one goroutine judges what was applied. A catalog that a step was given is never changed afterwards: the next statement
// is applied to a clone.
func (r *Run) walk(cat *catalog.Catalog, tentative bool) bool {
	order := r.order()
	trees := parseAhead(r.Set, order, func(i int) bool { return r.Files[i].Pending })
	defer trees.stop()
	r.tentative, r.incomplete = tentative, false
	if len(r.Set.Problems) > 0 {
		r.gap = noOID // files that could not be read may have made anything, at any time
	}
	queue := make(chan walked, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for w := range queue {
			r.judge(w)
		}
	}()
	for _, i := range order {
		f := r.Files[i]
		if f.Pending && r.Base == nil && r.Pending.Known {
			r.Base = cat
		}
		ft := trees.of(i)
		if r.fromBase && f.released() {
			continue
		}
		r.unfollowed += len(f.Migration.Up.Gaps)
		w := walked{file: f}
		f.gap = r.gap
		f.holes = slices.ContainsFunc(f.Migration.Up.Gaps, func(g source.Gap) bool { return !g.Refused })
		f.Before = cat
		if !f.Pending {
			f.Before = nil
			cat = cat.Clone()
		}
		cat = r.script(&w, cat, &f.Migration.Up, ft.up, false)
		if r.incomplete {
			break
		}
		if f.holes && r.gap != noOID {
			r.gap = cat.NextOID()
		}
		if !f.Pending {
			continue
		}
		f.After = cat
		if f.Migration.HasDown {
			f.DownAfter = r.script(&w, cat, &f.Migration.Down, ft.down, true)
		}
		// Cloning writes to both sides, so the clone that goes on is made before anybody else reads the original.
		cat = cat.Clone()
		queue <- w
	}
	close(queue)
	<-done
	if r.incomplete {
		return false
	}
	if r.Base == nil && r.Pending.Known {
		r.Base = cat
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

// order lists the files as they are applied: the released ones first, since a pending one that comes before some of them in
// the history is applied, if at all, to databases that have those already.
func (r *Run) order() []int {
	var released, pending []int
	for i, f := range r.Files {
		if f.released() {
			released = append(released, i)
		} else {
			pending = append(pending, i)
		}
	}
	return append(released, pending...)
}

// script applies one direction of a file to cat, in a session of its own, and returns the catalog after it. The steps of a
// pending file go to w, and cat is left as it is; otherwise cat itself is changed.
//
// Most tools have one session for all that is pending, but nobody knows which files are pending together: what one of them
// sets and the next one needs is missing when that is run another day.
func (r *Run) script(w *walked, cat *catalog.Catalog, script *source.Script, trees []parsed, down bool) *catalog.Catalog {
	f := w.file
	var tx *Transaction
	txID := 0
	if !down && f.Pending && r.Pending.Known {
		// alembic runs all pending revisions in one transaction.
		tx, txID = r.openTx, r.openTxID
	}
	saved := r.session
	explicit := false // between BEGIN and COMMIT written in the file
	for i := range script.Statements {
		text := &script.Statements[i]
		tree := trees[i]
		for _, err := range tree.errs {
			p := problemOf(text, err, down)
			f.Problems = append(f.Problems, p)
			f.holes = f.holes || !down && (p.Limit || f.tooNew(p))
		}
		tree.stmts = f.refuseNewer(text, tree.stmts, down)
		if !explicit {
			cat.Wrap(text.Tx != 0)
			switch {
			case text.Tx != 0 && (text.Tx != txID || tx == nil):
				tx = &Transaction{Explicit: true}
				r.session.commit()
			case text.Tx == 0:
				tx = nil
				r.session.commit()
			}
			txID = text.Tx
		}
		for _, stmt := range tree.stmts {
			if !f.Pending {
				if r.tentative {
					if e := cat.Missing(stmt.Node); e != nil {
						r.noteError(f, cat, e, down)
					}
				}
				eff, err := cat.Apply(stmt)
				r.unfollowed += len(eff.Gaps)
				f.noteHole(eff.Gaps, err)
				if err != nil {
					r.noteError(f, cat, asCatalogError(err), down)
				}
				continue
			}
			r.statements++
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
			s := r.apply(f, cat, text, stmt, cur, down)
			w.takeBack(s)
			w.steps = append(w.steps, s)
			cat = s.After
		}
		if !explicit && text.Tx == 0 {
			tx = nil
		}
	}
	if !down {
		r.openTx, r.openTxID = tx, txID
	}
	r.session = saved
	if f.Pending {
		return cat.NewSession()
	}
	cat.EndSession()
	return cat
}

// takeBack marks the steps that a ROLLBACK takes back: those of its transaction, or since SAVEPOINT.
func (w *walked) takeBack(s *Step) {
	ts := s.Stmt.Node.GetTransactionStmt()
	to := ts.GetKind() == pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO
	if !to && ts.GetKind() != pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK {
		return
	}
	for i := len(w.steps) - 1; i >= 0 && w.steps[i].Tx == s.Tx; i-- {
		t := w.steps[i].Stmt.Node.GetTransactionStmt()
		if to && t.GetKind() == pgast.TransactionStmtKind_TRANS_STMT_SAVEPOINT && t.SavepointName == ts.SavepointName {
			return
		}
		w.steps[i].takenBack = true
	}
}

// apply applies one statement of a pending file; cat stays as it is.
func (r *Run) apply(f *File, cat *catalog.Catalog, text *source.Statement, stmt pgast.Stmt, tx *Transaction, down bool) *Step {
	s := &Step{File: f, Down: down, Stmt: stmt, Before: cat, Tx: tx, text: text, base: stmt.Offset,
		LockTimeout: r.session.lock, StatementTimeout: r.session.statement, IdleTimeout: r.session.idle}
	var err error
	if e := cat.Missing(stmt.Node); e != nil {
		s.After, err = cat, e
	} else if e, at := f.refused(cat, text.SQL, stmt); e != nil {
		s.After, err, s.errAt = cat, e, at
	} else {
		s.After, s.Effects, err = cat.After(stmt)
		s.Before = cat.WithAssumed(s.After)
		s.unseen = s.Before != cat
		for i := range s.Effects.Inner {
			in := &s.Effects.Inner[i]
			in.Before = in.Before.WithAssumed(in.After)
		}
	}
	if !down {
		r.unfollowed += len(s.Effects.Gaps)
		f.noteHole(s.Effects.Gaps, err)
	}
	if err != nil {
		e := asCatalogError(err)
		if !source.IsBookkeeping(e.Object.Name) {
			s.Err = e
		}
		r.noteError(f, cat, e, down)
	}
	r.session.apply(stmt.Node)
	return s
}

// noOID is greater than every OID.
const noOID = ^catalog.OID(0)

// noteHole notes a statement of the Up script whose effect is not known, or not known to be none: it may fail for want of
// something that only an earlier such statement could have made.
func (f *File) noteHole(gaps []string, err error) {
	if len(gaps) > 0 {
		f.holes = true
	}
	if err != nil && (f.holes || f.gap != 0 || asCatalogError(err).Code == catalog.NotUnderstood) {
		f.holes = true
	}
}

// judge shows the statements of a file, and then the file, to the rules.
func (r *Run) judge(w walked) {
	f := w.file
	for _, s := range w.steps {
		changes := catalog.Diff(s.Before, s.After)
		// What a body did is judged statement by statement; the call itself did nothing else.
		if len(s.Effects.Inner) == 0 && !s.takenBack {
			s.Changes = changes
		}
		if s.Err == nil || s.Err.Code == catalog.NotUnderstood {
			s.Lock = r.lockEffect(s.Before, s.afterIfApplied(), changes, s.Stmt)
		}
		r.judgeStep(s)
		for _, in := range s.Effects.Inner {
			changes := catalog.Diff(in.Before, in.After)
			inner := &Step{File: f, Down: s.Down, Stmt: in.Stmt, Via: in.Via, Over: in.Over, Loop: in.Loop, Commits: in.Commits, Before: in.Before, After: in.After, Tx: s.Tx,
				Changes: changes, Lock: r.lockEffect(in.Before, in.After, changes, in.Stmt),
				LockTimeout: s.LockTimeout, StatementTimeout: s.StatementTimeout, IdleTimeout: s.IdleTimeout, text: s.text, base: s.base, outer: s, in: in.At, takenBack: s.takenBack}
			if in.Stmt.Node.GetDoStmt() != nil || s.takenBack {
				inner.Changes = nil // as above
			}
			r.judgeStep(inner)
		}
	}
	r.countNotUnderstood(f)
	r.eachRule(func(rule *Rule) {
		if rule.File != nil {
			f.rule = rule
			rule.File(f)
		}
	})
	if r.keep {
		return
	}
	// The catalogs of every statement would otherwise live as long as the run.
	f.Up, f.Down, f.Before, f.After, f.DownAfter = nil, nil, nil, nil, nil
}

func (r *Run) judgeStep(s *Step) {
	if s.Down {
		s.File.Down = append(s.File.Down, s)
	} else {
		s.File.Up = append(s.File.Up, s)
	}
	for _, rule := range r.stepRules {
		if rule.Down || !s.Down {
			s.rule = rule
			rule.Step(s)
		}
	}
	s.Tx.held.note(s)
	if !s.takenBack {
		r.noteFilled(s)
	}
}
