package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// differences compares two catalogs and leaves out what another difference says already: the sequence of a serial or
// identity column that only one side has, the index of such a constraint; and the tables of migration tools.
func differences(a, b *catalog.Catalog) []catalog.Difference {
	list := catalog.Compare(a, b)
	whole := func(kinds []string, name catalog.Name, present string) bool {
		return slices.ContainsFunc(list, func(d catalog.Difference) bool {
			return slices.Contains(kinds, d.Kind) && d.Property == "" && d.A == present && d.Name.Name == name.Name
		})
	}
	return slices.DeleteFunc(slices.Clone(list), func(d catalog.Difference) bool {
		if source.IsBookkeeping(d.Name.Name) || source.IsBookkeeping(d.Table.Name) {
			return true
		}
		if d.Property != "" {
			return false
		}
		side := a
		if d.A == "" {
			side = b
		}
		switch rel := side.Relation(d.Name.Schema, d.Name.Name); {
		case d.Kind == "index" && whole([]string{"constraint"}, d.Name, d.A):
			return true
		case rel != nil && rel.Seq != nil && rel.Seq.OwnedBy.OID != 0:
			owner, ok := side.Get(rel.Seq.OwnedBy.OID).(*catalog.Relation)
			if !ok {
				return false
			}
			table := side.NameOf(owner.OID)
			col := owner.Att(rel.Seq.OwnedBy.Column)
			return source.IsBookkeeping(table.Name) || whole([]string{"table", "partitioned table"}, table, d.A) ||
				col != nil && whole([]string{"column"}, catalog.Name{Name: col.Name}, d.A)
		}
		return false
	})
}

// describeDifference says what differs: missing and extra for what only the first or the second side has; changed is a
// format of the object, the property and its two values.
func describeDifference(d catalog.Difference, missing, extra, changed string) string {
	subject, _, _ := strings.Cut(d.Description, ": ")
	switch {
	case d.Property != "":
		return fmt.Sprintf(changed, subject, d.Property, orNone(d.A), orNone(d.B))
	case d.A != "":
		return subject + " " + missing
	}
	return subject + " " + extra
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
