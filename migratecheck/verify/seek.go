package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// seeker looks for the witness of one statement.
type seeker struct {
	p       *Probe
	s       *planned
	a       analysis
	choices [][]binding // by parameter, the most ordinary first
	again   []*binding  // by parameter: another ordinary value, nil where there is none
	edges   [][]binding // by parameter: values that a narrower type or another constraint may not take
	fixed   []bool      // the code always binds NULL
	rng     *rand.Rand
}

func (p *Probe) search(ctx context.Context, v *query.Variant, s *planned, pr *proof, hints Hints) error {
	k := &seeker{p: p, s: s, a: analyse(p.schema, s.stmt.Node), rng: rand.New(rand.NewPCG(1, uint64(len(v.SQL))))}
	if err := k.prepare(ctx, v, hints); err != nil {
		return err
	}
	first, failure, err := k.first(ctx)
	if err != nil {
		return err
	}
	if failure != nil {
		pr.unproved = "no values were found with which it succeeds on its own schema: " + failure.String()
		if len(first.runs) > 0 {
			pr.refused = &first
		}
		for _, t := range k.a.relations {
			if why := p.unfit[t.oid]; why != "" {
				pr.unproved = fmt.Sprintf("table %s: %s", t.name, why)
			}
		}
		return nil
	}
	if k.needsRow() && first.affected == 0 {
		pr.unproved = "no values were found with which it touches a row on its own schema"
		for _, t := range k.a.relations {
			if why := p.unfit[t.oid]; why != "" {
				pr.unproved = fmt.Sprintf("table %s: %s", t.name, why)
			}
		}
		return nil
	}
	if k.a.modifies {
		pr.unproved = "whether what it changes in its WITH is there is not known"
	}
	pr.cases, pr.nulls = []trial{first}, union(pr.nulls, first.nulls)
	return k.others(ctx, pr)
}

// needsRow: without touching a row the statement shows nothing.
func (k *seeker) needsRow() bool { return !k.a.reads && optimizable(k.s.stmt.Node) }

// copyParams gives COPY … FROM a parameter per column.
func (k *seeker) copyParams() {
	c := k.s.stmt.Node.GetCopyStmt()
	if c == nil || !c.IsFrom {
		return
	}
	t := k.p.schema.find(c.Relation.GetSchemaname(), c.Relation.GetRelname())
	if t == nil {
		return
	}
	var names []string
	for _, n := range c.Attlist {
		names = append(names, n.GetString_().GetSval())
	}
	if len(names) == 0 {
		for i := range t.columns {
			if !t.columns[i].generated {
				names = append(names, t.columns[i].name)
			}
		}
	}
	k.s.params = nil
	for i, name := range names {
		if column := t.column(name); column != nil {
			k.s.params = append(k.s.params, column.typ)
			k.a.params[i+1] = param{table: t, column: name, use: written}
		}
	}
}

// prepare lists what there is to choose from for each parameter.
func (k *seeker) prepare(ctx context.Context, v *query.Variant, hints Hints) error {
	k.copyParams()
	for i, oid := range k.s.params {
		var arg query.GoType
		if i < len(v.Args) {
			arg = v.Args[i]
		}
		k.fixed = append(k.fixed, arg.Null)
		if arg.Null {
			k.choices, k.edges, k.again = append(k.choices, []binding{{null: true}}), append(k.edges, nil), append(k.again, nil)
			continue
		}
		at := k.a.params[i+1]
		list := k.sendable(k.choose(oid, at, hints, fresh), arg)
		var again *binding
		if next := k.sendable(k.choose(oid, at, hints, fresh+1), arg); at.use == written && len(next) > 0 && next[0].table == "" {
			again = &next[0]
		}
		k.again = append(k.again, again)
		var edges []binding
		if at.use == written {
			for _, l := range hints[at.column] {
				edges = append(edges, binding{text: l})
			}
			edges = append(edges, binding{schema: at.table.schema, table: at.table.name, column: at.column})
			edges = append(edges, extremes(k.p.typ(oid))...)
			edges = k.sendable(edges, arg)
		}
		if t := k.p.typ(oid); at.use == anyOf && t != nil && k.p.typ(t.elem) != nil {
			for _, l := range k.p.typ(t.elem).labels {
				edges = append(edges, binding{text: l, array: true})
			}
		} else if at.use == compared && t != nil && t.kind == 'e' {
			for _, l := range t.labels {
				edges = append(edges, binding{text: l})
			}
		} else if at.use == compared && t != nil && t.category == 'S' {
			edges = append(edges, binding{text: "nobody has this"})
		}
		// A text that stands in on schemas where the row is called otherwise.
		for _, bindings := range [][]binding{list, edges} {
			for j := range bindings {
				bindings[j].typ = k.p.typeIn(bindings[j])
				text, ok, err := k.p.referred(ctx, bindings[j])
				if err != nil {
					return err
				}
				if ok {
					bindings[j].text = text
				}
			}
		}
		if arg.Nullable {
			edges = append([]binding{{null: true}}, edges...)
		}
		k.choices, k.edges = append(k.choices, list), append(k.edges, edges)
	}
	return nil
}

// typeIn is the type of the column that a value is taken from, nil when it is taken from none.
func (p *Probe) typeIn(b binding) *typ {
	t := p.schema.find(b.schema, b.table)
	if t == nil || t.column(b.column) == nil {
		return nil
	}
	return p.typ(t.column(b.column).typ)
}

// sendable leaves out what code cannot send: a Go integer is bound as its digits, whatever the type of the parameter.
func (k *seeker) sendable(list []binding, arg query.GoType) []binding {
	if arg.Kind != query.Int {
		return list
	}
	var out []binding
	for _, b := range list {
		if b.table == "" {
			if _, err := strconv.ParseInt(b.text, 10, 64); err == nil {
				out = append(out, b)
			}
			continue
		}
		t := k.p.schema.find(b.schema, b.table)
		if t == nil {
			continue
		}
		if c := t.column(b.column); c != nil {
			if typ := k.p.typ(c.typ); typ != nil && (typ.category == 'N' || b.array) {
				out = append(out, b)
			}
		}
	}
	return out
}

// fresh is the number behind written values, other than those behind the rows that are there.
const fresh = 3 * rowsEach

// choose lists values for a parameter by its place.
func (k *seeker) choose(oid uint32, at param, hints Hints, fresh int) []binding {
	p := k.p
	inRow := func(t *table, column string, i int) binding {
		return binding{schema: t.schema, table: t.name, column: column, row: i}
	}
	var list []binding
	switch at.use {
	case limit:
		return []binding{{text: "10"}}
	case offset:
		return []binding{{text: "0"}}
	case compared, anyOf:
		// One more than every table has: nothing refers to that row yet, so that it can be deleted.
		for i := range rowsEach + 1 {
			b := inRow(at.table, at.column, i)
			b.array = at.use == anyOf
			list = append(list, b)
		}
		if at.use == anyOf {
			return list
		}
	case written:
		column := at.table.column(at.column)
		if column == nil {
			break
		}
		if parent, ref := p.schema.foreignKey(at.table, column.num); parent != nil && ref != nil {
			for i := range rowsEach + 1 {
				home := inRow(parent, ref.name, i)
				list = append(list, binding{schema: at.table.schema, table: at.table.name, column: at.column, row: i, parent: true, home: &home})
			}
			return list
		}
		for _, text := range p.values(column.typ, column.typeName, fresh, append(at.table.literals(column.num), hints[at.column]...)) {
			list = append(list, binding{text: text})
		}
		return append(list, inRow(at.table, at.column, 0))
	}
	for _, text := range p.values(oid, p.typeName(oid), fresh, hints[at.column]) {
		list = append(list, binding{text: text})
	}
	if at.use != other {
		return list
	}
	// It may be compared with something all the same.
	for _, t := range k.a.relations {
		for i := range t.columns {
			if t.columns[i].typ == oid {
				list = slices.Insert(list, min(len(list), 1), inRow(t, t.columns[i].name, 0))
			}
		}
	}
	return list
}

// extremes are values that narrower types do not take.
func extremes(t *typ) []binding {
	if t == nil {
		return nil
	}
	switch t.category {
	case 'N':
		return []binding{{text: "30000"}, {text: "2000000000"}, {text: "9000000000000000000"}, {text: "1.25"}}
	case 'S':
		return []binding{{text: strings.Repeat("long ", 80)}}
	}
	return nil
}

func (k *seeker) try(ctx context.Context, runs ...[]binding) (ran, error) {
	return k.p.runCase(ctx, k.s, trial{runs: runs})
}

// first finds values with which the statement succeeds and touches a row; failure is set when there are none with which it
// succeeds.
func (k *seeker) first(ctx context.Context) (trial, *Failure, error) {
	list := make([]binding, len(k.choices))
	for i, c := range k.choices {
		if len(c) == 0 {
			return trial{}, &Failure{Message: fmt.Sprintf("no value is known for $%d", i+1)}, nil
		}
		list[i] = c[0]
	}
	var best *trial
	var failure *Failure
	var refused trial
	for range searchRuns {
		r, err := k.try(ctx, list)
		if errors.Is(err, errNoRow) {
			r.failure, err = &Failure{Message: err.Error()}, nil
		}
		if err != nil {
			return trial{}, nil, err
		}
		if r.failure == nil {
			if best == nil || r.affected > best.affected {
				best = &trial{runs: [][]binding{slices.Clone(list)}, affected: r.affected, rows: r.rows, nulls: r.nulls, stored: r.stored}
			}
			if r.affected > 0 || !k.needsRow() && !k.a.reads {
				break
			}
		} else if failure == nil || r.failure.Code != "23505" {
			failure, refused = r.failure, trial{runs: [][]binding{slices.Clone(list)}}
		}
		if !k.amend(list, r.failure) {
			break
		}
	}
	if best == nil {
		return refused, failure, nil
	}
	return *best, nil, nil
}

// amend changes the values of the parameters that the server's answer is about.
func (k *seeker) amend(list []binding, f *Failure) bool {
	var about []int
	if f != nil && f.Constraint != "" {
		for i := range list {
			at := k.a.params[i+1]
			if at.use == written && k.p.constrains(at.table, f.Constraint, at.column) {
				about = append(about, i)
			}
		}
	}
	if len(about) == 0 {
		for i, c := range k.choices {
			list[i] = c[0]
			if k.rng.IntN(2) == 0 {
				about = append(about, i)
			}
		}
	}
	changed := len(about) == 0 && len(list) > 0
	for _, i := range about {
		if n := len(k.choices[i]); n > 1 {
			list[i] = k.choices[i][min(k.rng.IntN(n), k.rng.IntN(n))] // rather an ordinary one
			changed = true
		}
	}
	return changed
}

func (p *Probe) constrains(t *table, name, column string) bool {
	c := t.column(column)
	return c != nil && slices.ContainsFunc(t.constraints, func(k constraint) bool {
		return k.name == name && slices.Contains(k.columns, c.num)
	})
}
