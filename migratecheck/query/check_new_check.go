package query

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewCheck = &Check{
	ID:      "new-check",
	Catches: "A CHECK that the other schema does not have stands on columns, or on the domain of a column, that the code writes; or the constants that it writes satisfy none.",
	Code:    "23514",
	Rules:   []string{"add-check"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/executor/execMain.c ExecRelCheck; NOT VALID ones hold for new rows too: sql-altertable.html",
	on: func(r *reading, c *Check) {
		r.writes(func(w change) { r.constantsRefused(c, w) })
	},
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' {
				return
			}
			s.fewerPartitions(w)
			before := s.was.cat.Constraints(w.rel.OID)
			for _, con := range s.cat.Constraints(w.rel.OID) {
				if con.Kind != catalog.Check || con.Check == nil || impliedBy(con, before) {
					continue
				}
				columns := columnsIn(con.Check, w.rel.OID)
				if s.certainlyRefused(w, con) && s.mayReplaceAny(w, columns) == "" || !s.mayViolate(w, con, columns, before) {
					continue
				}
				p := w.about(s.reading, columns, con.OID)
				p.Code = "23514"
				s.report(c, p, "constraint %q of %s, CHECK (%s), is on what %s writes: rows that do not satisfy it are refused", con.Name, s.cat.NameOf(w.rel.OID), con.Check.SQL, s.verb())
			}
			for _, t := range w.Targets {
				s.domainChecks(c, w, t)
			}
		})
	},
}

// fewerPartitions notes that rows may have lost their partition: which are those of it is not looked into.
func (s *step) fewerPartitions(w change) {
	if w.rel.Kind != catalog.PartitionedTable || w.Op == 'u' && !w.sets(w.rel.PartitionKey.Columns) {
		return
	}
	now := s.cat.Inheritors(w.rel.OID)
	if slices.ContainsFunc(now, func(part *catalog.Relation) bool { return part.Bound != nil && part.Bound.Default }) {
		return
	}
	for _, part := range s.was.cat.Inheritors(w.rel.OID) {
		if !slices.ContainsFunc(now, func(p *catalog.Relation) bool { return p.OID == part.OID }) {
			s.out.unsure(fmt.Sprintf("whether rows are for %s, which is no partition of %s any more", part.Name, s.cat.NameOf(w.rel.OID)))
		}
	}
}

// constantsRefused looks for a CHECK that the constants and defaults which a row gets do not satisfy, whatever else it holds.
func (r *reading) constantsRefused(c *Check, w change) {
	name := r.cat.NameOf(w.rel.OID)
	for _, con := range r.cat.Constraints(w.rel.OID) {
		if !r.certainlyRefused(w, con) {
			continue
		}
		columns := columnsIn(con.Check, w.rel.OID)
		if why := r.mayReplaceAny(w, columns); why != "" {
			r.out.unsure(why)
			continue
		}
		p := w.about(r, columns, con.OID)
		p.Code = "23514"
		r.report(c, p, "%s writes constants that constraint %q of %s, CHECK (%s), refuses: it fails", r.verb(), con.Name, name, con.Check.SQL)
	}
	for _, t := range w.Targets {
		col := w.rel.Att(t.Column)
		if col == nil {
			continue
		}
		for _, con := range r.domainConstraints(col.Type) {
			if !r.refusesConstant(con, t) {
				continue
			}
			p := w.about(r, []int{t.Column}, con.OID, con.Domain)
			p.Code = "23514"
			r.report(c, p, "%s writes a constant to column %q of %s that constraint %q of domain %s, CHECK (%s), refuses: it fails",
				r.verb(), col.Name, name, con.Name, r.cat.NameOf(con.Domain), con.Check.SQL)
		}
	}
}

// certainlyRefused reports whether a CHECK is false of a row by constants alone.
func (r *reading) certainlyRefused(w change, con *catalog.Constraint) bool {
	if con.Kind != catalog.Check || con.Check == nil || w.Op != 'i' && w.Op != 'u' || w.Copy {
		return false
	}
	columns := columnsIn(con.Check, w.rel.OID)
	for row := range w.rows() {
		known := map[int]*pgast.Node{}
		for _, n := range columns {
			if cell := w.cell(n, row); cell.constant != nil {
				known[n] = cell.constant
			}
		}
		if ok, decided := r.cat.Satisfies(w.rel, con.Check, known); len(known) > 0 && decided && !ok {
			return true
		}
	}
	return false
}

// refusesConstant is certainlyRefused for the condition of a domain. A constant of the domain is converted before a trigger sees it.
func (r *reading) refusesConstant(con *catalog.Constraint, t catalog.Target) bool {
	return slices.ContainsFunc(t.Values, func(v catalog.Value) bool {
		if v.Constant == nil || v.Null {
			return false
		}
		ok, decided := r.cat.SatisfiesDomain(con.Check, v.Constant)
		return decided && !ok
	})
}

// domainConstraints lists the CHECKs of a type that is a domain, and of those it is over.
func (r *reading) domainConstraints(typ catalog.TypeRef) []*catalog.Constraint {
	var list []*catalog.Constraint
	for !typ.Array {
		d, _ := r.cat.Get(typ.OID).(*catalog.Type)
		if d == nil || d.Kind != catalog.DomainType {
			break
		}
		for _, con := range r.cat.Constraints(d.OID) {
			if con.Kind == catalog.Check && con.Check != nil {
				list = append(list, con)
			}
		}
		typ = d.Base
	}
	return list
}

// mayReplaceAny is mayReplace for one of the columns.
func (r *reading) mayReplaceAny(w change, columns []int) string {
	for _, n := range columns {
		if col := w.rel.Att(n); col != nil {
			if why := r.mayReplace(w.rel, col, w.Op); why != "" {
				return why
			}
		}
	}
	return ""
}

// mayViolate reports whether a row that the change writes may not satisfy the condition, as far as its constants and defaults,
// the types of its arguments, and the constraints that it got by with before say.
func (s *step) mayViolate(w change, con *catalog.Constraint, columns []int, before []*catalog.Constraint) bool {
	for row := range w.rows() {
		known, given := map[int]*pgast.Node{}, false
		for _, n := range columns {
			c := w.cell(n, row)
			given = given || c.kind == givenCell
			if c.constant != nil {
				known[n] = c.constant
			}
			// What is written to be there is not a default's doing.
			given = given || (c.kind == constantCell || c.kind == nullCell) && w.Target(n) != nil
		}
		if w.Op == 'u' && !w.sets(columns) {
			continue
		}
		ok, decided := s.cat.Satisfies(w.rel, con.Check, known)
		if decided && !ok || !decided && given && !s.keepsNotNull(w, con) && s.violates(w, con, before, row) {
			return true
		}
	}
	return false
}

// row is what a change writes, as far as its text tells.
func (s *step) row(w change, row int) catalog.Row {
	r := catalog.Row{Relation: w.rel, Old: w.Op == 'u', Alias: w.Alias, Where: w.Where, Cells: map[int]catalog.Cell{}}
	for i := range w.rel.Columns {
		col := &w.rel.Columns[i]
		if col.Generated != 0 {
			r.Cells[col.Num] = catalog.Cell{} // what it is computed from may be set
			continue
		}
		if c := w.cell(col.Num, row); !col.Dropped && c.kind != untouched {
			was := w.was.Att(col.Num)
			r.Cells[col.Num] = catalog.Cell{Expr: c.expr(col), NotNull: c.kind == freshCell || col.NotNull || was != nil && was.NotNull || c.kind == givenCell && (c.value.NotNull || s.neverNull(w, col.Num))}
		}
	}
	return r
}

// violates looks for a row that the constraints before admit and this one does not.
func (s *step) violates(w change, con *catalog.Constraint, before []*catalog.Constraint, row int) bool {
	var held, standing []*catalog.Expr
	for _, old := range before {
		if old.Kind == catalog.Check && old.Check != nil && s.meansTheSame(w, old.Check) {
			held = append(held, old.Check)
		}
	}
	for _, now := range s.cat.Constraints(w.rel.OID) {
		if now.Kind == catalog.Check && now.Check != nil && now.Valid {
			standing = append(standing, now.Check)
		}
	}
	return s.cat.MayViolate(s.row(w, row), con.Check, held, standing)
}

func (s *step) neverNull(w change, column int) bool {
	t := w.Target(column)
	return t != nil && nulls(t) == catalog.NeverNull
}

// meansTheSame reports whether a condition of the table as it was says the same of it as it is: its columns have kept names and types,
// and the functions, types and operators in it what they are.
func (s *step) meansTheSame(w change, e *catalog.Expr) bool {
	return !slices.ContainsFunc(e.Refs, func(a catalog.Address) bool {
		if a.OID != w.rel.OID {
			return !s.unchanged(a.OID)
		}
		was, now := w.was.Att(a.Column), w.rel.Att(a.Column)
		return a.Column > 0 && (was == nil || now == nil || now.Dropped || was.Name != now.Name || was.Type.OID != now.Type.OID || was.Collation != now.Collation)
	})
}

// unchanged reports whether a function or type in a condition is what it was; an enum may have more labels, or fewer, since what is no
// label is not written.
func (s *step) unchanged(oid catalog.OID) bool {
	was, now := s.was.cat.Get(oid), s.cat.Get(oid)
	old, ok := was.(*catalog.Type)
	enum, also := now.(*catalog.Type)
	if ok && also && old.Kind == catalog.EnumType && enum.Kind == catalog.EnumType {
		return subset(old.Labels, enum.Labels) || subset(enum.Labels, old.Labels)
	}
	return was == now
}

func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

// impliedBy reports whether one of the constraints before is the same.
func impliedBy(con *catalog.Constraint, before []*catalog.Constraint) bool {
	return slices.ContainsFunc(before, func(old *catalog.Constraint) bool {
		return old.Kind == catalog.Check && old.Check != nil && catalog.SameCondition(old.Check, con.Check)
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
	return t != nil && nulls(t) != catalog.MayBeNull
}

// domainChecks looks at the domain of a column that gets a value, be it that the column was of another type before.
func (s *step) domainChecks(c *Check, w change, t catalog.Target) {
	col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
	if col == nil || was == nil || !t.Given {
		return
	}
	before := append(s.was.domainConstraints(was.Type), s.valueConstraints(w, was)...)
	for _, con := range s.domainConstraints(col.Type) {
		d, _ := s.cat.Get(con.Domain).(*catalog.Type)
		if impliedBy(con, before) || s.refusesConstant(con, t) || !s.mayViolateDomain(d, con, t, before) {
			continue
		}
		p := w.about(s.reading, []int{t.Column}, con.OID, d.OID)
		p.Code = "23514"
		s.report(c, p, "constraint %q of domain %s, CHECK (%s), is on what %s writes to column %q: other values are refused", con.Name, s.cat.NameOf(d.OID), con.Check.SQL, s.verb(), col.Name)
	}
}

// valueConstraints are the CHECKs that a table has on one column alone, in the words of a domain's.
func (s *step) valueConstraints(w change, col *catalog.Column) []*catalog.Constraint {
	var list []*catalog.Constraint
	for _, con := range s.was.cat.Constraints(w.was.OID) {
		if con.Kind != catalog.Check || con.Check == nil || con.Check.Node == nil || !slices.Equal(slices.Compact(columnsIn(con.Check, w.was.OID)), []int{col.Num}) {
			continue
		}
		node := pgast.Clone(con.Check.Node)
		pgast.Walk(node, func(n *pgast.Node) bool {
			if ref := n.GetColumnRef(); ref != nil {
				ref.Fields = []*pgast.Node{{Node: &pgast.Node_String_{String_: &pgast.String{Sval: "value"}}}}
			}
			return true
		})
		check := *con.Check
		check.Node = node
		check.Refs = slices.DeleteFunc(slices.Clone(check.Refs), func(a catalog.Address) bool { return a.OID == w.was.OID })
		list = append(list, &catalog.Constraint{Kind: catalog.Check, Check: &check})
	}
	return list
}

// mayViolateDomain is mayViolate for the condition of a domain.
func (s *step) mayViolateDomain(d *catalog.Type, con *catalog.Constraint, t catalog.Target, before []*catalog.Constraint) bool {
	var held []*catalog.Expr
	for _, old := range before {
		if old.Kind == catalog.Check && old.Check != nil && !slices.ContainsFunc(old.Check.Refs, func(a catalog.Address) bool { return a.OID != d.OID && !s.unchanged(a.OID) }) {
			held = append(held, old.Check)
		}
	}
	for _, v := range t.Values {
		if v.Default {
			continue
		}
		if v.Constant == nil {
			if s.cat.MayViolateDomain(d, con.Check, catalog.Cell{}, held) {
				return true
			}
			continue
		}
		if ok, decided := s.cat.SatisfiesDomain(con.Check, v.Constant); decided && !ok || !decided && s.cat.MayViolateDomain(d, con.Check, catalog.Cell{Expr: v.Constant}, held) {
			return true
		}
	}
	return len(t.Values) == 0 && s.cat.MayViolateDomain(d, con.Check, catalog.Cell{}, held) // COPY
}
