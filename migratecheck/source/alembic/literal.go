package alembic

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// evalString reads a string literal; each byte of the result knows where it stands.
// The escapes are those of the Python reference, section 2.4.1.
func (x *interp) evalString(n *node) value {
	if len(n.kids) < 2 {
		return unknown{why: "a malformed string"}
	}
	prefix := strings.ToLower(strings.TrimRight(x.mod.src(n.kids[0]), `"'`))
	if strings.Contains(prefix, "b") {
		return unknown{why: "a bytes literal"}
	}
	if strings.Contains(prefix, "t") {
		return unknown{why: "a template string"}
	}
	raw, formatted := strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
	last := n.kids[len(n.kids)-1]
	if last.kind != "string_end" {
		return unknown{why: "a malformed string"}
	}
	var parts []text
	at := n.kids[0].end
	for _, k := range n.kids[1 : len(n.kids)-1] {
		if k.kind != "interpolation" {
			continue
		}
		parts = append(parts, x.unescape(at, k.start, raw, formatted))
		v := x.interpolate(k)
		s, ok := v.(text)
		if !ok {
			return v
		}
		parts = append(parts, s)
		at = k.end
	}
	parts = append(parts, x.unescape(at, last.start, raw, formatted))
	return cat(parts...)
}

// interpolate evaluates one {…} of an f-string.
func (x *interp) interpolate(n *node) value {
	e := n.child("expression")
	if e == nil {
		return unknown{why: "an f-string part that is not understood"}
	}
	v := x.eval(e)
	if w := why(v); w != "" {
		return unknown{why: w}
	}
	conversion, spec := "", ""
	if c := n.child("type_conversion"); c != nil {
		conversion = strings.TrimPrefix(x.mod.src(c), "!")
	}
	if f := n.child("format_specifier"); f != nil {
		if len(f.kids) > 0 {
			return unknown{why: "an f-string with a computed format"}
		}
		spec = strings.TrimPrefix(x.mod.src(f), ":")
	}
	s, ok := formatValue(v, conversion, spec)
	if !ok {
		return unknown{why: "an f-string part whose text is not known: " + shorten(x.mod.src(n))}
	}
	if strings.HasPrefix(strings.TrimLeft(x.mod.text[e.end:n.end], " "), "=") {
		return unknown{why: "a self-documenting f-string part"}
	}
	return x.placed(s, n)
}

// placed gives a string from nowhere the place of n.
func (x *interp) placed(s text, n *node) text {
	if len(s.p) == 0 {
		return fixed(s.s, x.mod, n.start)
	}
	return s
}

// formatValue is Python's format(v, spec) after !r or !s.
func formatValue(v value, conversion, spec string) (text, bool) {
	s, ok := text{}, false
	switch conversion {
	case "", "s":
		s, ok = str(v)
	case "r":
		s, ok = repr(v)
	}
	if !ok || spec == "" {
		return s, ok
	}
	if conversion == "" {
		if i, isInt := v.(int64); isInt {
			switch spec {
			case "d":
				return s, true
			}
			if w, err := strconv.Atoi(strings.TrimSuffix(spec, "d")); err == nil && strings.HasPrefix(spec, "0") && w < 100 && i >= 0 {
				return plain(strings.Repeat("0", max(0, w-len(s.s))) + s.s), true
			}
			return s, false
		}
		if _, isText := v.(text); !isText {
			return s, false
		}
	}
	return s, spec == "s"
}

// unescape reads m.text[start:end], the inside of a string.
func (x *interp) unescape(start, end int, raw, formatted bool) text {
	src := x.mod.text[start:end]
	special := `\`
	if raw {
		special = ""
	}
	if formatted {
		special += "{}"
	}
	if !strings.ContainsAny(src, special+"\r") || special == "" && !strings.Contains(src, "\r") {
		if src == "" {
			return text{}
		}
		return text{src, []span{{0, start, true, x.mod}}}
	}
	var out strings.Builder
	var spans []span
	lin := -1 // where the linear piece that is being read began
	flush := func(i int) {
		if lin >= 0 && lin < i {
			spans = append(spans, span{out.Len(), start + lin, true, x.mod})
			out.WriteString(src[lin:i])
		}
		lin = -1
	}
	put := func(i int, s string) {
		if s != "" {
			spans = append(spans, span{out.Len(), start + i, false, x.mod})
			out.WriteString(s)
		}
	}
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\r': // universal newlines
			flush(i)
			put(i, "\n")
			i++
			if i < len(src) && src[i] == '\n' {
				i++
			}
		case c == '\\' && !raw:
			flush(i)
			s, n := escape(src[i:])
			put(i, s)
			i += n
		case (c == '{' || c == '}') && formatted && i+1 < len(src) && src[i+1] == c:
			flush(i)
			put(i, string(c))
			i += 2
		default:
			if lin < 0 {
				lin = i
			}
			i++
		}
	}
	flush(len(src))
	return text{out.String(), spans}
}

// escape reads the escape sequence at the beginning of s and how long it is.
func escape(s string) (string, int) {
	if len(s) < 2 {
		return s, len(s)
	}
	number := func(digits, base int) (string, int) {
		if len(s) < 2+digits {
			return s[:2], 2
		}
		v, err := strconv.ParseUint(s[2:2+digits], base, 32)
		if err != nil || v > utf8.MaxRune {
			return s[:2], 2
		}
		return string(rune(v)), 2 + digits
	}
	switch c := s[1]; c {
	case '\n':
		return "", 2
	case '\r':
		if len(s) > 2 && s[2] == '\n' {
			return "", 3
		}
		return "", 2
	case '\\', '\'', '"':
		return string(c), 2
	case 'a':
		return "\a", 2
	case 'b':
		return "\b", 2
	case 'f':
		return "\f", 2
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case 't':
		return "\t", 2
	case 'v':
		return "\v", 2
	case 'x':
		return number(2, 16)
	case 'u':
		return number(4, 16)
	case 'U':
		return number(8, 16)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := 2
		for n < 4 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(s[1:n], 8, 32)
		return string(rune(v)), n
	}
	return s[:2], 2 // Python keeps an unknown escape as it stands
}

// percent is Python's format % arg.
func percent(format text, arg value) value {
	args := []value{arg}
	mapping, isDict := arg.(*dict)
	if l, ok := arg.(*list); ok && l.tuple {
		args = l.items
	}
	if w := why(arg); w != "" {
		return unknown{why: w}
	}
	var out []text
	s := format.s
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			break
		}
		base := len(format.s) - len(s)
		out = append(out, format.sub(base, base+i))
		s = s[i+1:]
		var v value
		if strings.HasPrefix(s, "%") {
			out = append(out, format.sub(base+i, base+i+1))
			s = s[1:]
			continue
		}
		if end := strings.IndexByte(s, ')'); strings.HasPrefix(s, "(") && end > 0 {
			if !isDict {
				return unknown{why: "a % format that needs a dict"}
			}
			k := mapping.find(plain(s[1:end]))
			if k < 0 {
				return unknown{why: "a % format whose key is missing", refused: true}
			}
			v, s = mapping.vals[k], s[end+1:]
		} else {
			if len(args) == 0 {
				return unknown{why: "a % format with too few values", refused: true}
			}
			v, args = args[0], args[1:]
		}
		if w := why(v); w != "" {
			return unknown{why: w}
		}
		var t text
		ok := false
		switch {
		case strings.HasPrefix(s, "s"):
			t, ok = str(v)
		case strings.HasPrefix(s, "r"):
			t, ok = repr(v)
		case strings.HasPrefix(s, "d"):
			if _, ok = v.(int64); ok {
				t, ok = str(v)
			}
		}
		if !ok {
			return unknown{why: "a % format that is not understood"}
		}
		if len(t.p) == 0 {
			t = format.sub(base+i, base+i+1).spot(t.s)
		}
		out = append(out, t)
		s = s[1:]
	}
	out = append(out, format.sub(len(format.s)-len(s), len(format.s)))
	return cat(out...)
}

// strFormat is Python's format.format(*args, **kw).
func (x *interp) strFormat(format text, a args) value {
	var out []text
	s := format.s
	next := 0
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			break
		}
		base := len(format.s) - len(s)
		out = append(out, format.sub(base, base+i))
		if i+1 < len(s) && s[i+1] == s[i] {
			out = append(out, format.sub(base+i, base+i+1))
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			return unknown{why: "a format string with unbalanced braces", refused: true}
		}
		field := s[i+1 : i+end]
		s = s[i+end+1:]
		name, spec, _ := strings.Cut(field, ":")
		name, conversion, _ := strings.Cut(name, "!")
		var v value
		switch index, err := strconv.Atoi(name); {
		case strings.ContainsAny(name, ".[{"):
			return unknown{why: "a format string with a computed field"}
		case name == "":
			if next >= len(a.pos) {
				return unknown{why: "a format string with too few values"}
			}
			v = a.pos[next]
			next++
		case err == nil:
			if index < 0 || index >= len(a.pos) {
				return unknown{why: "a format string with too few values"}
			}
			v = a.pos[index]
		default:
			var ok bool
			if v, ok = a.kw[name]; !ok {
				return unknown{why: "a format string whose field " + name + " is missing"}
			}
		}
		if w := why(v); w != "" {
			return unknown{why: w}
		}
		t, ok := formatValue(v, conversion, spec)
		if !ok {
			return unknown{why: "a format string that is not understood"}
		}
		if len(t.p) == 0 {
			t = format.sub(base+i, base+i+1).spot(t.s)
		}
		out = append(out, t)
	}
	out = append(out, format.sub(len(format.s)-len(s), len(format.s)))
	return cat(out...)
}
