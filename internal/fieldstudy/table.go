package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

// table prints a row for each service of each pair, then why sites were not checked.
func (s *study) table(w io.Writer) {
	fmt.Fprintln(w, "| pair | old..new | pending | old/old | old/new | new/old | new/new | findings by cause | checked old, new |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
	reasons := map[string]int{}
	var slowest row
	for _, r := range s.rows {
		title := fmt.Sprintf("%s..%.12s", r.pair.old, r.pair.new)
		if r.pair.title != "" {
			title += " " + strings.ReplaceAll(r.pair.title, "|", "\\|")
		}
		if r.took > slowest.took {
			slowest = r
		}
		if r.failed != "" {
			fmt.Fprintf(w, "| %s | %s | not judged: %s |\n", r.number, title, strings.ReplaceAll(r.failed, "\n", "; "))
			continue
		}
		sv := r.service
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s | %s, %s |\n", r.number, title, pending(sv),
			sv.Cells["old-code-old-schema"], sv.Cells["old-code-new-schema"], sv.Cells["new-code-old-schema"], sv.Cells["new-code-new-schema"],
			strings.Join(causes(sv), "; "), sv.Coverage["old"], sv.Coverage["new"])
		for _, m := range sv.Unchecked["new"] {
			reason := m.Reason
			if name, rest, ok := strings.Cut(reason, ": "); ok && !strings.Contains(name, " ") {
				reason = "(a module or package) " + rest
			}
			reasons[reason]++
		}
	}
	if slowest.took > 0 {
		fmt.Fprintf(w, "\nslowest: %s..%.12s, %d ms\n", slowest.pair.old, slowest.pair.new, slowest.took.Milliseconds())
	}
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintln(w, "\nWhy sites of the new code were not checked, or not wholly, added up over the pairs:")
	list := slices.Collect(maps.Keys(reasons))
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(reasons[b]-reasons[a], cmp.Compare(a, b)) })
	for _, reason := range list {
		fmt.Fprintf(w, "%6d  %s\n", reasons[reason], reason)
	}
}

func (c cell) String() string {
	if c.Broken == 0 {
		return fmt.Sprintf("✔ %d", c.Checked)
	}
	return fmt.Sprintf("✘ %d of %d", c.Broken, c.Checked)
}

func (c coverage) String() string { return fmt.Sprintf("%d of %d", c.Checked, c.Found) }

func pending(sv *service) string {
	dir := ""
	if sv.Dir != "." {
		dir = sv.Dir + ": "
	}
	switch n := len(sv.Pending); n {
	case 0:
		return dir + "none"
	case 1, 2:
		names := make([]string, n)
		for i := range names {
			names[i] = path.Base(sv.Pending[i])
		}
		return dir + strings.Join(names, ", ")
	default:
		return fmt.Sprintf("%s%s … %s (%d)", dir, path.Base(sv.Pending[0]), path.Base(sv.Pending[n-1]), n)
	}
}

// causes counts findings by their cause: "rename-column 0009_x.sql:3 (old/new 6, new/old 6)".
func causes(sv *service) []string {
	type cause struct {
		rule, file string
		line       int
	}
	short := strings.NewReplacer("-code-", "/", "-schema", "")
	counts := map[cause]map[string]int{}
	for _, f := range sv.Findings {
		c := cause{f.Rule, f.Cause.File, f.Cause.Line}
		if counts[c] == nil {
			counts[c] = map[string]int{}
		}
		counts[c][short.Replace(f.Cell)]++
	}
	list := slices.Collect(maps.Keys(counts))
	slices.SortFunc(list, func(a, b cause) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.rule, b.rule))
	})
	var out []string
	for _, c := range list {
		var cells []string
		for _, name := range slices.Sorted(maps.Keys(counts[c])) {
			cells = append(cells, fmt.Sprintf("%s %d", name, counts[c][name]))
		}
		at := ""
		if c.file != "" {
			at = fmt.Sprintf(" %s:%d", path.Base(c.file), c.line)
		}
		out = append(out, fmt.Sprintf("`%s`%s (%s)", c.rule, at, strings.Join(cells, ", ")))
	}
	return out
}

// drawn prints findings drawn at random, for judging.
func (s *study) drawn(w io.Writer) {
	type item struct {
		row     row
		finding *finding
	}
	var all []item
	for _, r := range s.rows {
		if r.service == nil {
			continue
		}
		for _, f := range r.service.Findings {
			all = append(all, item{r, f})
		}
	}
	r := rand.New(rand.NewPCG(s.cfg.seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := min(s.cfg.draw, len(all))
	fmt.Fprintf(w, "\n%d of %d findings, drawn with seed %d:\n", n, len(all), s.cfg.seed)
	for i, it := range all[:n] {
		f := it.finding
		fmt.Fprintf(w, "\n%d. %s..%s %s %s %s, %s\n", i+1, it.row.pair.old, it.row.pair.new, f.Severity, f.Rule, f.Cell, f.Schema)
		fmt.Fprintf(w, "   %s:%d: %s\n", f.Query.File, f.Query.Line, f.Message)
		if f.Cause.File != "" {
			fmt.Fprintf(w, "   cause %s:%d: %s\n", f.Cause.File, f.Cause.Line, oneLine(f.Cause.SQL))
		}
		fmt.Fprintf(w, "   query %s\n", oneLine(f.Query.SQL))
	}
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
