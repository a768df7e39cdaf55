package migratecheck

var ruleStaleGate = &Rule{
	ID: "stale-gate", Category: Code, Severity: Warning,
	Doc: Doc{
		Summary: "Code for the schema before a migration fails on the schema after it, where a gate lets it in until it has read that the migration has run.",
		Why:     "A gate (package migratecheck/gate) reads the version every few seconds. From the migration until the next read, and in requests that asked before, the branch for the old schema still runs, and each of its queries that needs what the migration took away fails.",
		Schema:  "CREATE TABLE repo (id integer PRIMARY KEY, created timestamp);",
		Bad: `ALTER TABLE repo RENAME COLUMN created TO linked;
-- and in Go:
-- if g.AtLeast(9) {
--	 return db.QueryRowContext(ctx, "SELECT linked FROM repo").Scan(&at)
-- } else {
--	 return db.QueryRowContext(ctx, "SELECT created FROM repo").Scan(&at)
-- }`,
		Good: `ALTER TABLE repo RENAME COLUMN created TO linked;
-- and in Go:
-- g.Do(ctx, func(schema gate.Schema) error {
--	 if schema.AtLeast(9) {
--		 return db.QueryRowContext(ctx, "SELECT linked FROM repo").Scan(&at)
--	 }
--	 return db.QueryRowContext(ctx, "SELECT created FROM repo").Scan(&at)
-- })`,
		Exceptions: "Silent inside of gate.Do for errors after which it asks again (Gate.Stale), and for what only functions called in gate.Do do. In a transaction that was begun outside of gate.Do nothing can be tried again.",
		Versions:   "All.",
		Source:     "Reported by srhtvet compat and in go vet, not by srhtvet lint: it takes the code to know. Package gate, \"What AtLeast promises\"; TestLate shows it on a real server.",
	},
}
