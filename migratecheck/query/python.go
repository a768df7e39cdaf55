package query

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// What SQLAlchemy makes of values whose column has another type than the class says: python_values.tsv, as python_values.py
// measured it with SQLAlchemy 1.4 and psycopg2 2.9 against PostgreSQL 15. TestPythonValues measures it again.
//
//go:embed python_values.tsv
var pythonValues string

// outcome is a word of the table; see python_values.py.
type outcome string

const (
	pyOK    outcome = "ok"
	pyOther outcome = "other" // every value is loaded, as one of another Python type
	pyMay   outcome = "may"   // or nothing is known
	pyFails outcome = "fails"
)

// pythonCell is a SQLAlchemy type over a column.
type pythonCell struct{ ours, theirs string }

var pythonTable = sync.OnceValue(func() map[pythonCell][2]outcome {
	table := map[pythonCell][2]outcome{}
	for line := range strings.Lines(pythonValues) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		theirs := f[1]
		if strings.HasSuffix(theirs, "[]") {
			theirs = "[]"
		}
		cell, now := pythonCell{f[0], theirs}, [2]outcome{outcome(f[2]), outcome(f[3])}
		if before, ok := table[cell]; ok {
			for i := range now {
				if now[i] != before[i] {
					now[i] = pyMay // what the elements are decides
				}
			}
		}
		table[cell] = now
	}
	return table
})

var pythonColumns = map[catalog.OID]string{
	21: "smallint", 23: "integer", 20: "bigint", 1700: "numeric", 700: "real", 701: "double precision", 16: "boolean", 25: "text",
	1043: "varchar", 17: "bytea", 1114: "timestamp", 1184: "timestamptz", 1082: "date", 1083: "time", 1186: "interval", 2950: "uuid",
	114: "json", 3802: "jsonb", 869: "inet",
}

// pythonFit tells what becomes of the values of a SQLAlchemy type in a column: read of those that are loaded, write of those stored.
func pythonFit(cat *catalog.Catalog, t catalog.TypeRef, g GoType) (read, write outcome) {
	if g.SQLAlchemy == "" || t == (catalog.TypeRef{}) {
		return pyMay, pyMay
	}
	t = cat.BaseType(t)
	theirs := pythonColumns[t.OID]
	switch {
	case t.Array:
		theirs = "[]"
	case enumOf(cat, t) != nil:
		theirs = "enum"
	}
	fit, ok := pythonTable()[pythonCell{g.SQLAlchemy, theirs}]
	if !ok {
		return pyMay, pyMay
	}
	read, write = fit[0], fit[1]
	for _, label := range g.Labels {
		if write == pyFails && !plainWord(label) {
			write = pyMay // "1" is an integer
		}
	}
	return read, write
}

// plainWord reports whether a text is one of letters that no type but those of texts and enumerations reads: no number, truth value,
// day or time.
func plainWord(s string) bool {
	s = strings.ToLower(s)
	if _, err := strconv.ParseFloat(s, 64); err == nil || strings.ContainsAny(s, "0123456789{}[](),:\"") {
		return false
	}
	for _, word := range []string{"true", "false", "yes", "no", "on", "off", "now", "today", "tomorrow", "yesterday", "epoch", "infinity", "-infinity", "allballs", "empty", "null", ""} {
		if s == word || len(s) <= 3 && strings.HasPrefix(word, s) {
			return false
		}
	}
	return true
}

// pythonLiterals are the types of what psycopg2 puts into the text for objects of Python's own (psycopg2/extensions.py, adapters).
var pythonLiterals = map[string]catalog.OID{
	"DateTime": 1114, "Date": 1082, "Time": 1083, "Interval": 1186, "UUID": 2950, "LargeBinary": 17,
}

// AsSent is the site with its parameters cast to the types that they have as literals where a driver puts those into the text, which a
// server that is asked with parameters could not know. A site of a driver that sends parameters is itself.
func (s *Site) AsSent() *Site {
	if s.Lang != "python" {
		return s
	}
	sent := *s
	sent.Variants = slices.Clone(s.Variants)
	for i := range sent.Variants {
		v := &sent.Variants[i]
		types := literals(v.Args)
		stmts, err := pgast.Parse(v.SQL)
		if err != nil {
			continue
		}
		casts := map[int]string{} // by the place behind the parameter
		for _, stmt := range stmts {
			pgast.Walk(stmt.Node, func(n *pgast.Node) bool {
				if ref := n.GetParamRef(); ref != nil && ref.Number >= 1 && int(ref.Number) <= len(types) && types[ref.Number-1].OID != 0 {
					casts[int(ref.Location)+len(fmt.Sprintf("$%d", ref.Number))] = "::" + pythonColumns[types[ref.Number-1].OID]
				}
				return true
			})
		}
		for _, at := range slices.Backward(slices.Sorted(maps.Keys(casts))) {
			v.SQL = v.SQL[:at] + casts[at] + v.SQL[at:]
		}
	}
	return &sent
}
