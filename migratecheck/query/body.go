package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// The functions that a statement calls, and those of the triggers that fire for what it writes, send SQL of their own. Each statement of
// such a body is a reading of its own, judged like those of the code, but for two things: only its server has a say in it, no driver; and
// since little may be known of variables, only what worked before counts, where the function was made or on the schema that the code was
// written for.

// call is how a statement of the code comes to a statement of a body.
type call struct {
	fn      *catalog.Func
	trigger *catalog.Trigger // that runs it, nil for a call
	body    *catalog.Body
	made    *catalog.Catalog
	number  int // of the statement in the body
	maybe   bool
	outer   *reading // the statement that calls it
	offset  int      // where the code's statement does
}

// bounds of what is followed: calls within calls, and statements of bodies for one of the code.
const (
	maxCalls  = 8
	maxBodies = 400
)

// called lists what a statement makes functions send.
func (r *reading) called() []*reading {
	var list []*reading
	r.follow(&list, 0)
	return list
}

func (r *reading) follow(list *[]*reading, depth int) {
	if r.an == nil || r.fails() || depth > maxCalls {
		return
	}
	for _, c := range r.calls() {
		if r.within(c.fn) {
			continue // it calls itself
		}
		body, made := c.fn.Sends()
		if body == nil {
			if known := strings.ToLower(c.fn.Language); c.fn.BodyNode == nil && c.fn.Kind != catalog.Aggregate && !c.fn.Assumed && !slices.Contains([]string{"sql", "plpgsql", "c", "internal", ""}, known) {
				r.out.unsure(fmt.Sprintf("what %s() does, which is in %s", c.fn.Name, c.fn.Language))
			}
			continue
		}
		for _, what := range body.Unknown {
			r.out.unsure(fmt.Sprintf("%s(): %s", c.fn.Name, what))
		}
		for i := range body.Statements {
			if len(*list) >= maxBodies {
				r.out.unsure("what the functions do that it calls: they are too many")
				return
			}
			at := c
			at.body, at.made, at.number, at.outer = body, made, i, r
			at.maybe = c.maybe || body.Statements[i].Maybe || r.via != nil && r.via.maybe
			if r.via != nil {
				at.offset = r.via.offset
			}
			inner := at.read(r.cat)
			if inner == nil {
				continue
			}
			*list = append(*list, inner)
			inner.follow(list, depth+1)
		}
	}
}

// read is the statement on a schema, nil when it looks nothing up or that is not followed.
func (c *call) read(cat *catalog.Catalog) *reading {
	stmt := c.body.Statements[c.number]
	r := &reading{Bound: c.outer.asBody(), stmt: stmt.Stmt, cat: cat, out: c.outer.out, via: c}
	an, err := cat.AnalyzeBody(c.body, c.number, c.trigger)
	if e := (*catalog.Error)(nil); errors.As(err, &e) {
		if r.errs = []*catalog.Error{e}; e.Code == catalog.NotUnderstood {
			return nil
		}
	}
	if an == nil && err == nil {
		return nil
	}
	if an != nil {
		r.an, r.errs = an, an.Errors
	}
	return r
}

// asBody is a site without arguments and results, for what is in bodies.
func (r *reading) asBody() *Bound {
	if r.via != nil {
		return r.Bound
	}
	return &Bound{Site: &Site{Variants: make([]Variant, 1)}, without: r.without, made: r.made}
}

// definer reports whether what a reading sends runs with the rights of the function's owner, whoever calls it.
func (r *reading) definer() bool {
	return r.via != nil && (r.via.fn.SecurityDefiner || r.via.outer.definer())
}

// within reports whether a reading is of a body of the function, or of one that it calls.
func (r *reading) within(f *catalog.Func) bool {
	for ; r.via != nil; r = r.via.outer {
		if r.via.fn.OID == f.OID {
			return true
		}
	}
	return false
}

// sameInBody reports whether two readings are of one statement of one body, reached in the same way.
func (r *reading) sameInBody(o *reading) bool {
	for r.via != nil && o.via != nil {
		a, b := r.via, o.via
		if a.fn.OID != b.fn.OID || a.number != b.number || a.offset != b.offset || (a.trigger == nil) != (b.trigger == nil) || a.trigger != nil && a.trigger.OID != b.trigger.OID || !catalog.SameBody(a.fn, b.fn) {
			return false
		}
		r, o = a.outer, b.outer
	}
	return r.via == nil && o.via == nil
}

// outermost is the call that the code's own statement makes.
func (c *call) outermost() *call {
	for c.outer.via != nil {
		c = c.outer.via
	}
	return c
}

// phrase says of a problem in a body how the code comes to it.
func (c *call) phrase() string {
	outermost, through := c.outermost(), ""
	if outermost != c {
		through = " through " + outermost.fn.Name + "()"
	}
	verb := outermost.outer.verb()
	if outermost.trigger != nil {
		return fmt.Sprintf("trigger %q of %s runs it%s for %s", outermost.trigger.Name, outermost.outer.cat.NameOf(outermost.trigger.Table), through, verb)
	}
	return fmt.Sprintf("%s calls it%s", verb, through)
}

// problem puts a problem of a body where the code comes to it.
func (c *call) problem(p Problem, maybe bool) Problem {
	outermost := c.outermost()
	p.Variant, p.Offset, p.Maybe = outermost.outer.variant, c.offset, p.Maybe || maybe
	p.Message += ", and " + c.phrase()
	p.Objects = append(slices.Clip(p.Objects), catalog.Address{OID: c.fn.OID})
	if c.trigger != nil {
		p.Objects = append(p.Objects, catalog.Address{OID: c.trigger.OID})
	}
	return p
}

// own is what a statement of a body has against its schema.
func (r *reading) own() Verdict {
	var v Verdict
	in := *r
	in.out = &v
	for _, e := range r.errs {
		if !(e.Code == "42P01" && r.via.body.Makes[e.Object.Name]) {
			in.refused(e)
		}
	}
	if r.an != nil && len(r.errs) == 0 && r.stmt.Node != nil {
		for _, c := range checks {
			if c.on != nil && c.Bodies && r.has(c) {
				c.on(&in, c)
			}
		}
	}
	return v
}

// onBodies reports what cannot work in the functions that a statement certainly calls, and could where they were made.
func (r *reading) onBodies() {
	for _, in := range r.inner {
		own := in.own()
		r.out.unsure(own.Unknown...)
		if len(own.Problems) == 0 || in.via.maybe {
			continue
		}
		before := in.whenMade()
		for _, p := range own.Problems {
			if !hasProblem(before, p) {
				r.out.Problems = append(r.out.Problems, in.via.problem(p, false))
			}
		}
	}
}

// whenMade is what the statement had against the schema that its function was made on.
func (r *reading) whenMade() []Problem {
	if was := r.via.read(r.via.made); was != nil {
		return was.own().Problems
	}
	return nil
}

func hasProblem(list []Problem, p Problem) bool {
	return slices.ContainsFunc(list, func(q Problem) bool {
		return q.Check == p.Check && q.Code == p.Code && q.Relation == p.Relation && q.Column == p.Column
	})
}

// betweenBodies reports what is new in the functions that a statement calls on both schemas, but for what onBodies tells.
func (s *step) betweenBodies() {
	for _, in := range s.inner {
		i := slices.IndexFunc(s.was.inner, in.sameInBody)
		if i < 0 {
			continue
		}
		was := s.was.inner[i]
		if was.fails() {
			continue
		}
		list, before := in.own().Problems, was.own().Problems
		if len(list) == 0 && in.fails() {
			continue
		}
		made := in.whenMade()
		for _, p := range list {
			if !hasProblem(before, p) && (in.via.maybe || hasProblem(made, p)) {
				s.out.Problems = append(s.out.Problems, in.via.problem(p, in.via.maybe))
			}
		}
		if in.fails() || in.an == nil || was.an == nil {
			continue
		}
		var v Verdict
		now := *in
		now.out = &v
		for _, c := range checks {
			// A variable that is declared is no statement: one check is about these.
			if c.between != nil && (c.Bodies && in.stmt.Node != nil || c == checkKeptVariable) && s.has(c) {
				c.between(&step{reading: &now, was: was}, c)
			}
		}
		for _, p := range v.Problems {
			s.out.Problems = append(s.out.Problems, in.via.problem(p, in.via.maybe))
		}
		s.out.unsure(v.Unknown...)
	}
}
