package source

import (
	"path"
	"strings"
)

// gooseFormat reads goose's SQL migrations (pressly/goose v3.29.0), and names its Go migrations as what they are.
func gooseFormat() Format {
	return Format{
		Name:  "goose",
		About: "NNN_name.sql with -- +goose Up; Go migrations are reported as not understood",
		ext:   ".sql",
		claim: func(_, text string) claim {
			if strings.Contains(text, "+goose") && hasNote(text, gooseNote, "+goose") {
				return claimOwn
			}
			return claimNone
		},
		name:    gooseName,
		read:    gooseFamily{tool: "goose", note: gooseNote}.read,
		compare: byNumber,
		finish:  addGooseGo,
	}
}

// gooseNote reads an annotation: any comment line with "+goose" in it.
func gooseNote(s string) (note, string) {
	if !strings.Contains(s, "+goose") || !strings.HasPrefix(strings.TrimSpace(s), "--") {
		return noteNone, ""
	}
	if s[0] == ' ' || s[0] == '\t' {
		return noteBad, "white space before an annotation"
	}
	name := strings.Replace(strings.ReplaceAll(s, "--", ""), "+goose", "", 1)
	if strings.Contains(name, "+goose") {
		return noteBad, "two annotations on one line"
	}
	name = strings.TrimSpace(name)
	if name == "" {
		return noteBad, "empty annotation"
	}
	if k := noteNamed(name); k != noteBad {
		return k, ""
	}
	return noteBad, "unknown annotation " + shorten(name)
}

// gooseRegister are the functions with which a Go file registers a migration.
func gooseRegister() []string {
	return []string{
		"goose.AddMigration", "goose.AddNamedMigration", "goose.NewGoMigration",
	}
}

// addGooseGo adds a Migration for every Go file that registers one, with a Gap instead of statements.
func addGooseGo(dir *directory, set *Set) {
	for _, file := range dir.extra(".go") {
		name := path.Base(file)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		entry, ok := gooseName(strings.TrimSuffix(name, ".go") + ".sql")
		if !ok {
			continue // goose runs only Go files with a number (provider_collect.go)
		}
		f, problem := load(dir.fsys, file)
		if problem != nil {
			set.Problems = append(set.Problems, *problem)
			continue
		}
		for _, call := range gooseRegister() {
			i := strings.Index(f.Text, call)
			if i < 0 {
				continue
			}
			l, _, _ := nextLine(f.Text, i)
			gap := Gap{
				Pos:    f.Position(i),
				Reason: "goose migration written in Go: what it sends is decided when it runs",
				Source: shorten(f.Text[l.start:l.end]),
			}
			set.Migrations = append(set.Migrations, Migration{
				Tool: "goose", Version: entry.version, Name: entry.title, File: f.Path,
				Up: Script{Gaps: []Gap{gap}},
			})
			break
		}
	}
}
