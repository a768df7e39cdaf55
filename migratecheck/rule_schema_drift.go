package migratecheck

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleSchemaDrift = &Rule{
	ID: "schema-drift", Category: History, Severity: Warning,
	Doc: Doc{
		Summary:    "schema.sql, from which new databases are made, is not what the migrations lead to.",
		Why:        "A new installation, the tests and production run on different schemas: a query that works on one fails on the other, and the next migration may apply to only one of them.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- file schema.sql\nCREATE TABLE t (id integer PRIMARY KEY);\n-- file 0002_change.sql\nALTER TABLE t ADD COLUMN note text;",
		Good:       "-- file schema.sql\nCREATE TABLE t (id integer PRIMARY KEY, note text);\n-- file 0002_change.sql\nALTER TABLE t ADD COLUMN note text;",
		Exceptions: "Info when nothing is pending (and without -all): no change at hand is at fault then. Silent without a schema.sql, and when the history has no known beginning or a part of either is not understood. The order of columns does not count. Comments count where a COMMENT is in schema.sql (pg_dump --no-comments leaves them out), privileges where a GRANT or REVOKE is (pg_dump -x); owners and the comments of extensions never do. What the server prints of an expression or a view is compared by what is certain: what is computed, which columns are used; a constant whose spelling depends on more than its text, such as a timestamp with its time zone, passes as the same.",
		Versions:   "All.",
		Source:     "schema.sql and migrations have drifted apart in sr.ht services.",
	},
	History: func(r *Run) {
		if r.Schema == nil || r.Final.Open || len(r.Schema.Problems) > 0 || r.unfollowed > 0 {
			return
		}
		name := path.Base(r.Schema.File)
		severity := Info
		if slices.ContainsFunc(r.Files, func(f *File) bool { return f.Pending }) {
			severity = r.rule.Severity
		}
		for _, d := range differences(r.Final, r.Schema.Catalog) {
			if d.Property == "comment" && !r.Schema.comments || d.Property == "privileges" && !r.Schema.privileges {
				continue
			}
			extra := "is in " + name + ", but not in what the migrations lead to"
			if at, ok := r.dropped[droppedObject{d.Table.Name, d.Name.Name}]; ok {
				extra = fmt.Sprintf("is in %s, but %s:%d drops it", name, path.Base(at.File), at.Line)
			}
			message := describeDifference(d, "is missing in "+name, extra,
				"%[1]s: %[2]s is %[3]s by the migrations, %[4]s in "+strings.ReplaceAll(name, "%", "%%"))
			r.report(Finding{Rule: r.rule.ID, Severity: severity, Pos: r.Schema.position(d), Message: message, Help: "Change " + name + ", or add the migration that is missing."}, nil)
		}
	},
}

// position is where schema.sql defines what differs, or the table it belongs to; its first line when it has neither.
func (sf *SchemaFile) position(d catalog.Difference) source.Position {
	first := source.Position{File: sf.File, Line: 1, Column: 1}
	if sf.file == nil {
		return first
	}
	text := sf.file.Text
	statements := pgast.Split(text)
	if d.Table != (catalog.Name{}) {
		// The part's own name where something is made of or for the table, else the table's.
		for _, st := range statements {
			tokens := tokensOf(st.Text)
			if at := nameAmong(st.Text, tokens, d.Table.Name, 0); at >= 0 && len(tokens) > 0 {
				if part := nameAmong(st.Text, tokens, d.Name.Name, 2); part >= 0 && d.B != "" {
					return sf.file.Position(st.Offset + part)
				}
			}
		}
	}
	name := d.Name.Name
	if d.Table != (catalog.Name{}) {
		name = d.Table.Name
	} else if d.B == "" {
		return first
	}
	for _, st := range statements {
		tokens := tokensOf(st.Text)
		if len(tokens) == 0 || !matches(st.Text[tokens[0].Start:tokens[0].End], "CREATE") {
			continue
		}
		if at := nameAmong(st.Text, tokens[:min(len(tokens), 9)], name, 1); at >= 0 {
			return sf.file.Position(st.Offset + at)
		}
	}
	return first
}

// nameAmong is the offset of the first of tokens, from one on, that is the name; -1 when none is.
func nameAmong(text string, tokens []pgast.Token, name string, from int) int {
	for i := from; i < len(tokens); i++ {
		if matches(text[tokens[i].Start:tokens[i].End], name) {
			return tokens[i].Start
		}
	}
	return -1
}
