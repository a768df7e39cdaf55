package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleFailsOnExistingRows = &Rule{
	ID: "fails-on-existing-rows", Category: Itself, Severity: Warning,
	Doc: Doc{
		Summary:    "A statement that fails when the table has rows which do not obey it, and nothing before it makes them obey.",
		Why:        "It works on the developer's empty database and stops the release in production: NOT NULL on rows with NULLs (23502), UNIQUE on duplicates (23505), CHECK (23514), a cast that some value does not survive (22P02), in ALTER COLUMN … TYPE or in the UPDATE that fills an enum column.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text, kind text);",
		Bad:        "ALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Good:       "UPDATE repo SET name = '' WHERE name IS NULL;\nALTER TABLE repo ALTER COLUMN name SET NOT NULL;",
		Exceptions: "Silent when an earlier statement of the pending change writes the column (a backfill; of NOT NULL, one that a row with NULL there can meet), or removes the rows, when USING casts no value of a column, when a validated constraint proves it (CHECK (x IS NOT NULL); of values cast to an enum, CHECK (x IN (…labels…))), when the UPDATE picks rows by the column that it casts, for NOT VALID constraints, and info behind a part of the pending change that was not understood, which may have done so; silent for constraints of new columns without values, and for tables that the pending change creates.",
		Versions:   "All.",
		Source:     "hub.sr.ht 0005 and 0006: the backfill is a script outside the migrations, so they fail on populated tables.",
	},
	Step: func(s *Step) {
		for _, c := range s.Changes {
			switch {
			case c.Op == catalog.ColumnNotNullSet && s.inUse(c.Old) && s.subject(c.Old.ObjectID()) == c.Old.ObjectID() && !s.addsPrimaryKey(c.Old.ObjectID()):
				oid, col := c.Old.ObjectID(), c.NewColumn
				if col.NotNullUnproved || s.noNulls(oid, col.Num) || provenNotNull(s.File.Run.released(s.File), oid, col.Num) || provenNotNull(s.Before, oid, col.Num) {
					continue
				}
				if s.IsNewColumn(oid, col.Num) && col.Default != nil {
					continue
				}
				s.existing(s.notNullAt(col.Name), fmt.Sprintf("fails if a row of %s has NULL in %s (23502), and nothing before it fills the column", s.Name(oid), col.Name),
					fmt.Sprintf("Count them before the release:\nSELECT count(*) FROM %[1]s WHERE %[2]s IS NULL;\nand fill them in a migration before this one, in batches.", s.sqlName(oid), quoteIdent(col.Name)))
			case c.Op == catalog.ColumnAdded && s.inUse(c.New) && s.subject(c.New.ObjectID()) == c.New.ObjectID() && c.NewColumn.NotNull && c.NewColumn.Default == nil && c.NewColumn.Identity == 0 && c.NewColumn.Generated == 0 && !s.noNulls(c.New.ObjectID(), 0):
				s.existing(s.Find("ADD", "[COLUMN]", "[IF NOT EXISTS]", c.NewColumn.Name), fmt.Sprintf("fails if %s has any row (23502): column %s is NOT NULL and has no default to fill it with", s.Name(c.New.ObjectID()), c.NewColumn.Name),
					"Add the column without NOT NULL, or with a constant default.")
			case c.Op == catalog.ColumnTypeChanged && s.inUse(c.Old) && s.subject(c.Old.ObjectID()) == c.Old.ObjectID() && castCanFail(s, c):
				s.existing(s.Find("ALTER", "[COLUMN]", c.OldColumn.Name), fmt.Sprintf("fails if a value of %s.%s cannot be cast from %s to %s", s.Name(c.Old.ObjectID()), c.OldColumn.Name, s.Before.FormatType(c.OldColumn.Type), s.After.FormatType(c.NewColumn.Type)),
					"Repair the values in a migration before this one, and prove it by a CHECK constraint.")
			}
		}
		for _, cast := range s.enumCasts() {
			s.existing(cast.at, fmt.Sprintf("fails if a value of %s.%s is not a label of enum %s (22P02)", s.Name(cast.table), cast.column.Name, s.Name(cast.enum.OID)),
				fmt.Sprintf("Look before the release:\nSELECT DISTINCT %[1]s FROM %[2]s WHERE %[1]s NOT IN (%[3]s);\nand repair what it finds in a migration before this one, or map it here: CASE … ELSE.",
					quoteIdent(cast.column.Name), s.sqlName(cast.table), quoteList(cast.enum.Labels)))
		}
		for _, kind := range []catalog.ConstraintKind{catalog.Unique, catalog.PrimaryKey, catalog.Check, catalog.ForeignKey} {
			for _, con := range s.newConstraints(kind) {
				if !con.Valid || s.replacesEqual(con) || s.alwaysHolds(con) || !s.builds(con.Table) && (kind == catalog.Unique || kind == catalog.PrimaryKey) || s.fillsAny(con) || s.onNewNullColumns(con) {
					continue
				}
				what := map[catalog.ConstraintKind]string{catalog.Unique: "two rows of %s are equal in its columns (23505)", catalog.PrimaryKey: "two rows of %s are equal in its columns (23505), or one has a NULL (23502)",
					catalog.Check: "a row of %s breaks it (23514)", catalog.ForeignKey: "a row of %s refers to one that is not there (23503)"}[kind]
				s.existing(s.constraintAt(con), fmt.Sprintf("constraint %s fails if "+what, con.Name, s.Name(con.Table)),
					s.breakersHelp(con))
			}
		}
		if ix := s.Stmt.Node.GetIndexStmt(); ix != nil && ix.Unique {
			for _, c := range s.Changes {
				rel, ok := c.New.(*catalog.Relation)
				if !ok || c.Op != catalog.Created || rel.Index == nil || s.IsNew(rel.Index.Table) || s.fillsColumns(rel.Index.Table, keyColumns(rel)) {
					continue
				}
				if con := (&catalog.Constraint{Kind: catalog.Unique, Table: rel.Index.Table, Columns: keyColumns(rel)}); s.replacesEqual(con) || s.onNewNullColumns(con) {
					continue
				}
				s.existing(0, fmt.Sprintf("unique index %s fails if two rows of %s are equal in its columns (23505)", rel.Name, s.Name(rel.Index.Table)),
					s.breakersHelp(&catalog.Constraint{Kind: catalog.Unique, Table: rel.Index.Table, Columns: keyColumns(rel), Index: rel.OID}))
			}
		}
	},
}

func (s *Step) existing(at int, message, help string) {
	severity := Warning
	if s.unknownBefore() || s.unknownPending() {
		severity = Info
		message = strings.Replace(message, "nothing before it fills", "nothing before it that was understood fills", 1)
	}
	s.ReportAt(at, severity, message, help)
}

// unknownBefore reports whether a part of the file before this statement was not understood: it may have made the rows
// obey.
func (s *Step) unknownBefore() bool {
	if s.Down && s.File.holes {
		return true
	}
	for _, g := range s.File.Migration.Up.Gaps {
		if !g.Refused && g.Pos.Line < s.Line() {
			return true
		}
	}
	for _, p := range s.File.Problems {
		if !p.Down && (p.Limit || s.File.tooNew(p)) && p.Pos.Line < s.Line() {
			return true
		}
	}
	for _, e := range s.File.Up {
		if e == s {
			break
		}
		if len(e.Effects.Gaps) > 0 || e.Err != nil && e.Err.Code == catalog.NotUnderstood {
			return true
		}
	}
	return false
}

// unknownPending reports whether an earlier file of the pending change has a part that was not understood.
func (s *Step) unknownPending() bool {
	r := s.File.Run
	return r.Pending.Known && slices.ContainsFunc(r.Files[:s.File.Index], func(f *File) bool { return f.Pending && f.holes })
}

// fills reports whether an earlier statement of the pending change writes a column of all rows.
func (s *Step) fills(table catalog.OID, column int) bool {
	return s.File.Run.filled[filledColumn{table, column}]
}

// noNulls reports whether earlier statements of the pending change have filled the column, or removed the rows that have NULL in
// it, or all.
func (s *Step) noNulls(table catalog.OID, column int) bool {
	n := s.File.Run.notNull
	return n[filledColumn{table, column}] || n[filledColumn{table, 0}]
}

func (s *Step) fillsAny(con *catalog.Constraint) bool { return s.fillsColumns(con.Table, con.Columns) }

func (s *Step) fillsColumns(table catalog.OID, nums []int) bool {
	return s.fills(table, 0) || slices.ContainsFunc(nums, func(n int) bool { return s.fills(table, n) })
}

// onNewNullColumns reports whether every constrained column is new and empty: NULLs break nothing but a primary key.
func (s *Step) onNewNullColumns(con *catalog.Constraint) bool {
	rel, ok := s.After.Get(con.Table).(*catalog.Relation)
	if !ok || con.Kind == catalog.PrimaryKey {
		return false
	}
	for _, n := range con.Columns {
		col := rel.Att(n)
		if col == nil || !s.IsNewColumn(con.Table, n) || col.Default != nil && col.Default.Constant && con.Kind != catalog.Check {
			return false
		}
	}
	return len(con.Columns) > 0
}

// castCanFail reports whether some value of the old type has no counterpart in the new one.
func castCanFail(s *Step, c catalog.Change) bool {
	from, to := s.Before.FormatType(c.OldColumn.Type), s.After.FormatType(c.NewColumn.Type)
	if !s.Down && (s.fills(c.Old.ObjectID(), c.OldColumn.Num) || s.noNulls(c.Old.ObjectID(), 0)) {
		return false
	}
	if using := s.usingOf(c.OldColumn.Name); using != nil && s.usingSucceeds(using, from, to) {
		return false
	}
	fb, _ := splitType(from)
	tb, _ := splitType(to)
	if isText(fb) && isText(tb) {
		return narrows(from, to)
	}
	if t, ok := s.After.Get(c.NewColumn.Type.OID).(*catalog.Type); ok && t.Kind == catalog.EnumType {
		if was, ok := s.Before.Get(c.OldColumn.Type.OID).(*catalog.Type); ok && was.Kind == catalog.EnumType && contains(t.Labels, was.Labels) {
			return false
		}
		return !s.provesLabels(c.Old.ObjectID(), c.OldColumn, t)
	}
	if readsMember(s.usingOf(c.OldColumn.Name)) {
		return true
	}
	return isText(fb) && !isText(tb) && tb != "citext" && tb != "name" || integerRank(tb) > 0 && narrows(from, to)
}

// breakersHelp says how to find the rows which break a constraint, before the release.
func (s *Step) breakersHelp(con *catalog.Constraint) string {
	query := s.breakers(con)
	if query == "" {
		return "Find the rows that break it before the release, and repair them in a migration before this one."
	}
	return "Look before the release:\n" + query + "\nand repair what it finds in a migration before this one."
}

// breakers is the query that shows the rows which break a constraint, "" when there is none to give.
func (s *Step) breakers(con *catalog.Constraint) string {
	switch con.Kind {
	case catalog.Check:
		return s.findCheckBreakers(con)
	case catalog.ForeignKey:
		return s.findOrphans(con)
	}
	table, _ := s.Before.Get(con.Table).(*catalog.Relation)
	ix, _ := s.After.Get(con.Index).(*catalog.Relation)
	if table != nil && ix != nil && ix.Index != nil && !s.hasNewColumn(con) {
		return s.findDuplicates(table, ix.Index)
	}
	return ""
}
