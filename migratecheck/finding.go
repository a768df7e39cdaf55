package migratecheck

import (
	"cmp"
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Severity ranks findings: Info < Warning < Error. The zero value is not a severity.
type Severity int

const (
	Info    Severity = iota + 1 // worth knowing; nothing is blocked or lost at the size known
	Warning                     // blocks or breaks under conditions that are likely enough
	Error                       // an outage or lost data
)

func (s Severity) String() string {
	switch s {
	case Info:
		return "info"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// ParseSeverity reads "info", "warning" or "error".
func ParseSeverity(s string) (Severity, error) {
	for _, v := range []Severity{Info, Warning, Error} {
		if v.String() == s {
			return v, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: use info, warning or error", s)
}

// Finding is one thing found wrong.
type Finding struct {
	Rule     string
	Severity Severity
	Pos      source.Position
	// Message says what is blocked, lost or broken, for whom, on which table: one sentence or two.
	Message string
	// Help says what to write instead; where a change must be split over releases it is a list of releases with their
	// SQL, one line each or more.
	Help string
	// Statement is the SQL statement concerned, as written; "" for findings about a file. At is where in it the finding
	// points, in bytes.
	Statement string
	At        int
	// Down marks a finding in a Down section.
	Down bool
}

// SortFindings orders by file, line, column, rule and message.
func SortFindings(list []Finding) {
	// Most lists are in order already, and most comparisons are decided by the first of these.
	if !slices.IsSortedFunc(list, compareFindings) {
		slices.SortStableFunc(list, compareFindings)
	}
}

func compareFindings(a, b Finding) int {
	if c := cmp.Compare(a.Pos.File, b.Pos.File); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Pos.Line, b.Pos.Line); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Pos.Column, b.Pos.Column); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Rule, b.Rule); c != 0 {
		return c
	}
	return cmp.Compare(a.Message, b.Message)
}
