package migratecheck

var ruleNeedsMigration = &Rule{
	ID: "needs-migration", Category: Code, Severity: Error,
	Doc: Doc{
		Summary: "New code uses what a pending migration adds, so that it fails on the schema before that migration.",
		Why:     "Where code is deployed before the migration has run, or a node starts with the new version while the migration waits for a lock, every such query fails; and so it does when the migration is taken back but the code is not.",
		Schema:  "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad: `ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0;
-- and in Go, in the same release:
-- db.QueryContext(ctx, "SELECT name, kind FROM repo")`,
		Good: `ALTER TABLE repo ADD COLUMN kind integer NOT NULL DEFAULT 0;
-- and in Go, until the next release:
-- db.QueryContext(ctx, "SELECT name FROM repo")`,
		Exceptions: "With order = \"migrate-first\" in .srhtvet.toml, for services that never start new code on an old schema, it is a warning. Silent in a branch of migratecheck/gate that only runs when the migration has.",
		Versions:   "All.",
		Source:     "Reported by srhtvet compat and in go vet, not by srhtvet lint: it takes the code to know. On 12 release pairs of one large service new code broke on the old schema in all 12.",
	},
}
