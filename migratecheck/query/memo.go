package query

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// A site is judged on every schema of a history, and most statements of a history have nothing to do with it: what was read
// and said of a schema is kept until one of them touches what it depends on.

// memo is a variant as a schema reads it, and what the checks say.
type memo struct {
	readings []*reading
	unknown  []string // from reading
	foot     *catalog.Footprint
	on       *Verdict
}

// memos are those of one variant.
type memos struct {
	at     map[catalog.Mark]*memo
	latest catalog.Mark
	steps  map[[2]*memo]Verdict
}

// read is run, from memory when it can be. The code has a session of its own, in which nothing that a migration has set for
// itself is in force.
func (b *Bound) read(variant int, cat *catalog.Catalog) *memo {
	cat = cat.NewSession()
	m := &b.memos[variant]
	if m.at == nil {
		m.at, m.steps = map[catalog.Mark]*memo{}, map[[2]*memo]Verdict{}
	}
	mark := cat.Mark()
	if found := m.at[mark]; found != nil {
		return found
	}
	if last := m.at[m.latest]; last != nil && last.foot != nil && cat.Untouched(m.latest, last.foot) {
		m.at[mark], m.latest = last, mark
		return last
	}
	var out Verdict
	found := &memo{readings: b.run(variant, cat, &out)}
	found.unknown = out.Unknown
	found.foot = b.footprint(variant, cat, found.readings)
	m.at[mark], m.latest = found, mark
	return found
}

// footprint is that of all statements of a variant, nil when one could not be read: then what it needs is not known.
func (b *Bound) footprint(variant int, cat *catalog.Catalog, readings []*reading) *catalog.Footprint {
	var refs []catalog.Address
	text := b.Site.Variants[variant].SQL
	for _, r := range readings {
		var body *catalog.Func
		for _, r := range append([]*reading{r}, r.inner...) {
			if r.fails() {
				return nil
			}
			refs = append(refs, r.an.Refs...)
			for _, w := range r.an.Writes {
				for _, con := range cat.ReferencedBy(w.Relation) {
					refs = append(refs, catalog.Address{OID: con.Table}) // what becomes of its rows
				}
				if w = cat.OnTable(w); w != nil {
					for _, part := range r.partitions(w) {
						refs = append(refs, catalog.Address{OID: part.OID})
					}
				}
			}
			for _, oid := range r.ran {
				refs = append(refs, catalog.Address{OID: oid})
			}
			if r.via != nil && r.via.fn != nil && r.via.fn != body {
				body = r.via.fn
				text += "\n" + body.Body
			}
		}
	}
	if len(readings) < len(b.stmts[variant]) {
		return nil
	}
	return cat.NewFootprint(text, refs)
}

// onVariant judges a variant on one schema.
func (b *Bound) onVariant(variant int, cat *catalog.Catalog) Verdict {
	m := b.read(variant, cat)
	if m.on != nil {
		return *m.on
	}
	v := Verdict{Unknown: slices.Clip(m.unknown)}
	judge(m.readings, &v)
	m.on = &v
	return v
}

// judge runs the checks of one schema over its readings.
func judge(readings []*reading, v *Verdict) {
	for _, r := range readings {
		r.out = v
		for _, e := range r.errs {
			r.refused(e)
		}
		if r.an == nil {
			continue
		}
		for _, c := range checks {
			if c.on != nil && r.has(c) {
				c.on(r, c)
			}
		}
		r.onBodies()
	}
}

// Judge is what [Bound.On] says of one statement, which is parsed, in the session that cat is in. sql is the text it is a
// statement of; offsets of problems count from its start.
func Judge(cat *catalog.Catalog, sql string, stmt pgast.Stmt) Verdict {
	b := &Bound{Site: &Site{Variants: []Variant{{SQL: sql}}}, stmts: [][]pgast.Stmt{{stmt}}, errs: []error{nil}}
	var v Verdict
	judge(b.run(0, cat, &v), &v)
	return v
}

// betweenVariant judges the step of a variant from one schema to another.
func (b *Bound) betweenVariant(variant int, from, to *catalog.Catalog) Verdict {
	before, after := b.read(variant, from), b.read(variant, to)
	key := [2]*memo{before, after}
	if v, ok := b.memos[variant].steps[key]; ok {
		return v
	}
	v := Verdict{Unknown: slices.Clip(after.unknown)}
	if before != after {
		for j, r := range after.readings {
			if j >= len(before.readings) || r.an == nil || before.readings[j].fails() {
				continue // On tells
			}
			r.out = &v
			s := &step{reading: r, was: before.readings[j]}
			for _, c := range checks {
				if c.between != nil && b.has(c) {
					c.between(s, c)
				}
			}
			s.betweenBodies()
		}
	}
	b.memos[variant].steps[key] = v
	return v
}
