package query

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// changedMeaning reports what no single value shows: columns whose type is another one in which values have another order, or in
// which a time is another instant.
func (s *step) changedMeaning(c *Check) {
	var told []catalog.Address
	s.ordered(func(a catalog.Address, offset int) {
		labels, sorted := s.reordered(a)
		if !sorted || slices.Contains(told, a) {
			return
		}
		told = append(told, a)
		p, was, is := s.retyped(a, offset)
		s.report(c, p,
			"every name resolves, and the order is another: %s sorts or compares by column %q of %s, which is %s here and %s on the schema this code was written for "+
				"(labels in the order %s; text goes by its letters)", s.verb(), p.Column, p.Relation, is, was, strings.Join(labels, ", "))
	})
	s.timed(func(a catalog.Address, offset int) {
		if !s.otherInstant(a) || slices.Contains(told, a) {
			return
		}
		told = append(told, a)
		p, was, is := s.retyped(a, offset)
		s.report(c, p,
			"every name resolves, and a time may be another: %s returns column %q of %s or binds a time to it, which is %s here and %s on the schema this code was written for; "+
				"the two agree only where TimeZone, and the zone of each value, is UTC", s.verb(), p.Column, p.Relation, is, was)
	})
}

// retyped is a problem with a column that has another type, and the two.
func (s *step) retyped(a catalog.Address, offset int) (p Problem, was, is string) {
	before, after := s.types(a)
	rel := s.cat.Get(a.OID).(*catalog.Relation)
	return Problem{Offset: offset, Relation: s.cat.NameOf(a.OID).String(), Column: rel.Att(a.Column).Name, Objects: []catalog.Address{{OID: a.OID}, a}, Maybe: true, Unseen: true},
		s.was.cat.FormatType(before), s.cat.FormatType(after)
}

// types are those of a column where the code is at home and here, none when it is not in both.
func (s *step) types(a catalog.Address) (was, is catalog.TypeRef) {
	before, _ := s.was.cat.Get(a.OID).(*catalog.Relation)
	after, _ := s.cat.Get(a.OID).(*catalog.Relation)
	if before == nil || after == nil || before.Att(a.Column) == nil || after.Att(a.Column) == nil {
		return was, is
	}
	return before.Att(a.Column).Type, after.Att(a.Column).Type
}

// reordered reports whether a column is of an enum on one schema and of text on the other, and the order of the labels is not
// that of their letters, in any collation.
func (s *step) reordered(a catalog.Address) (labels []string, is bool) {
	was, now := s.types(a)
	enum, other := enumOf(s.was.cat, was), now
	cat := s.cat
	if enum == nil {
		enum, other, cat = enumOf(s.cat, now), was, s.was.cat
	}
	if enum == nil || other.Array || was.Array || now.Array || enumOf(cat, other) != nil || classOf(cat, other) != textClass {
		return nil, false
	}
	plain := !slices.ContainsFunc(enum.Labels, func(l string) bool {
		return strings.Trim(l, "abcdefghijklmnopqrstuvwxyz") != ""
	})
	return enum.Labels, !plain || !slices.IsSorted(enum.Labels)
}

// ordered calls f for each column of a table by which the statement sorts, or whose order it compares (PostgreSQL 15 manual, 8.7.2:
// "The ordering of the values in an enum type is the order in which the values were listed").
func (s *step) ordered(f func(a catalog.Address, offset int)) {
	at := map[int]catalog.Address{}
	for _, use := range s.an.Uses {
		if use.Address.Column != 0 && !use.Star {
			at[use.Offset] = use.Address
		}
	}
	column := func(n *pgast.Node) {
		if ref := n.GetColumnRef(); ref != nil {
			if a, ok := at[int(ref.Location)]; ok {
				f(a, int(ref.Location))
			}
		}
	}
	pgast.WalkMessages(s.stmt.Node, func(m pgast.Message) bool {
		switch n := m.(type) {
		case *pgast.SelectStmt:
			for _, key := range n.SortClause {
				column(sortedBy(key.GetSortBy().GetNode(), n.TargetList))
			}
		case *pgast.SortBy: // of a window, or of an aggregate
			column(n.Node)
		case *pgast.MinMaxExpr:
			for _, arg := range n.Args {
				column(arg)
			}
		case *pgast.FuncCall:
			if len(n.Args) == 1 && len(n.Funcname) > 0 {
				if name := n.Funcname[len(n.Funcname)-1].GetString_().GetSval(); name == "min" || name == "max" {
					column(n.Args[0])
				}
			}
		case *pgast.A_Expr:
			if len(n.Name) == 0 || !slices.Contains([]string{"<", ">", "<=", ">=", "BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC", "NOT BETWEEN SYMMETRIC"}, n.Name[len(n.Name)-1].GetString_().GetSval()) {
				break
			}
			column(n.Lexpr)
			column(n.Rexpr)
		}
		return true
	})
}

// sortedBy is what a key of ORDER BY stands for: a column of the result by its name or number, or itself (findTargetlistEntrySQL92 in
// src/backend/parser/parse_clause.c).
func sortedBy(key *pgast.Node, targets []*pgast.Node) *pgast.Node {
	if i := int(key.GetAConst().GetIval().GetIval()); i > 0 && i <= len(targets) {
		return targets[i-1].GetResTarget().GetVal()
	}
	ref := key.GetColumnRef()
	if ref == nil || len(ref.Fields) != 1 {
		return key
	}
	name := ref.Fields[0].GetString_().GetSval()
	for _, t := range targets {
		target := t.GetResTarget()
		called := target.GetName()
		if fields := target.GetVal().GetColumnRef().GetFields(); called == "" && len(fields) > 0 {
			called = fields[len(fields)-1].GetString_().GetSval()
		}
		if called == name {
			return target.GetVal()
		}
	}
	return key
}

// otherInstant reports whether a column is a time with a zone on one schema and without on the other (PostgreSQL 15 manual,
// 8.5.1.3: conversions take the one for local time by TimeZone, and the zone of a value for a column without is silently ignored).
func (s *step) otherInstant(a catalog.Address) bool {
	was, now := s.types(a)
	with := func(cat *catalog.Catalog, t catalog.TypeRef) int {
		t = cat.BaseType(t)
		switch cat.FormatType(catalog.TypeRef{OID: t.OID, Mod: -1, Array: t.Array}) {
		case "timestamp with time zone":
			return 1
		case "timestamp without time zone":
			return -1
		}
		return 0
	}
	return with(s.was.cat, was)*with(s.cat, now) == -1
}

// timed calls f for each column whose values the statement returns, and each that gets or is compared with a value of a parameter.
func (s *step) timed(f func(a catalog.Address, offset int)) {
	for _, col := range s.an.Columns {
		if col.Origin.Column != 0 {
			f(col.Origin, s.placeOf(col.Origin))
		}
	}
	for _, cmp := range s.an.Compared {
		if cmp.Param > 0 {
			f(cmp.Column, cmp.Offset)
		}
	}
	for _, w := range s.an.Writes {
		for _, t := range w.Targets {
			if len(t.Params) > 0 {
				f(catalog.Address{OID: w.Relation, Column: t.Column}, t.Offset)
			}
		}
	}
}
