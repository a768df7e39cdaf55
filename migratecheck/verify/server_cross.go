package verify

import (
	"context"
	"errors"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Cross carries rows that hold what a site's code knows over the script that leads from a state to another, and lists how the site
// breaks because of what the script has made of them: see Crossing.Breaks, for later and unproved too.
func (s *Server) Cross(ctx context.Context, from *State, script []Step, site *query.Site, later bool, hints Hints) (list []Break, unproved string, err error) {
	var texts []string
	for _, step := range script {
		if ends(step.SQL) {
			return nil, "the migration ends the transaction that it is run in", nil
		}
		texts = append(texts, step.SQL)
	}
	migration := strings.Join(texts, ";\n")
	before, crossed, err := s.copies(ctx, from)
	if err != nil {
		return nil, "", err
	}
	defer before.release(context.WithoutCancel(ctx)) // and with its transaction all that was done
	defer crossed.release(context.WithoutCancel(ctx))
	// No row holds from the beginning what others become: the two could not be told apart in a count.
	planted := Known(site)
	if later {
		known := planted
		planted = slices.DeleteFunc(Sources(migration, known), func(s string) bool { return slices.Contains(known, s) })
	}
	var probes [2]*Probe
	for i, st := range []*State{before, crossed} {
		if err := st.use(ctx, func(p *Probe) error {
			probes[i] = p
			return p.Plant(ctx, planted)
		}); err != nil {
			return nil, "", err
		}
	}
	for _, step := range script {
		err := crossed.step(ctx, crossed.conn, step.SQL)
		if b := (*BuildError)(nil); errors.As(err, &b) {
			return nil, "the migration is not run over rows in a transaction: " + b.Failure.String(), nil
		}
		if err != nil {
			return nil, "", err
		}
	}
	x, err := Cross(ctx, probes[0], probes[1], migration)
	if err != nil {
		return nil, "", err
	}
	return x.Breaks(ctx, site, later, hints)
}

// ends: a text begins or ends a transaction itself.
func ends(sql string) bool {
	stmts, _ := pgast.Parse(sql) // what cannot be parsed, the server refuses or knows
	for _, stmt := range stmts {
		if stmt.Node.GetTransactionStmt() != nil {
			return true
		}
	}
	return false
}

// copies are two databases that hold a state and nothing else, for rows to be carried.
func (s *Server) copies(ctx context.Context, of *State) (before, crossed *State, err error) {
	s.mu.Lock()
	pair, ok := s.carrying[of]
	s.mu.Unlock()
	if ok {
		return pair[0], pair[1], nil
	}
	for i := range pair {
		if pair[i], err = s.State(ctx, of, of.Name, nil); err != nil {
			return nil, nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.carrying == nil {
		s.carrying = map[*State][2]*State{}
	}
	s.carrying[of] = pair
	return pair[0], pair[1], nil
}
