package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// refused is what the server answers to a statement of a text that reads or changes rows, whatever the rows are, and where in it; nil when
// nothing is known against it. Tables and columns that do not exist are Catalog.Missing's.
func (f *File) refused(cat *catalog.Catalog, text string, stmt pgast.Stmt) (e *catalog.Error, at int) {
	n := stmt.Node
	insert := n.GetInsertStmt()
	switch {
	case cat.Open, f.holes, f.gap != 0: // what was not understood may have made all of it right
		return nil, 0
	case n.GetSelectStmt().GetIntoClause() != nil: // it makes a table, so Apply binds it
		return nil, 0
	case n.GetSelectStmt() == nil && insert == nil && n.GetUpdateStmt() == nil && n.GetDeleteStmt() == nil && n.GetMergeStmt() == nil && n.GetTruncateStmt() == nil:
		return nil, 0
	}
	for _, p := range query.Judge(cat, text, stmt).Problems {
		if !p.Maybe && !p.Unseen && alwaysRefused(p, insert) {
			e = &catalog.Error{Code: p.Code, Message: p.Message}
			if _, said, ok := strings.Cut(p.Message, " fails: "); ok {
				e.Message = said // by the server
			}
			if p.Code == "0A000" {
				e.Hint = "Name the tables that refer to it as well, or delete the rows that nothing refers to. CASCADE would empty what refers to it unseen."
			}
			return e, p.Offset - stmt.Offset
		}
	}
	return nil, 0
}

// alwaysRefused tells of a problem that does not depend on rows, or on the rights of whoever runs the migration.
func alwaysRefused(p query.Problem, insert *pgast.InsertStmt) bool {
	switch p.Code {
	case "42P01", "42703", "3F000", "42501":
		return false
	case "22P02", "22003", "22007", "55000":
		return true // of a constant, when the statement is parsed; of a view
	case "0A000":
		return p.Check == "truncate"
	case "23502":
		// What INSERT … SELECT copies may be no row.
		return insert != nil && (insert.SelectStmt == nil || len(insert.SelectStmt.GetSelectStmt().GetValuesLists()) > 0)
	}
	return strings.HasPrefix(p.Code, "42")
}
