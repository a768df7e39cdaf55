package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Witness is what makes a site do something on the schema it was written for. It is run on every other schema.
type Witness struct {
	site     *query.Site
	history  string
	variants []proof  // as Site.Variants
	names    []string // of Site.Names, those that are there
}

// proof is one text's part of a Witness.
type proof struct {
	stmts []pgast.Stmt
	// cases are values with which every statement succeeds; the first is the ordinary one.
	cases []trial
	// columns and reads are what the last statement returns and what its names mean, where it is at home.
	columns     []Column
	nulls       []bool
	denoted     Meaning
	constraints map[string]string // of its own schema
	unproved    string            // why it could not be made to succeed, "" when it was
}

// trial is one way of running a statement.
type trial struct {
	runs     [][]binding // one, or two: code runs again and again, and the second run meets what the first has left
	affected int64
	rows     [][]string
	nulls    []bool
	stored   map[string]string
}

// Hints are constants that matter to columns, by their name: those of CHECKs of any schema of the history. A value on the
// edge of a constraint shows best whether it is in a query's way.
type Hints map[string][]string

// Hints lists the constants in the constraints of this schema.
func (p *Probe) Hints() Hints {
	hints := Hints{}
	for _, t := range p.schema.tables {
		for i := range t.columns {
			c := &t.columns[i]
			hints[c.name] = append(hints[c.name], t.literals(c.num)...)
			if ty := p.typ(c.typ); ty != nil && ty.kind == 'e' {
				hints[c.name] = append(hints[c.name], ty.labels...)
			}
		}
	}
	return hints
}

// Add takes over the constants of others.
func (h Hints) Add(others Hints) {
	for name, list := range others {
		for _, l := range list {
			if !slices.Contains(h[name], l) {
				h[name] = append(h[name], l)
			}
		}
	}
}

// The bounds of the search for witnesses, in runs of a statement.
const (
	searchRuns = 40
	otherRuns  = 24
)

// Prove looks for a site's witness on this schema, the one that it was written for.
func (p *Probe) Prove(ctx context.Context, site *query.Site, hints Hints) (*Witness, error) {
	w := &Witness{site: site, history: p.history}
	if err := p.fill(ctx); err != nil {
		return nil, err
	}
	for i := range site.Variants {
		pr, err := p.prove(ctx, &site.Variants[i], hints)
		if err != nil {
			return nil, err
		}
		w.variants = append(w.variants, pr)
	}
	var names []string
	for _, use := range site.Names {
		names = append(names, use.Name)
	}
	gone, err := p.missing(ctx, names)
	w.names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(gone, name) })
	return w, err
}

// Unproved says why the site proves nothing, "" when each of its texts was run.
func (w *Witness) Unproved() string {
	if len(w.variants) == 0 && len(w.site.Names) == 0 {
		return "its SQL is not known"
	}
	if len(w.variants) == 0 && len(w.names) == 0 {
		return "no constraint and no index of its own schema has such a name"
	}
	for _, v := range w.variants {
		if v.unproved != "" {
			return v.unproved
		}
	}
	return ""
}

// Columns are the columns of what a text of the site returns, and by column whether NULL was seen there.
func (w *Witness) Columns(variant int) ([]Column, []bool) {
	pr := w.variants[variant]
	return pr.columns, append(pr.nulls, make([]bool, max(0, len(pr.columns)-len(pr.nulls)))...)
}

func (p *Probe) prove(ctx context.Context, v *query.Variant, hints Hints) (proof, error) {
	stmts, err := pgast.Parse(v.SQL)
	if err != nil {
		return proof{unproved: "it cannot be parsed: " + err.Error()}, nil
	}
	if len(stmts) == 0 {
		return proof{unproved: "it holds no statement"}, nil
	}
	pr := proof{stmts: stmts, constraints: p.constraints()}
	for _, stmt := range stmts {
		s, err := p.plan(ctx, stmt)
		if err != nil {
			return pr, err
		}
		err = errors.Join(p.proveStatement(ctx, v, &s, &pr, hints), p.forget(ctx, &s))
		if err != nil || pr.unproved != "" {
			return pr, err
		}
	}
	return pr, nil
}

func (p *Probe) proveStatement(ctx context.Context, v *query.Variant, s *planned, pr *proof, hints Hints) error {
	switch {
	case s.failure != nil:
		pr.unproved = "it fails on its own schema: " + s.failure.String()
		return nil
	case s.reason != "":
		pr.unproved = s.reason
		return nil
	case len(pr.stmts) > 1 && len(s.params) > 0:
		pr.unproved = "several statements with parameters cannot be sent at once"
		return nil
	}
	pr.columns = s.columns
	if err := p.search(ctx, v, s, pr, hints); err != nil || p.history == "" {
		return err
	}
	var err error
	pr.denoted, err = p.denoted(ctx, s)
	return err
}

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
		list := k.choose(oid, at, hints, fresh)
		var again *binding
		if next := k.choose(oid, at, hints, fresh+1); at.use == written && len(next) > 0 && next[0].table == "" {
			again = &next[0]
		}
		k.again = append(k.again, again)
		var edges []binding
		if at.use == written {
			edges = extremes(k.p.typ(oid))
		}
		if t := k.p.typ(oid); at.use == compared && t != nil && t.kind == 'e' {
			for _, l := range t.labels {
				edges = append(edges, binding{text: l})
			}
		}
		// A text that stands in on schemas where the row is called otherwise.
		for j := range list {
			text, ok, err := k.p.referred(ctx, list[j])
			if err != nil {
				return err
			}
			if ok {
				list[j].text = text
			}
		}
		if arg.Nullable {
			edges = append([]binding{{null: true}}, edges...)
		}
		k.choices, k.edges = append(k.choices, list), append(k.edges, edges)
	}
	return nil
}

// fresh is the number behind written values, other than those behind the rows that are there.
const fresh = 7

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
				list = append(list, binding{schema: at.table.schema, table: at.table.name, column: at.column, row: i, parent: true})
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
			if r.affected > 0 {
				break
			}
		} else if failure == nil || r.failure.Code != "23505" {
			failure = r.failure
		}
		if !k.amend(list, r.failure) {
			break
		}
	}
	if best == nil {
		return trial{}, failure, nil
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
	changed := len(about) == 0
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

// others adds ways to run the statement that succeed as well, one parameter changed in each: what another schema has against
// one of them it has against the code.
func (k *seeker) others(ctx context.Context, pr *proof) error {
	base := pr.cases[0].runs[0]
	runs := 0
	add := func(lists ...[]binding) error {
		runs++
		r, err := k.try(ctx, lists...)
		if errors.Is(err, errNoRow) {
			return nil
		}
		if err == nil && r.failure == nil && (r.affected > 0 || !k.needsRow()) {
			pr.cases = append(pr.cases, trial{runs: lists, affected: r.affected, rows: r.rows})
			pr.nulls = union(pr.nulls, r.nulls)
		}
		return err
	}
	for row := 1; row < rowsEach; row++ {
		list := slices.Clone(base)
		for i := range list {
			if list[i].table != "" && !list[i].parent && list[i].row == 0 && k.a.params[i+1].use != written {
				list[i].row = row
			}
		}
		if slices.Equal(list, base) {
			break
		}
		if err := add(list); err != nil {
			return err
		}
		if k.a.reads {
			continue
		}
		if err := add(base, list); err != nil {
			return err
		}
	}
	if n := k.s.stmt.Node; n.GetInsertStmt() != nil || n.GetMergeStmt() != nil || n.GetCopyStmt() != nil {
		again := slices.Clone(base)
		for i, b := range k.again {
			if b != nil && base[i].table == "" {
				again[i] = *b
			}
		}
		if err := k.upserts(base, add); err != nil {
			return err
		}
		next := [][]binding{base, again}
		for i := range base {
			if again[i] != base[i] {
				one := slices.Clone(base)
				one[i] = again[i]
				next = append(next, one)
			}
		}
		for _, list := range next {
			if err := add(base, list); err != nil {
				return err
			}
		}
	}
	for round := 1; runs < otherRuns; round++ {
		more := false
		for i := range k.choices {
			if at := k.a.params[i+1]; at.use != written && at.use != other && len(k.edges[i]) == 0 || k.fixed[i] {
				continue
			}
			c := slices.Concat(k.edges[i], k.choices[i])
			if round > len(c) || runs >= otherRuns {
				continue
			}
			more = true
			list := slices.Clone(base)
			if list[i] = c[round-1]; list[i] == base[i] {
				continue
			}
			if err := add(list); err != nil {
				return err
			}
		}
		if !more {
			break
		}
	}
	return nil
}

// upserts runs an INSERT onto one row that is there, then onto another.
func (k *seeker) upserts(base []binding, add func(...[]binding) error) error {
	if k.s.stmt.Node.GetInsertStmt().GetOnConflictClause() == nil {
		return nil
	}
	one, other := slices.Clone(base), slices.Clone(base)
	for i := range base {
		at := k.a.params[i+1]
		if at.use != written {
			continue
		}
		if c := at.table.column(at.column); c != nil && base[i].table == "" && (at.table.distinguishes(c.num, true) || at.table.distinguishes(c.num, false)) {
			one[i] = binding{schema: at.table.schema, table: at.table.name, column: at.column}
			other[i] = one[i]
			other[i].row = firstTwin
		}
	}
	return add(one, other)
}

func union(a, b []bool) []bool {
	if len(a) < len(b) {
		a = append(slices.Clone(a), make([]bool, len(b)-len(a))...)
	}
	for i, v := range b {
		a[i] = a[i] || v
	}
	return a
}
