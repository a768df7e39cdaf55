package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyTestsWithoutThirdPartyCgo(t *testing.T) {
	paths, err := raceable(strings.NewReader(`
{"ImportPath": "net", "Standard": true, "DepOnly": true, "CgoFiles": ["cgo.go"]}
{"ImportPath": "example.org/parser", "DepOnly": true, "CgoFiles": ["c.go"]}
{"ImportPath": "m/pure", "Deps": ["net"]}
{"ImportPath": "m/pure.test", "Deps": ["m/pure", "net"]}
{"ImportPath": "m/direct", "Deps": ["example.org/parser"]}
{"ImportPath": "m/direct.test", "Deps": ["m/direct", "example.org/parser"]}
{"ImportPath": "m/onlytests", "Deps": []}
{"ImportPath": "m/onlytests.test", "Deps": ["m/onlytests", "example.org/parser"]}
{"ImportPath": "m/untested"}
{"ImportPath": "example.org/other.test", "DepOnly": true}
`))
	require.NoError(t, err)
	require.Equal(t, []string{"m/pure"}, paths)

	_, err = raceable(strings.NewReader("no json"))
	require.Error(t, err)
}
