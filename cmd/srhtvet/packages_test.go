package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesCounted: a directory with tests of both kinds is four packages to the go command, and one to who named it.
func TestPackagesCounted(t *testing.T) {
	dir := service(t, map[string]string{
		"svc.go":      "package svc\n",
		"in_test.go":  "package svc\n\nimport \"testing\"\n\nfunc TestIn(*testing.T) {}\n",
		"out_test.go": "package svc_test\n\nimport \"testing\"\n\nfunc TestOut(*testing.T) {}\n",
	})
	r := srhtvet(t, dir, "./...")
	require.Equal(t, exitClean, r.status, r.err)
	require.Contains(t, r.err, "srhtvet: 1 package; ")
}
