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
		Summary:    "The Down section makes a table or column again that Up has dropped, but not what was in it.",
		Why:        "A roll-back is made in a hurry, by people who take it to restore what was: the old code finds its column or table again, and it is empty.",
		Schema:     "CREATE TABLE t (id integer PRIMARY KEY, old text);",
		Bad:        "-- +brant Up\nALTER TABLE t DROP COLUMN old;\n-- +brant Down\nALTER TABLE t ADD COLUMN old text;",
		Good:       "-- +brant Up\nALTER TABLE t RENAME COLUMN old TO older;\n-- +brant Down\nALTER TABLE t RENAME COLUMN older TO old;",
		Exceptions: "Dropping in Down what Up has added is the nature of a Down and not reported, though what was written there since goes with it.",
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
