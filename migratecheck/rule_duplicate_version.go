package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleDuplicateVersion = &Rule{
	ID: "duplicate-version", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "Two migrations have the same version.",
		Why:        "The tool refuses to start, or runs one of them and takes the other as done: two branches were merged that each added the next number.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- file 0001_other.sql\nSELECT 1;",
		Good:       "SELECT 1;",
		Exceptions: "Flyway's repeatable migrations have no version.",
		Versions:   "All.",
		Source:     "brant, goose, golang-migrate: \"duplicate migration version\"; alembic: \"Revision … is present more than once\" (alembic/script/revision.py, _revision_map).",
	},
	History: func(r *Run) {
		first := map[string]*File{}
		for _, f := range r.Files {
			if f.Migration.Repeat || f.Migration.Version == "" {
				continue
			}
			version := f.Migration.Version
			if strings.Trim(version, "0123456789") == "" {
				version = strings.TrimLeft(version, "0") // 01 and 0001 are one number
			}
			other, dup := first[version]
			if !dup {
				first[version] = f
				continue
			}
			if !f.Pending {
				f, other = other, f
			}
			if f.Pending {
				fate, help := f.toolName()+" refuses both, or runs only one of them", "Give the one that is not released yet the next free number."
				if f.Migration.Tool == "alembic" {
					fate = "alembic warns and runs only one of them"
					help = "Give the one that is not released yet a revision of its own, and the other's as its down_revision."
				}
				r.Report(source.Position{File: f.Migration.File, Line: 1, Column: 1},
					fmt.Sprintf("version %s is also that of %s: %s", f.Migration.Version, beside(f.Migration.File, other.Migration.File), fate), help)
			}
		}
	},
}
