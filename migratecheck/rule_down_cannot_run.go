package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDownCannotRun = &Rule{
	ID: "down-cannot-run", Category: Itself, Severity: Error, Down: true,
	Doc: Doc{
		Summary:    "A statement of the Down section fails on the schema that the Up section leaves, or on the rows that are there by then.",
		Why:        "The release cannot be taken back when that is what is needed, at the worst moment to find out.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN notes;",
		Good:       "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN note;",
		Exceptions: "What only rows can make fail is a warning: a column added back NOT NULL without a default, and NOT NULL, UNIQUE, PRIMARY KEY, a foreign key, a CHECK or a narrower type that Up has taken away and new code need not obey. It is silent where the section fills the column, or removes rows, before that; for what the schema between the two asks as well; for a USING that converts values by hand; for NOT VALID; for a table known to be empty (-stats), and for one that Up creates. Silent where the catalog is open (unknown beginnings) and for parts that are not understood; info about what such a part, here or in an earlier file, may have made, or may have changed here. Only the first failing statement of a transaction is reported: the others do not run.",
		Versions:   "All.",
		Source:     "git.sr.ht's 0004: its Down refers to a table that it creates only further down.",
	},
	Step: func(s *Step) {
		if !s.Down {
			return
		}
		s.requiredColumns()
		s.refusedRows()
		if !s.fails() || s.Err.Code == "25001" {
			return
		}
		help, severity, unless := failureHelp(s.Err), s.rule.Severity, ""
		if isMissing(s.Err) {
			if unless = s.unlessMade(); unless != "" {
				severity = Info
			}
			help = "Check the name and the order: a Down section undoes the statements of Up from the last to the first."
		} else if s.unknownBefore() {
			severity, unless = Info, ", unless a part above that was not understood changes that"
		}
		s.reportError(0, severity, "the Down section fails here: "+failureMessage(s.Err)+unless, help)
	},
	File: func(f *File) {
		for _, gap := range f.refusals(&f.Migration.Down) {
			f.reportGap(gap, "the Down section fails here: "+gap.Reason, "Correct the file: a roll-back stops here.")
		}
	},
}

// requiredColumns reports columns that a Down section adds and that no row could have a value for.
func (s *Step) requiredColumns() {
	for _, c := range s.Changes {
		col := c.NewColumn
		if c.Op != catalog.ColumnAdded || !col.NotNull || col.Default != nil || col.Identity != 0 || col.Generated != 0 || col.Inherited > 0 || !s.inUse(c.New) {
			continue
		}
		table := c.New.ObjectID()
		if rows, known := s.Rows(table); known && rows == 0 || s.emptied(table) {
			continue
		}
		s.ReportAt(s.Find("ADD", "[COLUMN]", "[IF NOT EXISTS]", col.Name), Warning,
			fmt.Sprintf("the Down section fails here if %s has any row (23502): column %s is NOT NULL and has no default to fill it with", s.Name(table), col.Name),
			"Add it without NOT NULL, or with a default that the old code can live with; fill it, then set NOT NULL and drop the default.")
	}
}

// emptied reports whether an earlier statement of the section has removed all rows of the table.
func (s *Step) emptied(table catalog.OID) bool {
	section := s.File.Up
	if s.Down {
		section = s.File.Down
	}
	for _, e := range section {
		if e == s {
			break
		}
		n := e.Stmt.Node
		tables := n.GetTruncateStmt().GetRelations()
		if d := n.GetDeleteStmt(); d != nil && d.WhereClause == nil {
			tables = []*pgast.Node{{Node: &pgast.Node_RangeVar{RangeVar: d.Relation}}}
		}
		for _, t := range tables {
			if rel := e.Before.Relation(t.GetRangeVar().GetSchemaname(), t.GetRangeVar().GetRelname()); rel != nil && rel.OID == table {
				return true
			}
		}
	}
	return false
}
