package migratecheck

import (
	"regexp"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleUnknownObject = &Rule{
	ID: "unknown-object", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A statement refers to a table, column, constraint, type or function that does not exist at that point of the history.",
		Why:        "The migration stops there with an error, on the first node that is upgraded.",
		Schema:     "CREATE TABLE users (id integer PRIMARY KEY);",
		Bad:        "ALTER TABLE user_accounts ADD COLUMN note text;",
		Good:       "ALTER TABLE users ADD COLUMN note text;",
		Exceptions: "Queries and changes of rows are looked into for tables and columns (where all of the history before them was understood also for functions and types), those in bodies, where names may be variables, for tables alone; those with WITH RECURSIVE are not. Info behind a part of the file, or of an earlier one, that was not understood, which may have made the object. Off when the history has no known beginning (an open catalog, see -schema): objects may then exist that no file creates. Silent for tables in which migration tools keep their own state, and after the first error of a transaction: what follows it does not run.",
		Versions:   "All.",
		Source:     "SQLSTATE 42P01, 42703, 42704, 42883, 3F000 in PostgreSQL's appendix A.",
	},
	Step: func(s *Step) {
		if s.fails() && isMissing(s.Err) {
			severity, unless := Error, s.unlessMade()
			if unless != "" {
				severity = Info
			}
			s.reportError(s.missingAt(), severity, s.Err.Message+": the migration fails here"+unless, missingHelp(s.Err))
		}
	},
}

// unlessMade says where what a statement lacks may have been made all the same, "" when it cannot have been.
func (s *Step) unlessMade() string {
	if s.unknownBefore() {
		return ", unless a part above that was not understood makes it"
	}
	if s.File.gap == 0 {
		return ""
	}
	// A part of a table that is younger than all that was not understood is not of that part's making.
	if rel := s.Before.Relation(s.Err.Object.Schema, s.Err.Object.Name); rel != nil && rel.OID >= s.File.gap {
		return ""
	}
	return ", unless a part of an earlier file that was not understood makes it"
}

func missingHelp(e *catalog.Error) string {
	if e.Hint != "" {
		return e.Hint
	}
	return "Check the name against the schema at this point of the history; if the object was made outside the migrations, give the schema before the first one with -schema FILE."
}

// missingAt is where a query or change of rows names what is missing; DDL is reported at its beginning.
func (s *Step) missingAt() int {
	switch s.Stmt.Node.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt, *pgast.Node_CopyStmt:
		if m := missingName().FindStringSubmatch(s.Err.Message); m != nil {
			return s.onlyWord(m[1])
		}
		return s.errAt
	}
	return 0
}

// missingName finds the name in: relation "x" does not exist; column "x" …; column t.x ….
func missingName() *regexp.Regexp {
	return regexp.MustCompile(`^(?:relation|column) "?(?:[^" .]*\.)?([^" .]+)"? `)
}
