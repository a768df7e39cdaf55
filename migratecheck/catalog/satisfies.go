package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// Satisfies evaluates the condition of a CHECK for a row, given the constants that some of its columns hold, by attribute
// number. known is false when they do not decide it. A condition that is NULL is satisfied.
func (c *Catalog) Satisfies(rel *Relation, condition *Expr, row map[int]*pgast.Node) (ok, known bool) {
	r := c.evaluator()
	values := map[string]plValue{}
	for num, n := range row {
		if col := rel.Att(num); col != nil {
			values[col.Name] = r.eval(n)
		}
	}
	return decided(r.evalIn(condition.Node, &plScope{parts: []plPart{{alias: rel.Name, row: values}}}))
}

// SatisfiesDomain is Satisfies for the condition of a domain and a value.
func (c *Catalog) SatisfiesDomain(condition *Expr, value *pgast.Node) (ok, known bool) {
	r := c.evaluator()
	r.vars["value"] = r.eval(value)
	return decided(r.eval(condition.Node))
}

// MayViolateDomain is MayViolate for a value of a domain.
func (c *Catalog) MayViolateDomain(domain *Type, condition *Expr, value Cell, held []*Expr) bool {
	rel := &Relation{Columns: []Column{{Num: 1, Name: "value", Type: domain.Base}}}
	return c.MayViolate(Row{Relation: rel, Cells: map[int]Cell{1: value}}, condition, held, nil)
}

func (c *Catalog) evaluator() *codeRunner {
	return &codeRunner{c: c, eff: &Effects{}, vars: map[string]plValue{}, steps: new(int)}
}

func decided(v plValue) (ok, known bool) {
	switch v.kind {
	case plBoolean:
		return v.b, true
	case plNullKind:
		return true, true
	}
	return false, false
}
