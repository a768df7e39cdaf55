package verify

import (
	"context"
	"errors"
	"slices"
)

// others adds ways to run the statement that succeed as well, one parameter changed in each: what another schema has against
// one of them it has against the code.
func (k *seeker) others(ctx context.Context, pr *proof) error {
	base := pr.cases[0].runs[0]
	runs := 0
	untouched := false // a run that touches no row counts too: another schema may refuse what code looks for
	add := func(lists ...[]binding) error {
		runs++
		r, err := k.try(ctx, lists...)
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err == nil && r.failure == nil && (r.affected > 0 || !k.needsRow() || untouched) {
			pr.cases = append(pr.cases, trial{runs: lists, affected: r.affected, rows: r.rows})
			pr.nulls = union(pr.nulls, r.nulls)
		}
		return err
	}
	for row := 1; row < rowsEach; row++ {
		list := slices.Clone(base)
		for i := range list {
			if list[i].table == "" || list[i].parent || list[i].row != 0 || k.a.params[i+1].use == written {
				continue
			}
			next := list[i]
			next.row = row
			_, ok, err := k.p.referred(ctx, next)
			if err != nil {
				return err
			}
			if ok { // the row may have NULL there
				list[i] = next
			}
		}
		if slices.Equal(list, base) {
			continue
		}
		if err := add(list); err != nil {
			return err
		}
		if k.a.reads {
			continue
		}
		if err := add(base, list); err != nil {
			return err
		}
	}
	if n := k.s.stmt.Node; n.GetInsertStmt() != nil || n.GetMergeStmt() != nil || n.GetCopyStmt() != nil {
		again := slices.Clone(base)
		for i, b := range k.again {
			if b != nil && base[i].table == "" {
				again[i] = *b
			}
		}
		if err := k.upserts(base, add); err != nil {
			return err
		}
		next := [][]binding{base, again}
		for i := range base {
			if again[i] != base[i] {
				one, rest := slices.Clone(base), slices.Clone(again)
				one[i], rest[i] = again[i], base[i]
				next = append(next, one, rest)
			}
		}
		for _, list := range next {
			if err := add(base, list); err != nil {
				return err
			}
		}
	}
	for round := 1; runs < otherRuns; round++ {
		more := false
		for i := range k.choices {
			if at := k.a.params[i+1]; at.use != written && at.use != other && len(k.edges[i]) == 0 || k.fixed[i] {
				continue
			}
			c := slices.Concat(k.edges[i], k.choices[i])
			if round > len(c) || runs >= otherRuns {
				continue
			}
			more = true
			list := slices.Clone(base)
			if list[i] = c[round-1]; list[i] == base[i] {
				continue
			}
			untouched = k.a.params[i+1].use != written
			if err := add(list); err != nil {
				return err
			}
		}
		if !more {
			break
		}
	}
	return nil
}

// upserts runs an INSERT onto one row that is there, then onto another.
func (k *seeker) upserts(base []binding, add func(...[]binding) error) error {
	if k.s.stmt.Node.GetInsertStmt().GetOnConflictClause() == nil {
		return nil
	}
	one, other := slices.Clone(base), slices.Clone(base)
	for i := range base {
		at := k.a.params[i+1]
		if at.use != written {
			continue
		}
		if c := at.table.column(at.column); c != nil && base[i].table == "" && (at.table.distinguishes(c.num, true) || at.table.distinguishes(c.num, false)) {
			one[i] = binding{schema: at.table.schema, table: at.table.name, column: at.column}
			other[i] = one[i]
			other[i].row = firstTwin
		}
	}
	return add(one, other)
}

func union(a, b []bool) []bool {
	if len(a) < len(b) {
		a = append(slices.Clone(a), make([]bool, len(b)-len(a))...)
	}
	for i, v := range b {
		a[i] = a[i] || v
	}
	return a
}
