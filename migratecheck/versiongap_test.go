package migratecheck

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// TestVersionGapUnreadable: the number of a file that could not be read is taken.
func TestVersionGapUnreadable(t *testing.T) {
	f := newFixture()
	f.add("schema", "CREATE TABLE t (id integer PRIMARY KEY);")
	f.files["0002_binary.sql"] = &fstest.MapFile{Data: []byte("-- +brant Up\nSELECT 1;\x00")}
	f.add("0003_change.sql", "SELECT 1;")
	require.Empty(t, only(f.lint(t), "version-gap"))
	delete(f.files, "0002_binary.sql")
	require.Len(t, only(f.lint(t), "version-gap"), 1)
}
