// Package query holds what code asks of a schema, and judges it: does every name in a query resolve, do the types fit, does
// what it leaves out have a default, does its result still go where the code scans it?
//
// A [Site] is one place in code; the finders are elsewhere (analyzers/sqlquery for Go, migratecheck/source/sqlalchemy for
// Python). [Bound] binds the SQL of a site to a catalog and lists the problems that one schema has with it, and those that
// lie in the difference between two.
package query
