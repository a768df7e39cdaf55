package migratecheck

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// renaming is a column mode of table t that a migration renames to kind. The table has a key k that every statement gives, and
// a column note.
type renaming struct {
	name   string
	schema string
	values [3]string // as SQL
	unset  string    // what the column holds where an INSERT leaves it out; "?" for a value that is not the same each time
	null   bool      // it can be NULL
	view   bool      // a view is proposed, not a trigger
	upsert bool      // there is a unique index on it
	fixed  bool      // code cannot write it
}

var renamings = []renaming{
	{name: "plain", schema: `CREATE TABLE t (k integer, mode text, note text)`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "not null", schema: `CREATE TABLE t (k integer, mode text NOT NULL, note text)`, values: [3]string{"'a'", "'b'", "'c'"}, unset: "-"},
	{name: "default", schema: `CREATE TABLE t (k integer, mode text DEFAULT 'x', note text)`, values: [3]string{"'a'", "'x'", "'c'"}, unset: "x", null: true},
	{name: "not null with default", schema: `CREATE TABLE t (k integer, mode varchar(8) NOT NULL DEFAULT 'x', note text)`, values: [3]string{"'a'", "'x'", "'c'"}, unset: "x"},
	{name: "scale", schema: `CREATE TABLE t (k integer, mode numeric DEFAULT 0, note text)`, values: [3]string{"1.0", "1.00", "0.0"}, unset: "0", null: true},
	{name: "fixed scale", schema: `CREATE TABLE t (k integer, mode numeric(6,2) DEFAULT 0, note text)`, values: [3]string{"1", "2", "3"}, unset: "0.00", null: true},
	{name: "json", schema: `CREATE TABLE t (k integer, mode json DEFAULT '{}', note text)`, values: [3]string{`'{"a": 1}'`, `'{"a":1}'`, `'{}'`}, unset: "{}", null: true},
	{name: "array", schema: `CREATE TABLE t (k integer, mode text[] NOT NULL DEFAULT '{}', note text)`, values: [3]string{`'{a}'`, `'{}'`, `'{b,c}'`}, unset: "{}"},
	{name: "enum", schema: `CREATE TYPE m AS ENUM ('a', 'b', 'c'); CREATE TABLE t (k integer, mode m NOT NULL DEFAULT 'b', note text)`, values: [3]string{"'a'", "'b'", "'c'"}, unset: "b"},
	{name: "no regard for case", schema: `CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE t (k integer, mode text COLLATE ci, note text)`, values: [3]string{"'a'", "'A'", "'b'"}, null: true},
	{name: "stable default", schema: `CREATE TABLE t (k integer, mode timestamptz(0) DEFAULT now(), note text)`, values: [3]string{"'2024-01-01 00:00+00'", "'2025-01-01 00:00+00'", "'2026-01-01 00:00+00'"}, unset: "?", null: true},
	{name: "volatile default", schema: `CREATE TABLE t (k integer, mode uuid NOT NULL DEFAULT gen_random_uuid(), note text)`, unset: "?",
		values: [3]string{"'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'", "'00000000-0000-0000-0000-000000000003'"}},
	{name: "volatile default, NULL", schema: `CREATE TABLE t (k integer, mode uuid DEFAULT gen_random_uuid(), note text)`, unset: "?", null: true, view: true,
		values: [3]string{"'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'", "'00000000-0000-0000-0000-000000000003'"}},
	{name: "serial", schema: `CREATE TABLE t (k integer, mode serial, note text)`, values: [3]string{"100", "200", "300"}, unset: "?"},
	{name: "foreign key", schema: `CREATE TABLE owner (id integer PRIMARY KEY); INSERT INTO owner VALUES (1), (2), (3);
		CREATE TABLE t (k integer, mode integer NOT NULL DEFAULT 2 REFERENCES owner ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, note text)`, values: [3]string{"1", "2", "3"}, unset: "2"},
	{name: "foreign key of two", schema: `CREATE TABLE owner (a integer, b integer, PRIMARY KEY (a, b)); INSERT INTO owner SELECT 1, generate_series(1, 3);
		CREATE TABLE t (k integer, a integer DEFAULT 1, mode integer, note text, FOREIGN KEY (a, mode) REFERENCES owner ON DELETE SET NULL (mode))`, values: [3]string{"1", "2", "3"}, null: true},
	{name: "checks", schema: `CREATE TABLE t (k integer, mode integer CHECK (mode > 0), note text, CONSTRAINT sane CHECK (mode < 10 OR note = 'big'), CONSTRAINT late CHECK (mode <> 7) NOT VALID)`,
		values: [3]string{"1", "2", "3"}, null: true},
	{name: "indexes", schema: `CREATE TABLE t (k integer, mode text, note text);
		CREATE INDEX ON t (mode); CREATE INDEX ON t (k DESC, mode text_pattern_ops DESC NULLS LAST) INCLUDE (note); CREATE INDEX lower_mode ON t (lower(mode)) WITH (fillfactor = 70) WHERE mode <> 'x';
		CREATE INDEX odd ON t (k) WHERE mode IS NULL; CREATE INDEX hashed ON t USING hash (mode)`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "attributes", schema: `CREATE TABLE t (k integer, mode text COLLATE "C", note text); ALTER TABLE t ALTER mode SET STORAGE external, ALTER mode SET STATISTICS 50, ALTER mode SET (n_distinct = 5);
		COMMENT ON COLUMN t.mode IS 'the user''s'; GRANT SELECT (mode, note), UPDATE (mode) ON t TO split_reader; GRANT INSERT (mode) ON t TO split_reader WITH GRANT OPTION`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "another trigger", schema: `CREATE TABLE t (k integer, mode text, note text);
		CREATE FUNCTION upper_mode() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := NEW.note || '!'; RETURN NEW; END $$;
		CREATE TRIGGER zoo BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION upper_mode()`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "names taken", schema: `CREATE TABLE t (k integer, mode integer NOT NULL CHECK (mode > 0), note text, CONSTRAINT t_kind_check CHECK (k > -100), CONSTRAINT t_kind_not_null CHECK (k < 1000));
		CREATE INDEX ON t (mode); CREATE TABLE t_kind_idx (); CREATE FUNCTION t_kind_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
		CREATE TRIGGER t_kind_sync1 AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION t_kind_sync()`, values: [3]string{"1", "2", "3"}, unset: "-"},
	{name: "long names", schema: `CREATE TABLE t (k integer, mode integer, note text,
		CONSTRAINT "a name of sixty-two bytes, to which nothing can be added, is it" CHECK (mode > 0), CONSTRAINT "a name of sixty-two bytes, to which nothing can be added, is 2t" CHECK (mode < 9));
		CREATE INDEX "the name of sixty-two bytes, to which nothing can be added, ist" ON t (mode)`, values: [3]string{"1", "2", "3"}, null: true},
	{name: "clustered", schema: `CREATE TABLE t (k integer, mode text, note text); CREATE UNIQUE INDEX own ON t (k); CREATE INDEX t_mode_idx ON t (mode); ALTER TABLE t CLUSTER ON t_mode_idx; ALTER TABLE t REPLICA IDENTITY FULL`,
		values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "replica identity", schema: `CREATE TABLE t (k integer, mode text NOT NULL UNIQUE, note text); ALTER TABLE t REPLICA IDENTITY USING INDEX t_mode_key, CLUSTER ON t_mode_key;
		CREATE TYPE t_base AS ENUM ('taken')`, values: [3]string{"'a'", "'b'", "'c'"}, unset: "-", view: true, upsert: true},
	{name: "quoted", schema: `CREATE SCHEMA "S"; CREATE TABLE t (k integer, mode text, note text); COMMENT ON TABLE t IS 'x'`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},

	{name: "unique", schema: `CREATE TABLE t (k integer, mode text UNIQUE, note text)`, values: [3]string{"'a'", "'b'", "'c'"}, null: true, view: true, upsert: true},
	{name: "unique index", schema: `CREATE TABLE t (k integer, mode text, note text); CREATE UNIQUE INDEX ON t (lower(mode))`, values: [3]string{"'a'", "'b'", "'c'"}, null: true, view: true},
	{name: "primary key", schema: `CREATE TABLE t (k integer, mode integer PRIMARY KEY, note text); CREATE TABLE child (t integer REFERENCES t)`, values: [3]string{"1", "2", "3"}, unset: "-", view: true, upsert: true},
	{name: "serial key", schema: `CREATE TABLE t (k integer, mode serial PRIMARY KEY, note text)`, values: [3]string{"100", "200", "300"}, unset: "?", view: true, upsert: true},
	{name: "identity", schema: `CREATE TABLE t (k integer, mode integer GENERATED BY DEFAULT AS IDENTITY, note text)`, values: [3]string{"100", "200", "300"}, unset: "?", view: true},
	{name: "identity always", schema: `CREATE TABLE t (k integer, mode integer GENERATED ALWAYS AS IDENTITY, note text)`, unset: "?", view: true, fixed: true},
	{name: "generated", schema: `CREATE TABLE t (k integer, mode integer GENERATED ALWAYS AS (k * 2) STORED, note text)`, unset: "?", view: true, fixed: true},
	{name: "generated from it", schema: `CREATE TABLE t (k integer, mode integer, note text, twice integer GENERATED ALWAYS AS (mode * 2) STORED)`, values: [3]string{"1", "2", "3"}, null: true, view: true},
	{name: "exclusion", schema: `CREATE TABLE t (k integer, mode int4range, note text, EXCLUDE USING gist (mode WITH &&))`, values: [3]string{"'[1,2)'", "'[2,3)'", "'[3,4)'"}, null: true, view: true},
	{name: "domain", schema: `CREATE DOMAIN d AS integer NOT NULL; CREATE TABLE t (k integer, mode d DEFAULT 2, note text)`, values: [3]string{"1", "2", "3"}, unset: "2", view: true},
	{name: "domain of another column", schema: `CREATE DOMAIN d AS text DEFAULT 'theirs'; CREATE TABLE t (k integer, mode integer UNIQUE, note text, of d DEFAULT 'own' CHECK (of = 'own'))`, values: [3]string{"1", "2", "3"}, null: true, view: true},
	{name: "read by a view", schema: `CREATE TABLE t (k integer, mode text DEFAULT 'x', note text); CREATE VIEW v AS SELECT mode FROM t;
		GRANT SELECT, INSERT ON t TO split_reader; GRANT UPDATE (mode) ON t TO split_reader`, values: [3]string{"'a'", "'b'", "'c'"}, unset: "x", null: true, view: true},
	{name: "policy", schema: `CREATE TABLE t (k integer, mode text, note text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (mode <> 'b' OR mode IS NULL); GRANT SELECT ON t TO split_reader`, values: [3]string{"'a'", "'b'", "'c'"}, null: true, view: true},
	{name: "partition key", schema: `CREATE TABLE t (k integer, mode integer NOT NULL, note text) PARTITION BY LIST (mode); CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1, 2); CREATE TABLE t_2 PARTITION OF t DEFAULT`, values: [3]string{"1", "2", "3"}, unset: "-", view: true},
	{name: "set by a trigger", schema: `CREATE TABLE t (k integer, mode text, note text);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.mode := upper(NEW.mode); RETURN NEW; END $$;
		CREATE TRIGGER tr BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()`, values: [3]string{"'A'", "'B'", "'C'"}, null: true, view: true},
	{name: "read by a later trigger", schema: `CREATE TABLE t (k integer, mode text, note text); CREATE TABLE log (mode text);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.mode); RETURN NULL; END $$;
		CREATE TRIGGER tr AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()`, values: [3]string{"'a'", "'b'", "'c'"}, null: true},
	{name: "trigger of it", schema: `CREATE TABLE t (k integer, mode text, note text);
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
		CREATE TRIGGER tr BEFORE UPDATE OF mode ON t FOR EACH ROW EXECUTE FUNCTION f()`, values: [3]string{"'a'", "'b'", "'c'"}, null: true, view: true},
}

// TestRenameSplit runs the split that rename-column prints on a server. While each of its statements is there, code of both
// names writes in every way, and both see what either wrote; at the end the table is as ALTER TABLE RENAME COLUMN would have left it.
func TestRenameSplit(t *testing.T) {
	server := pgtest.Shared(t, pgtest.Config{})
	createReader(t, server)
	for _, r := range renamings {
		t.Run(r.name, func(t *testing.T) {
			help := helpOf(t, r.schema, "ALTER TABLE t RENAME COLUMN mode TO kind", "rename-column")
			stages := splitStages(t, help)
			require.Equal(t, r.view, strings.Contains(help, "CREATE VIEW"), help)

			p := &splitRun{t: t, renaming: r, conn: pgtest.Connect(t, server.Database(t)), want: map[int]string{}}
			p.exec(r.schema)
			p.write("mode")
			// What the help leaves to the reader.
			body := ""
			if _, rest, found := strings.Cut(r.schema, "CREATE FUNCTION f()"); found && strings.Contains(help, "with a body of f() that names the new column") {
				def, _, _ := strings.Cut(rest, "$$;")
				body = "CREATE OR REPLACE FUNCTION f()" + strings.ReplaceAll(def, "NEW.mode", "NEW.kind") + "$$; "
			}
			if r.view {
				p.exec("BEGIN; " + body + strings.Join(stages[1], "; ") + "; COMMIT")
			} else {
				// Rows from before, of which one is changed when the trigger is there and the column not filled.
				p.exec(fmt.Sprintf("INSERT INTO t (k, mode) VALUES (-1, %s), (-2, %[1]s), (-3, %[1]s)", r.values[0]))
				for _, stmt := range stages[1] {
					p.exec(stmt)
					if strings.HasPrefix(stmt, "CREATE TRIGGER") {
						p.exec(fmt.Sprintf("UPDATE t SET mode = %s WHERE k = -2", r.values[1]))
						p.exec("UPDATE t SET note = 'x' WHERE k = -3")
					}
					p.write("mode")
				}
			}
			p.both = true
			p.check("mode", "kind")
			for range 2 {
				p.write("mode")
				p.write("kind")
			}
			if strings.Contains(r.schema, "SELECT ON t TO split_reader") { // by a view as by the table
				p.exec(`SET ROLE split_reader`)
				var sees int
				require.NoError(t, p.conn.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE mode = 'b' AND kind = 'b'").Scan(&sees))
				require.Zero(t, sees)
				p.exec(`RESET ROLE`)
			}
			p.exec("BEGIN; " + body + strings.Join(stages[3], "; ") + "; COMMIT")
			p.both = false
			p.write("kind")

			twin := pgtest.Connect(t, server.Database(t))
			_, err := twin.Exec(t.Context(), r.schema+"; ALTER TABLE t RENAME COLUMN mode TO kind")
			require.NoError(t, err)
			require.Equal(t, tableAsItIs(t, twin), tableAsItIs(t, p.conn), help)
		})
	}
}

// createReader makes the role that the schemas give rights to, once for the server.
func createReader(t *testing.T, server *pgtest.Server) {
	t.Helper()
	_, err := pgtest.Connect(t, server.Database(t)).Exec(t.Context(), `DO $$ BEGIN CREATE ROLE split_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	require.NoError(t, err)
}

// TestSyncIsLast: the trigger sees what those before it set.
func TestSyncIsLast(t *testing.T) {
	for last, want := range map[string]string{"a": "t_kind_sync", "zzz": "zzz_sync", "ua": "zz_t_kind_sync", "~": "\"~_sync\""} {
		help := helpOf(t, fmt.Sprintf(`CREATE TABLE t (k integer, mode text, note text); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
			CREATE TRIGGER %q BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()`, last), "ALTER TABLE t RENAME COLUMN mode TO kind", "rename-column")
		require.Contains(t, help, "CREATE TRIGGER "+want+" BEFORE")
	}
}

// TestRenameOfDomainDefault: no split for what a server refuses.
func TestRenameOfDomainDefault(t *testing.T) {
	require.NotContains(t, helpOf(t, `CREATE DOMAIN d AS integer DEFAULT 2; CREATE TABLE t (k integer, mode d, note text)`, "ALTER TABLE t RENAME COLUMN mode TO kind", "rename-column"), "release")
}

// TestRenameTableSplit runs the split that rename-table prints: both names take the same from the same roles.
func TestRenameTableSplit(t *testing.T) {
	const schema = `CREATE DOMAIN d AS text DEFAULT 'theirs';
		CREATE TABLE t (k integer PRIMARY KEY, mode text DEFAULT 'x', n serial, of d DEFAULT 'own', hidden boolean DEFAULT false);
		ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (NOT hidden);
		GRANT SELECT, DELETE ON t TO split_reader; GRANT INSERT (k, mode, hidden), UPDATE (mode) ON t TO split_reader; GRANT USAGE ON SEQUENCE t_n_seq TO split_reader`
	server := pgtest.Shared(t, pgtest.Config{})
	createReader(t, server)
	help := helpOf(t, schema, "ALTER TABLE t RENAME TO u", "rename-table")
	stages := splitStages(t, help)
	conn := pgtest.Connect(t, server.Database(t))
	exec := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err, sql)
	}
	exec(schema)
	exec("INSERT INTO t (k, hidden) VALUES (0, true)")
	work := func(table string) {
		t.Helper()
		exec("SET ROLE split_reader")
		for _, sql := range []string{"INSERT INTO %s (k) VALUES (1)", "INSERT INTO %s (k, mode) VALUES (1, 'z') ON CONFLICT (k) DO UPDATE SET mode = excluded.mode", "UPDATE %s SET mode = mode || 'y'"} {
			exec(fmt.Sprintf(sql, table))
		}
		var row string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT string_agg(k || mode || of, ',') FROM "+table).Scan(&row))
		require.Equal(t, "1zyown", row)
		exec(fmt.Sprintf("DELETE FROM %s WHERE k = 1", table))
		_, err := conn.Exec(t.Context(), fmt.Sprintf("UPDATE %s SET hidden = true", table))
		require.ErrorContains(t, err, "permission denied")
		exec("RESET ROLE")
	}
	work("t")
	exec("BEGIN; " + strings.Join(stages[1], "; ") + "; COMMIT")
	work("t")
	work("u")
	work("t")
	exec("BEGIN; " + strings.Join(stages[3], "; ") + "; COMMIT")
	work("u")
	var relations []string
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')").Scan(&relations))
	require.Equal(t, []string{"u"}, relations)
}

// helpOf is what a rule advises against a migration.
func helpOf(t *testing.T, schema, migration, rule string) string {
	t.Helper()
	report := newTree(t).write(map[string]string{"migrations/0001_a.sql": "-- +brant Up\n-- +brant StatementBegin\n" + schema + ";\n-- +brant StatementEnd\n"}).commit("1.0").
		write(map[string]string{"migrations/0002_b.sql": "-- +brant Up\n" + migration + ";\n"}).commit("").lint(Config{})
	i := slices.IndexFunc(report.Findings, func(f Finding) bool { return f.Rule == rule })
	require.GreaterOrEqual(t, i, 0, "%v", report.Findings)
	return report.Findings[i].Help
}

// splitStages are the statements of a split, by its releases.
func splitStages(t *testing.T, help string) [4][]string {
	t.Helper()
	var text [4]strings.Builder
	release := 0
	for _, line := range strings.Split(help, "\n") {
		for n := 1; n < len(text); n++ {
			if strings.HasPrefix(line, fmt.Sprintf("release %d", n)) {
				release = n
			}
		}
		if c := line[0]; release > 0 && (c < 'a' || c > 'z') {
			text[release].WriteString(line + "\n")
		}
	}
	require.Equal(t, 3, release, help)
	var stages [4][]string
	for i := range text {
		for _, span := range pgast.Split(text[i].String()) {
			stages[i] = append(stages[i], span.Text)
		}
	}
	return stages
}

// splitRun is the database of a service whose column is being renamed.
type splitRun struct {
	t *testing.T
	renaming
	conn *pgx.Conn
	k    int            // the last key
	want map[int]string // by key, what the column must hold: "NULL", or "?" for anything
	both bool           // both columns are there, and filled
}

func (p *splitRun) exec(sql string) {
	p.t.Helper()
	_, err := p.conn.Exec(p.t.Context(), sql)
	require.NoError(p.t, err, sql)
}

// write does what code that knows the column by one name can do with it.
func (p *splitRun) write(column string) {
	p.t.Helper()
	check := func() {
		p.t.Helper()
		p.check(column, column)
		if p.both {
			p.check("mode", "kind")
		}
	}
	insert := func(value string) {
		p.k++
		p.exec(fmt.Sprintf("INSERT INTO t (k, %s, note) VALUES (%d, %s, 'n')", column, p.k, value))
	}
	give := func(sql, holds string) {
		p.exec(sql)
		p.want[p.k] = holds
		check()
	}
	// Of columns that must differ from row to row one row is enough.
	p.exec("DELETE FROM t WHERE k > 0")
	clear(p.want)
	if p.unset != "-" {
		p.k++
		unset := p.unset
		if unset == "" {
			unset = "NULL"
		}
		give(fmt.Sprintf("INSERT INTO t (k, note) VALUES (%d, 'n')", p.k), unset)
	}
	if p.fixed {
		return
	}
	if p.null {
		insert("NULL")
		p.want[p.k] = "NULL"
		check()
	}
	for i, value := range p.values {
		text := p.text(value)
		insert(value)
		p.want[p.k] = text
		check()
		update := func(set, holds string) {
			p.t.Helper()
			give(fmt.Sprintf("UPDATE t SET %s WHERE k = %d", set, p.k), holds)
		}
		update("note = 'other'", text)
		if i > 0 {
			continue
		}
		for _, v := range p.values[1:] {
			update(column+" = "+v, p.text(v))
		}
		if p.null {
			update(column+" = NULL", "NULL")
			update("note = 'x'", "NULL")
			update(fmt.Sprintf("%s = %s, note = 'y'", column, p.values[1]), p.text(p.values[1]))
			update(column+" = NULL", "NULL")
		}
		update(column+" = "+value, text)
	}
	if p.upsert {
		give(fmt.Sprintf("INSERT INTO t (k, %s) VALUES (%d, %s) ON CONFLICT (%[1]s) DO UPDATE SET note = excluded.note, %[1]s = excluded.%[1]s", column, p.k, p.values[2]), p.text(p.values[2]))
	}
}

// text is a value as the column shows it.
func (p *splitRun) text(value string) (text string) {
	p.t.Helper()
	require.NoError(p.t, p.conn.QueryRow(p.t.Context(), `SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE attname IN ('mode', 'kind') AND c.relkind IN ('r', 'p') AND c.relname IN ('t', 't_base', 't_base1') LIMIT 1`).Scan(&text))
	require.NoError(p.t, p.conn.QueryRow(p.t.Context(), fmt.Sprintf("SELECT (%s)::%s::text", value, text)).Scan(&text))
	return text
}

// check compares what the table holds under two names with what was written.
func (p *splitRun) check(one, two string) {
	p.t.Helper()
	rows, err := p.conn.Query(p.t.Context(), fmt.Sprintf("SELECT k, coalesce(%s::text, 'NULL'), coalesce(%s::text, 'NULL') FROM t ORDER BY k", one, two))
	require.NoError(p.t, err)
	type row struct {
		K        int
		One, Two string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	require.NoError(p.t, err)
	seen := 0
	for _, r := range list {
		require.Equal(p.t, r.One, r.Two, "row %d", r.K)
		if r.K < 0 {
			continue
		}
		seen++
		if want := p.want[r.K]; want == "?" {
			require.NotEqual(p.t, "NULL", r.One)
		} else {
			require.Equal(p.t, want, r.One, "row %d", r.K)
		}
	}
	require.Len(p.t, p.want, seen)
}

// tableAsItIs lists all there is to t but for the order of its columns and the names of what hangs on it.
func tableAsItIs(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(context.WithoutCancel(t.Context()), `
		SELECT 'column ' || concat_ws(' | ', attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity, attgenerated,
			attcollation::regcollation, attstorage, attstattarget, attoptions, attacl, col_description(attrelid, attnum))
		FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT 'constraint ' || pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ' (not valid)' END FROM pg_constraint WHERE 't'::regclass IN (conrelid, confrelid)
		UNION ALL SELECT 'index ' || regexp_replace(pg_get_indexdef(indexrelid), 'INDEX ("[^"]+"|\S+) ON', 'INDEX ON') || concat_ws(' | ', indisvalid, indisclustered, indisreplident) FROM pg_index WHERE indrelid = 't'::regclass
		UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal
		UNION ALL SELECT 'policy ' || pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = 't'::regclass
		UNION ALL SELECT 'sequence ' || coalesce(pg_get_serial_sequence('t', 'kind'), 'none')
		UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype
		UNION ALL SELECT 'relation ' || concat_ws(' | ', relname, relkind, relacl, relrowsecurity, relreplident) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I')
		ORDER BY 1`)
	require.NoError(t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return list
}
