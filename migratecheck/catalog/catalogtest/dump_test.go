package catalogtest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDump(t *testing.T) {
	c := newChecker(t)
	text, err := os.ReadFile(os.Getenv("DUMP"))
	require.NoError(t, err)
	for _, s := range ParseScripts(string(text)) {
		require.NoError(t, c.reset(t.Context()))
		for _, sql := range s.Statements {
			_, err := c.conn.PgConn().Exec(t.Context(), sql).ReadAll()
			t.Logf("%s: %v", oneLine(sql), err)
		}
		snap, err := Read(t.Context(), c.conn)
		require.NoError(t, err)
		t.Logf("%s\n%s", s.Name, snap)
	}
}
