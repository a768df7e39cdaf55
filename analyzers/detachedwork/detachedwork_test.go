package detachedwork

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"
)

func TestReported(t *testing.T) {
	dir, _ := filepath.Abs("../testdata")
	analysistest.RunWithSuggestedFixes(t, dir, New(), "detachedwork/far", "detachedwork/quiet", "detachedwork/web", "detachedwork/queue", "detachedwork/stop", "detachedwork/strict", "detachedwork/worker")
}

// TestContextEndsWithHandler shows what request-context-outlived says of net/http.
func TestContextEndsWithHandler(t *testing.T) {
	contexts := make(chan context.Context, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.Context().Err())
		contexts <- r.Context()
	}))
	defer srv.Close()
	resp, err := http.Get(srv.URL)
	require.NoError(t, err)
	defer resp.Body.Close()
	ctx := <-contexts
	<-ctx.Done() // else the test hangs
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.NoError(t, context.WithoutCancel(ctx).Err())
}
