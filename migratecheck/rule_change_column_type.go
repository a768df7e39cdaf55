package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleChangeColumnType = &Rule{
	ID: "change-column-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A column, or an attribute of a composite type, that released code uses changes to another type.",
		Why:        "Old code scans it into a Go type, compares it and writes literals for the old type: values no longer fit (an int64 scanned from text), operators no longer exist (integer = text), and prepared statements fail with \"cached plan must not change result type\".",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, mode integer NOT NULL);",
		Bad:        "ALTER TABLE repo ALTER COLUMN mode TYPE text USING mode::text;",
		Good:       "ALTER TABLE repo ADD COLUMN mode_name text;",
		Exceptions: "Silent for widening that code does not notice (varchar(n) to varchar(m) or text, numeric with more digits before and behind the point, real to double precision), for an enum swapped for one with the same labels, and for a column that the pending change adds. integer to bigint, json to jsonb, timestamp to timestamptz, enum to text and an enum with more labels are warnings, and so is a change from a type that is not known, because the history has no baseline. A swap of columns (ADD x2, UPDATE SET x2 = x, DROP x, RENAME x2 TO x) counts as a change of type. narrow-column-type speaks when values can be lost, table-rewrite of the time it takes.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, ALTER TABLE, SET DATA TYPE; swaps of columns in one transaction in sr.ht's histories.",
	},
	File: func(f *File) {
		for _, r := range f.retypedColumns() {
			s := r.step
			name := s.Name(r.table.OID) + "." + r.old.Name
			if enum, removed, added := f.enumSwap(r); enum != "" {
				switch {
				case len(removed) > 0:
					f.ReportStepAt(s, r.at, Error,
						fmt.Sprintf("takes %s from the labels of %s, the type of %s: released code that writes or compares it fails (22P02)", strings.Join(removed, ", "), enum, name),
						"Leave the label in the type and stop writing it; nothing is gained by removing it.")
				case len(added) > 0:
					f.ReportStepAt(s, r.at, Warning,
						fmt.Sprintf("adds %s to the labels of %s, the type of %s: released code that reads a row with it does not know it", strings.Join(added, ", "), enum, name),
						"Split it over releases:\nrelease 1: add the label (ALTER TYPE … ADD VALUE, which rewrites nothing), with code that reads it but never writes it\nrelease 2, when no older code runs: write it.")
				}
				continue
			}
			severity := f.retypeSeverity(r)
			if severity == 0 || narrows(r.from, r.to) {
				continue
			}
			message := fmt.Sprintf("changes the type of %s from %s to %s: released code goes on reading, comparing and writing it as %[2]s", name, r.from, r.to)
			switch {
			case r.old.Type.OID == 0: // of a table that nobody has seen created
				severity = Warning
				message = fmt.Sprintf("%s is %s from now on, perhaps another type than before: released code goes on reading, comparing and writing the old one", name, r.to)
			case r.swapped:
				message = fmt.Sprintf("swaps %s, %s, for a column that is %s: released code goes on reading, comparing and writing it as %[2]s", name, r.from, r.to)
			}
			help := s.changeTypeHelp(r)
			switch {
			case severity == Warning:
				help = "Ship code that works with both types first (scans an int64, say, or names the zone); change the type when no older code runs."
				if s.rewritten(r.table.OID) && r.old.Type.OID != 0 {
					help = "Ship code that works with both types first (scans an int64, say, or names the zone); table-rewrite has the way over releases."
				}
			case r.table.Kind == catalog.CompositeRel:
				help = "Give the new type an attribute, or a composite type, of its own, and move the code to it over releases."
			}
			f.ReportStepAt(s, r.at, severity, message, help)
		}
	},
}

// retypeSeverity is typeChange with what the catalog knows of the two types.
func (f *File) retypeSeverity(r retyped) Severity {
	old, _ := r.step.Before.Get(r.old.Type.OID).(*catalog.Type)
	now, _ := r.step.After.Get(r.now.Type.OID).(*catalog.Type)
	switch {
	case r.old.Type.Array != r.now.Type.Array:
	case old != nil && old.Kind == catalog.EnumType && isText(r.to):
		return Warning
	case now != nil && now.Kind == catalog.DomainType:
		// The values look the same; what the domain refuses fails.
		return max(Warning, typeChange(r.from, r.step.After.FormatType(now.Base)))
	case old != nil && old.Kind == catalog.DomainType:
		return typeChange(r.step.Before.FormatType(old.Base), r.to)
	}
	return typeChange(r.from, r.to)
}

// enumSwap tells the labels that differ when an enum is replaced by a new one that takes its name by the end of the file
// (CREATE TYPE x_new, ALTER COLUMN … TYPE x_new, DROP TYPE x, RENAME TO x; or the other way round).
func (f *File) enumSwap(r retyped) (enum string, removed, added []string) {
	old, ok1 := r.step.Before.Get(r.old.Type.OID).(*catalog.Type)
	now, ok2 := f.After.Get(r.now.Type.OID).(*catalog.Type)
	if !ok1 || !ok2 || old.Kind != catalog.EnumType || now.Kind != catalog.EnumType || r.old.Type.Array != r.now.Type.Array {
		return "", nil, nil
	}
	was, known := f.Run.released(f).Get(old.OID).(*catalog.Type)
	if !known || was.Name != now.Name || was.Schema != now.Schema {
		return "", nil, nil
	}
	for _, l := range was.Labels {
		if !slices.Contains(now.Labels, l) {
			removed = append(removed, quoteLiteral(l))
		}
	}
	for _, l := range now.Labels {
		if !slices.Contains(was.Labels, l) {
			added = append(added, quoteLiteral(l))
		}
	}
	return f.Run.released(f).NameOf(old.OID).String(), removed, added
}
