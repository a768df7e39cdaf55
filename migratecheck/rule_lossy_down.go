package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

var ruleLossyDown = &Rule{
	ID: "lossy-down", Category: History, Severity: Info, Down: true,
	Doc: Doc{
		Summary:    "The Down section destroys data that users may have written since, or cannot bring back what Up destroyed.",
		Why:        "A roll-back is made in a hurry; what was written into the new column or table between the two is gone, and going forward again does not bring it back.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, old text);",
		Bad:        "-- +brant Up\nALTER TABLE t DROP COLUMN old;\n-- +brant Down\nALTER TABLE t ADD COLUMN old text;",
		Good:       "-- +brant Up\nALTER TABLE t RENAME COLUMN old TO older;\n-- +brant Down\nALTER TABLE t RENAME COLUMN older TO old;",
		Exceptions: "Dropping in Down what Up has added is the nature of a Down and not reported, only bringing back, empty, what Up has dropped.",
		Versions:   "All.",
		Source:     "Lossy Downs in sr.ht's histories.",
	},
	File: func(f *File) {
		var lost []string
		for _, s := range f.Up {
			for _, c := range s.Changes {
				switch rel, isRel := c.Old.(*catalog.Relation); {
				case !isRel || !isTable(rel) || s.IsNew(rel.OID) || source.IsBookkeeping(rel.Name):
				case c.Op == catalog.Dropped && relationIn(f.DownAfter, s.Before.NameOf(rel.OID)) != nil:
					lost = append(lost, "the rows of table "+s.Name(rel.OID))
				case c.Op == catalog.ColumnDropped && !s.IsNewColumn(rel.OID, c.OldColumn.Num):
					if back := relationIn(f.DownAfter, s.Before.NameOf(rel.OID)); back != nil && back.Column(c.OldColumn.Name) != nil {
						lost = append(lost, fmt.Sprintf("the values of column %s of table %s", c.OldColumn.Name, s.Name(rel.OID)))
					}
				}
			}
		}
		if len(lost) == 0 || len(f.Down) == 0 {
			return
		}
		f.ReportStep(f.Down[0], Info, fmt.Sprintf("Down brings back the structure but not %s: they are gone when Up has run", strings.Join(lost, ", ")),
			"Drop in a release of its own, when nobody will go back any more; until then rename or just stop using it.")
	},
}

func relationIn(c *catalog.Catalog, n catalog.Name) *catalog.Relation {
	if c == nil {
		return nil
	}
	return c.Relation(n.Schema, n.Name)
}
