package compat

import (
	"context"
	"errors"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
)

// Verification is what a real server said of the verdicts on a service.
type Verification struct {
	verify.Summary
	// Version is the server's major version.
	Version int
	// Skipped are statements of the history that were left out when the schemas were built.
	Skipped []verify.Skipped
}

// Broken is the number of disagreements in which the server finds a site broken that we do not.
func (v *Verification) Broken() int {
	n := 0
	for _, c := range v.Disagreements {
		if len(c.Breaks) > 0 {
			n++
		}
	}
	return n
}

// ErrOpenHistory is returned by Verify when nobody knows the schema that the history starts from.
var ErrOpenHistory = errors.New("the schema that the history starts from is not known, so that no server can be given it: -schema FILE names it")

// Verify proves the verdicts on a service: every schema is built on the server, and every query is planned and run there in
// transactions that are rolled back. progress, which may be nil, is called with the number of sites done. The error is
// ErrOpenHistory, a *verify.BuildError when the server refuses a migration, or the server's.
func Verify(ctx context.Context, server *verify.Server, s *Service, progress func(done, total int)) (*Verification, error) {
	if s.Timeline.Open {
		return nil, ErrOpenHistory
	}
	p := &prover{ctx: ctx, server: server, judge: &judge{service: s, states: states(s.Timeline)}, out: &Verification{Version: server.Version()}, hints: verify.Hints{}}
	if err := p.build(); err != nil {
		return p.out, err
	}
	total, done := len(s.Code[Old].Sites)+len(s.Code[New].Sites), 0
	for v, code := range s.Code {
		for _, parts := range code.parse() {
			for _, b := range parts {
				if err := p.prove(Version(v), b); err != nil {
					return p.out, err
				}
			}
			if done++; progress != nil {
				progress(done, total)
			}
		}
	}
	return p.out, nil
}

// prover is one run of Verify.
type prover struct {
	ctx    context.Context
	judge  *judge
	server *verify.Server
	built  []*verify.State // as judge.states
	steps  [][]verify.Step // that lead to each
	hints  verify.Hints
	out    *Verification
}

// build makes every schema, each out of the one before.
func (p *prover) build() error {
	t := p.judge.service.Timeline
	scripts := [][]*source.Script{t.Scripts}
	for _, f := range t.Pending {
		scripts = append(scripts, []*source.Script{&f.Migration.Up})
	}
	var last *verify.State
	for i, list := range scripts {
		p.steps = append(p.steps, steps(list))
		state, err := p.server.State(p.ctx, last, p.judge.states[i].name, p.steps[i])
		if err != nil {
			return err
		}
		last = state
		p.built = append(p.built, state)
		p.out.Skipped = append(p.out.Skipped, state.Skipped...)
		hints, err := state.Hints(p.ctx)
		if err != nil {
			return err
		}
		p.hints.Add(hints)
	}
	return nil
}

// steps are the texts of scripts as their tool sends them, without those that clear away what another tool has left and no
// script has made.
func steps(scripts []*source.Script) []verify.Step {
	var list []verify.Step
	for _, script := range scripts {
		first := true // each in a session of its own, as migratecheck follows them
		for i := range script.Statements {
			if dropsBookkeeping(script.Statements[i].SQL) {
				continue
			}
			list = append(list, verify.Step{SQL: script.Statements[i].SQL, Tx: script.Statements[i].Tx, Session: first})
			first = false
		}
	}
	return list
}

// dropsBookkeeping reports whether a text drops tables of migration tools, and does nothing else.
func dropsBookkeeping(sql string) bool {
	stmts, err := pgast.Parse(sql)
	for _, stmt := range stmts {
		drop := stmt.Node.GetDropStmt()
		if drop == nil || drop.RemoveType != pgast.ObjectType_OBJECT_TABLE {
			return false
		}
		for _, o := range drop.Objects {
			names := o.GetList().GetItems()
			if len(names) == 0 || !source.IsBookkeeping(names[len(names)-1].GetString_().GetSval()) {
				return false
			}
		}
	}
	return err == nil && len(stmts) > 0
}

// prove finds a site's witness on its own schema and runs it on all.
func (p *prover) prove(v Version, b *query.Bound) error {
	if len(b.Site.Variants) == 0 {
		return nil // a name that is compared, or nothing known: a server cannot tell
	}
	home := p.judge.home(v, b.Site)
	if home < 0 {
		return nil // its gate keeps it from all of them
	}
	witness, err := p.built[home].Prove(p.ctx, b.Site, p.hints)
	if err != nil {
		return err
	}
	for i, state := range p.built {
		if p.judge.meets(b.Site, i) == never {
			continue
		}
		outcome, err := state.Judge(p.ctx, witness)
		if err != nil {
			return err
		}
		ours := verdict(b, p.judge.states[home].cat, p.judge.states[i].cat)
		if slices.ContainsFunc(ours.Problems, query.ChangedValues) {
			first, last := min(home, i), max(home, i)
			outcome.Crossed, _, err = p.server.Cross(p.ctx, p.built[first], slices.Concat(p.steps[first+1:last+1]...), b.Site, home == last, p.hints)
			if err != nil {
				return err
			}
		}
		p.out.Add(verify.Compare(b.Site, state.Name, ours, outcome))
	}
	return nil
}
