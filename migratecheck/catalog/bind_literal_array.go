package catalog

import (
	"regexp"
	"slices"
	"strings"
)

// checkArrayLiteral is array_in (src/backend/utils/adt/arrayfuncs.c): braces around elements, each of which the element
// type's own in function takes. Whether the bounds before the braces fit what is in them is not looked at.
func (c *Catalog) checkArrayLiteral(text string, array TypeRef) error {
	elem := array.element()
	delimiter := byte(',')
	if c.baseType(elem).OID == typeBox {
		delimiter = ';'
	}
	r := &arrayReader{s: strings.TrimLeft(arrayBounds.ReplaceAllString(text, ""), arraySpace), delimiter: delimiter}
	if r.array() == nil || strings.Trim(r.s, arraySpace) != "" {
		return errorf("22P02", "malformed array literal: %s", quoteMessage(text))
	}
	for _, e := range r.elements {
		if err := c.checkEnumLabel(e, elem); err != nil {
			return err
		}
		if err := c.checkLiteral(e, elem); err != nil {
			return err
		}
	}
	return nil
}

const (
	typeBox    OID = 603
	arraySpace     = " \t\n\v\f\r"
)

// arrayBounds are what may stand before the braces, as in [0:1]={a,b}.
var arrayBounds = regexp.MustCompile(`^\s*(\[\s*[-+]?\d+\s*(:\s*[-+]?\d+\s*)?\]\s*)+=`)

// arrayReader reads the text of an array from left to right.
type arrayReader struct {
	s         string
	delimiter byte
	elements  []string // without those that are NULL
}

// array reads one pair of braces and answers how long it is in each dimension; nil when it is malformed.
func (r *arrayReader) array() []int {
	if !strings.HasPrefix(r.s, "{") {
		return nil
	}
	r.skip(1)
	if strings.HasPrefix(r.s, "}") {
		r.skip(1)
		return []int{0}
	}
	var inner []int
	for n := 1; ; n++ {
		shape := []int{}
		if strings.HasPrefix(r.s, "{") {
			shape = r.array()
		} else if !r.element() {
			return nil
		}
		if shape == nil || n > 1 && len(shape) != len(inner) || n > 1 && !slices.Equal(shape, inner) && !loose(shape, inner) {
			return nil
		}
		inner = shape
		switch {
		case r.s == "":
			return nil
		case r.s[0] == '}':
			r.skip(1)
			return append([]int{n}, inner...)
		case r.s[0] != r.delimiter:
			return nil
		}
		r.skip(1)
	}
}

// loose tells of inner arrays that differ in length but that servers before 17 do not all refuse: one of them holds one element or
// none (ArrayCount's nelems_last).
func loose(a, b []int) bool {
	short := func(n int) bool { return n < 2 }
	return slices.ContainsFunc(a, short) || slices.ContainsFunc(b, short)
}

// skip passes over n bytes and the space behind them.
func (r *arrayReader) skip(n int) { r.s = strings.TrimLeft(r.s[n:], arraySpace) }

// element reads one element: quoted as a whole, or bare up to the delimiter or brace behind it.
func (r *arrayReader) element() bool {
	quoted := strings.HasPrefix(r.s, `"`)
	i, escaped := 0, false
	if quoted {
		i = 1
	}
	var text []byte
	solid := 0 // bytes of text up to the last that is no bare space
	for ; i < len(r.s); i++ {
		ch := r.s[i]
		switch {
		case ch == '\\':
			if i++; i == len(r.s) {
				return false
			}
			ch, escaped = r.s[i], true
		case quoted && ch == '"':
			r.elements = append(r.elements, string(text))
			r.skip(i + 1)
			return true
		case quoted:
		case ch == '"' || ch == '{':
			return false
		case ch == '}' || ch == r.delimiter:
			r.s = r.s[i:]
			text = text[:solid]
			if !escaped && strings.EqualFold(string(text), "NULL") {
				return true
			}
			r.elements = append(r.elements, string(text))
			return len(text) > 0 || escaped
		case strings.IndexByte(arraySpace, ch) >= 0:
			text = append(text, ch)
			continue
		}
		text = append(text, ch)
		solid = len(text)
	}
	return false
}
