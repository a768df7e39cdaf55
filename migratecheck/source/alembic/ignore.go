package alembic

import "strings"

// usedIgnore names a suppression comment that governs something.
type usedIgnore struct {
	file int
	at   int
}

// parseIgnore reads a comment "# srhtvet:ignore RULE[,RULE] reason".
func parseIgnore(m *module, c comment) (Ignore, bool) {
	body := strings.TrimSpace(strings.TrimLeft(m.text[c.start:c.end], "#"))
	rest, ok := strings.CutPrefix(body, "srhtvet:ignore")
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], " \t") {
		return Ignore{}, false
	}
	rest = strings.TrimSpace(rest)
	i := Ignore{File: m.file, At: c.start}
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
func (x *interp) ignores() []Ignore {
	var out []Ignore
	for _, p := range x.stack {
		out = append(out, x.ignoresAt(p.mod, p.n)...)
	}
	return out
}

func (x *interp) ignoresAt(m *module, n *node) []Ignore {
	if len(m.comments) == 0 || !strings.Contains(m.text, "srhtvet:ignore") {
		return nil
	}
	end := n.end
	if i := strings.IndexByte(m.text[end:], '\n'); i >= 0 {
		end += i
	} else {
		end = len(m.text)
	}
	var out []Ignore
	top := lineStart(m.text, n.start)
	for i := len(m.comments) - 1; i >= 0; i-- {
		c := m.comments[i]
		switch {
		case c.start >= end:
			continue
		case c.start < n.start:
			// Above: only comments alone on their line, without a gap.
			start := lineStart(m.text, c.start)
			if strings.TrimSpace(m.text[start:c.start]) != "" || strings.TrimSpace(m.text[c.end:top]) != "" ||
				strings.Count(m.text[c.end:top], "\n") != 1 {
				return out
			}
			top = start
		}
		if ig, ok := parseIgnore(m, c); ok {
			x.used[usedIgnore{m.file, c.start}] = true
			out = append([]Ignore{ig}, out...)
		}
	}
	return out
}

func lineStart(s string, at int) int { return strings.LastIndexByte(s[:at], '\n') + 1 }

// note remembers which comments of r governed something, for stray.
func (r *revision) note(s *state) {
	if r.mod.used == nil {
		r.mod.used = map[int]bool{}
	}
	for u := range s.used {
		if u.file == r.mod.file {
			r.mod.used[u.at] = true
		}
	}
}

// stray finds the suppression comments that govern nothing.
func (r *revision) stray() {
	for _, c := range r.mod.comments {
		ig, ok := parseIgnore(r.mod, c)
		if !ok || r.mod.used[c.start] {
			continue
		}
		to := &r.Up
		if f := r.downgrade; f != nil && f.mod == r.mod && c.start >= f.def.start && c.start <= f.def.end {
			to = &r.Down
		}
		to.StrayIgnores = append(to.StrayIgnores, ig)
	}
}
