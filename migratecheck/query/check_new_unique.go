package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewUnique = &Check{
	ID:      "new-unique",
	Catches: "A unique index, or primary key, that the other schema does not have stands on columns that the code writes.",
	Code:    "23505",
	Rules:   []string{"add-unique"},
	Source:  "src/backend/access/nbtree/nbtinsert.c _bt_check_unique",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' || w.Conflict != nil && w.Conflict.DoNothing && len(w.Conflict.Arbiters) == 0 {
				return // ON CONFLICT DO NOTHING takes any conflict
			}
			before := s.was.cat.Indexes(w.rel.OID)
			for _, idx := range s.cat.Indexes(w.rel.OID) {
				if !idx.Index.Unique || slices.ContainsFunc(before, func(old *catalog.Relation) bool { return stricter(old, idx) }) {
					continue
				}
				if w.Conflict != nil && slices.Contains(w.Conflict.Arbiters, idx.OID) {
					continue // the statement says what is to happen then
				}
				columns := keyColumns(idx)
				if !w.gives(columns) || w.Op == 'i' && s.uniqueByDefault(w, columns) || !idx.Index.NullsNotDistinct && w.keepsNull(columns) {
					continue
				}
				p := w.about(s, columns, idx.OID)
				p.Code = "23505"
				s.report(c, p, "unique index %q of %s is on what %s writes: a second row of the same value is refused", idx.Name, s.cat.NameOf(w.rel.OID), s.verb())
			}
		})
	},
}

// keyColumns lists the columns that the keys of an index read.
func keyColumns(idx *catalog.Relation) []int {
	var list []int
	for _, k := range idx.Index.Keys {
		if k.Column != 0 {
			list = append(list, k.Column)
		} else {
			list = append(list, columnsIn(k.Expr, idx.Index.Table)...)
		}
	}
	return list
}

// stricter reports whether a unique index before refuses all that the one now does: its keys are among the other's, for all
// the rows.
func stricter(old, now *catalog.Relation) bool {
	if !old.Index.Unique {
		return false
	}
	if old.Index.Predicate != nil && !catalog.SameCondition(old.Index.Predicate, now.Index.Predicate) || now.Index.NullsNotDistinct && !old.Index.NullsNotDistinct {
		return false
	}
	for _, k := range old.Index.Keys {
		if !slices.ContainsFunc(now.Index.Keys, func(n catalog.IndexKey) bool {
			return k.Column == n.Column && (k.Column != 0 || catalog.SameCondition(k.Expr, n.Expr)) && k.Collation == n.Collation
		}) {
			return false
		}
	}
	return true
}

// keepsNull reports whether one of the columns is NULL in every row that is written, so that none equals another.
func (w change) keepsNull(columns []int) bool {
	return slices.ContainsFunc(columns, func(n int) bool {
		col, t := w.rel.Att(n), w.Target(n)
		if t == nil {
			return w.Op == 'i' && col != nil && col.Default == nil && col.Identity == 0 && col.Generated == 0
		}
		return t.Null && !t.Mixed
	})
}

// uniqueByDefault reports whether a key column that an INSERT leaves out gets a value of its own in each row: a sequence's, or
// one of a volatile function.
func (s *step) uniqueByDefault(w change, columns []int) bool {
	return slices.ContainsFunc(columns, func(n int) bool {
		col := w.rel.Att(n)
		if col == nil || w.Target(n) != nil && w.Target(n).Given {
			return false
		}
		return col.Identity != 0 || col.Default != nil && callsVolatile(col.Default)
	})
}

func callsVolatile(e *catalog.Expr) bool {
	calls := false
	pgast.Walk(e.Node, func(n *pgast.Node) bool {
		calls = calls || n.GetFuncCall() != nil
		return !calls
	})
	return calls && e.Volatility == catalog.Volatile
}
