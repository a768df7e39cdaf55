package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkTruncate = &Check{
	ID:      "truncate",
	Catches: "TRUNCATE without CASCADE empties a table that a foreign key of another one refers to.",
	Code:    "0A000",
	Rules:   []string{"add-foreign-key"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/catalog/heap.c heap_truncate_check_FKs",
	on: func(r *reading, c *Check) {
		n := r.stmt.Node.GetTruncateStmt()
		if n != nil && n.Behavior != pgast.DropBehavior_DROP_CASCADE {
			r.truncates(c)
		}
	},
}

func (r *reading) truncates(c *Check) {
	var tables []catalog.OID
	for _, w := range r.an.Writes {
		if w.Op == 't' {
			tables = append(tables, w.Relation)
		}
	}
	for _, w := range r.an.Writes {
		if w.Op != 't' {
			continue
		}
		for _, con := range r.cat.ReferencedBy(w.Relation) {
			if con.Table == w.Relation || slices.Contains(tables, con.Table) {
				continue
			}
			name := r.cat.NameOf(w.Relation).String()
			r.report(c, Problem{Code: "0A000", Offset: w.Offset, Relation: name, Objects: []catalog.Address{{OID: w.Relation}, {OID: con.OID}, {OID: con.Table}}},
				"foreign key %q of %s refers to %s: TRUNCATE fails unless it names both or says CASCADE", con.Name, r.cat.NameOf(con.Table), name)
			break
		}
	}
}
