package verify

import (
	"context"
	"errors"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Witness is what makes a site do something on the schema it was written for. It is run on every other schema.
type Witness struct {
	site     *query.Site
	history  string
	variants []proof  // as Site.Variants
	names    []string // of Site.Names, those that are there
}

// proof is one text's part of a Witness.
type proof struct {
	stmts []pgast.Stmt
	// cases are values with which every statement succeeds; the first is the ordinary one.
	cases []trial
	// columns and reads are what the last statement returns and what its names mean, where it is at home.
	columns     []Column
	nulls       []bool
	denoted     Meaning
	constraints map[string]bool // of its own schema, and triggers
	unproved    string          // why it could not be made to succeed, "" when it was
	refused     *trial          // a run that was refused where it is at home, when no other was found
}

// trial is one way of running a statement.
type trial struct {
	runs     [][]binding // one, or two: code runs again and again, and the second run meets what the first has left
	affected int64
	rows     [][]string
	nulls    []bool
	stored   map[string]storedValue
}

// Hints are constants that matter to columns, by their name: those of CHECKs of any schema of the history. A value on the
// edge of a constraint shows best whether it is in a query's way.
type Hints map[string][]string

// Hints lists the constants in the constraints of this schema.
func (p *Probe) Hints() Hints {
	hints := Hints{}
	for _, t := range p.schema.tables {
		for i := range t.columns {
			c := &t.columns[i]
			hints[c.name] = append(hints[c.name], t.literals(c.num)...)
			if ty := p.typ(c.typ); ty != nil && ty.kind == 'e' {
				hints[c.name] = append(hints[c.name], ty.labels...)
			}
		}
	}
	return hints
}

// Add takes over the constants of others.
func (h Hints) Add(others Hints) {
	for name, list := range others {
		for _, l := range list {
			if !slices.Contains(h[name], l) {
				h[name] = append(h[name], l)
			}
		}
	}
}

// The bounds of the search for witnesses, in runs of a statement.
const (
	searchRuns = 40
	otherRuns  = 40
)

// Prove looks for a site's witness on this schema, the one that it was written for.
func (p *Probe) Prove(ctx context.Context, site *query.Site, hints Hints) (*Witness, error) {
	site = site.AsSent()
	w := &Witness{site: site, history: p.history}
	if err := p.fill(ctx); err != nil {
		return nil, err
	}
	for i := range site.Variants {
		pr, err := p.prove(ctx, &site.Variants[i], hints)
		if err != nil {
			return nil, err
		}
		w.variants = append(w.variants, pr)
	}
	var names []string
	for _, use := range site.Names {
		names = append(names, use.Name)
	}
	gone, err := p.missing(ctx, names)
	w.names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(gone, name) })
	return w, errors.Join(err, p.settle(ctx))
}

// Unproved says why the site proves nothing, "" when each of its texts was run.
func (w *Witness) Unproved() string {
	if len(w.variants) == 0 && len(w.site.Names) == 0 {
		return "its SQL is not known"
	}
	if len(w.variants) == 0 && len(w.names) == 0 {
		return "no constraint and no index of its own schema has such a name"
	}
	for _, v := range w.variants {
		if v.unproved != "" {
			return v.unproved
		}
	}
	return ""
}

// Columns are the columns of what a text of the site returns, and by column whether NULL was seen there.
func (w *Witness) Columns(variant int) ([]Column, []bool) {
	pr := w.variants[variant]
	return pr.columns, append(pr.nulls, make([]bool, max(0, len(pr.columns)-len(pr.nulls)))...)
}

func (p *Probe) prove(ctx context.Context, v *query.Variant, hints Hints) (proof, error) {
	stmts, err := pgast.Parse(v.SQL)
	if err != nil {
		return proof{unproved: "it cannot be parsed: " + err.Error()}, nil
	}
	if len(stmts) == 0 {
		return proof{unproved: "it holds no statement"}, nil
	}
	pr := proof{stmts: stmts, constraints: p.constraints()}
	for _, stmt := range stmts {
		s, err := p.plan(ctx, stmt)
		if err != nil {
			return pr, err
		}
		err = p.proveStatement(ctx, v, &s, &pr, hints)
		p.forget(&s)
		if err != nil || pr.unproved != "" {
			return pr, err
		}
	}
	return pr, nil
}

func (p *Probe) proveStatement(ctx context.Context, v *query.Variant, s *planned, pr *proof, hints Hints) error {
	switch {
	case s.failure != nil:
		pr.unproved = "it fails on its own schema: " + s.failure.String()
		return nil
	case s.reason != "":
		pr.unproved = s.reason
		return nil
	case len(pr.stmts) > 1 && len(s.params) > 0:
		pr.unproved = "several statements with parameters cannot be sent at once"
		return nil
	}
	pr.columns = s.columns
	if err := p.search(ctx, v, s, pr, hints); err != nil || p.history == "" {
		return err
	}
	var err error
	pr.denoted, err = p.denoted(ctx, s)
	return err
}
