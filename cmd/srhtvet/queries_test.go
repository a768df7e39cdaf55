package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// queriesService has a site of each status, in Go, and a model in Python.
var queriesService = map[string]string{
	"go.mod": "module svc\n\ngo 1.25.0\n",
	"a/a.go": `package a

import "database/sql"

func f(db *sql.DB, kind int, q string) error {
	table := "one"
	if kind > 1 {
		table = "two"
	}
	db.Query("SELECT id FROM " + table)
	db.Query("SELECT id FROM t WHERE " + q)
	db.Query(q)
	_, err := db.Exec("DELETE FROM t")
	return err
}
`,
	"m.py": "import sqlalchemy as sa\nfrom x import Base\n\nclass Thing(Base):\n    __tablename__ = 'thing'\n    id = sa.Column(sa.Integer, primary_key=True)\n",
}

// TestQueriesUnparsable: a text that is known and is no SQL is found, and cannot be checked.
func TestQueriesUnparsable(t *testing.T) {
	dir := tree(t, map[string]string{"go.mod": "module example.org/a\n\ngo 1.25\n",
		"a.go": "package a\n\nimport \"database/sql\"\n\nfunc F(db *sql.DB) {\n\tdb.Exec(\"DELETE FROM\")\n\tdb.Exec(\"DELETE FROM t\")\n}\n"})
	r := srhtvet(t, dir, "queries", "-format", "json")
	require.Equal(t, exitClean, r.status, r.err)
	var doc queriesDocument
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	require.Equal(t, 2, doc.Found)
	require.Equal(t, 1, doc.Checkable)
	require.Equal(t, "static", doc.Queries[0].Status)
	require.Contains(t, doc.Queries[0].Reason, "the text does not parse: ")
	require.Contains(t, srhtvet(t, dir, "queries").out, "2 found: 2 static, 0 finite, 0 partial, 0 dynamic; 1 of them not checkable: the text does not parse")
}

func TestQueries(t *testing.T) {
	dir := tree(t, queriesService)
	r := srhtvet(t, dir, "queries", "-format", "json")
	require.Equal(t, exitClean, r.status, r.err)
	var doc queriesDocument
	require.NoError(t, json.Unmarshal([]byte(r.out), &doc))
	type brief struct {
		line   int
		status string
		texts  int
	}
	var got []brief
	python := 0
	for _, q := range doc.Queries {
		if q.Lang == "python" {
			require.Equal(t, "m.py", q.File)
			python++
			continue
		}
		require.Equal(t, "a/a.go", q.File)
		require.NotNil(t, q.Variants)
		require.Equal(t, q.Status == "partial" || q.Status == "dynamic", q.Reason != "", "%+v", q)
		got = append(got, brief{q.Line, q.Status, len(q.Variants)})
	}
	require.Equal(t, []brief{{10, "finite", 2}, {11, "partial", 1}, {12, "dynamic", 0}, {13, "static", 1}}, got)
	require.Equal(t, 1, python)
	require.Equal(t, 5, doc.Found)
	require.Equal(t, 4, doc.Checkable)

	text := srhtvet(t, dir, "queries").out
	require.Contains(t, text, "a/a.go:13:12: static\n    DELETE FROM t\n")
	require.Contains(t, text, "5 found: 2 static, 1 finite, 1 partial, 1 dynamic\n")

	require.Equal(t, text, srhtvet(t, ".", "queries", dir).out, "positions are relative to the directory")
}

func TestQueriesSayTheirGates(t *testing.T) {
	dir := tree(t, map[string]string{"go.mod": "module svc\n\ngo 1.25.0\n", "a.go": `package a

import (
	"database/sql"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/gate"
)

func f(db *sql.DB, g *gate.Gate) {
	col := "a"
	if g.AtLeast(9) {
		col = "c"
	}
	db.Query("SELECT " + col + " FROM t")
	db.Query("SELECT 1")
}
`})
	var doc queriesDocument
	require.NoError(t, json.Unmarshal([]byte(srhtvet(t, dir, "queries", "-format", "json").out), &doc))
	require.Equal(t, []string{"SELECT c FROM t", "SELECT a FROM t"}, doc.Queries[0].Variants)
	require.Equal(t, []queriesGate{{AtLeast: 9}, {Below: 9}}, doc.Queries[0].Gates)
	require.Equal(t, []queriesGate{}, doc.Queries[1].Gates)
	require.Contains(t, srhtvet(t, dir, "queries").out, "    SELECT c FROM t  [from migration 9]\n    SELECT a FROM t  [until migration 9]\n")
}

func TestQueriesOfARevision(t *testing.T) {
	dir := tree(t, queriesService)
	git(t, dir, "init", "-q")
	commit(t, dir)
	before := srhtvet(t, dir, "queries").out
	require.NoError(t, os.Remove(filepath.Join(dir, "a/a.go")))
	require.NotEqual(t, before, srhtvet(t, dir, "queries").out)
	index, err := os.ReadFile(filepath.Join(dir, ".git/index"))
	require.NoError(t, err)
	r := srhtvet(t, dir, "queries", "-rev", "HEAD")
	require.Equal(t, exitClean, r.status, r.err)
	require.Equal(t, before, r.out)
	after, err := os.ReadFile(filepath.Join(dir, ".git/index"))
	require.NoError(t, err)
	require.Equal(t, index, after)

	r = srhtvet(t, dir, "queries", "-rev", "nonesuch")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, `revision "nonesuch" does not exist`)
	r = srhtvet(t, dir, "queries", "-format", "yaml")
	require.Equal(t, exitFailed, r.status)
	r = srhtvet(t, dir, "queries", "nothere")
	require.Equal(t, exitFailed, r.status)
	r = srhtvet(t, tree(t, nil), "queries", "-rev", "HEAD")
	require.Equal(t, exitFailed, r.status)
	require.Contains(t, r.err, "not in a git repository")
}
