package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Crossing holds the same rows before a migration and after it, in two databases, and shows statements whose code knows values by
// texts that the migration has changed.
type Crossing struct {
	Before, After *Probe
	changed       []conversion
	migration     string
}

// Cross makes a Crossing. Before and crossed were planted alike, by Plant; crossed is of the connection on which the migration,
// which is SQL, was run since.
func Cross(ctx context.Context, before, crossed *Probe, migration string) (*Crossing, error) {
	after, err := crossed.Carried(ctx)
	if err != nil {
		return nil, err
	}
	return &Crossing{before, after, conversions(crossed, after), migration}, nil
}

// Known lists the texts by which a site's code knows values: those in its SQL, those that it may bind and those that it tells apart
// when it reads.
func Known(site *query.Site) []string {
	var list []string
	add := func(texts ...string) {
		for _, s := range texts {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	for i := range site.Variants {
		v := &site.Variants[i]
		add(stringsIn(v.SQL)...)
		for _, a := range v.Args {
			add(a.Labels...)
		}
		if v.Scan != nil {
			for _, d := range v.Scan.Dests {
				add(d.Type.Labels...)
			}
		}
	}
	return list
}

// stringsIn lists the string constants in SQL, nothing when it cannot be parsed.
func stringsIn(sql string) []string {
	var list []string
	stmts, _ := pgast.Parse(sql)
	for _, s := range stmts {
		pgast.Walk(s.Node, func(n *pgast.Node) bool {
			if c := n.GetAConst().GetSval(); c != nil {
				list = append(list, c.Sval)
			}
			return true
		})
	}
	return list
}

// Sources lists texts that rows may have held for a migration to make values of them that its new code knows: the constants in its
// own SQL, and other cases of letters.
func Sources(migration string, known []string) []string {
	list := stringsIn(migration)
	for _, s := range known {
		for _, as := range []string{strings.ToLower(s), strings.ToUpper(s)} {
			if as != s {
				list = append(list, as)
			}
		}
	}
	return list
}

// Breaks lists how a site breaks on the other schema because the rows hold there in another form what it knows by a text: with the
// text put in that the rows hold, and nothing else changed, it would answer as at home. later says that the site was written
// for the schema after the migration; then the rows held one of Sources. unproved says why the absence of breaks proves nothing.
func (c *Crossing) Breaks(ctx context.Context, site *query.Site, later bool, hints Hints) (list []Break, unproved string, err error) {
	home, away := c.Before, c.After
	if later {
		home, away = away, home
	}
	known := Known(site)
	sources := Sources(c.migration, known)
	var pairs []counterpart
	for _, v := range c.changed {
		for was, is := range v.values {
			p := counterpart{was, is}
			if later {
				p = counterpart{is, was}
			}
			if (!later || slices.Contains(sources, was)) && slices.Contains(known, p.home) && !slices.Contains(pairs, p) {
				pairs = append(pairs, p)
			}
		}
	}
	if len(pairs) == 0 {
		return nil, "", nil
	}
	slices.SortFunc(pairs, func(a, b counterpart) int { return strings.Compare(a.key(), b.key()) })
	w, err := home.Prove(ctx, site, hints)
	if err != nil {
		return nil, "", err
	}
	for i := range w.variants {
		switch pr := &w.variants[i]; {
		case pr.unproved != "":
			unproved = pr.unproved
		case len(pr.stmts) != 1 || !optimizable(pr.stmts[0].Node):
			unproved = "what it makes of rows that a migration has changed is not looked at"
		case limited(pr.stmts[0].Node):
			unproved = "which rows it answers depends on their order"
		default:
			x := &crossed{Crossing: c, home: home, away: away, later: later, pairs: pairs, variant: &site.Variants[i], proof: pr}
			text, err := x.show(ctx)
			switch {
			case err != nil:
				return nil, "", err
			case text != "":
				list = append(list, Break{Kind: Value, Text: text})
			case x.empty:
				unproved = "no row was found that holds what its code knows"
			}
		}
	}
	return list, unproved, errors.Join(home.settle(ctx), away.settle(ctx))
}

// limited: which rows come back depends on their order, and what a value is called changes that.
func limited(n *pgast.Node) bool {
	found := false
	pgast.WalkMessages(n, func(m pgast.Message) bool {
		s, ok := m.(*pgast.SelectStmt)
		found = found || ok && s.LimitCount != nil
		return true
	})
	return found
}

// counterpart is a text that code knows, and what rows that hold it at home hold on the other schema.
type counterpart struct{ home, away string }

// key sorts them, the likeliest first: those that differ in the case of letters alone.
func (p counterpart) key() string {
	return fmt.Sprint(!strings.EqualFold(p.home, p.away), p.home, "\x00", p.away)
}

// crossed is one text of a site, whose code knows pairs.
type crossed struct {
	*Crossing
	home, away *Probe
	later      bool
	pairs      []counterpart
	variant    *query.Variant
	proof      *proof
	empty      bool // no trial has found a row at home
}

// show says what breaks, "" when nothing is shown to.
func (x *crossed) show(ctx context.Context) (string, error) {
	x.empty = true
	for _, list := range x.trials() {
		here, err := x.answer(ctx, x.home, x.variant.SQL, list)
		if err != nil {
			return "", err
		}
		there, err := x.answer(ctx, x.away, x.variant.SQL, list)
		if err != nil {
			return "", err
		}
		if here == nil || there == nil {
			continue
		}
		again, err := x.answer(ctx, x.home, x.variant.SQL, list)
		if err != nil {
			return "", err
		}
		if again == nil || here.reads && x.distance(here, again) > 0 {
			continue // it answers something else each time
		}
		x.empty = x.empty && here.affected == 0
		if text := x.misread(here, there); text != "" {
			return text, nil
		}
		for _, p := range x.pairs {
			texts, values := x.exchanged(p, list)
			for i := range texts {
				as, err := x.answer(ctx, x.away, texts[i], values[i])
				if err != nil {
					return "", err
				}
				if as == nil {
					continue
				}
				if what := x.differs(p, here, there, as); what != "" {
					return fmt.Sprintf("%s with %q, which the rows hold as %q here", what, p.home, p.away), nil
				}
			}
		}
	}
	return "", nil
}

// trials are the witness's values, and those with each row's in their place and with a text that the code knows. What it writes is
// not taken from a row: it knows nothing of that.
func (x *crossed) trials() [][]binding {
	params := analyse(x.home.schema, x.proof.stmts[0].Node).params
	base := slices.Clone(x.proof.cases[0].runs[0])
	rows := 1
	for i, b := range base {
		switch {
		case b.table == "" || b.parent:
		case params[i+1].use == written:
			base[i] = binding{text: fmt.Sprintf("s%d", fresh)}
		default:
			rows = max(rows, len(x.home.rows[x.home.schema.find(b.schema, b.table).oid]))
		}
	}
	var list [][]binding
	for row := range rows {
		bound := slices.Clone(base)
		for i, b := range bound {
			if b.table != "" && !b.parent {
				bound[i].row = row
			}
		}
		list = append(list, bound)
		for i, a := range x.variant.Args {
			for _, p := range x.pairs {
				if i < len(bound) && slices.Contains(a.Labels, p.home) {
					known := slices.Clone(bound)
					known[i] = binding{text: p.home, array: bound[i].array}
					list = append(list, known)
				}
			}
		}
	}
	return list
}

// exchanged are the statement and its values with the counterpart in the place of each constant of the text, one after the other
// and all at once.
func (x *crossed) exchanged(p counterpart, list []binding) (texts []string, values [][]binding) {
	add := func(sql string, bound []binding) { texts, values = append(texts, sql), append(values, bound) }
	was, is := "'"+strings.ReplaceAll(p.home, "'", "''")+"'", "'"+strings.ReplaceAll(p.away, "'", "''")+"'"
	sql := x.variant.SQL
	all := strings.ReplaceAll(sql, was, is)
	bound := slices.Clone(list)
	for i := range list {
		if i < len(x.variant.Args) && slices.Contains(x.variant.Args[i].Labels, p.home) && list[i].table == "" && list[i].text == p.home {
			bound[i].text = p.away
			one := slices.Clone(list)
			one[i].text = p.away
			add(sql, one)
		}
	}
	for at := 0; ; at += len(was) {
		next := strings.Index(sql[at:], was)
		if next < 0 {
			break
		}
		at += next
		add(sql[:at]+is+sql[at+len(was):], list)
	}
	if all != sql || !slices.Equal(bound, list) {
		add(all, bound)
	}
	return texts, values
}

// answer is what a statement answers, and what the columns hold then that the migration changed.
type answer struct {
	affected int64
	reads    bool
	rows     [][]string
	held     []map[string]int // as Crossing.changed: how many rows hold a text
}

// answer is nil when the statement is refused, or has values that there are not.
func (x *crossed) answer(ctx context.Context, p *Probe, sql string, list []binding) (*answer, error) {
	stmts, err := pgast.Parse(sql)
	if err != nil {
		return nil, nil // the text stood for something else than a constant
	}
	s, err := p.plan(ctx, stmts[0])
	if err != nil {
		return nil, err
	}
	defer p.forget(&s)
	if s.failure != nil {
		return nil, nil
	}
	values, err := p.resolve(ctx, list)
	if errors.Is(err, errNoRow) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &answer{reads: stmts[0].Node.GetSelectStmt() != nil}
	err = p.tryAs(ctx, func() error {
		r, err := p.execute(ctx, &s, values)
		if err != nil || r.failure != nil {
			out = nil
			return err
		}
		out.affected, out.rows = r.affected, r.rows
		if out.reads {
			return nil
		}
		for _, v := range x.changed {
			at := v.was
			if p == x.After {
				at = v.is
			}
			results, err := p.exec(ctx, "SET LOCAL ROLE NONE; SELECT "+quote(at.column)+"::text FROM "+quote(at.schema)+"."+quote(at.table))
			if err != nil {
				return fmt.Errorf("reading what %s holds: %w", at.table, err)
			}
			held := map[string]int{}
			for _, row := range results[1].Rows {
				held[string(row[0])]++
			}
			out.held = append(out.held, held)
		}
		return nil
	})
	return out, err
}

// differs says what the statement does otherwise on the other schema than at home, unless it has the counterpart.
func (x *crossed) differs(p counterpart, here, there, exchanged *answer) string {
	if here.reads {
		if d := x.distance(here, there); d > 0 && x.distance(here, exchanged) < d {
			return "it answers other rows"
		}
		return ""
	}
	// It writes the text, as at home, where it could write the counterpart.
	for i, v := range x.changed {
		pair := v.values[p.home] == p.away
		if x.later {
			pair = v.values[p.away] == p.home
		}
		if pair && there.affected == exchanged.affected && there.held[i][p.home] > exchanged.held[i][p.home] && there.held[i][p.away] < exchanged.held[i][p.away] {
			return "it writes rows"
		}
	}
	if d := abs(here.affected - there.affected); d > 0 && abs(here.affected-exchanged.affected) < d {
		return "it touches other rows"
	}
	return ""
}

func abs(n int64) int64 { return max(n, -n) }

// distance is how many rows one answer has and the other has not. A value that the migration changed and what it became are the same.
func (x *crossed) distance(a, b *answer) int64 {
	count := map[string]int64{}
	line := func(row []string) string {
		row = slices.Clone(row)
		for i, cell := range row {
			for _, v := range x.changed {
				if now, ok := v.values[cell]; ok {
					row[i] = now
					break
				}
			}
		}
		return strings.Join(row, "\x00")
	}
	for _, row := range a.rows {
		count[line(row)]++
	}
	for _, row := range b.rows {
		count[line(row)]--
	}
	n := int64(0)
	for _, c := range count {
		n += abs(c)
	}
	return n
}

// misread says which column answers a value in another form than the code knows that reads it.
func (x *crossed) misread(here, there *answer) string {
	scan := x.variant.Scan
	if scan == nil || len(x.proof.columns) == 0 {
		return ""
	}
	for i, c := range x.proof.columns {
		j, ok := destination(scan, i, c.Name)
		if !ok {
			continue
		}
		for _, p := range x.pairs {
			has := func(a *answer, text string) int {
				n := 0
				for _, row := range a.rows {
					if i < len(row) && row[i] == text {
						n++
					}
				}
				return n
			}
			if slices.Contains(scan.Dests[j].Type.Labels, p.home) && has(here, p.home) > has(there, p.home) && has(there, p.away) > has(here, p.away) {
				return fmt.Sprintf("%s: %q, known as %q", c.Name, p.away, p.home)
			}
		}
	}
	return ""
}
