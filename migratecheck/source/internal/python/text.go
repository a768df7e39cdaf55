package python

import (
	"sort"
	"strings"
)

// Text is a string that knows where its bytes were written.
type Text struct {
	S string
	P []Span // sorted by off; the first has off 0 unless s is empty
	// Conv: a name that is final, as alembic's op.f and SQLAlchemy's conv mark it: no naming convention changes it, and it is cut
	// to the length that PostgreSQL keeps.
	Conv bool
}

// Span says that bytes from off on stand in mod's file from at on; see Piece.
type Span struct {
	Off    int
	At     int
	Linear bool
	Mod    *Module
}

// Fixed is a string all of whose bytes belong to one place.
func Fixed(s string, m *Module, at int) Text {
	if s == "" {
		return Text{}
	}
	return Text{S: s, P: []Span{{0, at, false, m}}}
}

// Hole stands in a Text for a part that is not known; no source can hold it.
const Hole = "\x00?"

// hole is a Hole at n.
func (x *Interp) hole(n *Node) Text { return Fixed(Hole, x.Mod, n.Start) }

func holed(t Text) bool { return strings.Contains(t.S, Hole) }

// Plain is a string from nowhere: a keyword that alembic puts in. It takes the place of the text before it.
func Plain(s string) Text { return Text{S: s} }

// Builder joins texts. A piece from nowhere takes home as its place.
type Builder struct {
	Home Span
	s    strings.Builder
	p    []Span
}

// Add appends texts.
func (b *Builder) Add(parts ...Text) {
	for _, t := range parts {
		base := b.s.Len()
		if t.S == "" {
			continue
		}
		if len(t.P) == 0 || t.P[0].Off > 0 {
			h := b.Home
			h.Off, h.Linear = base, false
			b.push(h)
		}
		for _, p := range t.P {
			p.Off += base
			b.push(p)
		}
		b.s.WriteString(t.S)
	}
}

// push appends a span unless it only continues the one before.
func (b *Builder) push(p Span) {
	if n := len(b.p); n > 0 {
		l := b.p[n-1]
		if l.Linear == p.Linear && l.Mod == p.Mod {
			if !p.Linear && l.At == p.At || p.Linear && p.At-l.At == p.Off-l.Off {
				return
			}
		}
	}
	b.p = append(b.p, p)
}

// Text is all that was added.
func (b *Builder) Text() Text { return Text{S: b.s.String(), P: b.p} }

// Cat joins texts; those from nowhere stay so.
func Cat(parts ...Text) Text {
	if len(parts) == 1 {
		return parts[0]
	}
	var out Text
	var sb strings.Builder
	for _, t := range parts {
		base := sb.Len()
		if t.S != "" && (len(t.P) == 0 || t.P[0].Off > 0) && len(out.P) > 0 {
			// It begins with bytes from nowhere: stop a linear piece before them from claiming these.
			if l := out.P[len(out.P)-1]; l.Linear {
				out.P = append(out.P, Span{base, l.At + base - l.Off, false, l.Mod})
			}
		}
		for _, p := range t.P {
			p.Off += base
			out.P = append(out.P, p)
		}
		sb.WriteString(t.S)
	}
	out.S = sb.String()
	return out
}

// CatAny is cat for a mixture of string and text.
func CatAny(parts ...any) Text {
	ts := make([]Text, 0, len(parts))
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			ts = append(ts, Plain(p))
		case Text:
			ts = append(ts, p)
		}
	}
	return Cat(ts...)
}

// Sub is t.s[i:j] with its places.
func (t Text) Sub(i, j int) Text {
	if i >= j {
		return Text{}
	}
	out := Text{S: t.S[i:j]}
	k := sort.Search(len(t.P), func(k int) bool { return t.P[k].Off > i }) - 1
	for k = max(k, 0); k < len(t.P) && t.P[k].Off < j; k++ {
		p := t.P[k]
		if p.Off < i {
			if p.Linear {
				p.At += i - p.Off
			}
			p.Off = i
		}
		p.Off -= i
		out.P = append(out.P, p)
	}
	return out
}

// Mapped is s in t's place: byte by byte when the lengths agree, else all at t's beginning.
func (t Text) Mapped(s string) Text {
	if len(s) == len(t.S) {
		return Text{S: s, P: t.P}
	}
	return t.spot(s)
}

// spot is s, all of it at t's beginning.
func (t Text) spot(s string) Text {
	if len(t.P) == 0 || s == "" {
		return Text{S: s}
	}
	p := t.P[0]
	p.Off, p.Linear = 0, false
	return Text{S: s, P: []Span{p}}
}

// Split is strings.SplitN, each part with its places.
func (t Text) Split(sep string, n int) []Text {
	parts := strings.SplitN(t.S, sep, n)
	out := make([]Text, len(parts))
	at := 0
	for i, p := range parts {
		out[i] = t.Sub(at, at+len(p))
		at += len(p) + len(sep)
	}
	return out
}

// Replace is strings.Replace.
func (t Text) Replace(old string, with Text, n int) Text {
	if old == "" || n == 0 || !strings.Contains(t.S, old) {
		return t
	}
	if n > 0 {
		n++
	}
	return Join(t.Split(old, n), with)
}

// Join is strings.Join.
func Join(parts []Text, sep Text) Text {
	all := make([]Text, 0, 2*len(parts))
	for i, p := range parts {
		if i > 0 {
			all = append(all, sep)
		}
		all = append(all, p)
	}
	return Cat(all...)
}

func (t Text) trim(left, right func(string) string) Text {
	i, j := 0, len(t.S)
	if left != nil {
		i = len(t.S) - len(left(t.S))
	}
	if right != nil && i < j {
		j = i + len(right(t.S[i:]))
	}
	return t.Sub(i, j)
}

// lines splits behind each line end, which stays.
func (t Text) lines() []Text {
	var out []Text
	at := 0
	for at < len(t.S) {
		end := len(t.S)
		if i := strings.IndexByte(t.S[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		out = append(out, t.Sub(at, end))
		at = end
	}
	return out
}

// dedent is Python's textwrap.dedent: the longest white space common to all lines that hold more than that goes, and
// lines of only white space become empty.
func (t Text) dedent() Text {
	lines := t.lines()
	margin, first := "", true
	for i, l := range lines {
		body := strings.TrimSuffix(l.S, "\n")
		rest := strings.TrimLeft(body, " \t")
		if strings.TrimLeft(rest, "\r\f\v") == "" && rest == "" {
			lines[i] = l.Sub(len(body), len(l.S))
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
		if strings.HasPrefix(l.S, margin) && strings.TrimSpace(l.S) != "" {
			lines[i] = l.Sub(len(margin), len(l.S))
		}
	}
	return Cat(lines...)
}
