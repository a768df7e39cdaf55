// Package sqlquery finds the SQL that Go code sends: every place, and what may be sent from there. Nothing is run and
// nothing has to compile.
//
// The invariant: every call that reaches a query function is a [query.Site]. What it sends is in the site's variants; what
// cannot be known makes it partial or dynamic, with a reason; what could not be looked at is a [Gap]. Nothing is guessed.
//
// # From files to sites
//
// [Load] reads all modules below a directory (load_module.go: go.mod, vendor and the module cache, without the go command)
// and, of what they import, the packages that may send SQL themselves (load_deps.go). It type-checks them as far as that
// goes (load_check.go). A package that is not here is made up from what the code takes from it, so that a variable declared
// as *pgxpool.Pool is known as one although pgx is missing; of the standard library only a few packages are read.
//
// The machine then evaluates functions on what is known of their values (machine*.go): strings in parts, each with its
// place in the source, builders as the calls that made them, structs with their fields, transactions. Where the code
// branches the state is copied, where the ways meet it is joined (state.go): a string becomes a choice that one event
// decides, so that two variables set in one switch go together; a builder keeps what all ways called and the rest as
// optional. A condition that asks migratecheck/gate also says which schemas a way can meet (machine_gate.go): the event keeps
// that, so that each text has the schemas of all that was decided on the way to it, and what one event rules out is not put
// together with it. A function that only calls in view lead to has the schemas of these calls (find_gatedcall.go). Loops run once, and once more. Every function that may send SQL is evaluated by itself; one whose parameters
// decide what is sent, again at each call (machine_call.go), and the site is then at the call that gives the text. What the
// evaluation takes for unreachable, or does not get to, is swept up by syntax (sweep.go).
//
// What a call means is in find_*.go, a library each, and shape_*.go, for what is recognised by its shape: forks of squirrel,
// and interfaces with the methods of a connection. render*.go turns values into SQL.
//
// # In go vet
//
// [Analyzer] looks at one package at a time, with facts for wrappers, names of tables and models of other packages. A
// builder that is given to a function of another package is partial there: only Load looks into both.
package sqlquery
