package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

func TestUpToDate(t *testing.T) {
	all, err := pages()
	require.NoError(t, err)
	for name, want := range all {
		have, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(have), "docs/%s is stale: run make generate", name)
	}
}

func TestCategoriesComplete(t *testing.T) {
	known := map[migratecheck.Category]bool{}
	for _, c := range categories {
		known[c.category] = true
	}
	for _, r := range migratecheck.Rules() {
		require.True(t, known[r.Category], "category %q of %s has no heading", r.Category, r.ID)
	}
}
