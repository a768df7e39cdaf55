package gate

import (
	"fmt"
	"slices"
	"strings"
)

// Tool is a migration tool, by the table in which it keeps the version.
type Tool string

// The tools whose tables are understood, with the source of what is known of each.
const (
	// Brant keeps one row: brant_db_version(version_id bigint) (git.sr.ht/~bitfehler/brant v0.5.1, options.go,
	// database/dialect/postgres.go). The row is updated in the migration's transaction; behind the statements of a file that has none.
	Brant Tool = "brant"

	// Goose keeps a row for every applied migration: goose_db_version(id, version_id bigint, is_applied boolean, tstamp)
	// (github.com/pressly/goose v3.29.0, internal/dialects/postgres.go). Its Down deletes the row; older versions inserted
	// another with is_applied false, so the newest row of a version counts (migrate.go, EnsureDBVersionContext).
	Goose Tool = "goose"

	// GolangMigrate keeps one row: schema_migrations(version bigint, dirty boolean) (github.com/golang-migrate/migrate
	// v4.18.1, database/pgx/v5/pgx.go, SetVersion). The version it is going to is written with dirty set before the migration
	// runs, and with dirty cleared behind it.
	GolangMigrate Tool = "golang-migrate"

	// Dbmate keeps a row for every applied migration: schema_migrations(version varchar) (github.com/amacneil/dbmate
	// v2.35.0, pkg/driver/postgres/postgres.go, CreateMigrationsTable).
	Dbmate Tool = "dbmate"

	// Tern keeps one row: schema_version(version int4) (github.com/jackc/tern v2.3.4, migrate/migrate.go).
	Tern Tool = "tern"

	// Alembic keeps a row for every head: alembic_version(version_num varchar) (alembic 1.8, alembic/runtime/migration.py,
	// MigrationContext). Its versions are no numbers: see Config.Revisions.
	Alembic Tool = "alembic"
)

// layout is how a tool keeps its version.
type layout struct {
	tool  Tool
	table string
	// columns must be there, and not must not be: it tells the table from another tool's of the same name.
	columns []string
	not     string
	rows    string // a query of one text column for a table in the place of %s
}

var tools = [...]layout{
	{Brant, "brant_db_version", []string{"version_id"}, "", "SELECT version_id::text FROM %s"},
	{Goose, "goose_db_version", []string{"id", "version_id", "is_applied"}, "",
		"SELECT version_id::text || ' ' || is_applied::text FROM %s ORDER BY id DESC"},
	{GolangMigrate, "schema_migrations", []string{"version", "dirty"}, "",
		"SELECT version::text || CASE WHEN dirty THEN ' dirty' ELSE '' END FROM %s"},
	{Dbmate, "schema_migrations", []string{"version"}, "dirty", "SELECT version::text FROM %s"},
	{Tern, "schema_version", []string{"version"}, "", "SELECT version::text FROM %s"},
	{Alembic, "alembic_version", []string{"version_num"}, "", "SELECT version_num::text FROM %s"},
}

// claim looks at the answer of columnsOf: the table's name as SQL writes it, "" when there is none, and whether it is
// this tool's.
func (l layout) claim(columns []string) (table string, ours bool) {
	ours = l.not == "" || !slices.Contains(columns, l.not)
	for _, c := range l.columns {
		ours = ours && slices.Contains(columns, c)
	}
	for _, c := range columns {
		if name, ok := strings.CutPrefix(c, "."); ok {
			table = name
		}
	}
	return table, ours
}

// literal is a string constant in SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// columnsOf is a query for the columns of a table, none when there is no such table on the search path; among them the
// table's own name behind a dot, quoted as it must be.
func columnsOf(table string) string {
	return fmt.Sprintf(`SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
		UNION ALL SELECT '.' || to_regclass(%[1]s)::text WHERE to_regclass(%[1]s) IS NOT NULL`, literal(table))
}
