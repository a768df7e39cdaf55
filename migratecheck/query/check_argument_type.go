package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkArgumentType = &Check{
	ID:      "argument-type",
	Catches: "A value of a Go type is bound to a parameter whose type takes no such value, by lib/pq, by pgx or by SQLAlchemy.",
	Code:    "22P02",
	Rules:   []string{"change-column-type", "change-function", "reuse-column-name"},
	Asks:    TheCode,
	Source:  "database/sql/driver.Value, pgtype.Map.PlanEncode; measured (drivers.go, python_values.tsv)",
	on: func(r *reading, c *Check) {
		if r.Site.Lang == "python" {
			r.pythonWritten(c)
			return
		}
		if !r.only {
			return
		}
		for i, g := range r.sql().Args {
			if i >= len(r.an.Params) || r.an.Params[i].Type == (catalog.TypeRef{}) || bindFit(r.cat, r.an.Params[i].Type, g) != refuses {
				continue
			}
			p := r.an.Params[i]
			r.report(c, Problem{Code: "22P02", Offset: p.Offset}, "$%d is of type %s and gets a %s: %s fails for every value",
				i+1, r.cat.FormatType(p.Type), g.Name, r.verb())
		}
	},
	between: func(s *step, c *Check) {
		args := s.sql().Args
		if s.Site.Lang == "python" {
			s.stringsWritten(c, args)
			return
		}
		for i, p := range s.an.Params {
			if i >= len(s.was.an.Params) || !s.only {
				return
			}
			was := s.was.an.Params[i].Type
			if was == (catalog.TypeRef{}) || p.Type == (catalog.TypeRef{}) || enumOf(s.cat, p.Type) != nil || s.takesText(was, p.Type) {
				continue // argument-label tells of enums
			}
			g := GoType{Name: "value"}
			if i < len(args) && args[i].Name != "" {
				g = args[i]
			}
			if g.Null || g.Kind == Custom || bindFit(s.cat, p.Type, g) == refuses || g.Kind != String && g.Kind != UnknownKind && bindFit(s.was.cat, was, g) == refuses {
				continue
			}
			// A value of a kind that always makes a value of the new type is fine: a time for a date, a UUID for a uuid.
			if g.Kind != UnknownKind && g.Kind != String && kindOfClass[classOf(s.cat, p.Type)] == g.Kind {
				continue
			}
			if g.Kind == List && p.Type.Array {
				if !was.Array {
					continue // it makes an array of whatever it holds
				}
				element := catalog.TypeRef{OID: p.Type.OID, Mod: p.Type.Mod}
				s.report(c, Problem{Code: "22P02", Offset: p.Offset}, "$%d is of type %s, and of %s on the schema this code was written for: %s fails for an element of %s that is no %s",
					i+1, s.cat.FormatType(p.Type), s.was.cat.FormatType(was), s.verb(), g.Name, s.cat.FormatType(element))
				continue
			}
			s.report(c, Problem{Code: "22P02", Offset: p.Offset}, "$%d is of type %s, and of %s on the schema this code was written for: %s fails for a %s that is no %[2]s",
				i+1, s.cat.FormatType(p.Type), s.was.cat.FormatType(was), s.verb(), g.Name)
		}
	},
}

// pythonWritten looks at what SQLAlchemy sends for a column as a string, which the column's type reads when the statement runs.
func (r *reading) pythonWritten(c *Check) {
	args := r.sql().Args
	r.writes(func(w change) {
		for i := range w.Targets {
			t := &w.Targets[i]
			col := w.rel.Att(t.Column)
			if col == nil || len(t.Values) != 1 || t.Values[0].Param == 0 || t.Values[0].Param > len(args) {
				continue
			}
			g := args[t.Values[0].Param-1]
			if _, write := pythonFit(r.cat, col.Type, g); write != pyFails || g.Null ||
				slices.ContainsFunc(r.errs, func(e *catalog.Error) bool { return e.Column == col.Name }) {
				continue // operand-type tells of literals
			}
			p := w.about(r, []int{t.Column})
			p.Code = "22P02"
			r.report(c, p, "column %q of %s is of type %s and gets what SQLAlchemy's %s sends: %s fails for every value but NULL",
				col.Name, r.cat.NameOf(w.rel.OID), r.cat.FormatType(col.Type), g.Name, r.verb())
		}
	})
}

// stringsWritten looks at what Python writes: a string is a literal without a type, which a column of another type reads when the
// statement runs.
func (s *step) stringsWritten(c *Check, args []GoType) {
	s.changes(func(w change) {
		for i := range w.Targets {
			t := &w.Targets[i]
			col, was := w.rel.Att(t.Column), w.was.Att(t.Column)
			if col == nil || was == nil || classOf(s.was.cat, was.Type) != textClass || enumOf(s.was.cat, was.Type) != nil || enumOf(s.cat, col.Type) != nil || s.takesText(was.Type, col.Type) {
				continue
			}
			for _, n := range t.Params {
				if n > len(args) {
					continue
				}
				if _, write := pythonFit(s.cat, col.Type, args[n-1]); write != pyFails && args[n-1].Kind == String { // On tells of fails
					s.report(c, w.code(s, "22P02", t.Column), "column %q of %s is of type %s, and of %s on the schema this code was written for: %s fails for a %s that is no %[3]s",
						col.Name, s.cat.NameOf(w.rel.OID), s.cat.FormatType(col.Type), s.was.cat.FormatType(was.Type), s.verb(), args[n-1].Name)
					break
				}
			}
		}
	})
}

// kindOfClass is the kind of Go value each of which is a value of the class.
var kindOfClass = map[class]GoKind{
	intClass: Int, numericClass: Float, floatClass: Float, boolClass: Bool, timestampClass: Time, timeClass: Time, uuidClass: UUID, byteaClass: Bytes,
}
