package hazards

func rewrites() []Hazard {
	add := func(name string, tools int, note, change string) Hazard {
		return Hazard{Name: name, Tools: tools, Rules: []string{"table-rewrite"}, Note: note, Schema: repo, Changes: []string{change}}
	}
	return []Hazard{
		add("volatile default", 14, "", "ALTER TABLE repo ADD COLUMN seen timestamptz DEFAULT clock_timestamp();"),
		{Name: "default that calls a function of one's own, of unknown volatility", Tools: 3, Rules: []string{"table-rewrite"}, Note: "its volatility is that of the catalog",
			Schema: repo + "CREATE FUNCTION token() RETURNS text LANGUAGE sql AS 'SELECT md5(random()::text)';", Changes: []string{"ALTER TABLE repo ADD COLUMN secret text DEFAULT token();"}},
		{Name: "constant default before PostgreSQL 11", Tools: 8, Note: "the oldest version that is known here is 12, where it rewrites nothing"},
		add("add a serial or identity column", 7, "", "ALTER TABLE repo ADD COLUMN rid serial;"),
		add("add a stored generated column", 7, "", "ALTER TABLE repo ADD COLUMN double bigint GENERATED ALWAYS AS (size * 2) STORED;"),
		{Name: "which changes of type rewrite (longer varchar, numeric, time zone)", Tools: 10, Rules: []string{"table-rewrite"},
			Note: "docs/locks.md has the matrix, executed on each version", Schema: repo, Changes: []string{"ALTER TABLE repo ALTER COLUMN kind TYPE bigint;"},
			Shown: []string{"migratecheck/lockmode/matrix_test.go"}},
		{Name: "change of collation", Tools: 1, Rules: []string{"index-rebuild"}, Schema: repo, Changes: []string{"ALTER TABLE repo ALTER COLUMN name TYPE varchar(64) COLLATE \"C\";"}},
		add("SET LOGGED, SET UNLOGGED", 3, "", "ALTER TABLE repo SET UNLOGGED;"),
		add("SET TABLESPACE, SET ACCESS METHOD", 3, "", "ALTER TABLE repo SET TABLESPACE fast;"),
		{Name: "VACUUM FULL", Tools: 8, Rules: []string{"vacuum-full"}, Schema: repo, Changes: []string{"-- +brant NO TRANSACTION\n-- +brant Up\nVACUUM FULL repo;"}},
		{Name: "CLUSTER", Tools: 5, Rules: []string{"cluster"}, Schema: repo, Changes: []string{"CLUSTER repo USING repo_size;"}},
		{Name: "REFRESH MATERIALIZED VIEW without CONCURRENTLY", Tools: 5, Rules: []string{"refresh-not-concurrent"},
			Schema: repo + "CREATE MATERIALIZED VIEW sizes AS SELECT id, size FROM repo;\nCREATE UNIQUE INDEX ON sizes (id);", Changes: []string{"REFRESH MATERIALIZED VIEW sizes;"}},
		{Name: "TRUNCATE, with CASCADE", Tools: 10, Rules: []string{"truncate-table"}, Schema: repo, Changes: []string{"TRUNCATE repo CASCADE;"}},
	}
}

func locks() []Hazard {
	const function = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';\nCREATE TRIGGER t BEFORE INSERT ON repo FOR EACH ROW EXECUTE FUNCTION f();"
	return []Hazard{
		{Name: "create, drop, enable or disable a trigger", Tools: 6, Rules: []string{"add-trigger", "drop-trigger"}, Schema: repo + function,
			Changes: []string{"CREATE TRIGGER u BEFORE UPDATE ON repo FOR EACH ROW EXECUTE FUNCTION f();\nALTER TABLE repo DISABLE TRIGGER t;"}},
		{Name: "LOCK TABLE", Tools: 2, Rules: []string{"explicit-lock"}, Schema: repo, Changes: []string{"LOCK TABLE repo IN ACCESS EXCLUSIVE MODE;"}},
		{Name: "no lock_timeout", Tools: 9, Rules: []string{"no-lock-timeout"}, Schema: repo, Changes: []string{"ALTER TABLE repo ADD COLUMN topic text;"}},
		{Name: "no statement_timeout, no idle_in_transaction_session_timeout", Tools: 8, Rules: []string{"no-statement-timeout", "no-idle-timeout"}, Schema: repo,
			Note: "no-idle-timeout is opt-in", Changes: []string{"ALTER TABLE repo ADD CHECK (id > 0);"}},
		{Name: "lock_timeout of zero, or too long", Tools: 1, Rules: []string{"ineffective-lock-timeout"}, Schema: repo,
			Changes: []string{"SET lock_timeout = 0;\nALTER TABLE repo ADD COLUMN topic text;"}},
		{Name: "lock_timeout set after the first lock", Tools: 1, Rules: []string{"no-lock-timeout"}, Schema: repo,
			Changes: []string{"ALTER TABLE repo ADD COLUMN topic text;\nSET lock_timeout = '2s';"}},
		{Name: "a statement that takes time after an ACCESS EXCLUSIVE lock in the same transaction", Tools: 4, Rules: []string{"slow-after-lock"}, Schema: repo,
			Changes: []string{"ALTER TABLE owner ADD COLUMN topic text;\nCREATE INDEX ON repo (kind);"}},
		{Name: "one transaction changes several tables", Tools: 4, Rules: []string{"locks-many-tables"}, Schema: repo + "CREATE TABLE third (id int);",
			Changes: []string{"ALTER TABLE owner ADD COLUMN a text;\nALTER TABLE repo ADD COLUMN a text;\nALTER TABLE third ADD COLUMN a text;"}},
		{Name: "several ALTER TABLE of the same table, which could be one", Tools: 5, Rules: []string{"combine-alter-table"}, Schema: repo,
			Changes: []string{"ALTER TABLE repo ALTER COLUMN kind TYPE bigint;\nALTER TABLE repo ALTER COLUMN id TYPE bigint;"}},
		{Name: "severity by the size of the table", Tools: 6, Rules: nil, Note: "`-stats FILE`: a scan of 200 rows is info, of 200 million an error; each rule of locks and time",
			Shown: []string{"migratecheck/stats_test.go", "migratecheck/testdata/rules/set-not-null-scans.txt"}},
		{Name: "locks traced on a live server", Tools: 2, Rules: nil, Note: "`srhtvet locks` says them without a server; the tests execute every row on PostgreSQL 12 to 18 and compare with pg_locks",
			Shown: []string{"migratecheck/lockmode/oracle_test.go"}},
	}
}

func transactions() []Hazard {
	return []Hazard{
		{Name: "backfill in the transaction of a schema change", Tools: 3, Rules: []string{"backfill-with-ddl"}, Schema: repo,
			Changes: []string{"ALTER TABLE repo ADD COLUMN topic text;\nUPDATE repo SET topic = name;"}},
		{Name: "UPDATE or DELETE without WHERE, or not in batches", Tools: 9, Rules: []string{"unbatched-backfill"}, Schema: repo, Changes: []string{"UPDATE repo SET size = 0;"}},
		{Name: "ALTER TYPE … ADD VALUE in a transaction, and used in it", Tools: 6, Rules: []string{"enum-value-used-in-transaction"},
			Schema:  "CREATE TYPE mode AS ENUM ('ro');\nCREATE TABLE access (m mode);",
			Changes: []string{"ALTER TYPE mode ADD VALUE 'rw';\nUPDATE access SET m = 'rw';"}},
		{Name: "DDL hidden in a DO block", Tools: 3, Rules: []string{"drop-column"}, Schema: repo,
			Changes: []string{"DO $$ BEGIN ALTER TABLE repo DROP COLUMN size; END $$;"}},
		{Name: "DDL hidden in the body of a function that SELECT calls", Rules: []string{"drop-column"}, Schema: repo,
			Changes: []string{"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE repo DROP COLUMN size; END $$;\nSELECT f();"}},
	}
}
