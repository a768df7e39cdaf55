package hazards

func hygiene() []Hazard {
	create := func(name string, tools int, columns string, rules ...string) Hazard {
		return Hazard{Name: name, Tools: tools, Rules: rules, Schema: repo, Changes: []string{"CREATE TABLE t (id bigint PRIMARY KEY, " + columns + ");"}}
	}
	return []Hazard{
		{Name: "IF [NOT] EXISTS, so that it can be run again", Tools: 8, Rules: []string{"prefer-if-exists"}, Note: "outside of a transaction only; inside it hides mistakes",
			Schema: repo, Changes: []string{"-- +brant NO TRANSACTION\n-- +brant Up\nCREATE TABLE t (id bigint PRIMARY KEY);"}},
		create("bigint rather than integer", 8, "n integer", "prefer-bigint"),
		create("text rather than varchar(n)", 8, "n varchar(10)", "prefer-text"),
		create("timestamptz rather than timestamp", 7, "n timestamp", "prefer-timestamptz"),
		create("identity rather than serial", 7, "n serial", "prefer-identity"),
		create("no char(n)", 7, "n char(10)", "ban-char"),
		create("jsonb rather than json", 8, "n json", "prefer-jsonb"),
		create("money, float, time with time zone", 4, "n money", "inexact-type"),
		{Name: "no enum types", Tools: 2, Rules: []string{"ban-enum"}, Schema: repo, Changes: []string{"CREATE TYPE mode AS ENUM ('ro');"}},
		create("a foreign key without an index", 8, "n integer REFERENCES owner", "fk-without-index"),
		{Name: "a table without a primary key", Tools: 5, Rules: []string{"table-without-primary-key"}, Schema: repo, Changes: []string{"CREATE TABLE t (a int);"}},
		{Name: "redundant index", Tools: 3, Rules: []string{"redundant-index"}, Schema: repo, Changes: []string{"CREATE INDEX again ON repo (size);"}},
		{Name: "names longer than 63 bytes", Tools: 3, Rules: []string{"long-identifier"}, Schema: repo,
			Changes: []string{"CREATE TABLE a_name_that_goes_on_and_on_for_more_than_sixty_three_bytes_as_this_one_does (a int);"}},
		{Name: "names with their schema", Tools: 4, Rules: []string{"unqualified-name"}, Schema: repo, Changes: []string{"CREATE TABLE t (a int);"}},
		{Name: "naming conventions", Tools: 4, Rules: []string{"naming-convention"}, Schema: repo, Changes: []string{"CREATE TABLE \"BadName\" (a int);"}},
		{Name: "hash index, too many columns in an index", Tools: 4, Rules: []string{"odd-index"}, Schema: repo, Changes: []string{"CREATE INDEX h ON repo USING hash (kind);"}},
		{Name: "missing COMMIT, nested transaction", Tools: 4, Rules: []string{"nested-transaction", "unclosed-transaction"}, Schema: repo,
			Changes: []string{"BEGIN;\nALTER TABLE repo ADD COLUMN a text;\nCOMMIT;", "-- +brant NO TRANSACTION\n-- +brant Up\nBEGIN;\nALTER TABLE repo ADD COLUMN b text;"}},
		{Name: "Down that is missing or cannot bring back what was there", Tools: 3, Rules: []string{"lossy-down", "down-not-inverse", "down-cannot-run"}, Schema: repo,
			Note: "on by default, as missing-down is",
			Changes: []string{"-- +brant Up\nALTER TABLE repo DROP COLUMN size;\n-- +brant Down\nALTER TABLE repo ADD COLUMN size bigint;",
				"-- +brant Up\nALTER TABLE repo ADD COLUMN a text;\n-- +brant Down\nALTER TABLE repo DROP COLUMN b;"}},
		{Name: "the catalog is replayed over the files", Tools: 4, Rules: []string{"unknown-object", "fails-to-apply"}, Note: "the ground of all rules", Schema: repo,
			Changes: []string{"ALTER TABLE repo RENAME TO r2;", "ALTER TABLE repo ADD COLUMN a text;", "CREATE TABLE owner (id int);"}},
		{Name: "order, missing dependencies, equal versions", Tools: 3, Rules: []string{"version-gap", "duplicate-version"}, Note: "needs versions of its own",
			Shown: []string{"migratecheck/testdata/rules/version-gap.txt", "migratecheck/testdata/rules/duplicate-version.txt", "migratecheck/versiongap_test.go"}},
	}
}

func wishes() []Hazard {
	return []Hazard{
		{Name: "Is the column really unused? (strong_migrations #296)", Rules: []string{"drop-column"},
			Note: "the released code is read; info when nothing uses it", Shown: []string{"cmd/srhtvet/testdata/compat/drop-unused-column.txtar"}},
		{Name: "Old queries on the new schema (coder #11047, Sourcegraph #25249)", Note: "`srhtvet compat`, both ways, and `-verify` on a server", Rules: []string{"rename-column"},
			Shown: []string{"cmd/srhtvet/testdata/compat/rename-column.txtar"}},
		{Name: "A default that is added and dropped again in the same migration", Rules: []string{"add-required-column"}, Schema: repo,
			Changes: []string{"ALTER TABLE repo ADD COLUMN topic text DEFAULT '' NOT NULL, ADD COLUMN a int;\nALTER TABLE repo ALTER COLUMN topic DROP DEFAULT;"}},
		{Name: "No alarm for tables that are new or known to be small (squawk #349, #364)", Note: "what the pending change creates is not at risk; `-stats FILE` for sizes",
			Shown: []string{"migratecheck/stats_test.go", "migratecheck/testdata/rules/index-not-concurrent.txt"}},
		{Name: "The transactions of the tool that runs the migrations (squawk #331, #338, #339)", Note: "each format sets them as its tool does",
			Rules: []string{"concurrently-in-transaction"}, Schema: repo, Changes: []string{"CREATE INDEX CONCURRENTLY i ON repo (kind);"}, Shown: []string{"migratecheck/source/source_test.go"}},
		{Name: "NOT NULL by a CHECK that an earlier file validated (squawk #300, #519, #628, #910)", Note: "silent: the catalog is that after all files before",
			Shown: []string{"migratecheck/testdata/rules/set-not-null-scans.txt"}},
		{Name: "Suppress one statement, with a reason (squawk #149, #315)", Rules: []string{"bad-ignore", "unused-ignore"}, Schema: repo,
			Changes: []string{"ALTER TABLE repo DROP COLUMN size; -- srhtvet:ignore drop-column\nALTER TABLE repo ADD COLUMN a text; -- srhtvet:ignore drop-table it is not dropped"}},
		{Name: "Look into functions, plpgsql and DO (squawk #411)", Rules: []string{"drop-table"}, Schema: repo,
			Changes: []string{"DO $$ BEGIN IF true THEN EXECUTE 'DROP TABLE repo'; END IF; END $$;"}},
		{Name: "Dialects of migrations read right (atlas #3792, #3467)", Note: "ten formats; renames are statements, not a guess from two schemas",
			Rules: []string{"rename-column"}, Schema: repo, Changes: []string{"ALTER TABLE repo RENAME COLUMN name TO title;"}, Shown: []string{"migratecheck/source/source_test.go"}},
		{Name: "No crash, whatever the input (libpg_query #348, #366)", Note: "the depth of every statement is bounded before C sees it",
			Shown: []string{"internal/pgast/stack_test.go", "internal/pgast/fuzz_test.go"}},
	}
}
