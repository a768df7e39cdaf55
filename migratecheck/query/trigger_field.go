package query

import (
	"regexp"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// What a trigger function in PL/pgSQL reads of NEW and OLD is looked up when a statement that names it is first run: a field that is
// not there fails then ("record "new" has no field", make_datum_param and exec_assign_value in src/pl/plpgsql/src).

// triggerFields looks for a trigger that certainly names a column that the table does not have.
func (r *reading) triggerFields(c *Check, w change) {
	for _, t := range r.cat.Triggers(w.rel.OID) {
		f := r.rowFunction(t, w)
		if f == nil || t.When != nil || catches.MatchString(f.Body) {
			continue
		}
		for _, field := range fieldsIn(straight(f.Body), w.Op) {
			if w.rel.Column(field.name) == nil {
				p := w.about(r, nil, t.OID, t.Function)
				p.Code, p.Column = "42703", field.name
				r.report(c, p, "trigger %q of %s reads %s.%s, and there is no such column: %s fails", t.Name, r.cat.NameOf(w.rel.OID), field.record, field.name, r.verb())
				break
			}
		}
	}
}

// fieldsGone looks for a trigger that may name a column that the table had.
func (s *step) fieldsGone(c *Check, w change) {
	for _, t := range s.cat.Triggers(w.rel.OID) {
		f := s.rowFunction(t, w)
		if f == nil {
			continue
		}
		certain := fieldsIn(straight(f.Body), w.Op)
		for _, field := range fieldsIn(f.Body, w.Op) {
			col := w.was.Column(field.name)
			if col == nil || w.rel.Column(field.name) != nil || t.When == nil && !catches.MatchString(f.Body) && slices.Contains(certain, field) {
				continue // triggerFields tells of the latter
			}
			p := w.about(s.reading, nil, t.OID, t.Function)
			p.Code, p.Column, p.Maybe = "42703", field.name, true
			p.Objects = append(p.Objects, catalog.Address{OID: w.rel.OID, Column: col.Num})
			s.report(c, p, "trigger %q of %s reads %s.%s, and there is no such column any more: %s fails where the trigger comes to it", t.Name, s.cat.NameOf(w.rel.OID), field.record, field.name, s.verb())
			break
		}
	}
}

// rowFunction is the function of a trigger that runs for each row of a change, where it is in PL/pgSQL.
func (r *reading) rowFunction(t *catalog.Trigger, w change) *catalog.Func {
	f, _ := r.cat.Get(t.Function).(*catalog.Func)
	if !t.Row || !firesFor(t, w) || f == nil || f.Assumed || !strings.EqualFold(f.Language, "plpgsql") {
		return nil
	}
	return f
}

// field is a column that the text of a function reads or sets of NEW or OLD.
type field struct{ record, name string }

var (
	noise   = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|\$\w*\$.*?\$\w*\$|'(?:[^']|'')*'`)
	record  = regexp.MustCompile(`(?i)(?:^|[^\w.])(new|old)\s*\.\s*(?:"([^"]+)"|([a-z_]\w*))`)
	opening = regexp.MustCompile(`(?i)^\s*(?:(?:declare|begin|<<\s*\w+\s*>>)\s+)*`)
	branch  = regexp.MustCompile(`(?i)^(?:if|case|loop|while|for|foreach|return|exit|continue|raise|execute)\b`)
	then    = regexp.MustCompile(`(?i)\bthen\b`)
	cursor  = regexp.MustCompile(`(?i)\bcursor\b`)
	catches = regexp.MustCompile(`(?i)\bexception\s+when\b`)
)

// fieldsIn lists them, of the record that the kind of change has.
func fieldsIn(body string, op byte) []field {
	var list []field
	for _, m := range record.FindAllStringSubmatch(noise.ReplaceAllString(body, "''"), -1) {
		f := field{strings.ToUpper(m[1]), m[2] + strings.ToLower(m[3])}
		if (f.record == "NEW" && op != 'd' || f.record == "OLD" && op != 'i') && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// straight is the beginning of a body that runs whatever the row: the statements up to the first branch, and the condition of an IF.
func straight(body string) string {
	var runs strings.Builder
	for _, stmt := range strings.SplitAfter(noise.ReplaceAllString(body, "''"), ";") {
		stmt = opening.ReplaceAllString(stmt, "")
		if cursor.MatchString(stmt) {
			continue // a query that is not run yet
		}
		if branch.MatchString(stmt) {
			if at := then.FindStringIndex(stmt); at != nil && strings.EqualFold(stmt[:2], "if") {
				runs.WriteString(stmt[:at[0]])
			}
			break
		}
		runs.WriteString(stmt)
	}
	return runs.String()
}
