package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// values lists texts to try for a value of a type, the most ordinary first. n tells one row's from another's, literals are
// constants that may matter: those of CHECKs, of partition bounds.
func (p *Probe) values(oid uint32, typeName string, n int, literals []string) []string {
	t := p.typ(oid)
	if t == nil {
		return []string{strconv.Itoa(n)}
	}
	if t.kind == 'd' {
		return p.values(t.base, p.typeName(t.base), n, append(literalsIn(t.checks...), literals...))
	}
	var list []string
	switch {
	case t.kind == 'e':
		if len(t.labels) > 0 {
			list = append(slices.Clone(t.labels[n%len(t.labels):]), t.labels[:n%len(t.labels)]...)
		}
		return list
	case t.category == 'A':
		for _, v := range p.values(t.elem, p.typeName(t.elem), n, nil) {
			list = append(list, "{"+quoteElement(v)+"}")
			break
		}
		return append(list, "{}")
	case t.kind == 'r':
		return []string{"empty"}
	case t.kind == 'm':
		return []string{"{}"}
	case t.kind == 'c':
		return []string{p.compositeValue(t, n)}
	}
	return scalarValues(t, typeName, n, literals)
}

func (p *Probe) typeName(oid uint32) string {
	if t := p.typ(oid); t != nil {
		return t.name
	}
	return ""
}

func (p *Probe) compositeValue(t *typ, n int) string {
	r := p.schema.tables[t.rel]
	if r == nil {
		return "()"
	}
	var fields []string
	for _, c := range r.columns {
		field := ""
		if v := p.values(c.typ, c.typeName, n, nil); len(v) > 0 {
			field = quoteElement(v[0])
		}
		fields = append(fields, field)
	}
	return "(" + strings.Join(fields, ",") + ")"
}

func quoteElement(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func scalarValues(t *typ, typeName string, n int, literals []string) []string {
	switch t.category {
	case 'B':
		return []string{"t", "f"}
	case 'N':
		return append(numberValues(t, n, literals), "0", "-1", "1", "10", "100")
	case 'S':
		return textValues(typeName, n, literals)
	case 'D':
		return append(dateValues(t, n), literals...)
	case 'T':
		return []string{fmt.Sprintf("%d days", n)}
	case 'V':
		return bitValues(typeName)
	case 'I':
		return []string{fmt.Sprintf("10.0.0.%d", n%250), fmt.Sprintf("10.0.%d.0/24", n%250)}
	case 'G':
		return []string{fmt.Sprintf("(%d,0)", n), "((0,0),(1,1))", "((0,0),(1,1),(1,0))", "<(0,0),1>", "{1,1,1}"}
	}
	switch t.name {
	case "uuid":
		return append([]string{fmt.Sprintf("00000000-0000-4000-8000-%012d", n)}, literals...)
	case "json", "jsonb":
		return []string{fmt.Sprintf(`{"n": %d}`, n), "{}", "[]", "1", `"a"`}
	case "bytea":
		return []string{fmt.Sprintf(`\x%04x`, n), `\x`}
	case "xml":
		return []string{fmt.Sprintf("<a>%d</a>", n)}
	case "tsvector", "tsquery":
		return []string{fmt.Sprintf("w%d", n)}
	case "macaddr":
		return []string{fmt.Sprintf("08:00:2b:01:02:%02x", n%256)}
	case "macaddr8":
		return []string{fmt.Sprintf("08:00:2b:01:02:03:04:%02x", n%256)}
	case "pg_lsn":
		return []string{fmt.Sprintf("0/%X", n)}
	case "hstore", "ltree", "lquery", "ltxtquery":
		return []string{"", fmt.Sprintf("w%d", n)}
	}
	return append([]string{strconv.Itoa(n), "", fmt.Sprintf("s%d", n)}, literals...)
}

func numberValues(t *typ, n int, literals []string) []string {
	list := []string{strconv.Itoa(n)}
	if t.name == "numeric" || strings.HasPrefix(t.name, "float") {
		list = []string{fmt.Sprintf("%d.25", n), strconv.Itoa(n)} // one that no integer type holds
	}
	for _, l := range literals {
		if f, err := strconv.ParseFloat(l, 64); err == nil {
			list = append(list, l, trimNumber(f+1), trimNumber(f-1))
		}
	}
	return list
}

func trimNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// lengthOf finds the length in varchar(10), character(3), bit(4).
var lengthOf = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\((\d+)\)`) })

func textValues(typeName string, n int, literals []string) []string {
	list := []string{fmt.Sprintf("s%d", n)}
	list = append(list, literals...)
	for _, l := range literals {
		if bare := strings.Trim(l, "^$%_"); bare != l {
			list = append(list, bare)
		}
	}
	list = append(list, "a", "abc", "A", "0", strconv.Itoa(n), "", "a@b.c", "https://a.b/", "2020-01-01", strings.Repeat("a", 20))
	if m := lengthOf().FindStringSubmatch(typeName); m != nil {
		limit, _ := strconv.Atoi(m[1]) // digits
		for i, v := range list {
			if r := []rune(v); len(r) > limit {
				list[i] = string(r[max(0, len(r)-limit):])
			}
		}
	}
	if typeName == `"char"` {
		list = []string{"a", "b"}
	}
	return list
}

func dateValues(t *typ, n int) []string {
	day := 1 + n%28
	switch t.name {
	case "time", "timetz":
		return []string{fmt.Sprintf("%02d:00:00", n%24)}
	case "date":
		return []string{fmt.Sprintf("2026-01-%02d", day), "1999-12-31", "2100-01-01"}
	}
	return []string{fmt.Sprintf("2026-01-%02d 12:00:00", day), "1999-12-31 00:00:00", "2100-01-01 00:00:00"}
}

func bitValues(typeName string) []string {
	length := 1
	if m := lengthOf().FindStringSubmatch(typeName); m != nil {
		length, _ = strconv.Atoi(m[1]) // digits
	}
	return []string{strings.Repeat("1", length), strings.Repeat("0", length)}
}

var literal = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'((?:[^']|'')*)'|\b(\d+(?:\.\d+)?)\b`) })

// literalsIn lists the constants in SQL texts, in order, each once.
func literalsIn(texts ...string) []string {
	var list []string
	for _, text := range texts {
		for _, m := range literal().FindAllStringSubmatch(text, -1) {
			v := m[2]
			if v == "" {
				v = strings.ReplaceAll(m[1], "''", "'")
			}
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}
