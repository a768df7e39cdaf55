// Package verify asks a real PostgreSQL what package query says without one: does this query work on that schema?
//
// A [Server] is a user's own, in which only databases with names of its own prefix are made and dropped, or a throwaway
// cluster. A [State] is the schema at one point of a history, in a database of its own, copied from the state before it.
// For each query [State.Prove] finds what makes it do something on the schema it was written for, its witness: rows to find,
// values to bind. [State.Judge] then plans the query and runs it with the same witness on any state, in a transaction that is
// always rolled back. What the server answers there is the truth that [Compare] holds against a static verdict.
//
// What could not be made to succeed on its own schema proves nothing on another. It is counted, and never as agreement.
//
// Objects keep their OIDs through CREATE DATABASE … TEMPLATE (the catalogs are copied as files,
// src/backend/commands/dbcommands.c), so that two states can also tell whether a name still means the same object.
package verify
