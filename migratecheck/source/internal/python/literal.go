package python

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// EvalString reads a string literal; each byte of the result knows where it stands.
// The escapes are those of the Python reference, section 2.4.1.
func (x *Interp) EvalString(n *Node) Value {
	if len(n.Kids) < 2 {
		return Unknown{Why: "a malformed string"}
	}
	prefix := strings.ToLower(strings.TrimRight(x.Mod.Src(n.Kids[0]), `"'`))
	if strings.Contains(prefix, "b") {
		return Unknown{Why: "a bytes literal"}
	}
	if strings.Contains(prefix, "t") {
		return Unknown{Why: "a template string"}
	}
	raw, formatted := strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
	last := n.Kids[len(n.Kids)-1]
	if last.Kind != "string_end" {
		return Unknown{Why: "a malformed string"}
	}
	var parts []Text
	at := n.Kids[0].End
	for _, k := range n.Kids[1 : len(n.Kids)-1] {
		if k.Kind != "interpolation" {
			continue
		}
		parts = append(parts, x.unescape(at, k.Start, raw, formatted))
		v := x.interpolate(k)
		s, ok := v.(Text)
		if !ok {
			return v
		}
		parts = append(parts, s)
		at = k.End
	}
	parts = append(parts, x.unescape(at, last.Start, raw, formatted))
	return Cat(parts...)
}

// interpolate evaluates one {…} of an f-string.
func (x *Interp) interpolate(n *Node) Value {
	e := n.Child("expression")
	if e == nil {
		return Unknown{Why: "an f-string part that is not understood"}
	}
	v := x.Eval(e)
	if w := Why(v); w != "" {
		if x.Holes {
			return x.hole(n)
		}
		return Unknown{Why: w}
	}
	conversion, spec := "", ""
	if c := n.Child("type_conversion"); c != nil {
		conversion = strings.TrimPrefix(x.Mod.Src(c), "!")
	}
	if f := n.Child("format_specifier"); f != nil {
		if len(f.Kids) > 0 {
			return Unknown{Why: "an f-string with a computed format"}
		}
		spec = strings.TrimPrefix(x.Mod.Src(f), ":")
	}
	s, ok := formatValue(v, conversion, spec)
	if !ok {
		if x.Holes {
			return x.hole(n)
		}
		return Unknown{Why: "an f-string part whose text is not known: " + Shorten(x.Mod.Src(n))}
	}
	if strings.HasPrefix(strings.TrimLeft(x.Mod.Text[e.End:n.End], " "), "=") {
		return Unknown{Why: "a self-documenting f-string part"}
	}
	return x.placed(s, n)
}

// placed gives a string from nowhere the place of n.
func (x *Interp) placed(s Text, n *Node) Text {
	if len(s.P) == 0 {
		return Fixed(s.S, x.Mod, n.Start)
	}
	return s
}

// formatValue is Python's format(v, spec) after !r or !s.
func formatValue(v Value, conversion, spec string) (Text, bool) {
	s, ok := Text{}, false
	switch conversion {
	case "", "s":
		s, ok = Str(v)
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
				return Plain(strings.Repeat("0", max(0, w-len(s.S))) + s.S), true
			}
			return s, false
		}
		if _, isText := v.(Text); !isText {
			return s, false
		}
	}
	return s, spec == "s"
}

// unescape reads m.text[start:end], the inside of a string.
func (x *Interp) unescape(start, end int, raw, formatted bool) Text {
	src := x.Mod.Text[start:end]
	special := `\`
	if raw {
		special = ""
	}
	if formatted {
		special += "{}"
	}
	if !strings.ContainsAny(src, special+"\r") || special == "" && !strings.Contains(src, "\r") {
		if src == "" {
			return Text{}
		}
		return Text{S: src, P: []Span{{0, start, true, x.Mod}}}
	}
	var out strings.Builder
	var spans []Span
	lin := -1 // where the linear piece that is being read began
	flush := func(i int) {
		if lin >= 0 && lin < i {
			spans = append(spans, Span{out.Len(), start + lin, true, x.Mod})
			out.WriteString(src[lin:i])
		}
		lin = -1
	}
	put := func(i int, s string) {
		if s != "" {
			spans = append(spans, Span{out.Len(), start + i, false, x.Mod})
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
	return Text{S: out.String(), P: spans}
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
func (x *Interp) percent(format Text, arg Value) Value {
	args := []Value{arg}
	mapping, isDict := arg.(*Dict)
	if l, ok := arg.(*List); ok && l.Tuple {
		args = l.Items
	}
	unknown := Why(arg)
	if unknown != "" && !x.Holes {
		return Unknown{Why: unknown}
	}
	var out []Text
	s := format.S
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			break
		}
		base := len(format.S) - len(s)
		out = append(out, format.Sub(base, base+i))
		s = s[i+1:]
		var v Value
		if strings.HasPrefix(s, "%") {
			out = append(out, format.Sub(base+i, base+i+1))
			s = s[1:]
			continue
		}
		end := strings.IndexByte(s, ')')
		named := strings.HasPrefix(s, "(") && end > 0
		switch {
		case unknown != "":
			v = Unknown{Why: unknown}
			if named {
				s = s[end+1:]
			}
		case named:
			if !isDict {
				return Unknown{Why: "a % format that needs a dict"}
			}
			k := mapping.find(Plain(s[1:end]))
			if k < 0 {
				return Unknown{Why: "a % format whose key is missing", Refused: true}
			}
			v, s = mapping.Vals[k], s[end+1:]
		default:
			if len(args) == 0 {
				return Unknown{Why: "a % format with too few values", Refused: true}
			}
			v, args = args[0], args[1:]
		}
		w := Why(v)
		if w != "" && !x.Holes {
			return Unknown{Why: w}
		}
		var t Text
		ok := false
		switch {
		case w != "":
			t, ok = Plain(Hole), s != "" && strings.Contains("srdif", s[:1])
		case strings.HasPrefix(s, "s"):
			t, ok = Str(v)
		case strings.HasPrefix(s, "r"):
			t, ok = repr(v)
		case strings.HasPrefix(s, "d"):
			if _, ok = v.(int64); ok {
				t, ok = Str(v)
			}
		}
		if !ok {
			return Unknown{Why: "a % format that is not understood"}
		}
		if len(t.P) == 0 {
			t = format.Sub(base+i, base+i+1).spot(t.S)
		}
		out = append(out, t)
		s = s[1:]
	}
	out = append(out, format.Sub(len(format.S)-len(s), len(format.S)))
	return Cat(out...)
}

// strFormat is Python's format.format(*args, **kw).
func (x *Interp) strFormat(format Text, a Args) Value {
	var out []Text
	s := format.S
	next := 0
	for {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			break
		}
		base := len(format.S) - len(s)
		out = append(out, format.Sub(base, base+i))
		if i+1 < len(s) && s[i+1] == s[i] {
			out = append(out, format.Sub(base+i, base+i+1))
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			return Unknown{Why: "a format string with unbalanced braces", Refused: true}
		}
		field := s[i+1 : i+end]
		s = s[i+end+1:]
		name, spec, _ := strings.Cut(field, ":")
		name, conversion, _ := strings.Cut(name, "!")
		var v Value
		switch index, err := strconv.Atoi(name); {
		case strings.ContainsAny(name, ".[{"):
			return Unknown{Why: "a format string with a computed field"}
		case name == "":
			if next >= len(a.Pos) {
				return Unknown{Why: "a format string with too few values"}
			}
			v = a.Pos[next]
			next++
		case err == nil:
			if index < 0 || index >= len(a.Pos) {
				return Unknown{Why: "a format string with too few values"}
			}
			v = a.Pos[index]
		default:
			var ok bool
			if v, ok = a.Kw[name]; !ok {
				return Unknown{Why: "a format string whose field " + name + " is missing"}
			}
		}
		t, ok := Text{}, false
		if w := Why(v); w != "" {
			if !x.Holes {
				return Unknown{Why: w}
			}
		} else {
			t, ok = formatValue(v, conversion, spec)
		}
		if !ok && x.Holes {
			t, ok = Plain(Hole), true
		}
		if !ok {
			return Unknown{Why: "a format string that is not understood"}
		}
		if len(t.P) == 0 {
			t = format.Sub(base+i, base+i+1).spot(t.S)
		}
		out = append(out, t)
	}
	out = append(out, format.Sub(len(format.S)-len(s), len(format.S)))
	return Cat(out...)
}
