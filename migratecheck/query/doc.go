// Package query holds what code asks of a schema, and judges it: does every name in a query resolve, do the types fit, does
// what it leaves out have a default, does its result still go where the code scans it?
//
// A [Site] is one place in code; the finders are elsewhere (analyzers/sqlquery for Go, migratecheck/source/sqlalchemy for
// Python). [Parse] (of a whole program [ParseAll]) makes it a [Bound], which judges it:
//
//   - [Bound.On] says what one schema has against it: what the server would refuse when the statement is prepared, planned
//     or run whatever the rows, and what the driver or the code would (a result of another width);
//   - [Bound.Between] says what lies in the step from the schema that the code was written for to another, earlier or later:
//     what each schema alone is content with.
//
// What is certain is a [Problem], and only that; what cannot be decided (an object that no migration makes, a trigger that may
// fill a column, an expression of a kind that is not followed) is a reason in [Verdict.Unknown]. A problem that was there on
// the code's own schema already is no fault of a migration: that is for the caller to subtract, package compat does.
//
// The analysis is package catalog's (Analyze), after PostgreSQL's own parse analysis; each [Check] is one file, check_*.go. A
// Bound remembers what it said of a schema until a statement touches something that the site depends on, so that a history
// costs little more than its changes.
//
// Shown by the fixtures in testdata, each of which also runs on a real server, and at random by package querytest.
package query
