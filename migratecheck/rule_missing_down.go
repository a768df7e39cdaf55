package migratecheck

import "fmt"

var ruleMissingDown = &Rule{
	ID: "missing-down", Category: History, Severity: Info,
	Doc: Doc{
		Summary:    "A migration has no Down section although its neighbours have one.",
		Why:        "When a release has to be taken back, the tool stops at this migration, or skips it and leaves the schema half-way.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- +brant Up\nALTER TABLE t ADD COLUMN note text;",
		Good:       "-- +brant Up\nALTER TABLE t ADD COLUMN note text;\n-- +brant Down\nALTER TABLE t DROP COLUMN note;",
		Exceptions: "Silent for the first migration of a history (the fixture's counts as the first with a neighbour), for tools without Downs, for histories that never write them, and where alembic's downgrade() raises an error, at which it stops.",
		Versions:   "All.",
		Source:     "brant, goose: a missing Down section is an empty one, so a roll-back succeeds and changes nothing.",
	},
	File: func(f *File) {
		if f.Migration.HasDown || f.Migration.NoWayBack || f.Migration.Repeat || f.Index == 0 || len(f.Up) == 0 || !f.Run.writesDowns {
			return
		}
		fails := "SELECT 1/0; -- cannot be undone"
		if f.Migration.Tool == "alembic" {
			fails = "def downgrade():\n    raise NotImplementedError(\"cannot be undone\")"
		}
		f.Report("has no Down section: taking this release back leaves its changes in the schema, while the tool counts it as undone",
			fmt.Sprintf("Add a Down section that undoes it. Where that is impossible write one that fails, so that %s stops there:\n%s", f.Migration.Tool, fails))
	},
}

// findDowns reports whether the history's tool has Downs and its authors write them: most other files have one, or
// there is no other file to tell.
func (r *Run) findDowns() bool {
	switch r.Set.Format {
	case "plain", "atlas":
		return false
	}
	with, others := 0, 0
	for i, f := range r.Files {
		if i == 0 || f.Pending {
			continue
		}
		others++
		if f.Migration.HasDown {
			with++
		}
	}
	return others == 0 || 2*with >= others
}
