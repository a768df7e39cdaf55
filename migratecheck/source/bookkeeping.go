package source

// IsBookkeeping reports whether a table is where a migration tool keeps its own state: it is created and dropped without
// any migration saying so, and no service code reads it.
func IsBookkeeping(table string) bool {
	switch table {
	case "alembic_version", "brant_version", "brant_db_version", "goose_db_version", "schema_migrations", "gorp_migrations",
		"schema_version", "schema_lock", "flyway_schema_history", "atlas_schema_revisions", "django_migrations", "migrate_version":
		return true
	}
	return false
}
