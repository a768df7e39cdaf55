package catalog

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// TestExprSQL: what is written here is what the parser's own deparser writes.
func TestExprSQL(t *testing.T) {
	written := 0
	for _, expr := range []string{
		"1", "-1", "true", "'it''s'", "''", `E'a\\b'`, "1.5", "null", "id", "user_id", "repo.user_id", `"Quoted"`, `"user"`, `"order"`, "created", "name", "size", "key", "type",
		"now()", "gen_random_uuid()", "gen_uuidv7()", "nextval('t_id_seq')", "nextval('t_id_seq'::regclass)", "lower(user_name)", "upper(lower(id))",
		"user_id IS NULL", "user_id IS NOT NULL", "(a_1 + b_1) IS NULL", "user_id > 0", "user_id = id", "a_1 || b_1", "a_1 + b_1 * 2", "(a_1 + b_1) * 2",
		"a_1 - -1", "- a_1", "count(*)", "count(DISTINCT a_1)", "f_1(VARIADIC a_1)", "f_1(a_1 => 1)", "a_1 = ANY (b_1)", "a_1 IN (1, 2)", "pg_catalog.now()",
		"current_date", "current_user", "session_user", "a_1 OPERATOR(pg_catalog.+) 1", "length(a_1) <= 255", "a_1 ~ '^[a-z]+$'", "a_1 BETWEEN 1 AND 2",
		"trim(a_1)", "substring(a_1 from 2)", "extract(epoch from a_1)", "coalesce(a_1, 1)", "a_1 ->> 'key'", "a_1 LIKE 'x%'", "xmin", "a_1 AND b_1", "NOT a_1",
		"a_1.*", "json_build_object('a', 1)", "pg_typeof(a_1)", "current_setting('a.b')", "x1 = 'true'", "f_1()", "a_1 AT TIME ZONE 'UTC'", "a_1 COLLATE \"C\"",
	} {
		stmts, err := pgast.Parse("SELECT " + expr)
		require.NoError(t, err, expr)
		node := stmts[0].Node.GetSelectStmt().TargetList[0].GetResTarget().Val
		want, err := pgast.DeparseExpr(node)
		require.NoError(t, err, expr)
		require.Equal(t, want, exprSQL(node))
		var b strings.Builder
		if writeExpr(&b, node) {
			written++
		}
	}
	require.GreaterOrEqual(t, written, 20, "most expressions of the list that are simple are written here")
}
