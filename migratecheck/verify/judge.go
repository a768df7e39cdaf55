package verify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Outcome is what the server says of a site on one schema.
type Outcome struct {
	Variants []VariantOutcome // as Site.Variants
	// NamesGone are those of Site.Names that are a constraint or index at home and not here.
	NamesGone []string
	// Crossed is what rows that a migration has changed have shown: see Crossing.
	Crossed []Break
}

// VariantOutcome is what it says of one text.
type VariantOutcome struct {
	// Failure is the refusal, of planning or of a run that succeeded on the schema the text was written for.
	Failure *Failure
	// Refusal is what comes here of values that its own schema refuses, when no others were found: it may be theirs.
	Refusal *Failure
	// Lost: a write that touched rows there touches none here, and is not refused.
	Lost bool
	// NotProved says why nothing follows from the absence of a Failure: "" when each case was run.
	NotProved string
	// Home and Here are the result's columns on the schema the text was written for and on this one; nil when it has none.
	Home, Here []Column
	// Differs: a read answers other rows here. The rows are not quite the same everywhere, so that nothing follows from it.
	Differs bool
	// Empty: a read that found no row, here or at home. Once: a write that could not be run twice at home, so that nothing is
	// known of two rows alike.
	Empty, Once bool
	// Nulls tells by column where NULL was seen here and not there.
	Nulls []bool
	// Denotes lists names that mean another object here, sorted.
	Denotes []string
	// Defaults lists columns that an INSERT leaves out and in which another value arrives here, sorted.
	Defaults []string

	samples []sample          // by column, where the type is another than at home
	values  []map[string]bool // by column: what was seen of an enumeration
	utility bool              // it is none of those whose names' meaning is known
	reads   bool              // it is a SELECT: any row may come back, not only those that it has just written
}

// Judge plans and runs a site on this schema with its witness from the one it was written for.
func (p *Probe) Judge(ctx context.Context, w *Witness) (Outcome, error) {
	var out Outcome
	if err := p.fill(ctx); err != nil {
		return out, err
	}
	for i := range w.variants {
		v, err := p.judge(ctx, &w.variants[i], w.history != "" && w.history == p.history)
		if err != nil {
			return out, err
		}
		out.Variants = append(out.Variants, v)
	}
	var err error
	out.NamesGone, err = p.missing(ctx, w.names)
	return out, errors.Join(err, p.settle(ctx))
}

// missing lists the names that no constraint and no index has.
func (p *Probe) missing(ctx context.Context, names []string) ([]string, error) {
	var list []string
	for _, name := range names {
		result, err := p.execParams(ctx, `SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = $1) OR
			EXISTS (SELECT FROM pg_class WHERE relname = $1 AND relkind IN ('i', 'I'))`, [][]byte{[]byte(name)})
		if err == nil {
			err = result.Err
		}
		if err != nil {
			return nil, fmt.Errorf("looking for constraint %s: %w", name, err)
		}
		if string(result.Rows[0][0]) != "t" {
			list = append(list, name)
		}
	}
	return list, nil
}

func (p *Probe) judge(ctx context.Context, pr *proof, comparable bool) (VariantOutcome, error) {
	out := VariantOutcome{NotProved: pr.unproved, Home: pr.columns}
	var nulls []bool
	for _, stmt := range pr.stmts {
		s, err := p.plan(ctx, stmt)
		if err != nil {
			return out, err
		}
		seen, err := p.judgeStatement(ctx, pr, &s, &out, comparable)
		p.forget(&s)
		if err != nil || out.Failure != nil {
			return out, err
		}
		nulls = union(nulls, seen)
	}
	if len(out.Home) == len(out.Here) {
		out.Nulls = make([]bool, len(out.Here))
		for i := range nulls {
			out.Nulls[i] = nulls[i] && (i >= len(pr.nulls) || !pr.nulls[i])
		}
	}
	return out, nil
}

// judgeStatement runs one statement with every case of the witness; it returns where NULLs were seen.
func (p *Probe) judgeStatement(ctx context.Context, pr *proof, s *planned, out *VariantOutcome, comparable bool) ([]bool, error) {
	if s.failure != nil {
		out.refuse(s.failure)
		return nil, nil
	}
	out.utility = !optimizable(s.stmt.Node) || s.stmt.Node.GetMergeStmt() != nil // no function body takes them
	out.Here, out.reads = s.columns, s.stmt.Node.GetSelectStmt() != nil
	if s.reason != "" {
		return nil, nil
	}
	for _, t := range analyse(p.schema, s.stmt.Node).relations {
		if why := p.unfit[t.oid]; why != "" && out.NotProved == "" {
			out.NotProved = fmt.Sprintf("table %s: %s", t.name, why)
		}
	}
	if !out.reads && len(pr.columns) == len(s.columns) {
		for i, c := range s.columns {
			if home := pr.columns[i]; (home.Type != c.Type || !slices.Equal(c.Labels, home.Labels)) && out.NotProved == "" {
				out.NotProved = "what rows that it has not written hold in " + c.Name + " is not known"
			}
		}
	}
	out.Empty, out.Once = out.reads, !out.reads
	if pr.refused != nil {
		r, err := p.runCase(ctx, s, *pr.refused)
		if err != nil && !errors.Is(err, errNoRow) {
			return nil, err
		}
		if out.Refusal = r.failure; err == nil && r.failure == nil && out.NotProved == pr.unproved {
			out.NotProved = "" // it was run here
		}
	}
	var nulls []bool
	for _, c := range pr.cases {
		r, err := p.runCase(ctx, s, c)
		if errors.Is(err, errNoRow) {
			out.NotProved = err.Error()
			continue
		}
		if err != nil {
			return nil, err
		}
		out.values = merge(out.values, r.values)
		if r.failure != nil && p.oldConstraint(pr, r.failure) {
			out.NotProved = "a constraint is in the way that its own schema has as well: " + r.failure.String()
			continue
		}
		if r.failure != nil {
			out.refuse(r.failure)
			return nil, nil
		}
		out.Empty = out.Empty && len(c.rows) == 0 && len(r.rows) == 0
		out.Once = out.Once && len(c.runs) == 1
		if r.affected < c.affected && (r.affected == 0 || s.stmt.Node.GetInsertStmt() != nil) {
			p.lost(pr, s, out)
		}
		if out.reads && !reflect.DeepEqual(c.rows, r.rows) {
			out.Differs = true
		}
		if c.affected > 0 && r.affected > 0 {
			if another(c.stored, r.stored) && out.NotProved == "" {
				out.NotProved = "a column that it leaves out is another one here"
			}
			out.Defaults = slices.Compact(slices.Sorted(slices.Values(append(out.Defaults, differing(c.stored, r.stored)...))))
		}
		nulls = union(nulls, r.nulls)
	}
	if err := p.sample(ctx, pr, s, out); err != nil || !comparable {
		return nulls, err
	}
	here, err := p.denoted(ctx, s)
	out.Denotes = append(out.Denotes, Otherwise(s.stmt.SQL, pr.denoted, here)...)
	return nulls, err
}

// sample takes a value of each column whose type is another than at home, for the drivers to scan.
func (p *Probe) sample(ctx context.Context, pr *proof, s *planned, out *VariantOutcome) error {
	differs := func(i int) bool { return pr.columns[i].Type != s.columns[i].Type }
	if s.name == "" || len(pr.columns) != len(s.columns) || len(pr.cases) == 0 || !slices.ContainsFunc(positions(len(s.columns)), differs) {
		return nil
	}
	values, err := p.resolve(ctx, pr.cases[0].runs[0])
	if errors.Is(err, errNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	out.samples = make([]sample, len(s.columns))
	for format := range int16(2) { // text, binary
		err = p.tryAs(ctx, func() error {
			result, err := p.execPrepared(ctx, s.name, values, format)
			if err != nil {
				return err
			}
			if _, err := refusal(ctx, result.Err); err != nil {
				return err
			}
			for i := range s.columns {
				for _, row := range result.Rows {
					if row[i] == nil || !differs(i) {
						continue
					}
					if format == 0 {
						out.samples[i].text = row[i]
					} else {
						out.samples[i].binary = row[i]
					}
					break
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for i, v := range out.samples {
		if differs(i) && v.text == nil && out.NotProved == "" {
			out.NotProved = "there is no value of column " + s.columns[i].Name + " to scan"
		}
	}
	return nil
}

func positions(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// lost notes that a write touches nothing, or fewer rows. Rows are not quite the same everywhere, so it is a loss only where
// something stands between a write and the table that did not where it is at home, or a unique key makes ON CONFLICT skip what it did not skip.
func (p *Probe) lost(pr *proof, s *planned, out *VariantOutcome) {
	guarded := false
	for _, t := range analyse(p.schema, s.stmt.Node).relations {
		guarded = guarded || t.guarded || p.newTrigger(pr, t, changes(s.stmt.Node)) || s.stmt.Node.GetInsertStmt() != nil && p.newKey(pr, t)
		if why := p.unfit[t.oid]; why != "" {
			out.NotProved = fmt.Sprintf("table %s: %s", t.name, why)
			return
		}
	}
	switch {
	case out.reads:
		out.Differs = true
	case guarded:
		out.Lost = true
	case out.NotProved == "":
		out.NotProved = "it touches fewer rows here"
	}
}

// changes are the events of triggers that a statement may cause, as in pg_trigger.tgtype (TRIGGER_TYPE_INSERT and so on,
// src/include/catalog/pg_trigger.h).
func changes(n *pgast.Node) uint32 {
	const inserts, deletes, updates = 1 << 2, 1 << 3, 1 << 4
	switch {
	case n.GetInsertStmt() != nil && n.GetInsertStmt().OnConflictClause == nil, n.GetCopyStmt() != nil:
		return inserts
	case n.GetUpdateStmt() != nil:
		return updates
	case n.GetDeleteStmt() != nil:
		return deletes
	}
	return inserts | deletes | updates
}

// newTrigger: the table has a trigger for one of the events that it does not have where the text is at home, or that does something else.
func (p *Probe) newTrigger(pr *proof, t *table, events uint32) bool {
	return slices.ContainsFunc(t.triggers, func(g trigger) bool { return g.events&events != 0 && !pr.constraints[g.definition()] })
}

func (g trigger) definition() string {
	return fmt.Sprintf("trigger %s %d %s", g.name, g.events, g.does)
}

// newKey: the table has a unique key or an exclusion constraint that it does not have where the text is at home.
func (p *Probe) newKey(pr *proof, t *table) bool {
	return slices.ContainsFunc(t.constraints, func(c constraint) bool {
		return strings.ContainsRune("puxi", rune(c.kind)) && !pr.constraints[p.definition(t, c)]
	})
}

// merge adds what was seen, by column.
func merge(a, b []map[string]bool) []map[string]bool {
	for len(a) < len(b) {
		a = append(a, map[string]bool{})
	}
	for i, seen := range b {
		for v := range seen {
			a[i][v] = true
		}
	}
	return a
}

// oldConstraint: what was violated is the same where the text is at home. The rows differ then, not the schemas.
func (p *Probe) oldConstraint(pr *proof, f *Failure) bool {
	if f.Constraint == "" {
		return false
	}
	for _, t := range p.schema.tables {
		for _, c := range t.constraints {
			if t.name == f.Table && c.name == f.Constraint && slices.ContainsFunc(p.keys(t, c), func(key string) bool { return pr.constraints[key] }) {
				return true
			}
		}
	}
	return false
}

// constraints are the definitions of all constraints.
func (p *Probe) constraints() map[string]bool {
	defs := map[string]bool{}
	for _, t := range p.schema.tables {
		for _, c := range t.constraints {
			for _, key := range p.keys(t, c) {
				defs[key] = true
			}
		}
		for _, g := range t.triggers {
			defs[g.definition()] = true
		}
	}
	return defs
}

// keys are what a constraint that demands the same has one of.
func (p *Probe) keys(t *table, c constraint) []string {
	keys := []string{p.definition(t, c), c.lasting()}
	if p.history != "" {
		// The object itself, whatever it and its columns are called: other columns or types make it another (ATPostAlterTypeCleanup
		// in src/backend/commands/tablecmds.c), so that only ALTER CONSTRAINT changes it.
		_, timing, _ := strings.Cut(strings.TrimSuffix(c.def, " NOT VALID"), " DEFERRABLE")
		keys = append(keys, fmt.Sprintf("object %s %d%s", p.history, c.oid, timing))
	}
	return keys
}

// definition is what a constraint demands, whatever it is called: what a unique key does not depend on its columns' types.
func (p *Probe) definition(t *table, c constraint) string {
	def := t.name + " " + c.def
	if c.kind == 'i' { // a unique index is printed with its name
		_, def, _ = strings.Cut(c.def, " USING ")
		def = t.name + " " + def
	}
	for _, num := range c.columns {
		if col := t.byNum(num); col != nil && (c.kind == 'c' || c.kind == 'f') {
			def += " " + col.typeName
		}
	}
	return def
}

// referenced finds the table that a foreign key points at.
var referenced = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`REFERENCES [^(]*`) })

// lasting is a constraint as it is called, whatever the tables are called that it is about.
func (c constraint) lasting() string {
	def := c.def
	if c.kind == 'f' {
		def = referenced().ReplaceAllString(def, "REFERENCES ")
	}
	if c.kind == 'i' {
		_, def, _ = strings.Cut(def, " USING ")
	}
	return "constraint " + c.name + " " + def
}

// refuse notes what the server refuses. That it took too long says nothing of the query.
func (o *VariantOutcome) refuse(f *Failure) {
	const canceled, lockNotAvailable = "57014", "55P03"
	if f.Code == canceled || f.Code == lockNotAvailable {
		o.NotProved = f.String()
		return
	}
	o.Failure = f
}

func (p *Probe) runCase(ctx context.Context, s *planned, c trial) (ran, error) {
	var runs [][][]byte
	for _, list := range c.runs {
		values, err := p.resolve(ctx, list)
		if err != nil {
			return ran{}, err
		}
		runs = append(runs, values)
	}
	return p.run(ctx, s, runs)
}

// another: a name is that of another column here, or of one that the server computes.
func another(home, here map[string]storedValue) bool {
	for name, was := range home {
		if is, ok := here[name]; !ok && here != nil || ok && is.number != was.number {
			return true
		}
	}
	return false
}

// differing lists the columns that hold something in home and something else in here. NULL is what code gets that relies on no
// default.
func differing(home, here map[string]storedValue) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(home)) {
		was, is := home[name], here[name]
		if is.number == was.number && was.value != "null" && was.value != is.value && (is.value == "null" || is.typ == was.typ) {
			list = append(list, name)
		}
	}
	return list
}
