package alembic

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// usedIgnore names a suppression comment that governs something.
type usedIgnore struct {
	file int
	at   int
}

// parseIgnore reads a comment "# srhtvet:ignore RULE[,RULE] reason".
func parseIgnore(m *python.Module, c python.Comment) (Ignore, bool) {
	body := strings.TrimSpace(strings.TrimLeft(m.Text[c.Start:c.End], "#"))
	rest, ok := strings.CutPrefix(body, "srhtvet:")
	if ok {
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " \t"), "ignore")
	}
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t") {
		return Ignore{}, false
	}
	rest = strings.TrimSpace(rest)
	i := Ignore{File: m.File, At: c.Start}
	rules, reason := rest, ""
	// A list of rules may have a space behind its commas.
	for at := 0; at < len(rest); at++ {
		if rest[at] != ' ' && rest[at] != '\t' {
			continue
		}
		next := strings.TrimLeft(rest[at:], " \t")
		if strings.HasSuffix(rest[:at], ",") || strings.HasPrefix(next, ",") {
			at = len(rest) - len(next) - 1
			continue
		}
		rules, reason = rest[:at], next
		break
	}
	for _, r := range strings.Split(rules, ",") {
		if r = strings.TrimSpace(r); r != "" {
			i.Rules = append(i.Rules, r)
		}
	}
	i.Reason = strings.TrimSpace(reason)
	return i, true
}

// ignores are the suppression comments of the statements that are being run: on the lines directly above each, on its
// own lines and at its end.
func (r *run) ignores(x *python.Interp) []Ignore {
	var out []Ignore
	for _, p := range x.Stack {
		out = append(out, r.ignoresAt(p.Mod, p.N)...)
	}
	return out
}

func (r *run) ignoresAt(m *python.Module, n *python.Node) []Ignore {
	if len(m.Comments) == 0 || !strings.Contains(m.Text, "srhtvet:") {
		return nil
	}
	end := n.End
	if i := strings.IndexByte(m.Text[end:], '\n'); i >= 0 {
		end += i
	} else {
		end = len(m.Text)
	}
	var out []Ignore
	top := lineStart(m.Text, n.Start)
	for i := len(m.Comments) - 1; i >= 0; i-- {
		c := m.Comments[i]
		switch {
		case c.Start >= end:
			continue
		case c.Start < n.Start:
			// Above: only comments alone on their line, without a gap.
			start := lineStart(m.Text, c.Start)
			if strings.TrimSpace(m.Text[start:c.Start]) != "" || strings.TrimSpace(m.Text[c.End:top]) != "" ||
				strings.Count(m.Text[c.End:top], "\n") != 1 {
				return out
			}
			top = start
		}
		if ig, ok := parseIgnore(m, c); ok {
			r.used[usedIgnore{m.File, c.Start}] = true
			out = append([]Ignore{ig}, out...)
		}
	}
	return out
}

func lineStart(s string, at int) int { return strings.LastIndexByte(s[:at], '\n') + 1 }

// note remembers which comments of r governed something, for stray.
func (h *history) note(r *revision, now *run) {
	if h.used[r.mod] == nil {
		h.used[r.mod] = map[int]bool{}
	}
	for u := range now.used {
		if u.file == r.mod.File {
			h.used[r.mod][u.at] = true
		}
	}
}

// stray finds the suppression comments that govern nothing.
func (h *history) stray(r *revision) {
	for _, c := range r.mod.Comments {
		ig, ok := parseIgnore(r.mod, c)
		if !ok || h.used[r.mod][c.Start] {
			continue
		}
		to := &r.Up
		if f := r.downgrade; f != nil && f.Mod == r.mod && c.Start >= f.Def.Start && c.Start <= f.Def.End {
			to = &r.Down
		}
		to.StrayIgnores = append(to.StrayIgnores, ig)
	}
}
