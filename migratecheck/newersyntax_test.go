package migratecheck

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/internal/pgtest"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// newerForms are statements that PostgreSQL 16 does not know, and our parser neither unless it takes NOT NULL for what 18 does. Each is sent to the servers that are installed: those before its
// version must call it a syntax error, and that version and later ones must not (they may miss the table).
func newerForms() map[string]int {
	return map[string]int{
		"ALTER DOMAIN d ADD CONSTRAINT c NOT NULL":                                  17,
		"ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID":                       18,
		"ALTER TABLE t ADD NOT NULL a":                                              18,
		"SELECT * FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a int PATH '$'))":          17,
		"SELECT JSON_VALUE('1', '$' RETURNING int)":                                 17,
		"MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED BY SOURCE THEN DELETE":  17,
		"MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE RETURNING t.a":  17,
		"ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (b + 1)":                    17,
		"ALTER TABLE t SET ACCESS METHOD DEFAULT":                                   17,
		"ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED":                              18,
		"CREATE TABLE t2 (a int, d daterange, PRIMARY KEY (a, d WITHOUT OVERLAPS))": 18,
		"CREATE TABLE t3 (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL)":        18,
		"CREATE TABLE t4 (a int, b int GENERATED ALWAYS AS (a + 1))":                18,
		"CREATE TABLE t5 (a int NOT NULL NO INHERIT)":                               18,
		"ALTER TABLE t ALTER CONSTRAINT c INHERIT":                                  18,
		"ANALYZE ONLY pg_class":                                                     18,
		"INSERT INTO t VALUES (1) RETURNING WITH (OLD AS o) o.a":                    18,
	}
}

func TestNewerForms(t *testing.T) {
	for sql, since := range newerForms() {
		stmts, err := pgast.Parse("SELECT 1; " + sql + "; SELECT 2")
		if err == nil {
			require.Equal(t, since, stmts[1].Newer.Since, sql)
			continue
		}
		var syntax *pgast.SyntaxError
		require.True(t, errors.As(err, &syntax), "the parser knows it by now: %s", sql)
		form, ok := pgast.FindNewer("SELECT 1; "+sql+"; SELECT 2", syntax.Offset)
		require.True(t, ok, sql)
		require.Equal(t, since, form.Since, sql)
	}
	for _, sql := range []string{"ALTER TABLE t DROP CONSTRIANT c", "ALTER TABLE t ADD COLUMN a int NOT NUL", "MERGE INTO t USIGN u ON true", "SELECT 'ADD NOT NULL' FORM t"} {
		_, ok := pgast.FindNewer(sql, 5)
		require.False(t, ok, sql)
	}
	form, ok := pgast.FindNewer("ALTER TABLE t ALTER CONSTRAINT c NO INHERIT", 0) // before 18 no syntax error, and without a position
	require.True(t, ok)
	require.Equal(t, 18, form.Since)
	_, ok = pgast.FindNewer("ANALYZE ONLY t; ALTER TABEL t", 22)
	require.False(t, ok, "it stands in another statement")
}

func TestNewerFormsOnServers(t *testing.T) {
	installed := pgtest.Versions()
	if len(installed) == 0 {
		pgtest.Shared(t, pgtest.Config{}) // skips, or fails in CI
	}
	for _, version := range []int{slices.Min(installed), slices.Max(installed)} {
		t.Run(fmt.Sprint("PostgreSQL ", version), func(t *testing.T) {
			conn := pgtest.Connect(t, pgtest.Shared(t, pgtest.Config{Version: version}).Database(t))
			for sql, since := range newerForms() {
				_, err := conn.Exec(t.Context(), sql)
				var e *pgconn.PgError
				refused := errors.As(err, &e) && e.Code == "42601"
				require.Equal(t, version < since, refused, "%s: %v", sql, err)
			}
		})
	}
}
