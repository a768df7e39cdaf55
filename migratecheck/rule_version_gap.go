package migratecheck

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleVersionGap = &Rule{
	ID: "version-gap", Category: History, Severity: Warning,
	Doc: Doc{
		Summary:    "A pending migration is numbered before one that is released, or leaves a number out.",
		Why:        "Tools that keep one version number (brant, golang-migrate, tern) never run a migration that comes in below it: the column it adds is missing in production and there in every fresh database. A left-out number invites the same later.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- file 0004_x.sql\nSELECT 1;",
		Good:       "SELECT 1;",
		Exceptions: "Timestamps as versions have no gaps; they are only checked for order. alembic's order is in its files.",
		Versions:   "All.",
		Source:     "brant and golang-migrate store one version number; goose applies out-of-order files only with -allow-missing.",
	},
	History: func(r *Run) {
		if r.Set.Format == "alembic" {
			return
		}
		for i, f := range r.Files {
			if !f.Pending || f.Migration.Repeat || f.released() {
				continue
			}
			at := source.Position{File: f.Migration.File, Line: 1, Column: 1}
			for _, later := range r.Files[i+1:] {
				if later.released() && !later.Migration.Repeat {
					r.Report(at, fmt.Sprintf("version %s is pending but comes before %s, which is released: where that is applied already, %s does not run this one any more", f.Migration.Version, beside(f.Migration.File, later.Migration.File), f.toolName()),
						"Give it a number after the newest released migration.")
					break
				}
			}
			if i == 0 {
				continue
			}
			prev, err1 := strconv.ParseUint(r.Files[i-1].Migration.Version, 10, 64)
			this, err2 := strconv.ParseUint(f.Migration.Version, 10, 64)
			if err1 == nil && err2 == nil && this < 1_000_000 && this > prev+1 && !r.takenBetween(prev, this) {
				left, of := fmt.Sprintf("%d numbers are left out", this-prev-1), "one of them"
				if this-prev == 2 {
					left, of = "a number is left out", "it"
				}
				r.Report(at, fmt.Sprintf("version %s follows %s: %s, and a migration that takes %s later is never run where this one is applied", f.Migration.Version, r.Files[i-1].Migration.Version, left, of),
					fmt.Sprintf("Number it %0*d.", len(f.Migration.Version), prev+1))
			}
		}
	},
}

// takenBetween reports whether a file that could not be read, or that the tool does not take, has a number between two.
func (r *Run) takenBetween(low, high uint64) bool {
	names := slices.Clone(r.Set.Other)
	for _, p := range r.Set.Problems {
		names = append(names, p.Pos.File)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		name = path.Base(name)
		digits := name[:len(name)-len(strings.TrimLeft(name, "0123456789"))]
		n, err := strconv.ParseUint(digits, 10, 64)
		return err == nil && low < n && n < high
	})
}
