// Package lockmode says what a statement does to those who use the database meanwhile: which relations it locks and how,
// which tables and indexes it writes anew, which tables it reads in full, which indexes it builds. It reads the schema
// as it is before the statement (package catalog), knows the differences between PostgreSQL 12 and 18, and asks no server.
//
// What is reported is what pg_locks shows when the statement has ended and its transaction has not: locks that are
// released earlier (the indexes of an INSERT, system catalogs) last no longer than any query's and are left out, as are
// TOAST tables, which nobody can lock but through their table, and what the statement itself creates.
//
// When the effect depends on the rows, the worst case is reported: an INSERT has a row to insert, a DELETE finds
// something to delete. When it depends on what no catalog knows, Effect.Unknown says so.
//
// The knowledge is listed, with its sources and an example for each, by [Rows]; the tests execute every example on a
// real server and compare.
package lockmode

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Lock is the strongest lock a statement takes on one relation.
type Lock struct {
	Relation catalog.OID // 0 when the catalog does not know it
	Name     catalog.Name
	Mode     Mode
}

// Rewrite is a table, index or sequence that gets a new file.
type Rewrite struct {
	Relation catalog.OID
	Name     catalog.Name
	Kind     catalog.RelKind
	Reason   string // "the type of column a changes from integer to bigint"
	// Empty says that the new file begins empty, which costs no time: TRUNCATE, REFRESH … WITH NO DATA, a sequence.
	Empty bool
}

// ScanKind is what a table is read for.
type ScanKind string

const (
	ScanRewrite   ScanKind = "rewrite"     // every row is copied to the new file
	ScanValidate  ScanKind = "validate"    // rows are checked against a CHECK, NOT NULL or domain constraint
	ScanForeign   ScanKind = "foreign key" // rows are checked against, or for, another table
	ScanBuild     ScanKind = "index build"
	ScanPartition ScanKind = "partition check" // rows are checked against the bounds of a partition
	ScanQuery     ScanKind = "query"           // a query or DML has no condition that an index could serve
)

// Scan is a table that is read from beginning to end.
type Scan struct {
	Relation catalog.OID
	Name     catalog.Name
	Kind     ScanKind
	Reason   string // "validates CHECK (a > 0)"
}

// Build is an index that is made: new, or in place of one that a change of type made useless.
type Build struct {
	Table     catalog.OID
	TableName catalog.Name
	Index     string // its name, "" when the server chooses one
	Reason    string
}

// Effect is what one statement does. Each list has at most one element per relation (and kind, of Scans), sorted by name.
type Effect struct {
	Locks    []Lock
	Rewrites []Rewrite
	Scans    []Scan
	Builds   []Build
	// Unknown says why the effect is not fully known, "" otherwise.
	Unknown string
	// Worst is set when what is unknown decides over Rewrites and Scans: they then list the worst that may be.
	Worst bool
	// Assumed says what would come on top if a table that the catalog does not hold were not the plain one, without indexes,
	// keys and partitions, that it is taken for; "" otherwise.
	Assumed string
	// NoTransaction is set for statements that PostgreSQL refuses inside a transaction block; Locks then lists the
	// strongest lock of any of the transactions they consist of.
	NoTransaction bool
	// Waits is set for the CONCURRENTLY forms, which wait for other transactions to end before they proceed: for those
	// that use the table, and (CREATE INDEX, REINDEX) for every older snapshot in the database.
	Waits bool
}

// Lock returns the mode in which the relation is locked, "" when it is not.
func (e Effect) Lock(relation catalog.OID) Mode {
	for _, l := range e.Locks {
		if l.Relation == relation {
			return l.Mode
		}
	}
	return ""
}

// Analyze returns the effect of stmt on a server of the given major version (12 to 18; 0 is the catalog's own), before
// being the catalog before it. A statement that would fail takes its locks too, before it fails, so that it is no error here;
// an error is returned for a nil statement only.
func Analyze(version int, before *catalog.Catalog, stmt pgast.Stmt) (Effect, error) {
	return new(analyzer).analyze(version, before, nil, nil, stmt)
}

// AnalyzeApplied is Analyze for a caller who has applied the statement already: after is the catalog after it, or nil
// when applying it failed, and changes the [catalog.Diff] of the two. It saves Analyze from applying it once more.
func AnalyzeApplied(version int, before, after *catalog.Catalog, changes []catalog.Change, stmt pgast.Stmt) (Effect, error) {
	return new(analyzer).analyze(version, before, after, changes, stmt)
}

// Analyzer is AnalyzeApplied for one statement after the other, in the same memory. The zero value works; it is not safe
// for concurrent use.
type Analyzer struct{ a analyzer }

// Applied is AnalyzeApplied.
func (z *Analyzer) Applied(version int, before, after *catalog.Catalog, changes []catalog.Change, stmt pgast.Stmt) (Effect, error) {
	return z.a.analyze(version, before, after, changes, stmt)
}

func compareNames(a, b catalog.Name) int {
	if c := strings.Compare(a.Schema, b.Schema); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

func sortEffect(e *Effect) {
	slices.SortFunc(e.Locks, func(a, b Lock) int { return compareNames(a.Name, b.Name) })
	slices.SortFunc(e.Rewrites, func(a, b Rewrite) int { return compareNames(a.Name, b.Name) })
	slices.SortFunc(e.Scans, func(a, b Scan) int {
		if c := compareNames(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(string(a.Kind), string(b.Kind))
	})
	slices.SortStableFunc(e.Builds, func(a, b Build) int {
		if c := compareNames(a.TableName, b.TableName); c != 0 {
			return c
		}
		return strings.Compare(a.Index, b.Index)
	})
}
