// Package report writes findings in the formats that people and CI systems read. Every format is one function of the
// same value; stdout of a command holds only what is written here.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// Document is what a command found.
type Document struct {
	Tool    string // "srhtvet"
	Version string // of the tool
	Report  *migratecheck.Report
	Rules   []*migratecheck.Rule               // those that the findings refer to, for formats that describe them
	Source  func(file string, line int) string // a line of a file, "" when it cannot be had; nil: none can
	Color   bool                               // text only
}

// Format is one way to write a Document.
type Format struct {
	Name    string
	Summary string
	Write   func(io.Writer, *Document) error
	// Repository says that whoever reads it looks for files from the root of the repository.
	Repository bool
}

// Formats lists all of them, the default first.
func Formats() []Format {
	return []Format{
		{"text", "for people: the statement with a caret, why, and the split", writeText, false},
		{"json", "one object, see docs/json.md", writeJSON, false},
		{"sarif", "SARIF 2.1.0, for code scanning services", writeSARIF, true},
		{"github", "GitHub workflow commands", writeGitHub, true},
		{"gitlab", "GitLab code quality", writeGitLab, true},
		{"junit", "JUnit XML", writeJUnit, false},
	}
}

// Lookup finds a format by name.
func Lookup(name string) (Format, error) {
	list := Formats()
	i := slices.IndexFunc(list, func(f Format) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range list {
			names = append(names, f.Name)
		}
		hint := spell.DidYouMean(name, names)
		if hint == "" {
			hint = ";"
		}
		return Format{}, fmt.Errorf("unknown format %q%s there are %s", name, hint, strings.Join(names, ", "))
	}
	return list[i], nil
}
