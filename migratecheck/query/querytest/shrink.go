package querytest

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Shrink makes a case that shows one verdict of one query as small as it can: statements of the schema and of the migration,
// and parts of CREATE TABLE, are taken out as long as the verdict stays. It returns the case with that query alone.
func (r *Runner) Shrink(ctx context.Context, c Case, t Triple) (Case, Triple) {
	small := c
	small.Queries = []Query{t.Query}
	shows := func(c Case) (Triple, bool) {
		list, err := r.Run(ctx, c)
		if err != nil && !errors.Is(err, ErrCase) || len(list) != 1 {
			return Triple{}, false
		}
		return list[0], list[0].Verdict() == t.Verdict() && kinds(list[0]) == kinds(t)
	}
	if _, ok := shows(small); !ok {
		return c, t // it takes the company of other queries
	}
	// Later statements first: what they need stays until they are gone.
	for changed := true; changed; {
		changed = false
		for _, part := range []*[]string{&small.Migration, &small.Schema} {
			for i := len(*part) - 1; i >= 0; i-- {
				whole := *part
				for _, shorter := range shorterStatements(whole, i) {
					*part = shorter
					if u, ok := shows(small); ok {
						t, changed = u, true
						break
					}
					*part = whole
				}
				i = min(i, len(*part))
			}
		}
	}
	return small, t
}

// kinds keeps shrinking from wandering off to another disagreement.
func kinds(t Triple) string {
	var list []string
	for _, b := range t.Server.Breaks {
		list = append(list, string(b.Kind)+b.Code)
	}
	for _, p := range t.Away.Problems {
		list = append(list, p.Check)
	}
	for _, p := range t.Home.Problems {
		list = append(list, "home "+p.Check)
	}
	return strings.Join(list, ",")
}

// shorterStatements lists the statements without the ith, and with less in it.
func shorterStatements(list []string, i int) [][]string {
	shorter := [][]string{slices.Delete(slices.Clone(list), i, i+1)}
	head, rest, ok := strings.Cut(list[i], " (")
	if !ok || !strings.HasPrefix(head, "CREATE TABLE ") {
		return shorter
	}
	parts := topLevel(strings.TrimSuffix(rest, ")"))
	if len(parts) == 1 {
		return shorter // CREATE TABLE t () would be shrunk for ever
	}
	for j := range parts {
		fewer := slices.Clone(list)
		fewer[i] = head + " (" + strings.Join(slices.Delete(slices.Clone(parts), j, j+1), ", ") + ")"
		shorter = append(shorter, fewer)
	}
	return shorter
}

// topLevel splits at the commas that stand in no parentheses and no string.
func topLevel(s string) []string {
	var parts []string
	depth, start, quoted := 0, 0, false
	for i, c := range s {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}

// String is the case as a script, with its query.
func (c Case) String() string {
	s := strings.Join(c.Schema, ";\n") + ";\n-- migration\n" + strings.Join(c.Migration, ";\n") + ";\n"
	return strings.TrimPrefix(s, ";\n")
}
