package source

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// interpolate expands a line under ENVSUB ON as goose and brant do (mfridman/interpolate v0.0.2 parser.go): $NAME,
// ${NAME}, ${NAME:-default}, ${NAME-default}, ${NAME?message}, ${NAME:from:length}; $$ and \$ are a dollar sign, and $(
// is left alone. A variable with a default is taken to be unset; unknown is the first without one, which is left as it
// is written. ok is false when the tools refuse the line.
func interpolate(s string) (out, unknown string, ok bool) {
	p := envParser{rest: s}
	ok = p.expression(false)
	return p.out.String(), p.unknown, ok
}

type envParser struct {
	rest    string
	out     strings.Builder
	unknown string
}

// expression expands up to the end, or to the closing brace of the expansion it stands in.
func (p *envParser) expression(inBrace bool) bool {
	for p.rest != "" && (!inBrace || p.rest[0] != '}') {
		switch {
		case strings.HasPrefix(p.rest, `\\`), strings.HasPrefix(p.rest, "$("):
			p.out.WriteString(p.take(2))
		case strings.HasPrefix(p.rest, `\$`), strings.HasPrefix(p.rest, "$$"):
			p.take(2)
			p.out.WriteByte('$')
		case p.rest[0] == '$' && len(p.rest) > 1:
			if !p.expansion() {
				return false
			}
		default:
			p.out.WriteString(p.take(1))
		}
	}
	return true
}

func (p *envParser) take(n int) string {
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// expansion expands one variable; p.rest begins with its dollar sign.
func (p *envParser) expansion() bool {
	whole := p.rest
	p.take(1)
	if p.rest[0] != '{' {
		name, ok := p.identifier()
		p.miss(name)
		p.out.WriteString("$" + name)
		return ok
	}
	p.take(1)
	name, ok := p.identifier()
	if !ok || p.rest == "" {
		return false
	}
	switch {
	case p.rest[0] == '}':
	case strings.HasPrefix(p.rest, ":-"):
		p.take(2)
		return p.inner()
	case p.rest[0] == '-':
		p.take(1)
		return p.inner()
	default: // a substring or a required variable
		end := strings.IndexByte(p.rest, '}')
		if end < 0 || p.rest[0] != ':' && p.rest[0] != '?' {
			return false
		}
		p.take(end)
	}
	p.take(1)
	p.miss(name)
	p.out.WriteString(whole[:len(whole)-len(p.rest)])
	return true
}

// inner expands a default and its closing brace.
func (p *envParser) inner() bool {
	if !p.expression(true) || p.rest == "" {
		return false
	}
	p.take(1)
	return true
}

func (p *envParser) miss(name string) {
	if p.unknown == "" {
		p.unknown = name
	}
}

func (p *envParser) identifier() (string, bool) {
	n := 0
	for n < len(p.rest) {
		r, size := utf8.DecodeRuneInString(p.rest[n:])
		if !unicode.IsLetter(r) && (n == 0 || !unicode.IsNumber(r) && r != '_') {
			break
		}
		n += size
	}
	return p.take(n), n > 0
}
