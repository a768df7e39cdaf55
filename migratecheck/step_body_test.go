package migratecheck

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// TestPlaceInBody: a finding about a statement in a body stands at ‹, wherever and however the body is written in the file.
func TestPlaceInBody(t *testing.T) {
	const at = "‹"
	up := func(sql string) string {
		return "-- +brant Up\n-- +brant StatementBegin\n" + sql + "\n-- +brant StatementEnd\n-- +brant Down\n"
	}
	// Text of several bytes a character, and words that look like the statement, stand before it.
	const before = "\nDECLARE x integer; -- ALTER TABLE repo DROP COLUMN name\nBEGIN /* é */ RAISE NOTICE 'ALTER TABLE repo DROP COLUMN name: é'; "
	quoted := strings.ReplaceAll(before, "'", "''")
	python := func(sql string) string {
		return "revision = '2'\ndown_revision = '1'\nfrom alembic import op\n\n\ndef upgrade():\n    op.execute(" + sql + ")\n\n\ndef downgrade():\n    pass\n"
	}
	for _, c := range []struct{ name, rule, file string }{
		{"dollar quotes", "drop-column", up("DO $$" + before + "ALTER TABLE repo ‹DROP COLUMN name; END $$;")},
		{"tagged", "drop-column", up("DO LANGUAGE 'plpgsql' $b$" + before + "\n  ALTER TABLE repo\n    ‹DROP COLUMN name; END $b$;")},
		{"quotes", "drop-column", up("DO '" + quoted + "ALTER TABLE repo ‹DROP COLUMN name; END';")},
		{"escapes", "drop-column", up(`DO E'BEGIN\n\tRAISE NOTICE \'\u00e9 ''\'x\'''\';\n  ALTER TABLE "re\160o" ‹DROP COLUMN name; END';`)},
		{"continued", "drop-column", up("DO 'BEGIN ALTER TABLE'\n  ' repo ‹DROP COLUMN name; END';")},
		{"CRLF", "drop-column", strings.ReplaceAll(up("DO $$"+before+"\nALTER TABLE repo ‹DROP COLUMN name; END $$;"), "\n", "\r\n")},
		{"second of a line", "drop-column", up("DO $$ BEGIN ALTER TABLE repo ADD COLUMN a text; ALTER TABLE repo ‹DROP COLUMN name; END $$;")},
		{"INTO", "unbatched-backfill", up("DO $$ DECLARE n integer; BEGIN\n  ‹UPDATE repo SET name = '' RETURNING 1 INTO n; END $$;")},
		{"IF", "drop-column", up("DO $$ BEGIN IF true THEN\n\tALTER TABLE repo ‹DROP COLUMN name;\nEND IF; END $$;")},
		{"EXECUTE of a constant", "drop-column", up("DO $$ BEGIN\n  EXECUTE 'SELECT ''é''; ALTER TABLE repo ‹DROP COLUMN name'; END $$;")},
		{"EXECUTE of a dollar quote", "drop-column", up("DO $$ BEGIN EXECUTE $q$ALTER TABLE repo ‹DROP COLUMN name$q$; END $$;")},
		{"EXECUTE of an expression", "drop-column", up("DO $$ BEGIN PERFORM 1;\n  ‹EXECUTE 'ALTER TABLE ' || 'repo DROP COLUMN name'; END $$;")},
		{"EXECUTE of several lines", "drop-column", up("DO $$ BEGIN\n  ‹EXECUTE format('ALTER TABLE %I\n  DROP COLUMN name', 'repo'); END $$;")},
		{"FOR EACH", "drop-column", up("DO $$ DECLARE c text; BEGIN FOREACH c IN ARRAY ARRAY['name'] LOOP\n  ‹EXECUTE format('ALTER TABLE repo DROP COLUMN %I', c);\nEND LOOP; END $$;")},
		{"loop over rows", "unbatched-backfill", up("DO $$ DECLARE r record; BEGIN FOR r IN SELECT id FROM repo LOOP\n  ‹UPDATE repo SET name = '' WHERE id = r.id;\nEND LOOP; END $$;")},
		{"plpgsql function", "drop-column", up("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n  ALTER TABLE repo ‹DROP COLUMN name;\nEND $$; SELECT f();")},
		{"SQL function", "drop-column", up("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS '\n SELECT ''é'';\n  ALTER TABLE repo ‹DROP COLUMN name'; SELECT f();")},
		{"procedure of a DO block", "unbatched-backfill", up("CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN\n ‹DELETE FROM repo; END $$; DO $$ BEGIN CALL p(); END $$;")},
		{"the last of the same name", "drop-column", up("CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f();\nCREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'ALTER TABLE repo ‹DROP COLUMN name'; SELECT f();")},
		{"function of another file", "drop-column", up("‹SELECT released();")},
		{"BEGIN ATOMIC", "unbatched-backfill", up("CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM repo; END;\n‹SELECT f();")},
		{"DO block that a DO block makes", "drop-column", up("‹DO $$ BEGIN EXECUTE 'DO ''BEGIN ALTER TABLE repo DROP COLUMN name; END'''; END $$;")},
		{"error", "unknown-object", up("DO $$ BEGIN PERFORM 1;\n  ‹ALTER TABLE repos DROP COLUMN name; END $$;")},
		{"error in a function", "fails-to-apply", up("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n  ‹CREATE TABLE repo (); END $$; SELECT f();")},
		{"not understood", "not-understood", up("DO $$ BEGIN\n  ‹IF EXISTS (SELECT FROM repo) THEN ALTER TABLE repo DROP COLUMN name; END IF; END $$;")},
		{"not known", "not-understood", up("DO $$ BEGIN PERFORM 1; ‹EXECUTE current_setting('a.b'); END $$;")},
		{"Python", "drop-column", python("\"\"\"\n      DO $$ BEGIN -- é\n        ALTER TABLE repo ‹DROP COLUMN name;\n      END $$\n    \"\"\"")},
		{"Python with escapes", "drop-column", python(`'DO \'BEGIN RAISE NOTICE \'\'\u00e9\'\';\n ALTER TABLE repo ‹DROP COLUMN name; END\''`)},
		{"Python of several strings", "drop-column", python("\"DO $$ BEGIN \"\n        \"ALTER TABLE repo ‹DROP COLUMN name; \"\n        \"END $$\"")},
	} {
		t.Run(c.name, func(t *testing.T) {
			start, _, ok := strings.Cut(c.file, at)
			require.True(t, ok)
			want := source.Position{Line: 1 + strings.Count(start, "\n"), Column: len(start) - strings.LastIndexByte(start, '\n')}
			first, second := "migrations/0001_a.sql", "migrations/0002_b.sql"
			base := "-- +brant Up\n-- +brant StatementBegin\nCREATE TABLE repo (id integer PRIMARY KEY, name text); CREATE FUNCTION released() RETURNS void LANGUAGE sql AS 'ALTER TABLE repo DROP COLUMN name';\n-- +brant StatementEnd\n"
			if strings.HasPrefix(c.file, "revision") {
				first, second = "alembic/versions/1.py", "alembic/versions/2.py"
				base = "revision = '1'\ndown_revision = None\nfrom alembic import op\n\ndef upgrade():\n    op.execute('CREATE TABLE repo (id integer PRIMARY KEY, name text)')\n"
			}
			want.File = second
			w := newTree(t).write(map[string]string{first: base}).commit("1.0").write(map[string]string{second: strings.Replace(c.file, at, "", 1)}).commit("")
			var places []source.Position
			for _, f := range w.lint(Config{}).Findings {
				if f.Rule == c.rule {
					places = append(places, f.Pos)
				}
			}
			require.Equal(t, []source.Position{want}, places)
		})
	}
}
