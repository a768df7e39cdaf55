package archtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const (
	pgQuery = "github.com/pganalyze/pg_query_go"
	xTools  = "golang.org/x/tools"
)

// boundary says that some packages of this module never link others.
type boundary struct {
	from      string   // directory; "/..." adds those below it
	only      bool     // reversed: nobody but from may import them, tests included
	forbidden []string // import paths; each stands for those below it and for its other major versions too
	reason    string
}

func boundaries() []boundary {
	parsers := []string{pgQuery, "github.com/tree-sitter", xTools}
	const library = "it is imported into long-running services, which must not need a C compiler or a linter's dependencies"
	list := []boundary{
		{from: "internal/pgast", only: true, forbidden: []string{pgQuery},
			reason: "libpg_query crashes the process on some input; internal/pgast is what guards it"},
		{from: "drain", forbidden: []string{"github.com/jackc/pgx", "github.com/miekg/dns", "github.com/redis/go-redis"},
			reason: "every service imports drain; each adapter to a server is a package of its own"},
	}
	for _, from := range []string{"drain/...", "failover/...", "mx/...", "bouncer/..."} {
		list = append(list, boundary{from: from, forbidden: parsers, reason: library})
	}
	return append(list, boundary{from: "migratecheck/gate/...", forbidden: parsers, reason: library})
}

// withoutCgo are the directories whose packages link no cgo outside the standard library, and why.
func withoutCgo() map[string]string {
	const static = "services built with CGO_ENABLED=0 import it"
	return map[string]string{
		"migratecheck/gate/...": static,
		"drain/...":             static,
		"failover/...":          static,
		"mx/...":                static,
		"bouncer/...":           static,
	}
}

// standardOnly are packages that link nothing but the standard library and themselves, and why.
func standardOnly() map[string]string {
	const small = "whoever imports drain inherits what it links"
	return map[string]string{"drain": small, "drain/httpdrain": small, "drain/listen": small, "drain/sdnotify": small}
}

func checkStandardOnly(t *testing.T, root string) []string {
	packages := list(t, root)
	var problems []string
	for _, p := range sortedPackages(packages) {
		dir, own := p.own()
		reason := standardOnly()[dir]
		if !own || reason == "" {
			continue
		}
		for _, path := range p.Deps {
			if dep := packages[path]; !dep.Standard && !imports(path, module) {
				problems = append(problems, fmt.Sprintf("%s links %s: %s", dir, path, reason))
			}
		}
	}
	return problems
}

// testSupport are the packages that only tests, examples and each other may import.
var testSupport = [...]string{"internal/pgtest", "internal/need", "internal/leaktest", "internal/archtest"}

func within(dir, pattern string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == tree || strings.HasPrefix(dir, tree+"/")
	}
	return dir == pattern
}

func imports(path, forbidden string) bool {
	return path == forbidden || strings.HasPrefix(path, forbidden+"/")
}

func sortedPackages(packages map[string]listed) []listed {
	var sorted []listed
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		sorted = append(sorted, packages[path])
	}
	return sorted
}

func checkBoundaries(t *testing.T, root string) []string {
	packages := list(t, root)
	var problems []string
	for _, p := range sortedPackages(packages) {
		dir, own := p.own()
		if !own {
			continue
		}
		for _, b := range boundaries() {
			paths, verb := p.Deps, "links"
			if b.only {
				paths, verb = slices.Concat(p.Imports, p.TestImports, p.XTestImports), "imports"
			}
			if within(dir, b.from) == b.only {
				continue
			}
			for _, path := range slices.Compact(slices.Sorted(slices.Values(paths))) {
				if slices.ContainsFunc(b.forbidden, func(f string) bool { return imports(path, f) }) {
					problems = append(problems, fmt.Sprintf("%s %s %s: %s", dir, verb, path, b.reason))
				}
			}
		}
	}
	return problems
}

func checkCgo(t *testing.T, root string) []string {
	packages := list(t, root)
	var problems []string
	for _, p := range sortedPackages(packages) {
		dir, own := p.own()
		for pattern, reason := range withoutCgo() {
			if !own || !within(dir, pattern) {
				continue
			}
			for _, path := range append(p.Deps, p.ImportPath) {
				if dep := packages[path]; !dep.Standard && len(dep.CgoFiles) > 0 {
					problems = append(problems, fmt.Sprintf("%s links cgo in %s: %s", dir, path, reason))
				}
			}
		}
	}
	return problems
}

func checkTestSupport(t *testing.T, root string) []string {
	var problems []string
	for _, p := range sortedPackages(list(t, root)) {
		dir, own := p.own()
		if !own || within(dir, "examples/...") || slices.ContainsFunc(testSupport[:], func(s string) bool { return within(dir, s+"/...") }) {
			continue
		}
		for _, path := range p.Imports {
			if slices.ContainsFunc(testSupport[:], func(s string) bool { return imports(path, module+"/"+s) }) {
				problems = append(problems, fmt.Sprintf("%s imports %s outside its tests", dir, path))
			}
		}
	}
	return problems
}

func checkPackageDocs(t *testing.T, root string) []string {
	var problems []string
	for _, p := range sortedPackages(list(t, root)) {
		if dir, own := p.own(); own && p.Doc == "" && len(p.GoFiles)+len(p.CgoFiles) > 0 {
			problems = append(problems, dir+": the package has no doc comment")
		}
	}
	return problems
}

func TestBoundaries(t *testing.T) { check(checkBoundaries).holds(t) }

func TestStandardOnly(t *testing.T) { check(checkStandardOnly).holds(t) }

func TestMoreThanStandardIsSeen(t *testing.T) {
	check(checkStandardOnly).finds(t, `
-- go.mod --
module git.sr.ht/~sourcehut/ha-go

go 1.25.0

require github.com/somebody/log v1.0.0

replace github.com/somebody/log => ./third/log
-- third/log/go.mod --
module github.com/somebody/log
-- third/log/p.go --
package log
-- drain/p.go --
package drain

import (
	_ "log/slog"

	_ "git.sr.ht/~sourcehut/ha-go/internal/text"
)
-- internal/text/p.go --
package text

import _ "github.com/somebody/log"
`,
		"drain links github.com/somebody/log: whoever imports drain inherits what it links")
}

func TestBoundariesAreSeen(t *testing.T) {
	check(checkBoundaries).finds(t, `
-- go.mod --
module git.sr.ht/~sourcehut/ha-go

go 1.25.0

require (
	github.com/pganalyze/pg_query_go/v5 v5.0.0
	github.com/jackc/pgx/v5 v5.0.0
	github.com/tree-sitter/go-tree-sitter v0.0.0
)

replace (
	github.com/pganalyze/pg_query_go/v5 => ./third/pg_query_go
	github.com/jackc/pgx/v5 => ./third/pgx
	github.com/tree-sitter/go-tree-sitter => ./third/sitter
)
-- third/pg_query_go/go.mod --
module github.com/pganalyze/pg_query_go/v5
-- third/pg_query_go/p.go --
package pg_query
-- third/pgx/go.mod --
module github.com/jackc/pgx/v5
-- third/pgx/p.go --
package pgx
-- third/sitter/go.mod --
module github.com/tree-sitter/go-tree-sitter
-- third/sitter/p.go --
package sitter
-- internal/pgast/p.go --
package pgast

import _ "github.com/pganalyze/pg_query_go/v5"
-- migratecheck/p.go --
package migratecheck

import _ "git.sr.ht/~sourcehut/ha-go/internal/pgast"
-- migratecheck/p_test.go --
package migratecheck

import _ "github.com/pganalyze/pg_query_go/v5"
-- migratecheck/gate/p.go --
package gate

import _ "github.com/tree-sitter/go-tree-sitter"
-- failover/x/p.go --
package x

import _ "git.sr.ht/~sourcehut/ha-go/migratecheck"
-- failoverish/p.go --
package failoverish

import _ "git.sr.ht/~sourcehut/ha-go/migratecheck"
-- drain/p.go --
package drain

import _ "git.sr.ht/~sourcehut/ha-go/drain/inner"
-- drain/inner/p.go --
package inner

import _ "github.com/jackc/pgx/v5"
`,
		"drain links github.com/jackc/pgx/v5: every service imports drain; each adapter to a server is a package of its own",
		"failover/x links github.com/pganalyze/pg_query_go/v5: it is imported into long-running services, which must not need a C compiler or a linter's dependencies",
		"migratecheck imports github.com/pganalyze/pg_query_go/v5: libpg_query crashes the process on some input; internal/pgast is what guards it",
		"migratecheck/gate links github.com/tree-sitter/go-tree-sitter: it is imported into long-running services, which must not need a C compiler or a linter's dependencies",
	)
}

func TestNoCgoInLibraries(t *testing.T) { check(checkCgo).holds(t) }

func TestCgoInLibrariesIsSeen(t *testing.T) {
	t.Setenv("CGO_ENABLED", "1") // with 0, go list leaves cgo files out
	check(checkCgo).finds(t, `
-- internal/c/p.go --
package c

import "C"
-- migratecheck/gate/p.go --
package gate

import (
	_ "git.sr.ht/~sourcehut/ha-go/internal/c"
	_ "net" // cgo of the standard library is optional
)
-- migratecheck/p.go --
package migratecheck

import _ "git.sr.ht/~sourcehut/ha-go/internal/c"
`,
		"migratecheck/gate links cgo in git.sr.ht/~sourcehut/ha-go/internal/c: services built with CGO_ENABLED=0 import it")
}

func TestTestSupportStaysInTests(t *testing.T) { check(checkTestSupport).holds(t) }

func TestTestSupportOutsideTestsIsSeen(t *testing.T) {
	check(checkTestSupport).finds(t, `
-- internal/pgtest/p.go --
package pgtest

import _ "git.sr.ht/~sourcehut/ha-go/internal/need"
-- internal/need/p.go --
package need
-- examples/testnet/p.go --
package main

import _ "git.sr.ht/~sourcehut/ha-go/internal/pgtest"

func main() {}
-- cmd/tool/p.go --
package main

import _ "git.sr.ht/~sourcehut/ha-go/internal/pgtest"

func main() {}
-- cmd/tool/p_test.go --
package main

import _ "git.sr.ht/~sourcehut/ha-go/internal/need"
`,
		"cmd/tool imports git.sr.ht/~sourcehut/ha-go/internal/pgtest outside its tests")
}

func TestPackageDocs(t *testing.T) { check(checkPackageDocs).holds(t) }

func TestMissingPackageDocIsSeen(t *testing.T) {
	check(checkPackageDocs).finds(t, `
-- a/p.go --
// Package a has one.
package a
-- b/p.go --
package b
-- c/only_test.go --
package c
`,
		"b: the package has no doc comment")
}
