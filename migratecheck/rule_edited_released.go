package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleEditedReleased = &Rule{
	ID: "edited-released", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A migration that is released was edited or removed.",
		Why:        "Where it is applied already it does not run again: production keeps the old effect, every new database gets the new one, and nothing ever tells.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- edit 0001_released.sql\nSELECT 1;",
		Good:       "SELECT 1;",
		Exceptions: "Comments and white space do not count. Repeatable migrations (R__) are meant to be edited.",
		Versions:   "All.",
		Source:     "git.sr.ht c10dd07 edited 0006 after its release in 0.95.0.",
	},
	History: func(r *Run) {
		if !r.Pending.Known {
			return
		}
		have := map[string]bool{}
		for _, f := range r.Files {
			have[f.Migration.File] = true
			old, released := r.Pending.Released[f.Migration.File]
			text, ok := fileText(f.Migration)
			if f.Migration.Repeat || !released || !ok || old == text {
				continue
			}
			if line := firstDifference(f.Migration.Tool, old, text); line > 0 {
				r.Report(source.Position{File: f.Migration.File, Line: line, Column: 1},
					fmt.Sprintf("was edited after %s had released it: databases that have applied it keep the old effect, new ones get this", r.Pending.Base),
					"Put the file back as it was, and the change into a new migration.")
			}
		}
	},
}

// fileText is the whole text of the file a migration was read from.
func fileText(m *source.Migration) (string, bool) {
	for _, script := range []*source.Script{&m.Up, &m.Down} {
		for i := range script.Statements {
			if f := script.Statements[i].File(); f != nil && f.Path == m.File {
				return f.Text, true
			}
		}
	}
	return "", false
}

// firstDifference is the line of b at which its words first differ from those of a, 0 when they do not. Comments that
// the tool reads (annotations) are words, others are not.
func firstDifference(tool, a, b string) int {
	if tool == "alembic" {
		// Python: white space carries meaning, so only whole-line comments and blank lines are left out.
		return firstLineDifference(a, b)
	}
	sa, sb := pgast.NewScanner(a), pgast.NewScanner(b)
	for {
		ta, okA := nextWord(sa, a)
		tb, okB := nextWord(sb, b)
		switch {
		case !okA && !okB:
			return 0
		case okA != okB, a[ta.Start:ta.End] != b[tb.Start:tb.End]:
			at := len(b)
			if okB {
				at = tb.Start
			}
			return 1 + countLines(b[:at])
		}
	}
}
