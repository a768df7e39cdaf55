package querytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
	"github.com/jackc/pgx/v5/pgconn"
)

// empty is the savepoint behind a case's schema, before there are rows.
const empty = "empty"

// cross carries rows over a migration that may change what they hold, and adds the breaks that they show of queries that have none.
// It comes last: what the connections held before is gone then.
func (r *Runner) cross(ctx context.Context, c Case, triples []Triple, hints verify.Hints) error {
	script := strings.Join(c.Migration, ";\n")
	if !strings.Contains(script, " USING ") {
		return nil
	}
	var before, after []string // what the code knows
	for i := range triples {
		known := verify.Known(triples[i].Site)
		if triples[i].Query.New {
			after = append(after, known...)
		} else {
			before = append(before, known...)
		}
	}
	var texts []string
	for _, s := range append(before, verify.Sources(script, after)...) {
		if !slices.Contains(texts, s) {
			texts = append(texts, s)
		}
	}
	var probes [2]*verify.Probe
	for i, conn := range []*pgconn.PgConn{r.Old, r.New} {
		if _, err := conn.Exec(ctx, "ROLLBACK TO "+empty).ReadAll(); err != nil {
			return fmt.Errorf("taking the rows back: %w", err)
		}
		p, err := r.probe(ctx, conn)
		if err != nil {
			return err
		}
		if err := p.Plant(ctx, texts); err != nil {
			return err
		}
		probes[i] = p
	}
	switch err := r.apply(ctx, r.New, nil, c.Migration); {
	case errors.Is(err, ErrCase):
		return nil // the rows are in its way
	case err != nil:
		return err
	}
	x, err := verify.Cross(ctx, probes[0], probes[1], script)
	if err != nil {
		return err
	}
	for i := range triples {
		t := &triples[i]
		if t.Invalid != "" || len(t.Server.Breaks) > 0 || t.Query.Name != "" {
			continue
		}
		breaks, unproved, err := x.Breaks(ctx, t.Site, t.Query.New, hints)
		if err != nil {
			return err
		}
		t.Server.Breaks = breaks
		if t.Server.NotProved == "" {
			t.Server.NotProved = unproved
		}
	}
	return nil
}
