package alembic

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkRead reads 223 revisions, as many as nine of sr.ht's services have together: the fixtures over and over, in
// directories of their own.
func BenchmarkRead(b *testing.B) {
	names, err := filepath.Glob("testdata/histories/*.txtar")
	require.NoError(b, err)
	var files []File
	for round := 0; len(files) < 223; round++ {
		for _, name := range names {
			for _, f := range readArchive(b, name) {
				files = append(files, File{Path: fmt.Sprintf("%d/%s/%s", round, filepath.Base(name), f.Path), Text: f.Text})
			}
		}
	}
	files = files[:223]
	bytes := 0
	for _, f := range files {
		bytes += len(f.Text)
	}
	b.SetBytes(int64(bytes))
	for b.Loop() {
		_, _ = Read(files) // the same revisions again and again, which is an error; they are read all the same
	}
}
