package query

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkConstraintName = &Check{
	ID:      "constraint-name",
	Catches: "The name of a constraint or index that code compares with the one in an error is gone or has another owner.",
	Rules:   []string{"drop-constraint", "drop-unique", "rename-constraint", "rename-index"},
	Asks:    TheCode,
	Source:  "protocol-error-fields.html, field n: the constraint or index that was violated",
	names: func(b *Bound, from, to *catalog.Catalog, out *Verdict, c *Check) {
		for i, use := range b.Site.Names {
			before, after := from.ConstraintsNamed(use.Name), to.ConstraintsNamed(use.Name)
			if len(before) == 0 {
				continue // not a constraint of the schema that the code knows
			}
			p := Problem{Check: c.ID, Variant: -1, Offset: i, Relation: before[0].Table.String(), Objects: before[0].Objects}
			switch {
			case len(after) == 0:
				p.Message = fmt.Sprintf("constraint or index %q of %s, which this code tells apart by name, is not there: the error of a violation has another name, and the code does not recognise it", use.Name, p.Relation)
			case !sameOwner(before, after):
				p.Message = fmt.Sprintf("constraint or index %q, which this code tells apart by name, belongs to %s and not to %s: another violation has the name", use.Name, after[0].Table, p.Relation)
			default:
				continue
			}
			out.Problems = append(out.Problems, p)
		}
	},
}

// sameOwner reports whether one of the objects is in both lists.
func sameOwner(before, after []catalog.NamedConstraint) bool {
	for _, x := range before {
		for _, y := range after {
			if x.Objects[0] == y.Objects[0] || x.Table == y.Table {
				return true
			}
		}
	}
	return false
}
