package catalog

import (
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"github.com/stretchr/testify/require"
)

func TestTmpBind(t *testing.T) {
	c := New(Config{})
	stmts, err := pgast.Parse(`SELECT 1+1, now(), 'x'::varchar(10), array_agg(n), string_agg(relname, ','), max(oid), numeric '1.5' * 2, '{a}'::text[], 'a'||1, pg_class.relname FROM pg_class, generate_series(1,10) n group by relname`)
	require.NoError(t, err)
	cols, refs, unknown, err := c.queryColumns(stmts[0].Node)
	require.NoError(t, err)
	for _, col := range cols {
		t.Log(col.Name, c.FormatType(col.Type))
	}
	t.Log(refs, unknown)
}
