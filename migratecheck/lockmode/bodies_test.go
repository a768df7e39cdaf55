package lockmode

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
)

// bodies are functions whose bodies change rows, in every way that a body can.
const bodies = `
CREATE FUNCTION in_sql() RETURNS void LANGUAGE sql AS $$ UPDATE x SET ts = now() $$;
CREATE FUNCTION in_atomic() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM chi; END;
CREATE FUNCTION in_plpgsql() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM in_sql(); RETURN 1; END $$;
CREATE FUNCTION in_value() RETURNS integer LANGUAGE plpgsql AS $$ DECLARE n integer; BEGIN n := in_plpgsql(); RETURN n; END $$;
CREATE FUNCTION in_return() RETURNS SETOF integer LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY UPDATE chi SET a = 1 RETURNING a; END $$;
CREATE FUNCTION in_dynamic(rel text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('DELETE FROM %I', rel); END $$;
CREATE FUNCTION in_condition() RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF in_value() = 1 THEN DELETE FROM tc; END IF; END $$;
CREATE FUNCTION in_branch(n integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN IF random() < 2 THEN DELETE FROM tc; END IF; END $$;
CREATE FUNCTION in_with() RETURNS bigint LANGUAGE sql AS $$ WITH d AS (DELETE FROM chi RETURNING *), u AS (UPDATE tc SET c = row(2) RETURNING 1) SELECT count(*) FROM d, u $$;
CREATE PROCEDURE in_procedure() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO dt VALUES (1, 2, 3); CALL in_other(); END $$;
CREATE PROCEDURE in_other() LANGUAGE sql AS $$ DELETE FROM chi $$;
`

// TestBodies: the locks of a statement are its own and those of the statements that it runs (catalog.Effects.Inner).
func TestBodies(t *testing.T) {
	for _, version := range testedVersions(t) {
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			t.Parallel()
			if version < 14 {
				return // BEGIN ATOMIC is 14's
			}
			w := newWorkbench(t, version)
			dsn := w.copy(t, bodies)
			cat := w.catalog(t, bodies)
			for _, sql := range []string{
				"SELECT in_sql()", "SELECT in_atomic()", "SELECT * FROM in_plpgsql()", "SELECT in_value()", "SELECT in_return()",
				"SELECT in_dynamic('chi')", "SELECT in_condition()", "SELECT in_branch(1)", "SELECT in_with()", "CALL in_procedure()",
				"INSERT INTO tc SELECT NULL WHERE in_value() = 1", "SELECT in_branch(g) FROM generate_series(1, 2) AS g",
				"DO $$ BEGIN PERFORM in_value(); END $$",
				"WITH d AS (DELETE FROM chi RETURNING *) SELECT in_sql()",
			} {
				t.Run(sql, func(t *testing.T) {
					ctx := t.Context()
					conn := pgtest.Connect(t, dsn) // a session keeps the plans of bodies, and a kept one locks no index
					tx, err := conn.Begin(ctx)
					require.NoError(t, err)
					defer func() { require.NoError(t, tx.Rollback(ctx)) }()
					got, err := observe(ctx, tx, sql)
					require.NoError(t, err)
					stmt := parseOne(t, sql)
					after, effects, err := cat.After(stmt)
					require.NoError(t, err)
					require.Empty(t, effects.Gaps)
					effect, err := AnalyzeApplied(version, cat, after, nil, stmt)
					require.NoError(t, err)
					sum := predicted(effect)
					for _, in := range effects.Inner {
						effect, err := AnalyzeApplied(version, in.Before, in.After, nil, in.Stmt)
						require.NoError(t, err)
						for name, mode := range predicted(effect).locks {
							sum.locks[name] = Strongest(sum.locks[name], mode)
						}
					}
					require.Equal(t, got.locks, sum.locks)
				})
			}
		})
	}
}
