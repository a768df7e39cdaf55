package query

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkArgumentLabel = &Check{
	ID:      "argument-label",
	Catches: "A parameter, or what Python writes to a column, is of an enum that lacks a label which the code may send.",
	Code:    "22P02",
	Rules:   []string{"add-enum-value", "change-column-type", "drop-type", "rename-enum-value"},
	Asks:    TheCode,
	Source:  "src/backend/utils/adt/enum.c enum_in",
	between: func(s *step, c *Check) {
		args := s.sql().Args
		if s.Site.Lang == "python" {
			s.labelsWritten(c, args)
			return
		}
		for i, p := range s.an.Params {
			if i >= len(s.was.an.Params) {
				continue
			}
			var g GoType
			if i < len(args) {
				g = args[i]
			}
			s.label(c, Problem{Offset: p.Offset}, fmt.Sprintf("$%d", i+1), s.was.an.Params[i].Type, p.Type, g)
		}
	},
}

// labelsWritten looks at the columns that Python writes, its parameters being literals without a type.
func (s *step) labelsWritten(c *Check, args []GoType) {
	s.changes(func(w change) {
		for i := range w.Targets {
			t := &w.Targets[i]
			col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
			if col == nil || was == nil {
				continue
			}
			for _, n := range t.Params {
				if n > len(args) || args[n-1].Kind != String {
					continue
				}
				p := w.about(s.reading, []int{t.Column})
				p.Maybe = args[n-1].Labels == nil // it may send nothing but labels
				if s.label(c, p, fmt.Sprintf("column %q of %s", col.Name, s.cat.NameOf(w.rel.OID)), was.Type, col.Type, args[n-1]) {
					break
				}
			}
		}
	})
}

// label reports, about p, a value that may be no label of an enum. Of is what has its type, and had another where the code is at home.
func (s *step) label(c *Check, p Problem, of string, was, now catalog.TypeRef, g GoType) bool {
	enum := enumOf(s.cat, now)
	if enum == nil || enum.Assumed || g.Null {
		return false
	}
	sends := g.Labels // what the code may send where it is at home
	if old := enumOf(s.was.cat, was); old != nil {
		switch {
		case sends == nil:
			sends = old.Labels
		case s.Site.Lang == "python": // which lists what it may read, too
			sends = slices.DeleteFunc(slices.Clone(sends), func(label string) bool { return !slices.Contains(old.Labels, label) })
		}
	}
	what := "a text that is no label of it"
	switch {
	case sends != nil:
		missing := slices.DeleteFunc(slices.Clone(sends), func(label string) bool { return slices.Contains(enum.Labels, label) })
		if len(missing) == 0 {
			return false
		}
		what = `"` + strings.Join(missing, `", "`) + `"`
	case classOf(s.was.cat, element(s.was.cat, was)) != textClass:
		return false
	}
	p.Code, p.Objects = "22P02", append(slices.Clip(p.Objects), catalog.Address{OID: enum.OID})
	s.report(c, p, "%s is of enum %s here: %s fails for %s", of, s.cat.NameOf(enum.OID), s.verb(), what)
	return true
}

// element is what an array holds, of another type itself.
func element(cat *catalog.Catalog, t catalog.TypeRef) catalog.TypeRef {
	t = cat.BaseType(t)
	t.Array = false
	return t
}
