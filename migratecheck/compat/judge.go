package compat

import (
	"cmp"
	"reflect"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Config says how to judge. The zero value is right.
type Config struct {
	Order Order
	// Disable names rules and categories whose breaks are not reported. They still count as broken.
	Disable []string
}

// Check judges the two versions of a service's code on the schemas of a timeline. It is pure but for the catalogs, which
// are not safe for concurrent use.
func Check(cfg Config, dir string, t *migratecheck.Timeline, old, new *Code) *Service {
	s := &Service{Dir: dir, Timeline: t, Code: [2]*Code{old, new}}
	j := &judge{cfg: cfg, service: s, states: states(t)}
	s.Doubts = doubts(t)
	for v, code := range s.Code {
		parsed := code.parse()
		if Version(v) == Old {
			j.remember(parsed)
		}
		for _, parts := range parsed {
			j.site(Version(v), parts)
		}
	}
	j.known()
	slices.SortStableFunc(s.Breaks, func(a, b *Break) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Cell.String(), b.Cell.String()),
			cmp.Compare(a.Message, b.Message))
	})
	return s
}

// judge is one run of Check.
type judge struct {
	cfg     Config
	service *Service
	states  []state
	// released are the texts that the old code sends at the old schema, by their SQL.
	released map[string][]text
}

// text is a variant of a part of a site.
type text struct {
	*query.Bound
	variant int
}

func (t text) sql() *query.Variant { return &t.Site.Variants[t.variant] }

// key tells problems of one site apart, on whatever schema they are met.
type key struct {
	check           string
	variant, offset int
	relation, name  string
}

func keyOf(p *query.Problem) key {
	return key{p.Check, p.Variant, p.Offset, p.Relation, p.Column}
}

// problems is what a site has against a schema, in order.
type problems struct {
	list []query.Problem
	keys map[key]bool
}

func (p *problems) add(list []query.Problem, but *problems) {
	for i := range list {
		k := keyOf(&list[i])
		if p.keys[k] || but != nil && but.keys[k] {
			continue
		}
		if p.keys == nil {
			p.keys = map[key]bool{}
		}
		p.keys[k] = true
		p.list = append(p.list, list[i])
	}
}

// parse prepares the sites of the code, each in the parts that are sent at the same schemas.
func (c *Code) parse() [][]*query.Bound {
	var sites []*query.Site
	counts := make([]int, len(c.Sites))
	for i := range c.Sites {
		parts := c.Sites[i].ByGate()
		counts[i] = len(parts)
		sites = append(sites, parts...)
	}
	bound := query.ParseAll(sites)
	list := make([][]*query.Bound, len(counts))
	for i, n := range counts {
		list[i], bound = bound[:n:n], bound[n:]
	}
	return list
}

// part is a part of a site, at home.
type part struct {
	*query.Bound
	home   int
	own    query.Verdict
	reason string // why it could not be judged as a whole; "" when it could
	partly bool   // all that is known of it was
}

// site judges one site on every schema that its parts can meet. It is broken where one of them is.
func (j *judge) site(v Version, bound []*query.Bound) {
	s := j.service
	var parts []*part
	for _, b := range bound {
		p := &part{Bound: b, home: j.home(v, b.Site)}
		if p.home < 0 {
			continue // its gate keeps it from every schema there is here: nothing can happen to it
		}
		p.own = b.On(j.states[p.home].cat)
		if foreign(b.Site, p.own) {
			return
		}
		p.reason, p.partly = unchecked(b.Site, p.own)
		parts = append(parts, p)
	}
	s.Coverage[v].Found++
	if len(parts) == 0 {
		s.Coverage[v].Checked++
		return
	}
	var broken [2]bool
	for _, p := range parts {
		for w, is := range j.part(v, p) {
			broken[w] = broken[w] || is
		}
	}
	// What is not known of one part is not known of the site.
	worst := slices.MinFunc(parts, func(a, b *part) int { return cmp.Compare(a.known(), b.known()) })
	if worst.reason != "" {
		s.Unchecked[v] = append(s.Unchecked[v], Unchecked{worst.Site, worst.reason, worst.partly})
	}
	if worst.known() > 0 || broken[0] || broken[1] {
		s.Coverage[v].Checked++
		if worst.partly {
			s.Coverage[v].Partly++
		}
		for w := range 2 {
			s.Cells[v][w].Checked++
			if broken[w] {
				s.Cells[v][w].Broken++
			}
		}
	}
}

// unsure notes what is not known on a schema and is at home.
func (p *part) unsure(reasons []string) {
	for _, reason := range reasons {
		if p.reason == "" && !slices.Contains(p.own.Unknown, reason) {
			p.reason = reason
		}
	}
}

// known says how much of a part could be judged: 0 not enough, 1 what is known of it, 2 all.
func (p *part) known() int {
	switch {
	case p.reason == "":
		return 2
	case p.partly:
		return 1
	}
	return 0
}

// part files what breaks a part of a site, and says in which cells of its version.
func (j *judge) part(v Version, p *part) (broken [2]bool) {
	b, home := p.Bound, p.home
	if len(b.Site.Variants) == 0 && len(b.Site.Names) == 0 {
		return broken
	}
	var atHome problems
	atHome.add(p.own.Problems, nil)
	away := make([]problems, len(j.states))
	var old problems // those of code that is as it was: on the schemas up to the one that is rid of them
	for i := range j.states {
		when := j.meets(b.Site, i)
		if i == home || when == never {
			continue
		}
		met := verdict(b, j.states[home].cat, j.states[i].cat)
		if len(met.Problems) == 0 {
			p.unsure(met.Unknown)
		}
		list := met.Problems
		if v == New && i == 0 {
			old.add(j.unchanged(b, list), nil)
		}
		list = slices.DeleteFunc(slices.Clone(list), func(p query.Problem) bool { return old.keys[keyOf(&p)] })
		if when == late && b.Site.Gate.Retried {
			list = lasting(list)
		}
		away[i].add(list, &atHome)
	}
	broken = j.breaks(v, b, home, &atHome, away)
	for i := range j.states {
		// A mistake that it makes everywhere is told once, where it is at home, but counts wherever it is met.
		if len(atHome.list) > 0 && j.meets(b.Site, i) == always && slices.ContainsFunc(b.On(j.states[i].cat).Problems, func(p query.Problem) bool { return atHome.keys[keyOf(&p)] }) {
			broken[j.cell(v, i)] = true
			if len(j.states) == 1 {
				broken = [2]bool{true, true}
			}
		}
	}
	return broken
}

// verdict is what a site that was written for one schema has against another: what that by itself has against it, and
// what lies between the two.
func verdict(b *query.Bound, home, cat *catalog.Catalog) query.Verdict {
	v := b.On(cat)
	if home != cat {
		between := b.Between(home, cat)
		v.Problems = append(slices.Clip(v.Problems), between.Problems...)
		v.Unknown = append(slices.Clip(v.Unknown), between.Unknown...)
	}
	return v
}

// home is the index of the schema that a site was written for: of the old code the first, of the new code the last that its
// gate lets it meet; -1 when that is none.
func (j *judge) home(v Version, site *query.Site) int {
	for i := range j.states {
		if v == New {
			i = len(j.states) - 1 - i
		}
		if j.meets(site, i) == always {
			return i
		}
	}
	return -1
}

// cell is the schema's half of the cell that a state belongs to. What new code lacks half-way it lacks on the old schema as
// well, so that the states in between are the new schema's for either version.
func (j *judge) cell(v Version, state int) Version {
	if state == 0 && (v == Old || len(j.states) > 1) {
		return Old
	}
	return New
}

// foreign reports whether SQL of a dependency is about tables that this service does not have: a library knows tables of
// its own, and of services that use other parts of it.
func foreign(site *query.Site, own query.Verdict) bool {
	return site.Module != "" && slices.ContainsFunc(own.Problems, func(p query.Problem) bool { return p.Check == "missing-relation" })
}

// remember fills released.
func (j *judge) remember(sites [][]*query.Bound) {
	j.released = map[string][]text{}
	for _, b := range slices.Concat(sites...) {
		if j.meets(b.Site, 0) != always {
			continue
		}
		for i := range b.Site.Variants {
			sql := b.Site.Variants[i].SQL
			j.released[sql] = append(j.released[sql], text{b, i})
		}
	}
}

// unchanged are the problems that new code has with what the old schema asks for and the new one does not, although the code
// that runs on it today sends the same text with the same values, and gets on with it: it needs no migration for that.
func (j *judge) unchanged(b *query.Bound, list []query.Problem) []query.Problem {
	return slices.DeleteFunc(slices.Clone(list), func(p query.Problem) bool {
		if p.Variant < 0 || !asks(p.Check) || j.renamed(&p) {
			return true
		}
		now := &b.Site.Variants[p.Variant]
		return !slices.ContainsFunc(j.released[now.SQL], func(old text) bool {
			if was := old.sql(); !reflect.DeepEqual(was.Args, now.Args) || !reflect.DeepEqual(was.Scan, now.Scan) {
				return false
			}
			// A result may be scanned into what cannot hold NULL because none is there.
			return p.Check == "scan-null" || !slices.ContainsFunc(old.On(j.states[0].cat).Problems, func(q query.Problem) bool {
				return q.Variant == old.variant && q.Check == p.Check && q.Offset == p.Offset && q.Relation == p.Relation && q.Column == p.Column
			})
		})
	})
}

// renamed reports whether a column that the problem is about, or that a foreign key refers to, is not the one of its name on the new
// schema: the same text writes other values to it then.
func (j *judge) renamed(p *query.Problem) bool {
	before, after := j.states[0].cat, j.states[len(j.states)-1].cat
	other := func(table catalog.OID, num int) bool {
		was, _ := before.Get(table).(*catalog.Relation)
		now, _ := after.Get(table).(*catalog.Relation)
		if was == nil || now == nil || was.Att(num) == nil {
			return false
		}
		col := now.Column(was.Att(num).Name)
		return col == nil || col.Num != num
	}
	return slices.ContainsFunc(p.Objects, func(a catalog.Address) bool {
		con, _ := before.Get(a.OID).(*catalog.Constraint)
		return other(a.OID, a.Column) || con != nil && con.Kind == catalog.ForeignKey &&
			slices.ContainsFunc(con.RefColumns, func(num int) bool { return other(con.RefTable, num) })
	})
}

// unchecked says why a site could not be judged as a whole, "" when it could; partly is whether all that is known of it
// was.
func unchecked(site *query.Site, own query.Verdict) (reason string, partly bool) {
	switch {
	case site.Status == query.Dynamic:
		return cmp.Or(site.Reason, "nothing is known of what it sends"), false
	case len(own.Unknown) > 0:
		return own.Unknown[0], site.Status == query.Partial && len(own.Unknown) == 1 && own.Unknown[0] == site.Reason
	}
	return "", false
}

// breaks files what a site has against the schemas, and says in which cells of its version it is broken.
func (j *judge) breaks(v Version, b *query.Bound, home int, atHome *problems, away []problems) (broken [2]bool) {
	// A model's statements all name its columns, and a builder's variants most of what the others do: a site breaks once for
	// each thing it misses.
	type about struct {
		schema           Version
		cause            *migratecheck.Step
		check            string
		relation, column string
	}
	said := map[about]bool{}
	file := func(p query.Problem, state int, cause *migratecheck.Step, lacks bool) {
		schema := j.cell(v, state)
		broken[schema] = true
		if a := (about{schema, cause, p.Check, p.Relation, p.Column}); p.Relation == "" || !said[a] {
			said[a] = true
			j.service.Breaks = append(j.service.Breaks, j.newBreak(Cell{v, schema}, b, p, state, state == home, cause, lacks))
		}
	}
	cat := j.states[home].cat
	for _, p := range atHome.list {
		if v == Old {
			file(p, home, nil, false)
		} else {
			file(p, home, j.origin(b, home, &p), false)
		}
	}
	var seen problems
	for i := home + 1; i < len(away); i++ { // of the new code, where it is late
		for _, p := range away[i].list {
			if k := keyOf(&p); !seen.keys[k] {
				seen.add([]query.Problem{p}, nil)
				file(p, i, j.cause(b, cat, i, &p), false)
			}
		}
	}
	if v == Old {
		return broken
	}
	first := j.home(Old, b.Site)
	for _, p := range away[first].list { // none when it is at home there
		// It lacks what a later schema has: the last one on which it does is the one before its cause.
		k, i := keyOf(&p), first
		for i+1 < home && away[i+1].keys[k] {
			i++
		}
		file(p, first, j.cure(b, cat, i+1, &p), true)
	}
	for i := first + 1; i < home; i++ {
		for _, p := range away[i].list {
			if k := keyOf(&p); !away[first].keys[k] && !away[i-1].keys[k] {
				file(p, i, j.cause(b, cat, i, &p), false)
			}
		}
	}
	return broken
}

// origin is the pending statement that makes a query of the new code fail on its own schema, or that makes what it lacks there:
// its gate lets it run too early. It is nil when it fails on the released schema as well.
func (j *judge) origin(b *query.Bound, home int, p *query.Problem) *migratecheck.Step {
	for i := home + 1; i < len(j.states); i++ {
		if presenceOf(b, nil, j.states[i].cat, keyOf(p)) == absent {
			return j.cure(b, nil, i, p)
		}
	}
	if home == 0 || presenceOf(b, nil, j.states[0].cat, keyOf(p)) == present {
		return nil
	}
	for i := home; i > 0; i-- {
		if cause := j.cause(b, nil, i, p); cause != nil {
			return cause
		}
	}
	return nil
}
