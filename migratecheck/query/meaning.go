package query

import (
	"fmt"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// place is what one name in a statement denotes on the two schemas.
type place struct {
	offset   int
	was, now []catalog.Address
}

// places lists the places that both readings resolve, but for stars: what a * stands for may grow.
func (s *step) places() []place {
	var list []place
	at := map[int]int{}
	for _, use := range s.was.an.Uses {
		if use.Star {
			continue
		}
		i, ok := at[use.Offset]
		if !ok {
			i = len(list)
			at[use.Offset] = i
			list = append(list, place{offset: use.Offset})
		}
		if !slices.Contains(list[i].was, use.Address) {
			list[i].was = append(list[i].was, use.Address)
		}
	}
	for _, use := range s.an.Uses {
		i, ok := at[use.Offset]
		if ok && !use.Star && !slices.Contains(list[i].now, use.Address) {
			list[i].now = append(list[i].now, use.Address)
		}
	}
	return list
}

// relationsAt are the relations among what a name denotes, whole or by a column. Indexes are none: which of them serves ON
// CONFLICT changes no row.
func relationsAt(cat *catalog.Catalog, list []catalog.Address, columns bool) []catalog.Address {
	var out []catalog.Address
	for _, a := range list {
		if rel, ok := cat.Get(a.OID).(*catalog.Relation); ok && rel.Index == nil && (a.Column != 0) == columns {
			out = append(out, a)
		}
	}
	return out
}

// behind lists what columns are once views are looked through; a view's own when it computes them.
func behind(cat *catalog.Catalog, list []catalog.Address) []catalog.Address {
	var out []catalog.Address
	for _, a := range list {
		if b := cat.Behind(a); b.OID != 0 {
			a = b
		}
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(x, y catalog.Address) int {
		if x.OID != y.OID {
			return int(int64(x.OID) - int64(y.OID))
		}
		return x.Column - y.Column
	})
	return out
}

// text is a name as an object's owner writes it: table, or table.column.
func textOf(cat *catalog.Catalog, a catalog.Address) string {
	name := cat.NameOf(a.OID).String()
	if rel, ok := cat.Get(a.OID).(*catalog.Relation); ok && a.Column > 0 {
		if col := rel.Att(a.Column); col != nil {
			return name + "." + col.Name
		}
	}
	return name
}

// fate says what has become of something since, for a message: "which is called x.y", "which is gone", else its name.
func (s *step) fate(a catalog.Address) string {
	rel, ok := s.cat.Get(a.OID).(*catalog.Relation)
	if !ok || a.Column > 0 && rel.Att(a.Column) == nil {
		if s.cat.Get(a.OID) == nil || ok {
			return "which is gone"
		}
	}
	if now := textOf(s.cat, a); now != textOf(s.was.cat, a) {
		return "which is called " + now
	}
	return textOf(s.cat, a)
}

// columnCount is a number of columns in words.
func columnCount(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}
