// Package migrations is the analyzer that reports what package migratecheck finds in a module's SQL and alembic
// migrations, so that `go vet -vettool=srhtvet ./...` shows it.
//
// A directory of migrations is reported once, in one package of the module: the one that embeds its files, or when none
// does, the one whose directory is nearest. Positions are in the migration itself.
//
// The go command caches what an analyzer says about a package by the package's own files and by the tool's answer to
// -V=full, and migrations are not among the former. [Fingerprint] is what the tool has to mix into that answer.
package migrations
