package alembic

import (
	"sort"
	"strings"
)

// text is a string that knows where its bytes were written.
type text struct {
	s string
	p []span // sorted by off; the first has off 0 unless s is empty
}

// span says that bytes from off on stand in mod's file from at on; see Piece.
type span struct {
	off    int
	at     int
	linear bool
	mod    *module
}

// fixed is a string all of whose bytes belong to one place.
func fixed(s string, m *module, at int) text {
	if s == "" {
		return text{}
	}
	return text{s, []span{{0, at, false, m}}}
}

// plain is a string from nowhere: a keyword that alembic puts in. It takes the place of the text before it.
func plain(s string) text { return text{s: s} }

// builder joins texts. A piece from nowhere takes home as its place.
type builder struct {
	home span
	s    strings.Builder
	p    []span
}

func (b *builder) add(parts ...text) {
	for _, t := range parts {
		base := b.s.Len()
		if t.s == "" {
			continue
		}
		if len(t.p) == 0 || t.p[0].off > 0 {
			h := b.home
			h.off, h.linear = base, false
			b.push(h)
		}
		for _, p := range t.p {
			p.off += base
			b.push(p)
		}
		b.s.WriteString(t.s)
	}
}

// push appends a span unless it only continues the one before.
func (b *builder) push(p span) {
	if n := len(b.p); n > 0 {
		l := b.p[n-1]
		if l.linear == p.linear && l.mod == p.mod {
			if !p.linear && l.at == p.at || p.linear && p.at-l.at == p.off-l.off {
				return
			}
		}
	}
	b.p = append(b.p, p)
}

func (b *builder) text() text { return text{b.s.String(), b.p} }

// cat joins texts; those from nowhere stay so.
func cat(parts ...text) text {
	if len(parts) == 1 {
		return parts[0]
	}
	var out text
	var sb strings.Builder
	for _, t := range parts {
		base := sb.Len()
		if t.s != "" && (len(t.p) == 0 || t.p[0].off > 0) && len(out.p) > 0 {
			// It begins with bytes from nowhere: stop a linear piece before them from claiming these.
			if l := out.p[len(out.p)-1]; l.linear {
				out.p = append(out.p, span{base, l.at + base - l.off, false, l.mod})
			}
		}
		for _, p := range t.p {
			p.off += base
			out.p = append(out.p, p)
		}
		sb.WriteString(t.s)
	}
	out.s = sb.String()
	return out
}

// catAny is cat for a mixture of string and text.
func catAny(parts ...any) text {
	ts := make([]text, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			ts = append(ts, plain(p))
		case text:
			ts = append(ts, p)
		}
	}
	return cat(ts...)
}

// sub is t.s[i:j] with its places.
func (t text) sub(i, j int) text {
	if i >= j {
		return text{}
	}
	out := text{s: t.s[i:j]}
	k := sort.Search(len(t.p), func(k int) bool { return t.p[k].off > i }) - 1
	for k = max(k, 0); k < len(t.p) && t.p[k].off < j; k++ {
		p := t.p[k]
		if p.off < i {
			if p.linear {
				p.at += i - p.off
			}
			p.off = i
		}
		p.off -= i
		out.p = append(out.p, p)
	}
	return out
}

// mapped is s in t's place: byte by byte when the lengths agree, else all at t's beginning.
func (t text) mapped(s string) text {
	if len(s) == len(t.s) {
		return text{s, t.p}
	}
	return t.spot(s)
}

// spot is s, all of it at t's beginning.
func (t text) spot(s string) text {
	if len(t.p) == 0 || s == "" {
		return text{s: s}
	}
	p := t.p[0]
	p.off, p.linear = 0, false
	return text{s, []span{p}}
}

func (t text) split(sep string, n int) []text {
	parts := strings.SplitN(t.s, sep, n)
	out := make([]text, len(parts))
	at := 0
	for i, p := range parts {
		out[i] = t.sub(at, at+len(p))
		at += len(p) + len(sep)
	}
	return out
}

func (t text) replace(old string, with text, n int) text {
	if old == "" || n == 0 || !strings.Contains(t.s, old) {
		return t
	}
	if n > 0 {
		n++
	}
	return join(t.split(old, n), with)
}

func join(parts []text, sep text) text {
	all := make([]text, 0, 2*len(parts))
	for i, p := range parts {
		if i > 0 {
			all = append(all, sep)
		}
		all = append(all, p)
	}
	return cat(all...)
}

func (t text) trim(left, right func(string) string) text {
	i, j := 0, len(t.s)
	if left != nil {
		i = len(t.s) - len(left(t.s))
	}
	if right != nil && i < j {
		j = i + len(right(t.s[i:]))
	}
	return t.sub(i, j)
}

// lines splits behind each line end, which stays.
func (t text) lines() []text {
	var out []text
	at := 0
	for at < len(t.s) {
		end := len(t.s)
		if i := strings.IndexByte(t.s[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		out = append(out, t.sub(at, end))
		at = end
	}
	return out
}

// dedent is Python's textwrap.dedent: the longest white space common to all lines that hold more than that goes, and
// lines of only white space become empty.
func (t text) dedent() text {
	lines := t.lines()
	margin, first := "", true
	for i, l := range lines {
		body := strings.TrimSuffix(l.s, "\n")
		rest := strings.TrimLeft(body, " \t")
		if strings.TrimLeft(rest, "\r\f\v") == "" && rest == "" {
			lines[i] = l.sub(len(body), len(l.s))
			continue
		}
		indent := body[:len(body)-len(rest)]
		if first {
			margin, first = indent, false
			continue
		}
		k := 0
		for k < len(margin) && k < len(indent) && margin[k] == indent[k] {
			k++
		}
		margin = margin[:k]
	}
	for i, l := range lines {
		if strings.HasPrefix(l.s, margin) && strings.TrimSpace(l.s) != "" {
			lines[i] = l.sub(len(margin), len(l.s))
		}
	}
	return cat(lines...)
}
