package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
)

// The service that is timed has the sites and the breaks that it claims to have.
func TestService(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "service")
	require.NoError(t, writeService(dir, 40, 12, 1))
	timelines, _, err := migratecheck.Timelines(context.Background(), migratecheck.Config{}, dir)
	require.NoError(t, err)
	require.Len(t, timelines, 1)
	require.Len(t, timelines[0].Pending, 2)
	code, err := compat.ReadCode(context.Background(), dir)
	require.NoError(t, err)
	s := compat.Check(compat.Config{}, ".", timelines[0], &compat.Code{}, code)
	require.Equal(t, compat.Coverage{Found: 40, Checked: 40}, s.Coverage[compat.New])
	require.Equal(t, 4, s.Count(compat.Cell{Code: compat.New, Schema: compat.Old}).Broken, "one in ten uses the new column")
	require.Zero(t, s.Count(compat.Cell{Code: compat.New, Schema: compat.New}).Broken)
}
