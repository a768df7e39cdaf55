package pgast

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// corpus returns the SQL files of testdata and, when PGAST_CORPUS names a directory, those in it: PostgreSQL's
// regression suite (test/sql/postgres_regress of libpg_query's repository) is too large to keep here.
func corpus(t testing.TB) map[string]string {
	files := map[string]string{}
	for _, dir := range []string{"testdata", os.Getenv("PGAST_CORPUS")} {
		if dir == "" {
			continue
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.sql"))
		require.NoError(t, err)
		for _, name := range names {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			files[filepath.Base(name)] = string(text)
		}
	}
	require.NotEmpty(t, files)
	return files
}
