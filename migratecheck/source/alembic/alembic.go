// Package alembic reads alembic's Python revisions without running them: it evaluates what is static in upgrade() and
// downgrade() and gives the SQL that alembic would send to PostgreSQL, each byte of it with its place in the .py file.
//
// The files are parsed with tree-sitter; [Read] then interprets the tree as Python would, over a small set of values
// (strings that remember where they were written, numbers, lists, dicts, local functions, and SQLAlchemy's schema
// objects as far as their SQL is known). A value that cannot be known (a query's result, a call to code that is not
// in the file) carries its reason with it; where SQL would depend on one, a [Gap] takes its place, and reading goes on
// behind it. The rules by which a call becomes SQL are alembic's (alembic/ddl/, alembic/operations/) and SQLAlchemy's
// (sqlalchemy/sql/compiler.py, sqlalchemy/dialects/postgresql/base.py); the tests run alembic over the same files and
// compare.
//
// A naming convention of the MetaData that env.py gives as target_metadata names the constraints that are written without a name. It is
// applied when env.py, or a file that it imports and that is among those given, has one that is a literal dict of strings. What is made
// at run time, tokens that are functions, two conventions that differ, and files that cannot be found are as no convention. Not seen at
// all are listeners on SQLAlchemy's events.
package alembic

import (
	"errors"
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// File is one file to read: a revision, a helper module beside it, or env.py.
type File = python.File

// Revision is one revision file.
type Revision struct {
	ID        string
	Parents   []string // down_revision; empty for a base, several for a merge
	DependsOn []string
	Labels    []string
	Message   string // the first line of the file's docstring
	File      int    // index into the files given to Read
	Up        Script // upgrade()
	Down      Script // downgrade()
	HasDown   bool   // downgrade() exists and does more than raise an error
	NoWayBack bool   // downgrade() does nothing but raise an error
}

// Script is one direction of a Revision.
type Script struct {
	Statements []Statement
	Gaps       []Gap
	// StrayIgnores are the suppression comments that stand at no statement.
	StrayIgnores []Ignore
}

// Statement is one text that alembic sends to the server.
type Statement struct {
	SQL    string
	File   int     // that of the call
	Pieces []Piece // maps SQL to the file; sorted by Offset, the first has Offset 0
	// Tx numbers the transaction; equal numbers within one direction of a history share one, 0 is autocommit.
	Tx      int
	Ignores []Ignore
}

// Piece says that the bytes of a Statement's SQL from Offset on (up to the next piece) stand in the file from its byte
// At on, in step byte by byte when Linear, else all at At.
type Piece struct {
	Offset int
	At     int
	Linear bool
}

// Gap is code whose SQL cannot be known without running it.
type Gap struct {
	File   int
	At     int // byte offset
	Reason string
	Source string // the code, shortened
	// Refused: Python or alembic would stop here with an error.
	Refused bool
	Ignores []Ignore
}

// Ignore is a suppression comment: # srhtvet:ignore RULE[,RULE] reason.
type Ignore struct {
	Rules  []string
	Reason string
	File   int
	At     int
}

// Error is a file that does not fit into the history.
type Error struct {
	File         int // index into the files given to Read
	Path         string
	Line, Column int // 1-based, columns in bytes
	Reason       string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Reason)
}

// failure is an Error at the top-level assignment to name, or at the beginning of the file.
func failure(m *python.Module, name, reason string) *Error {
	at := 0
	for _, st := range m.Root.Kids {
		if st.Kind != "expression_statement" || len(st.Kids) == 0 || st.Kids[0].Kind != "assignment" {
			continue
		}
		if left := st.Kids[0].Child("left"); left != nil && m.Src(left) == name {
			at = left.Start
		}
	}
	return &Error{File: m.File, Path: m.Path, Line: m.Line(at), Column: at - lineStart(m.Text, at) + 1, Reason: reason}
}

// Read reads the revisions among files and returns them in the order in which alembic applies them. The error joins
// an *Error for every file whose revision cannot be told, and for every parent that is missing or part of a circle; the
// revisions that could be read are returned all the same.
func Read(files []python.File) ([]Revision, error) {
	modules, err := python.ParseAll(files, isPython)
	if err != nil {
		return nil, err
	}
	h := newHistory(modules)
	var errs []error
	var revs []*revision
	for _, m := range modules {
		if !isPython(m.Path) || isEnv(m.Path) || !looksLikeRevision(m.Text) {
			continue
		}
		r, err := h.load(m)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if r != nil {
			revs = append(revs, r)
		}
	}
	ordered, misplaced := order(revs)
	errs = append(errs, misplaced...)
	h.run(ordered)
	out := make([]Revision, len(ordered))
	for i, r := range ordered {
		out[i] = r.Revision
	}
	return out, errors.Join(errs...)
}
