package hazards

func indexes() []Hazard {
	return []Hazard{
		{Name: "index without CONCURRENTLY", Tools: 21, Rules: []string{"index-not-concurrent"}, Schema: repo, Changes: []string{"CREATE INDEX ON repo (kind);"}},
		{Name: "drop index without CONCURRENTLY", Tools: 16, Rules: []string{"drop-index-not-concurrent"}, Schema: repo, Changes: []string{"DROP INDEX repo_size;"}},
		{Name: "reindex without CONCURRENTLY", Tools: 8, Rules: []string{"reindex-not-concurrent"}, Schema: repo, Changes: []string{"REINDEX TABLE repo;"}},
		{Name: "CONCURRENTLY inside a transaction", Tools: 12, Rules: []string{"concurrently-in-transaction"}, Schema: repo, Changes: []string{"CREATE INDEX CONCURRENTLY i ON repo (kind);"}},
		{Name: "CONCURRENTLY with IF NOT EXISTS hides an INVALID index", Tools: 4, Rules: []string{"concurrent-if-not-exists"}, Schema: repo,
			Changes: []string{"-- +brant NO TRANSACTION\n-- +brant Up\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON repo (kind);"}},
		{Name: "index on a partitioned table", Tools: 2, Rules: []string{"index-not-concurrent"}, Note: "the help makes it ONLY on the parent, then CONCURRENTLY on each partition",
			Schema:  "CREATE TABLE event (id int, day date) PARTITION BY RANGE (day);\nCREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');",
			Changes: []string{"CREATE INDEX event_id ON event (id);"}, Says: []string{"ON ONLY event", "CREATE INDEX CONCURRENTLY"}},
	}
}

func constraints() []Hazard {
	const nullable = "CREATE TABLE repo (id integer, name text, owner_id integer);\nCREATE TABLE owner (id integer PRIMARY KEY);\nCREATE TABLE a (id integer);\nCREATE TABLE b (id integer);\n"
	const parts = "CREATE TABLE event (id int, day date NOT NULL) PARTITION BY RANGE (day);\n" +
		"CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');\nCREATE TABLE event_2 (id int, day date NOT NULL);\n"
	return []Hazard{
		{Name: "foreign key without NOT VALID", Tools: 18, Rules: []string{"fk-validates"}, Schema: nullable,
			Changes: []string{"ALTER TABLE repo ADD FOREIGN KEY (owner_id) REFERENCES owner;"}},
		{Name: "foreign key inline, ADD COLUMN … REFERENCES", Tools: 7, Rules: []string{"fk-validates"}, Note: "with a default only: a new column of NULLs has nothing to check",
			Schema: nullable, Changes: []string{"ALTER TABLE repo ADD COLUMN forked_by integer DEFAULT 1 REFERENCES owner;"}},
		{Name: "a foreign key locks both tables", Tools: 2, Rules: []string{"fk-validates", "no-lock-timeout"}, Note: "`srhtvet locks` lists both",
			Schema: nullable, Changes: []string{"ALTER TABLE repo ADD FOREIGN KEY (owner_id) REFERENCES owner;"}, Says: []string{"on repo and on owner wait"}},
		{Name: "several foreign keys in one migration, dropping a table with several", Tools: 2, Rules: []string{"locks-many-tables", "fk-validates"},
			Note:    "a drop closes each table that is referred to; of several that are added each that reads rows is a finding of its own, NOT VALID ones are over in an instant",
			Schema:  nullable + "ALTER TABLE a ADD UNIQUE (id); ALTER TABLE b ADD UNIQUE (id);\nCREATE TABLE many (x int REFERENCES owner, y int REFERENCES a (id), z int REFERENCES b (id));",
			Changes: []string{"DROP TABLE many;", "ALTER TABLE repo ADD FOREIGN KEY (owner_id) REFERENCES owner;\nALTER TABLE repo ADD FOREIGN KEY (id) REFERENCES a (id);"}},
		{Name: "CHECK without NOT VALID", Tools: 16, Rules: []string{"check-validates"}, Schema: nullable, Changes: []string{"ALTER TABLE repo ADD CHECK (id > 0);"}},
		{Name: "VALIDATE in the transaction of NOT VALID", Tools: 6, Rules: []string{"validate-in-same-transaction"}, Schema: nullable,
			Changes: []string{"ALTER TABLE repo ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\nALTER TABLE repo VALIDATE CONSTRAINT c;"}},
		{Name: "UNIQUE constraint not USING INDEX", Tools: 16, Rules: []string{"unique-builds-index"}, Schema: nullable, Changes: []string{"ALTER TABLE repo ADD UNIQUE (name);"}},
		{Name: "PRIMARY KEY not USING INDEX, with its implicit SET NOT NULL", Tools: 6, Rules: []string{"primary-key-builds-index"}, Schema: nullable,
			Changes: []string{"ALTER TABLE repo ADD PRIMARY KEY (id);"}},
		{Name: "EXCLUDE constraint", Tools: 10, Rules: []string{"exclusion-builds-index"}, Schema: nullable,
			Changes: []string{"ALTER TABLE repo ADD EXCLUDE USING btree (id WITH =);"}},
		{Name: "SET NOT NULL reads the table, unless a valid CHECK proves it", Tools: 15, Rules: []string{"set-not-null-scans"}, Schema: nullable,
			Changes: []string{"ALTER TABLE repo ALTER COLUMN name SET NOT NULL;"}},
		{Name: "PostgreSQL 18: NOT NULL … NOT VALID, then VALIDATE", Tools: 1, Rules: []string{"set-not-null-scans", "set-not-null"}, Version: 18, Schema: nullable,
			Note: "with NOT VALID set-not-null-scans is silent", Changes: []string{"ALTER TABLE repo ADD CONSTRAINT name_there NOT NULL name;"}, Says: []string{"NOT NULL name NOT VALID;"},
			Shown: []string{"migratecheck/testdata/rules/set-not-null-scans.txt"}},
		{Name: "constraint or NOT NULL of a domain", Tools: 4, Rules: []string{"domain-validates"},
			Schema: "CREATE DOMAIN mail AS text; CREATE TABLE u (m mail);", Changes: []string{"ALTER DOMAIN mail ADD CHECK (VALUE <> '');\nALTER DOMAIN mail SET NOT NULL;"}},
		{Name: "attach a partition without a CHECK that proves its bounds", Tools: 6, Rules: []string{"attach-partition-scans"}, Schema: parts,
			Changes: []string{"ALTER TABLE event ATTACH PARTITION event_2 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"}},
		{Name: "attaching reads the DEFAULT partition", Tools: 1, Rules: []string{"attach-partition-scans"},
			Schema:  parts + "CREATE TABLE event_rest PARTITION OF event DEFAULT;\nALTER TABLE event_2 ADD CHECK (day >= '2027-01-01' AND day < '2028-01-01');",
			Changes: []string{"ALTER TABLE event ATTACH PARTITION event_2 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');"}},
		{Name: "detach a partition without CONCURRENTLY", Tools: 6, Rules: []string{"detach-partition-not-concurrent"}, Schema: parts,
			Changes: []string{"ALTER TABLE event DETACH PARTITION event_1;"}},
	}
}
