package query

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkRequiredColumn = &Check{
	ID:      "required-column",
	Catches: "An INSERT, COPY or MERGE leaves out a column, or writes DEFAULT to it, that is NOT NULL and has no default.",
	Code:    "23502",
	Rules:   []string{"add-required-column", "drop-default", "set-not-null"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/executor/execMain.c ExecConstraints; sql-insert.html",
	on: func(r *reading, c *Check) {
		for _, w := range r.an.Writes {
			if rel, _ := r.cat.Get(w.Relation).(*catalog.Relation); w.Target(0) == nil || rel != nil && rel.Assumed { // a column that it names in vain may be this one by its earlier name: between knows
				r.requires(c, w, func(int) bool { return false })
			}
		}
	},
	between: func(s *step, c *Check) {
		for i, w := range s.an.Writes {
			if w.Target(0) == nil || i >= len(s.was.an.Writes) {
				continue
			}
			was := s.was.cat.OnTable(s.was.an.Writes[i])
			s.requires(c, w, func(column int) bool { return was == nil || was.Target(column) != nil })
		}
	},
}

// requires reports the columns that an INSERT leaves out and must not, but for those that a caller knows better. Of a table that
// nobody made, in a history without its beginning, these are the ones that were added since.
func (r *reading) requires(c *Check, w *catalog.Write, known func(column int) bool) {
	rel, _ := r.cat.Get(w.Relation).(*catalog.Relation)
	if rel == nil || !rel.Assumed {
		if w = r.cat.OnTable(w); w == nil {
			return
		}
		rel, _ = r.cat.Get(w.Relation).(*catalog.Relation)
	}
	if rel == nil || w.Op != 'i' || rel.Assumed && (w.AllColumns || w.Copy) {
		return
	}
	for i := range rel.Columns {
		col := &rel.Columns[i]
		t := w.Target(col.Num)
		if col.Dropped || rel.Assumed && !col.Added() || t != nil && !t.Default || !required(r.cat, col) || w.Copy && t != nil || known(col.Num) {
			continue
		}
		name := r.cat.NameOf(rel.OID).String()
		if why := r.mayFill(rel, col); why != "" {
			r.out.unsure(why)
			continue
		}
		verb := r.verb() + " leaves out"
		if t != nil {
			verb = r.verb() + " writes DEFAULT to"
		}
		r.report(c, Problem{
			Code: "23502", Offset: w.Offset, Relation: name, Column: col.Name,
			Objects: []catalog.Address{{OID: rel.OID}, {OID: rel.OID, Column: col.Num}},
		}, "%s column %q of %s, which is NOT NULL and has no default: every row is refused", verb, col.Name, name)
	}
}

// required tells of a column that must get a value: NOT NULL itself or by its domain, and nothing fills it.
func required(cat *catalog.Catalog, col *catalog.Column) bool {
	if col.Generated != 0 || col.Identity != 0 || hasDefault(cat, col) {
		return false
	}
	return col.NotNull || domainNotNull(cat, col.Type)
}

// hasDefault reports whether a column that is left out gets something other than NULL.
func hasDefault(cat *catalog.Catalog, col *catalog.Column) bool {
	if col.Default != nil {
		return !isNull(col.Default)
	}
	for t := col.Type; !t.Array; {
		d, _ := cat.Get(t.OID).(*catalog.Type)
		if d == nil || d.Kind != catalog.DomainType {
			return d != nil && d.Assumed
		}
		if d.Default != nil {
			return !isNull(d.Default)
		}
		t = d.Base
	}
	return false
}

func isNull(e *catalog.Expr) bool {
	n := e.Node
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	return n.GetAConst().GetIsnull()
}

// domainNotNull reports whether the type is a domain that refuses NULL.
func domainNotNull(cat *catalog.Catalog, t catalog.TypeRef) bool {
	for !t.Array {
		d, _ := cat.Get(t.OID).(*catalog.Type)
		if d == nil || d.Kind != catalog.DomainType {
			return false
		}
		if d.NotNull {
			return true
		}
		t = d.Base
	}
	return false
}

// mayFill tells why a column that an INSERT leaves out may be filled all the same: a BEFORE INSERT trigger that mentions it.
func (r *reading) mayFill(rel *catalog.Relation, col *catalog.Column) string {
	for _, t := range r.cat.Triggers(rel.OID) {
		if !t.Before || !t.Row || !t.Insert || t.Enabled == 'D' {
			continue
		}
		f, _ := r.cat.Get(t.Function).(*catalog.Func)
		if f == nil || f.Assumed || mayAssign(f, col.Name) {
			return fmt.Sprintf("whether trigger %q fills %s.%s", t.Name, r.cat.NameOf(rel.OID), col.Name)
		}
	}
	return ""
}

// mayAssign reports whether a trigger function may set the column of NEW.
func mayAssign(f *catalog.Func, column string) bool {
	body, _ := f.Sends()
	return body == nil || f.Language != "plpgsql" || body.Sets(column)
}
