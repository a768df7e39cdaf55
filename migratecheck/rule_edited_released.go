package migratecheck

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleEditedReleased = &Rule{
	ID: "edited-released", Category: History, Severity: Error,
	Doc: Doc{
		Summary:    "A migration that is released was edited, removed or given another number.",
		Why:        "Where it is applied already it does not run again: production keeps the old effect, every new database gets the new one, and nothing ever tells.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY);",
		Bad:        "-- edit 0001_released.sql\nSELECT 1;",
		Good:       "SELECT 1;",
		Exceptions: "Comments, white space and the case of what is not quoted do not count, in Python quotes, docstrings and annotations neither, nor does another descriptive name with the same number. Repeatable migrations (R__) are meant to be edited.",
		Versions:   "All.",
		Source:     "git.sr.ht c10dd07 edited 0006 after its release in 0.95.0.",
	},
	History: func(r *Run) {
		if !r.Pending.Known || len(r.Pending.Released) == 0 {
			return
		}
		texts := r.fileTexts()
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			old, released := r.Pending.Released[name]
			if !released || old == texts[name] {
				continue
			}
			if line := firstDifference(name, old, texts[name]); line > 0 {
				r.Report(source.Position{File: name, Line: line, Column: 1},
					fmt.Sprintf("was edited after %s had released it: databases that have applied it keep the old effect, new ones get this", r.Pending.Base),
					"Put the file back as it was, and the change into a new migration.")
			}
		}
		renamed := map[string]bool{}
		for _, f := range r.Files {
			if f.renamedFrom == "" {
				continue
			}
			renamed[f.renamedFrom] = true
			if r.Set.Format != "alembic" && fileVersion(f.renamedFrom) != fileVersion(f.Migration.File) {
				r.Report(source.Position{File: f.Migration.File, Line: 1, Column: 1},
					fmt.Sprintf("was released in %s as %s: %s knows a migration by its number and runs this one again where it was applied under the other", r.Pending.Base, beside(f.Migration.File, f.renamedFrom), f.toolName()),
					fmt.Sprintf("Give it its number %s back.", fileVersion(f.renamedFrom)))
			}
		}
		for _, name := range r.vanished(texts) {
			if !renamed[name] {
				r.Report(source.Position{File: name, Line: 1, Column: 1},
					fmt.Sprintf("was released in %s and is gone: databases that have applied it keep its effect, new ones never get it, and it cannot be taken back any more", r.Pending.Base),
					"Put the file back; undo its effect in a new migration.")
			}
		}
	},
}

// fileTexts are the texts of all migration files, by path; one that holds nothing that is sent counts as empty.
func (r *Run) fileTexts() map[string]string {
	texts := map[string]string{}
	for _, f := range r.Files {
		m := f.Migration
		if m.Repeat {
			continue
		}
		for _, script := range []*source.Script{&m.Up, &m.Down} {
			for i := range script.Statements {
				if file := script.Statements[i].File(); file != nil {
					texts[file.Path] = file.Text
				}
			}
		}
		if _, ok := texts[m.File]; !ok && len(f.Gaps()) == 0 && !strings.HasSuffix(m.File, ".py") && len(m.Up.Statements)+len(m.Down.Statements) == 0 {
			if old, released := r.Pending.Released[m.File]; released && !annotationsOnly(old) {
				texts[m.File] = ""
			}
		}
	}
	return texts
}

// annotationsOnly reports whether a file holds no SQL.
func annotationsOnly(text string) bool {
	return len(tokensOf(text)) == 0
}

// vanished lists the released migrations that are not there any more, in order.
func (r *Run) vanished(texts map[string]string) []string {
	if r.Set.Named {
		return nil // the others were not looked for
	}
	known := map[string]bool{r.Set.SchemaFile: true}
	dirs := map[string]bool{}
	for _, f := range r.Files {
		known[f.Migration.File] = true
		dirs[path.Dir(f.Migration.File)] = true
	}
	for _, name := range r.Set.Other {
		known[name] = true
	}
	for _, p := range r.Set.Problems {
		known[p.Pos.File] = true
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(r.Pending.Released)) {
		if _, there := texts[name]; there || known[name] || !dirs[path.Dir(name)] {
			continue
		}
		if looksLikeMigration(r.Set.Format, name, r.Pending.Released[name]) {
			list = append(list, name)
		}
	}
	return list
}

// looksLikeMigration reports whether a file that only the base has was a migration of the set's tool.
func looksLikeMigration(format, name, text string) bool {
	if format == "alembic" {
		return strings.HasSuffix(name, ".py") && strings.Contains(text, "down_revision")
	}
	// The ways down of golang-migrate and Flyway are files without which the tool still has the migration.
	base := path.Base(name)
	return strings.HasSuffix(base, ".sql") && !strings.HasSuffix(base, ".down.sql") && !strings.HasPrefix(base, "U") && fileVersion(name) != ""
}

// fileVersion is the number with which the name of a migration file begins, without leading zeros; "" when it has none.
func fileVersion(name string) string {
	base := strings.TrimPrefix(path.Base(name), "V")
	digits := base[:len(base)-len(strings.TrimLeft(base, "0123456789"))]
	if digits == "" {
		return ""
	}
	return cmp.Or(strings.TrimLeft(digits, "0"), "0")
}

// findRenamed takes pending files for released ones when the base has the same text under a name that is gone.
func (r *Run) findRenamed() {
	if !r.Pending.Known || r.Pending.since != "" {
		return
	}
	gone := r.vanished(r.fileTexts())
	for _, f := range r.Files {
		if !f.Pending {
			continue
		}
		text, ok := fileText(f.Migration)
		if !ok {
			continue
		}
		for _, name := range gone {
			if firstDifference(name, r.Pending.Released[name], text) == 0 {
				f.Pending, f.renamedFrom = false, name
			}
		}
	}
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
// the tool reads (annotations) are words, others are not; the case of what is not quoted does not count.
func firstDifference(name, a, b string) int {
	if strings.HasSuffix(name, ".py") {
		at, same, known := source.PythonDifference(a, b)
		switch {
		case !known:
			return firstLineDifference(a, b)
		case same:
			return 0
		}
		return 1 + countLines(b[:at])
	}
	sa, sb := pgast.NewScanner(a), pgast.NewScanner(b)
	for {
		ta, okA := nextWord(sa, a)
		tb, okB := nextWord(sb, b)
		switch {
		case !okA && !okB:
			return 0
		case okA != okB, !sameWord(ta, tb, a[ta.Start:ta.End], b[tb.Start:tb.End]):
			at := len(b)
			if okB {
				at = tb.Start
			}
			return 1 + countLines(b[:at])
		}
	}
}

// sameWord reports whether two tokens mean the same to PostgreSQL, which folds what is not quoted.
func sameWord(a, b pgast.Token, textA, textB string) bool {
	return textA == textB || a.Kind == pgast.KindWord && b.Kind == pgast.KindWord && strings.EqualFold(textA, textB)
}
