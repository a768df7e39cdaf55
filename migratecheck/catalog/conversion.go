package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// conversion is a statement that changed what a column holds in the rows that there are, with those before it.
type conversion struct {
	before *conversion
	depth  int
	typed  bool // ALTER … TYPE … USING; else UPDATE
	// In value and where, nil for all rows, the column has the name that it had then.
	column, table string
	value, where  *pgast.Node
}

// maxConversions bounds how many of one column are kept: what a file does to single rows by the thousand is of no use here.
const maxConversions = 64

func (c *Catalog) converts(rel OID, num int, now conversion) {
	col := c.relation(rel).Att(num)
	now.column, now.table = col.Name, c.relation(rel).Name
	now.before, _ = c.past.Get(Address{rel, num}.key())
	if now.before != nil {
		now.depth = now.before.depth + 1
	}
	if now.depth < maxConversions {
		c.ownRecords()
		c.past.Set(Address{rel, num}.key(), &now)
	}
}

// applyUpdate notes what an UPDATE makes of columns. Nothing else of it matters to a schema, and no relation is assumed for it.
func (c *Catalog) applyUpdate(n *pgast.UpdateStmt) {
	rel := c.Relation(n.Relation.GetSchemaname(), n.Relation.GetRelname())
	if rel == nil || n.WithClause != nil || rel.Kind != Table && rel.Kind != PartitionedTable {
		return
	}
	for _, t := range n.TargetList {
		set := t.GetResTarget()
		if col := rel.Column(set.GetName()); col != nil && !col.Dropped {
			now := conversion{value: set.Val, where: n.WhereClause}
			if len(n.FromClause) > 0 || len(set.Indirection) > 0 || set.Val.GetMultiAssignRef() != nil || set.Val.GetSetToDefault() != nil {
				now.value = nil // nobody knows to what
			}
			c.converts(rel.OID, col.Num, now)
		}
	}
}

// Conversion is what statements between two schemas made of the values of a column that they changed in place.
type Conversion struct {
	c     *Catalog
	steps []*conversion
}

// Converted tells what became of a column's values since an earlier schema of the same history, by ALTER … TYPE … USING and
// the UPDATEs around it. ok is false when its type was not changed with USING since, or earlier is not earlier.
func (c *Catalog) Converted(earlier *Catalog, a Address) (v Conversion, ok bool) {
	past := func(c *Catalog) *conversion {
		if rel, _ := c.Get(a.OID).(*Relation); rel != nil && rel.Att(a.Column) != nil {
			v, _ := c.past.Get(a.key())
			return v
		}
		return nil
	}
	then := past(earlier)
	at := past(c)
	for ; at != nil && at != then; at = at.before {
		v.steps = append(v.steps, at)
		ok = ok || at.typed
	}
	slices.Reverse(v.steps)
	v.c = c
	return v, ok && at == then
}

// Of is what a value is now, as text. known is false when that cannot be told.
func (v Conversion) Of(text string) (now string, known bool) {
	for _, s := range v.steps {
		r := v.c.evaluator()
		row := &plScope{parts: []plPart{{alias: s.table, row: map[string]plValue{s.column: plText(text)}}}}
		if s.where != nil {
			switch cond := r.evalIn(s.where, row); {
			case !cond.known():
				return "", false
			case !cond.truth():
				continue
			}
		}
		if s.value == nil {
			return "", false
		}
		value := s.value
		for value.GetTypeCast() != nil && len(value.GetTypeCast().TypeName.GetTypmods()) == 0 {
			value = value.GetTypeCast().Arg // what it is cast to is the column's new type, whose text it is then
		}
		out := r.evalIn(value, row)
		if out.kind != plString {
			return "", false
		}
		text = out.s
	}
	return text, true
}

// From lists values that have become the one given, as far as the statements name them or only change the case of letters. named
// is false when none of them is named.
func (v Conversion) From(text string) (before []string, named bool) {
	try := func(list []string) {
		for _, s := range list {
			if now, known := v.Of(s); known && now == text && s != text && !slices.Contains(before, s) {
				before = append(before, s)
			}
		}
	}
	var constants []string
	for _, s := range v.steps {
		for _, n := range []*pgast.Node{s.value, s.where} {
			if n == nil {
				continue
			}
			pgast.Walk(n, func(n *pgast.Node) bool {
				if k := n.GetAConst().GetSval(); k != nil {
					constants = append(constants, k.Sval)
				}
				return true
			})
		}
	}
	try(constants)
	named = len(before) > 0
	if !named {
		try([]string{strings.ToLower(text), strings.ToUpper(text)})
	}
	return before, named
}
