package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropType = &Rule{
	ID: "drop-type", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A type that released code may name is dropped, or gets another name or schema.",
		Why:        "Casts ($1::visibility) of old code fail (42704); with CASCADE every column of the type goes as well, with its data (drop-column says that).",
		Schema:     "CREATE TYPE visibility AS ENUM ('PUBLIC', 'PRIVATE');",
		Bad:        "DROP TYPE visibility;",
		Good:       "ALTER TYPE visibility ADD VALUE 'UNLISTED';",
		Exceptions: "Silent for types that the pending change creates, for those that go with their schema or extension (drop-schema and drop-function say that), and when the file leaves a type of that name that takes the values of the old one, and no column of the old one is left: for columns that change from the one to the other, change-column-type compares the two.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, DROP TYPE.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				old, ok := c.Old.(*catalog.Type)
				if !ok || c.Op != catalog.Dropped && c.Op != catalog.Renamed && c.Op != catalog.Moved || s.IsNew(old.OID) || old.Kind == catalog.MultirangeType || s.goesWith(old) {
					continue
				}
				name := s.Before.NameOf(old.OID)
				now := typeNamed(f.After, name)
				if now != nil && now.OID == old.OID {
					continue
				}
				if released := f.Run.released(f); released.Get(old.OID) != nil && released.NameOf(old.OID) != name {
					continue // a second renaming: the first one's finding says it
				}
				if now != nil {
					if differs := f.otherType(s, old, now); differs != "" {
						f.ReportStep(s, Error, fmt.Sprintf("another type has the name of %s %s: %s", strings.ToLower(typeWord(old)), name, differs),
							"Keep the type: add what it lacks to it (ALTER TYPE … ADD VALUE, ADD ATTRIBUTE), or give the new one a name of its own and move the code to it over releases.")
					}
					continue
				}
				if c.Op != catalog.Dropped {
					f.ReportStep(s, Error,
						fmt.Sprintf("renames %s %s to %s: casts to it in released code fail (42704), and those of new code fail on the old schema", strings.ToLower(typeWord(old)), name, s.After.NameOf(old.OID)),
						"Keep the name; the casts of code that is to run on both schemas cannot change with it.")
					continue
				}
				f.ReportStep(s, Error,
					fmt.Sprintf("drops %s %s: casts to it in released code fail (42704)", strings.ToLower(typeWord(old)), name),
					fmt.Sprintf("Split it over releases:\nrelease 1: ship code that does not name the type\nrelease 2, when no older code runs:\n%s", s.dropping(fmt.Sprintf("DROP %s %s;", typeWord(old), s.sqlName(old.OID)))))
			}
		}
	},
}

// otherType tells what released code, which means old by a name, meets in now, which has it when the file ends; "" when nothing
// that change-column-type does not say.
func (f *File) otherType(s *Step, old, now *catalog.Type) string {
	if old.Assumed || now.Assumed {
		return ""
	}
	left := ""
	for _, d := range f.After.Dependents(catalog.Address{OID: old.OID}) {
		rel, ok := f.After.Get(d.OID).(*catalog.Relation)
		if !ok || d.Column == 0 {
			continue
		}
		if isTable(rel) && s.inUse(rel) && rel.Att(d.Column) != nil && rel.Att(d.Column).Type.OID == old.OID {
			left = fmt.Sprintf("%s.%s is still of the old one, and what released code casts to the name does not fit there (42883, 42804)", s.Name(rel.OID), rel.Att(d.Column).Name)
			break
		}
	}
	switch {
	case old.Kind == catalog.DomainType && now.Kind == catalog.DomainType:
		// A domain's values are those of its base, and compare with those of any other of the same.
		if was, is := s.Before.FormatType(old.Base), f.After.FormatType(now.Base); was != is {
			return fmt.Sprintf("casts of released code to it give %s instead of %s", is, was)
		}
		return ""
	case left != "":
		return left
	case old.Kind != now.Kind:
		return "casts of released code to it do something else, or fail"
	case old.Kind == catalog.EnumType:
		var lost []string
		for _, label := range s.releasedLabels(old.OID) {
			if !slices.Contains(now.Labels, label) {
				lost = append(lost, quoteLiteral(label))
			}
		}
		if len(lost) > 0 && !f.swapsEnum(old.OID) {
			return fmt.Sprintf("it has not %s, and casts of released code from that fail (22P02)", strings.Join(lost, ", "))
		}
	}
	return ""
}

// swapsEnum reports whether a column changes from an enum to another one in the file: change-column-type compares them.
func (f *File) swapsEnum(old catalog.OID) bool {
	return slices.ContainsFunc(f.retypedColumns(), func(r retyped) bool { return r.old.Type.OID == old })
}

// typeWord is what DROP calls a type.
func typeWord(t *catalog.Type) string {
	if t.Kind == catalog.DomainType {
		return "DOMAIN"
	}
	return "TYPE"
}
