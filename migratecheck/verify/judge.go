package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Outcome is what the server says of a site on one schema.
type Outcome struct {
	Variants []VariantOutcome // as Site.Variants
}

// VariantOutcome is what it says of one text.
type VariantOutcome struct {
	// Failure is the refusal, of planning or of a run that succeeded on the schema the text was written for.
	Failure *Failure
	// Lost: a write that touched rows there touches none here, and is not refused.
	Lost bool
	// NotProved says why nothing follows from the absence of a Failure: "" when each case was run.
	NotProved string
	// Home and Here are the result's columns on the schema the text was written for and on this one; nil when it has none.
	Home, Here []Column
	// Nulls tells by column where NULL was seen here and not there.
	Nulls []bool
	// Denotes lists names that mean another object here, sorted.
	Denotes []string
}

// Broken reports whether the server refuses the site.
func (o Outcome) Broken() *Failure {
	for _, v := range o.Variants {
		if v.Failure != nil {
			return v.Failure
		}
	}
	return nil
}

// Judge plans and runs a site on this schema with its witness from the one it was written for. A nil witness plans only.
func (p *Probe) Judge(ctx context.Context, w *Witness) (Outcome, error) {
	var out Outcome
	for i := range w.variants {
		v, err := p.judge(ctx, &w.site.Variants[i], &w.variants[i])
		if err != nil {
			return out, err
		}
		out.Variants = append(out.Variants, v)
	}
	return out, nil
}

func (p *Probe) judge(ctx context.Context, v *query.Variant, pr *proof) (VariantOutcome, error) {
	out := VariantOutcome{NotProved: pr.unproved, Home: pr.columns}
	var nulls []bool
	for _, stmt := range pr.stmts {
		s, err := p.plan(ctx, stmt)
		if err != nil {
			return out, err
		}
		if s.failure != nil {
			out.Failure = s.failure
			return out, nil
		}
		out.Here = s.columns
		if s.reason != "" {
			continue
		}
		for _, t := range analyse(p.schema, stmt.Node).relations {
			if err := p.require(ctx, t, rowsEach); err != nil {
				return out, err
			}
			if why := p.unfit[t.oid]; why != "" && out.NotProved == "" {
				out.NotProved = fmt.Sprintf("table %s: %s", t.name, why)
			}
		}
		for _, c := range pr.cases {
			r, err := p.runCase(ctx, &s, c)
			if err != nil {
				return out, err
			}
			if r.failure != nil {
				// An integer that is too long for a parameter of the type that the server chooses here, a label it does not know:
				// the driver would send the same.
				out.Failure = r.failure
				return out, nil
			}
			if c.affected > 0 && r.affected == 0 && len(s.columns) == 0 {
				out.Lost = true
			}
			nulls = union(nulls, r.nulls)
		}
		here, err := p.denoted(ctx, &s)
		if err != nil {
			return out, err
		}
		out.Denotes = append(out.Denotes, otherwise(pr.denoted, here)...)
	}
	if len(out.Home) == len(out.Here) {
		out.Nulls = make([]bool, len(out.Here))
		for i := range nulls {
			out.Nulls[i] = nulls[i] && (i >= len(pr.nulls) || !pr.nulls[i])
		}
	}
	return out, nil
}

func (p *Probe) runCase(ctx context.Context, s *planned, c trial) (ran, error) {
	values, err := p.resolve(ctx, c.bindings)
	if err != nil {
		return ran{}, err
	}
	return p.run(ctx, s, values)
}

// otherwise lists the names that stand for something else in here than in home.
func otherwise(home, here map[string]string) []string {
	if home == nil || here == nil {
		return nil
	}
	names := map[string]bool{}
	for id, name := range home {
		if _, ok := here[id]; !ok {
			names[name] = true
		}
	}
	list := slices.Sorted(maps.Keys(names))
	return slices.DeleteFunc(list, func(name string) bool { return name == "" })
}
