package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleFailsToApply = &Rule{
	ID: "fails-to-apply", Category: Itself, Severity: Error,
	Doc: Doc{
		Summary:    "A statement that PostgreSQL refuses on the schema it meets, whatever the rows are.",
		Why:        "The migration stops there with an error, on the first node that is upgraded, and the release with it.",
		Schema:     "CREATE TABLE owner (id integer PRIMARY KEY);\nCREATE TABLE repo (id integer PRIMARY KEY, owner_id integer REFERENCES owner);",
		Bad:        "DROP TABLE owner;",
		Good:       "ALTER TABLE repo DROP CONSTRAINT repo_owner_id_fkey;\nDROP TABLE owner;",
		Exceptions: "Queries and changes of rows are judged where all of the history before them was understood; what only rows or privileges can show is not an error. Info behind a part of the file that was not understood, which may have made it right. Objects that do not exist are reported by unknown-object, Down sections by down-cannot-run, statements that no transaction takes by concurrently-in-transaction. Off when the history has no known beginning (an open catalog, see -schema), and after the first error of a transaction: what follows it does not run. A warning where a body ends the transaction that the migration runs in, if its rows bring it there.",
		Versions:   "All; what a later version allows is judged by -pg.",
		Source:     "PostgreSQL 15 manual, appendix A; each check of the catalog cites its source.",
	},
	Step: func(s *Step) {
		if s.Via != "" && s.Commits && s.Tx.Explicit && s.Tx.once("fails-to-apply: commits") {
			s.outer.rule = s.rule
			s.outer.ReportAt(0, Warning, "COMMIT and ROLLBACK in a body fail inside a transaction (2D000), where they are reached, and "+s.File.whyTransaction(s), s.File.noTransactionHelp())
		}
		if !s.fails() || isMissing(s.Err) {
			return
		}
		switch s.Err.Code {
		case "2D000":
			if s.Tx.Explicit && s.Tx.once("fails-to-apply: commits") {
				s.reportError(0, s.rule.Severity, "the migration fails here: COMMIT and ROLLBACK in a body fail inside a transaction (2D000), and "+s.File.whyTransaction(s), s.File.noTransactionHelp())
				return
			}
		case "25001", "55P04":
			return // concurrently-in-transaction and enum-value-used-in-transaction
		}
		severity, unless := Error, ""
		if s.unknownBefore() {
			severity, unless = Info, ", unless a part above that was not understood changes that"
		}
		s.reportError(s.errAt, severity, "the migration fails here: "+failureMessage(s.Err)+unless, failureHelp(s.Err))
	},
}

// fails reports whether the server refuses the statement and is the first to be refused in its transaction.
func (s *Step) fails() bool {
	if s.Err == nil || s.Err.Code == catalog.NotUnderstood || s.Before.Open {
		return false
	}
	return !s.Tx.Explicit || !s.Tx.held.failed
}

// failureMessage is what the server says, on one line.
func failureMessage(e *catalog.Error) string {
	if e.Detail == "" {
		return e.Message
	}
	return e.Message + " (" + strings.Join(strings.Fields(e.Detail), " ") + ")"
}

// failureHelp says what to write instead, by SQLSTATE.
func failureHelp(e *catalog.Error) string {
	if e.Code == "2BP01" {
		return "Drop, or point elsewhere, what depends on it first, by name. CASCADE would drop it unseen, whatever else has come to depend on it in production."
	}
	if e.Code == "0A000" && strings.Contains(e.Message, "used by a ") {
		return "Drop what uses the column (its definition is in the message), change the column, and create it again, all in this migration."
	}
	if e.Hint != "" {
		return e.Hint
	}
	switch e.Code {
	case "42P07", "42710", "42701", "42723", "42P06", "42712":
		return "It is there already at this point of the history: leave the statement out, or choose another name. IF NOT EXISTS would only hide that the two may differ."
	case "42804", "42846":
		return "Convert explicitly: USING with an expression of the new type for a column, a cast elsewhere; drop a default that cannot be converted first and set the new one after."
	case "42830":
		return "A foreign key needs a primary key or unique constraint on exactly the columns it refers to: add that first."
	case "42809":
		return "The object is of another kind than the statement says: write the statement for that kind (DROP VIEW for a view, DROP INDEX for an index)."
	case "42P16":
		return "Remove what contradicts the table as it is at this point of the history, or change that first."
	case "0A000":
		return "PostgreSQL has no such operation in this version: write it in other steps, or see what a newer version allows with -pg."
	case "23502":
		return "Give the column a value, or a default."
	case "42601":
		return "Correct the statement, or the body that it runs."
	}
	return "Correct the statement; apply the migrations to a scratch database to see it pass."
}
