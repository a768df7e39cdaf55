package migratecheck

import (
	"fmt"
	"regexp"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleDownNotInverse = &Rule{
	ID: "down-not-inverse", Category: History, Severity: Warning,
	Doc: Doc{
		Summary:    "After Up and then Down the schema is not the one before; an empty Down section undoes nothing, and a way down without a way up undoes what nothing did.",
		Why:        "A roll-back leaves a schema that no release was ever tested on, and the next Up may fail on it.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, note text DEFAULT '');",
		Bad:        "-- +brant Up\nALTER TABLE t ALTER COLUMN note DROP DEFAULT;\nALTER TABLE t ADD COLUMN b integer;\n-- +brant Down\nALTER TABLE t DROP COLUMN b;",
		Good:       "-- +brant Up\nALTER TABLE t ALTER COLUMN note DROP DEFAULT;\nALTER TABLE t ADD COLUMN b integer;\n-- +brant Down\nALTER TABLE t DROP COLUMN b;\nALTER TABLE t ALTER COLUMN note SET DEFAULT '';",
		Exceptions: "Silent when there is no Down section (missing-down) or a statement of it fails or is not understood; enum labels cannot be removed and are not held against it. The order of columns does not count.",
		Versions:   "All.",
		Source:     "Checked by applying both to the catalog. golang-migrate v4.18.1, migrate.go, newMigration: a version without a file for one way is an empty migration. Flyway, \"Undo migrations\": one undoes the versioned migration of the same version.",
	},
	File: func(f *File) {
		if f.Migration.NoUp {
			effect := "applying it changes nothing, and taking it back does what stands here"
			if f.Migration.Tool == "flyway" {
				effect = "flyway undoes what it has applied, and so never runs this file"
			}
			f.Report(fmt.Sprintf("version %s has no file for its way up: %s", f.Migration.Version, effect), "Add the way up, or remove this file.")
			return
		}
		if f.DownAfter == nil || f.DownAfter.Open || len(f.Gaps()) > 0 || len(f.Problems) > 0 {
			return
		}
		for _, steps := range [][]*Step{f.Up, f.Down} {
			for _, s := range steps {
				if s.Err != nil || len(s.Effects.Gaps) > 0 {
					return
				}
			}
		}
		var list []string
		for _, d := range differences(f.Before, f.DownAfter) {
			// PostgreSQL cannot remove a label again.
			if d.Kind != "type" || d.Property != "labels" {
				list = append(list, describeDifference(d, "does not come back", "stays", "%s: %s was %s and is %s"))
			}
		}
		if len(list) == 0 {
			return
		}
		more := ""
		if len(list) > 5 {
			more = fmt.Sprintf("; and %d more", len(list)-5)
			list = list[:5]
		}
		if len(f.Down) == 0 {
			failing := "SELECT 1/0; -- cannot be undone"
			if f.Migration.Tool == "alembic" {
				failing = "raise NotImplementedError(\"cannot be undone\")"
			}
			f.ReportAt(f.downStart(), fmt.Sprintf("the Down section is empty and undoes nothing: %s%s", strings.Join(list, "; "), more),
				fmt.Sprintf("Undo what Up does, in reverse order. Where that is impossible write a Down section that fails, so that %s stops there:\n%s", f.Migration.Tool, failing))
			return
		}
		f.ReportStep(f.Down[0], Warning, fmt.Sprintf("the Down section does not restore the schema: %s%s", strings.Join(list, "; "), more),
			"Make Down the exact inverse of Up, in reverse order.")
	},
}

// downStart is where the Down section begins, the zero Position when it is a file of its own.
func (f *File) downStart() source.Position {
	file := f.Up[0].text.File()
	annotation := regexp.MustCompile(`(?im)^(--[ \t]*\+[a-z]+[ \t]+down|--[ \t]*migrate:down|def downgrade)\b`)
	if at := annotation.FindStringIndex(file.Text); at != nil {
		return file.Position(at[0])
	}
	return source.Position{}
}
