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

// TestNothingFoundInGo: of files and statements of SQL there are none to speak of.
func TestNothingFoundInGo(t *testing.T) {
	r := srhtvet(t, tree(t, map[string]string{"go.mod": "module example.org/clean\n\ngo 1.25\n", "clean.go": "package clean\n"}), "./...")
	require.Equal(t, exitClean, r.status, r.err)
	require.Equal(t, "srhtvet: 1 package; no findings\n", r.err)
}
