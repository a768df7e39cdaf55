package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Problem is one reason why a site does not work as its author meant on a schema.
type Problem struct {
	// Check is the check that found it, a stable word (see Checks).
	Check string
	// Code is the SQLSTATE that the server would answer, "" when the server is content and the code is not.
	Code string
	// Message is one sentence: what fails, on which object, for whom.
	Message string
	// Variant and Offset say where: an index into Site.Variants and a byte offset in its SQL. Variant is -1 for a Name;
	// Offset is then an index into Site.Names.
	Variant, Offset int
	// Objects are what the problem is about, in the schema where they exist (for a missing column: the relation and the
	// column in the earlier schema, when known: see [Bound.Trace]). Statements that changed one of them are the suspects.
	Objects []catalog.Address
	// Maybe: it depends on the values, rows or rights that are met at run time (a new CHECK, a trigger).
	Maybe bool
	// Unseen: no single row shows it to a server: the order of values for one, which instant a time is, what a session keeps.
	Unseen bool
	// Relation and Column name it for a person; "" where they do not apply.
	Relation, Column string
}

// Verdict is what a Checker says of one site on one schema.
type Verdict struct {
	Problems []Problem
	// Unknown lists what could not be decided, as reasons for a person; a site with any does not count as checked unless
	// it has Problems.
	Unknown []string
}

// unsure adds a reason once.
func (v *Verdict) unsure(reasons ...string) {
	for _, r := range reasons {
		if !slices.Contains(v.Unknown, r) {
			v.Unknown = append(v.Unknown, r)
		}
	}
}

// add takes over what another found.
func (v *Verdict) add(o Verdict) {
	v.Problems = append(v.Problems, o.Problems...)
	v.unsure(o.Unknown...)
}

// Bound is a site whose SQL was parsed once, to be checked against many schemas. It is not safe for concurrent use.
type Bound struct {
	Site    *Site
	stmts   [][]pgast.Stmt // by variant
	errs    []error        // by variant: what the parser said
	without []string       // checks that are off
	made    map[string]bool
	memos   []memos // by variant
}

// Parse prepares a site for judging.
func Parse(site *Site) *Bound {
	b := &Bound{Site: site}
	for i := range site.Variants {
		stmts, err := pgast.Parse(site.Variants[i].SQL)
		b.stmts, b.errs = append(b.stmts, stmts), append(b.errs, err)
	}
	b.made, b.memos = relationsMade(b), make([]memos, len(site.Variants))
	return b
}

// Unparsable says why a text of the site could not be parsed, "" when all could.
func (b *Bound) Unparsable() string {
	for _, err := range b.errs {
		if err != nil {
			return unparsable(err)
		}
	}
	return ""
}

func unparsable(err error) string { return "the text does not parse: " + err.Error() }

// ParseAll is Parse for all sites of a program. A relation that one of them creates (a temporary table, a table of the
// program's own) may be used by the others, though no migration makes it.
func ParseAll(sites []*Site) []*Bound {
	list := make([]*Bound, len(sites))
	made := map[string]bool{}
	for i, site := range sites {
		list[i] = Parse(site)
		for name := range list[i].made {
			made[name] = true
		}
	}
	for _, b := range list {
		b.made = made
	}
	return list
}

// Without returns a copy that leaves out the named checks.
func (b *Bound) Without(ids ...string) *Bound {
	c := *b
	c.without, c.memos = append(slices.Clone(b.without), ids...), make([]memos, len(b.memos))
	return &c
}

// On judges the site on one schema: what the server would refuse (names, types, arity, a required column left out), and
// what the driver or the code would (a result that does not fit where it is scanned).
func (b *Bound) On(cat *catalog.Catalog) Verdict {
	var v Verdict
	for i := range b.Site.Variants {
		v.add(b.onVariant(i, cat))
	}
	return v
}

// Between judges the step from a schema the site was written for to another of the same history (later or earlier): what
// neither schema alone has against it. A name that denotes something else, a type that changes under a scan, a column that
// may now be NULL, constraints, triggers and policies newly in the way of a write, a default that changed.
func (b *Bound) Between(from, to *catalog.Catalog) Verdict {
	var v Verdict
	for i := range b.Site.Variants {
		v.add(b.betweenVariant(i, from, to))
	}
	for _, c := range checks {
		if c.names != nil && b.has(c) {
			c.names(b, from, to, &v, c)
		}
	}
	return v
}

func (b *Bound) has(c *Check) bool { return !slices.Contains(b.without, c.ID) }

// Needs lists, sorted, the objects of a schema that the site depends on, with those they depend on in turn. While none of them
// changes, nor an index, constraint, trigger or policy of one, and nothing comes to have a name that stands in the site's
// text, neither does the verdict; On and Between remember it by themselves. ok is false when the site cannot be bound.
func (b *Bound) Needs(cat *catalog.Catalog) (oids []catalog.OID, ok bool) {
	ok = true
	for i := range b.Site.Variants {
		m := b.read(i, cat)
		if m.foot == nil || len(m.unknown) > 0 {
			ok = false
		}
		if m.foot != nil {
			oids = append(oids, m.foot.List()...)
		}
	}
	slices.Sort(oids)
	return slices.Compact(oids), ok
}

// Trace adds to a problem of [Bound.On] the objects that its place denotes on another schema, the one that the site was
// written for: of a column that is missing, the column.
func (b *Bound) Trace(p Problem, from *catalog.Catalog) Problem {
	if p.Variant < 0 {
		return p
	}
	for _, r := range b.read(p.Variant, from).readings {
		if r.fails() {
			continue
		}
		for _, use := range r.an.Uses {
			if use.Offset == p.Offset && !slices.Contains(p.Objects, use.Address) {
				p.Objects = append(slices.Clip(p.Objects), use.Address)
			}
		}
	}
	for _, a := range p.Objects {
		rel, _ := from.Get(a.OID).(*catalog.Relation)
		if rel == nil {
			continue
		}
		if p.Relation == "" {
			p.Relation = from.NameOf(a.OID).String()
		}
		if col := rel.Att(a.Column); col != nil && p.Column == "" {
			p.Column = col.Name
		}
	}
	return p
}
