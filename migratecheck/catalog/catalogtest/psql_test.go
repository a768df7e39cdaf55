package catalogtest

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitPsql(t *testing.T) {
	text, err := os.ReadFile("testdata/regress/shop.sql")
	require.NoError(t, err)
	list := SplitPsql(string(text))
	require.Len(t, list, 21)
	require.Equal(t, "SELECT * FROM customer", list[1])
	require.Equal(t, "SELECT 1 AS one", list[2])
	require.Contains(t, list[5], "END FROM orders WHERE customer = c;\nEND")
	require.Contains(t, list[9], "SELECT 1)")
}

func TestSplitPsqlCopyWithoutData(t *testing.T) {
	require.Equal(t, []string{"SELECT 1"}, SplitPsql("COPY nothing FROM stdin;\nSELECT 1;\n"))
}

func TestParseScripts(t *testing.T) {
	scripts := ParseScripts("-- a file\n-- script: one\nSELECT 1;\nDO $$\nBEGIN;\nEND $$;\n\n-- script: two\nSELECT\n  2;\n")
	require.Equal(t, []Script{
		{Name: "one", Statements: []string{"SELECT 1", "DO $$\nBEGIN;\nEND $$"}},
		{Name: "two", Statements: []string{"SELECT\n  2"}},
	}, scripts)
}
