// Package gate tells a service at run time which migration its database is at, so that one release can carry the code for
// the schema before a migration and the code for the schema behind it:
//
//	err := g.Do(ctx, func(schema gate.Schema) error {
//		column := "created"
//		if schema.AtLeast(9) {
//			column = "linked"
//		}
//		return db.QueryRowContext(ctx, "SELECT "+column+" FROM tracker").Scan(&at)
//	})
//
// Where the old way works on the new schema as well, `if g.AtLeast(9) { … } else { … }` will do.
//
// It reads the version table of brant, goose, golang-migrate, dbmate, tern or alembic (see [Tool]): at the start, then every
// [Config.Interval] while [Gate.Run] runs, and when [Gate.Refresh] is called. The package needs nothing but the standard library, and no cgo.
//
// # What AtLeast promises
//
// AtLeast(9) is true only when migration 9 was recorded as applied, and committed, at the time of the last read
// ([Schema.ReadAt]). Tools record a migration in its transaction, or behind its last statement when it has none, so what is
// claimed is there. For the tools that keep a row for each migration (goose, dbmate) the row of that very migration counts,
// since they may apply an older one later. A database without a version table, and a gate that has not read, claim nothing.
//
// It does not promise that nothing has changed since:
//
//   - After a migration has been applied the branch for the old schema is still taken until the next read. So is it right
//     behind the migration, for a request that asked just before. The old branch must work on the new schema for that
//     long (add now, drop in a later release), or be called through [Gate.Do]. (TestLate.)
//   - A schema can go down again. From the Down until the next read, AtLeast still says what was; and brant, goose and tern
//     lower the version of a migration without a transaction only behind its last statement.
//
// [Gate.Do] closes both windows for what can be tried again: when its function fails with an error that another schema
// explains (an undefined column, a cached plan), it reads the version and calls the function once more if that has changed.
// It learns nothing from queries that succeed and mean something else: a name that was dropped and given to
// something new needs two releases. Nor does it try again after errors that other things explain as well: a value that a new
// constraint refuses, say ([Gate.Stale] lists what it takes for a change of the schema).
//
// # What srhtvet makes of it
//
// srhtvet compat, and go vet with it, know AtLeast and Version, and follow what code makes of the answer: conditions, variables,
// helpers, builders, calls in a branch of functions that nothing else calls, and truth values that such functions are given
// (list(g.AtLeast(9))) when every call gives one from a gate or a constant. How far the calls are looked for:
//
//   - of an unexported function, in its package, tests left out. A name of it that is put into a local variable counts as called where
//     the variable is, when that is only called and assigned;
//   - of an exported function, in all of its module, when srhtvet reads the whole of it: not in go vet, which sees one package, nor below
//     a directory. That another module calls it is not seen. (TestSites, testdata/sites/gate.)
//
// A field or package variable that keeps an answer, when nothing else is put into it by the code that is read, says where it is true that
// the migration was there. Where it is false the migration may have come since: what is sent there is checked on all schemas.
//
// Not followed are an exported method, which other modules may call through an interface; a function that is called through an interface,
// given away as a value, or kept in a field, map or slice; a truth value that comes by a channel, a struct's field that a parameter
// fills, or a recursive call. They are checked on all schemas; ask the gate again in them.
//
// What is sent only behind migration 9 is checked on the schemas from there on. What is sent only before it
// is checked on the earlier ones, and, as above, on the later ones too: what breaks there is a warning, stale-gate, except for
// errors after which Do tries again, in functions that are called in Do and in transactions that were begun there. The window
// after a Down is not checked.
//
// # Within a request
//
// Take one snapshot ([Gate.Now]) at the beginning of a request or transaction and ask that, so that it does not mix the two
// ways. [Gate.Now] and AtLeast take no lock and never block.
//
// golang-migrate writes the version that it is going to, marked dirty, before it runs the migration. While the mark is there
// only the versions below count; it stays there when a migration has failed.
//
// Where queries go to a replica, make a gate for the replica: it may not have yet what its primary has.
package gate
