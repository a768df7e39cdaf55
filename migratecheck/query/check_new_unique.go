package query

import (
	"slices"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var checkNewUnique = &Check{
	ID:      "new-unique",
	Catches: "A unique index, or primary key, that the other schema does not have stands on columns that the code writes, or its condition does.",
	Code:    "23505",
	Rules:   []string{"add-unique"},
	Asks:    TheSchema,
	Bodies:  true,
	Source:  "src/backend/access/nbtree/nbtinsert.c _bt_check_unique",
	between: func(s *step, c *Check) {
		s.changes(func(w change) {
			if w.Op != 'i' && w.Op != 'u' {
				return
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
				condition := columnsIn(idx.Index.Predicate, w.rel.OID)
				enters := w.Op == 'u' && w.sets(condition) // a row may come into a partial index with the key that it has
				if !enters && !w.repeats(columns, idx.Index.NullsNotDistinct) || !s.mayHold(w, idx) {
					continue
				}
				columns = append(columns, condition...)
				w.reportRepeat(s, c, w.about(s.reading, columns, idx.OID), "unique index "+strconv.Quote(idx.Name), "a second row of the same value")
			}
		})
	},
}

// reportRepeat reports a constraint in the way of rows that the change may write: they are refused or, with ON CONFLICT DO NOTHING, left
// out.
func (w change) reportRepeat(s *step, c *Check, p Problem, constraint, row string) {
	fate := "left out in silence"
	if w.Conflict == nil || !w.Conflict.DoNothing || len(w.Conflict.Arbiters) > 0 {
		p.Code, fate = c.Code, "refused"
	}
	s.report(c, p, "%s of %s is on what %s writes: %s is %s", constraint, s.cat.NameOf(w.rel.OID), s.verb(), row, fate)
}

// mayHold reports whether a partial index may hold a row that the change leaves, as far as its constants and its condition say.
func (s *step) mayHold(w change, idx *catalog.Relation) bool {
	if idx.Index.Predicate == nil {
		return true
	}
	outside := *idx.Index.Predicate
	outside.Node = &pgast.Node{Node: &pgast.Node_BoolExpr{BoolExpr: &pgast.BoolExpr{Boolop: pgast.BoolExprType_NOT_EXPR, Args: []*pgast.Node{outside.Node}}}}
	var standing []*catalog.Expr
	for _, con := range s.cat.Constraints(w.rel.OID) {
		if con.Kind == catalog.Check && con.Check != nil && con.Valid {
			standing = append(standing, con.Check)
		}
	}
	for row := range w.rows() {
		if s.cat.MayViolate(s.row(w, row), &outside, nil, standing) {
			return true
		}
	}
	return false
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
	if old.Index.Predicate != nil && !catalog.SameCondition(old.Index.Predicate, now.Index.Predicate) && !onlyNotNull(old) || now.Index.NullsNotDistinct && !old.Index.NullsNotDistinct {
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

// onlyNotNull reports whether the predicate of a unique index leaves out only rows whose key is NULL, which equal no other.
func onlyNotNull(idx *catalog.Relation) bool {
	columns := columnsIn(idx.Index.Predicate, idx.Index.Table)
	return notNullColumn(idx.Index.Predicate) != "" && len(columns) == 1 &&
		slices.ContainsFunc(idx.Index.Keys, func(k catalog.IndexKey) bool { return k.Column == columns[0] })
}
