package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewCheck = &Check{
	ID:      "new-check",
	Catches: "A CHECK that the other schema does not have stands on columns, or on the domain of a column, that the code writes.",
	Code:    "23514",
	Rules:   []string{"add-check"},
	Asks:    TheSchema,
	Source:  "src/backend/executor/execMain.c ExecRelCheck; NOT VALID ones hold for new rows too: sql-altertable.html",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' {
				return
			}
			before := s.was.cat.Constraints(w.rel.OID)
			for _, con := range s.cat.Constraints(w.rel.OID) {
				if con.Kind != catalog.Check || con.Check == nil || impliedBy(con, before) {
					continue
				}
				columns := columnsIn(con.Check, w.rel.OID)
				if !s.mayViolate(w, con, columns) {
					continue
				}
				p := w.about(s, columns, con.OID)
				p.Code = "23514"
				s.report(c, p, "constraint %q of %s, CHECK (%s), is on what %s writes: rows that do not satisfy it are refused", con.Name, s.cat.NameOf(w.rel.OID), con.Check.SQL, s.verb())
			}
			for _, t := range w.Targets {
				s.domainChecks(c, w, t)
			}
		})
	},
}

// mayViolate reports whether a row that the change writes may not satisfy the condition, as far as its constants and defaults
// and the types of its arguments say.
func (s *step) mayViolate(w change, con *catalog.Constraint, columns []int) bool {
	for row := range w.rows() {
		known, given := map[int]*pgast.Node{}, false
		for _, n := range columns {
			c := w.cell(n, row)
			given = given || c.kind == givenCell
			if c.constant != nil {
				known[n] = c.constant
			}
			// What is written to be there is not a default's doing.
			given = given || c.kind == constantCell && w.Target(n) != nil
		}
		if w.Op == 'u' && !w.sets(columns) {
			continue
		}
		ok, decided := s.cat.Satisfies(w.rel, con.Check, known)
		if decided && !ok || !decided && given && !s.keepsNotNull(w, con) {
			return true
		}
	}
	return false
}

// impliedBy reports whether one of the constraints before is the same or stricter.
func impliedBy(con *catalog.Constraint, before []*catalog.Constraint) bool {
	return slices.ContainsFunc(before, func(old *catalog.Constraint) bool {
		return old.Kind == catalog.Check && old.Check != nil && (catalog.SameCondition(old.Check, con.Check) || widerList(old.Check.Node, con.Check.Node))
	})
}

// keepsNotNull tells of a CHECK (a IS NOT NULL) that what the statement gives to a satisfies, or may for all that is known.
func (s *step) keepsNotNull(w change, con *catalog.Constraint) bool {
	name := notNullColumn(con.Check)
	if name == "" {
		return false
	}
	col := w.rel.Column(name)
	if col == nil {
		return false
	}
	t := w.Target(col.Num)
	return t != nil && s.nulls(t) != maybeNull
}

// domainChecks looks at the domain of a column that gets a value.
func (s *step) domainChecks(c *Check, w change, t catalog.Target) {
	col := w.rel.Att(t.Column)
	if col == nil || !t.Given {
		return
	}
	for typ := col.Type; !typ.Array; {
		d, _ := s.cat.Get(typ.OID).(*catalog.Type)
		if d == nil || d.Kind != catalog.DomainType {
			return
		}
		before := s.was.cat.Constraints(d.OID)
		for _, con := range s.cat.Constraints(d.OID) {
			if con.Kind == catalog.Check && con.Check != nil && s.was.cat.Get(d.OID) != nil && !impliedBy(con, before) && s.mayViolateDomain(con, t) {
				p := w.about(s, []int{t.Column}, con.OID, d.OID)
				p.Code = "23514"
				s.report(c, p, "constraint %q of domain %s, CHECK (%s), is on what %s writes to column %q: other values are refused", con.Name, s.cat.NameOf(d.OID), con.Check.SQL, s.verb(), col.Name)
			}
		}
		typ = d.Base
	}
}

// mayViolateDomain is mayViolate for the condition of a domain.
func (s *step) mayViolateDomain(con *catalog.Constraint, t catalog.Target) bool {
	for _, v := range t.Values {
		if v.Constant == nil {
			return !v.Default
		}
		if ok, decided := s.cat.SatisfiesDomain(con.Check, v.Constant); !decided || !ok {
			return true
		}
	}
	return len(t.Values) == 0 // COPY
}

// widerList reports whether both are a IN ('x', …) on the same operand and now has all the constants that old has.
func widerList(old, now *pgast.Node) bool {
	a, list := inList(old)
	b, more := inList(now)
	if a == "" || a != b {
		return false
	}
	for _, v := range list {
		if !slices.Contains(more, v) {
			return false
		}
	}
	return true
}

// inList reads a IN (constants), also as = ANY (ARRAY[…]); operand is "" for anything else.
func inList(n *pgast.Node) (operand string, constants []string) {
	e := n.GetAExpr()
	var items []*pgast.Node
	switch {
	case e == nil:
		return "", nil
	case e.Kind == pgast.A_Expr_Kind_AEXPR_IN && e.Name[0].GetString_().GetSval() == "=":
		items = e.Rexpr.GetList().GetItems()
	case e.Kind == pgast.A_Expr_Kind_AEXPR_OP_ANY && e.Name[0].GetString_().GetSval() == "=":
		array := e.Rexpr
		for array.GetTypeCast() != nil {
			array = array.GetTypeCast().Arg
		}
		items = array.GetAArrayExpr().GetElements()
	}
	for _, item := range items {
		for item.GetTypeCast() != nil {
			item = item.GetTypeCast().Arg
		}
		if item.GetAConst() == nil {
			return "", nil
		}
		text, err := pgast.DeparseExpr(item)
		if err != nil {
			return "", nil
		}
		constants = append(constants, text)
	}
	if len(constants) == 0 {
		return "", nil
	}
	text, err := pgast.DeparseExpr(e.Lexpr)
	if err != nil {
		return "", nil
	}
	return text, constants
}
