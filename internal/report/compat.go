package report

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/spell"
	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Compat is what a check of the 2×2 matrix found.
type Compat struct {
	Tool, Version string
	Services      []*compat.Service
	// Bar is the lowest severity that is reported; what is below still counts in the cells.
	Bar   migratecheck.Severity
	Rules []*migratecheck.Rule
	// Source is a line of a file of a version of the code, "" when it cannot be had; nil: none can.
	Source func(v compat.Version, file string, line int) string
	// Relabel changes the name of a file for formats that count from the root of the repository; nil leaves it.
	Relabel func(file string) string
	Color   bool
}

// CompatFormat is one way to write a Compat.
type CompatFormat struct {
	Name    string
	Summary string
	Write   func(io.Writer, *Compat) error
	// Repository says that whoever reads it looks for files from the root of the repository.
	Repository bool
}

// CompatFormats lists all of them, the default first. What is not shown as a matrix is shown as findings, each at its
// query.
func CompatFormats() []CompatFormat {
	list := []CompatFormat{
		{"text", "for people: the grid, then every break under its cause", writeCompatText, false},
		{"json", "one object, see docs/json.md", writeCompatJSON, false},
		{"html", "one self-contained page for a review", writeCompatHTML, false},
	}
	for _, f := range Formats() {
		if slices.Contains([]string{"sarif", "github", "gitlab"}, f.Name) {
			list = append(list, CompatFormat{f.Name, f.Summary, asFindings(f), f.Repository})
		}
	}
	return list
}

// LookupCompat finds a format by name.
func LookupCompat(name string) (CompatFormat, error) {
	var names []string
	for _, f := range CompatFormats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return CompatFormat{}, fmt.Errorf("unknown format %q%s", name, spell.Suggest(name, names, "there are "+strings.Join(names, ", ")))
}

// Reported are the breaks of a service at or above the bar.
func (d *Compat) Reported(s *compat.Service) []*compat.Break {
	var list []*compat.Break
	for _, b := range s.Breaks {
		if b.Severity >= d.bar() && !b.Suppressed {
			list = append(list, b)
		}
	}
	return list
}

// Doubts are the findings at or above the bar that put a service's schemas in doubt.
func (d *Compat) Doubts(s *compat.Service) []migratecheck.Finding {
	return slices.DeleteFunc(slices.Clone(s.Doubts), func(f migratecheck.Finding) bool { return f.Severity < d.bar() })
}

// leftOut counts the breaks that are not reported: those below the bar, and those taken back.
func (d *Compat) leftOut(s *compat.Service) (below, suppressed int) {
	for _, b := range s.Breaks {
		switch {
		case b.Suppressed:
			suppressed++
		case b.Severity < d.bar():
			below++
		}
	}
	return below, suppressed
}

// belowBar says of what is below the bar which rule it is of, and which cells count it, each once, in the order of the breaks.
func (d *Compat) belowBar(s *compat.Service) []string {
	var lines []string
	for _, b := range s.Breaks {
		line := fmt.Sprintf("%s %s: %s code on the %s schema", b.Severity, b.Rule, b.Cell.Code, b.Cell.Schema)
		if !b.Suppressed && b.Severity < d.bar() && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func (d *Compat) bar() migratecheck.Severity {
	if d.Bar == 0 {
		return migratecheck.Warning
	}
	return d.Bar
}

// asFindings writes the breaks in a format for findings. What is broken in the old version's code cannot be shown at its
// place, which the work tree may not have: it stands at the statement that breaks it.
func asFindings(f Format) func(io.Writer, *Compat) error {
	return func(w io.Writer, d *Compat) error {
		rep := &migratecheck.Report{}
		for _, s := range d.Services {
			rep.Files += len(s.Timeline.Pending)
			for _, b := range d.Reported(s) {
				rep.Findings = append(rep.Findings, d.finding(b))
			}
			for _, f := range d.Doubts(s) {
				if d.Relabel != nil {
					f.Pos.File = d.Relabel(f.Pos.File)
				}
				rep.Findings = append(rep.Findings, f)
			}
		}
		migratecheck.SortFindings(rep.Findings)
		return f.Write(w, &Document{Tool: d.Tool, Version: d.Version, Report: rep, Rules: d.Rules})
	}
}

func (d *Compat) finding(b *compat.Break) migratecheck.Finding {
	f := migratecheck.Finding{Rule: b.Rule, Severity: b.Severity, Message: b.Message, Help: b.Help,
		Pos: source.Position(b.Pos), Statement: b.SQL}
	f.Message = fmt.Sprintf("%s on the schema %s: %s", codeOf(b), b.Schema, b.Message)
	if b.Cause != nil {
		pos := b.Cause.Position(0)
		if b.Cell.Code == compat.Old {
			f.Message = fmt.Sprintf("%s:%d in %s", b.Pos.File, b.Pos.Line, f.Message)
			f.Pos, f.Statement = pos, b.Cause.Stmt.SQL
		} else {
			f.Message += fmt.Sprintf(" (%s:%d)", pos.File, pos.Line)
		}
	}
	if d.Relabel != nil {
		f.Pos.File = d.Relabel(f.Pos.File)
	}
	return f
}

// codeOf names the version of the code that breaks.
func codeOf(b *compat.Break) string {
	return fmt.Sprintf("%s code (%s)", b.Cell.Code, b.Rev)
}

// group are the breaks with one cause, in the order of the report.
type group struct {
	cause  *migratecheck.Step // nil: they have none
	breaks []*compat.Break
}

// groups puts together what has one cause: first those with a cause, in the order of the migrations, then the others.
func groups(breaks []*compat.Break) []group {
	var list []group
	for _, b := range breaks {
		i := slices.IndexFunc(list, func(g group) bool { return g.cause == b.Cause })
		if i < 0 {
			i = len(list)
			list = append(list, group{cause: b.Cause})
		}
		list[i].breaks = append(list[i].breaks, b)
	}
	slices.SortStableFunc(list, func(a, b group) int {
		switch {
		case a.cause == nil && b.cause == nil:
			return 0
		case a.cause == nil:
			return 1
		case b.cause == nil:
			return -1
		case a.cause.File.Index != b.cause.File.Index:
			return a.cause.File.Index - b.cause.File.Index
		}
		return a.cause.Line() - b.cause.Line()
	})
	return list
}

// schemaLabels name the two schemas over the columns of the grid.
func schemaLabels(s *compat.Service) [2]string {
	if n := len(s.Timeline.Pending); n > 0 {
		return [2]string{
			"before " + path.Base(s.Timeline.Pending[0].Migration.File),
			"after " + path.Base(s.Timeline.Pending[n-1].Migration.File),
		}
	}
	return [2]string{"nothing is pending", "the same"}
}
