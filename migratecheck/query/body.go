package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// The functions that a statement calls, and those of the triggers that fire for what it writes, send SQL of their own; so do foreign keys,
// rules and partitions (see effect). Each statement of such a body is a reading of its own, judged like those of the code, but for two
// things: only its server has a say in it, no driver; and since little may be known of variables, only what worked before counts, where the
// function was made or on the schema that the code was written for.

// call is how the code comes to a statement that it does not send itself.
type call struct {
	fn      *catalog.Func    // whose body it is in, nil of an effect
	trigger *catalog.Trigger // that runs it, nil for a call
	body    *catalog.Body
	made    *catalog.Catalog
	number  int // of the statement in the body
	effect  *effect
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
		if r.ran = append(r.ran, c.fn.OID); r.within(c.fn.OID) {
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
			at := c
			at.body, at.made, at.number = body, made, i
			at.maybe = c.maybe || body.Statements[i].Maybe
			r.descend(&at, list, depth)
		}
	}
	for _, e := range r.effects() {
		if r.ran = append(r.ran, e.effect.by); !r.within(e.effect.by) {
			r.descend(&e, list, depth)
		}
	}
}

// descend reads what the code comes to by a call, and what that makes others send.
func (r *reading) descend(c *call, list *[]*reading, depth int) {
	if len(*list) >= maxBodies {
		r.out.unsure("what it makes functions, triggers and foreign keys do: that is too much")
		return
	}
	if c.outer = r; r.via != nil {
		c.maybe, c.offset = c.maybe || r.via.maybe, r.via.offset
	}
	if inner := c.read(r.cat); inner != nil {
		*list = append(*list, inner)
		inner.follow(list, depth+1)
	}
}

// read is the statement on a schema, nil when it looks nothing up or that is not followed.
func (c *call) read(cat *catalog.Catalog) *reading {
	r := &reading{Bound: c.outer.asBody(), cat: cat, out: c.outer.out, via: c}
	var an *catalog.Analysis
	var err error
	if c.effect != nil {
		r.stmt, an, err = c.effect.read(c.outer, cat)
	} else {
		r.stmt = c.body.Statements[c.number].Stmt
		an, err = cat.AnalyzeBody(c.body, c.number, c.trigger)
	}
	if e := (*catalog.Error)(nil); errors.As(err, &e) {
		if r.errs = []*catalog.Error{e}; e.Code == catalog.NotUnderstood {
			r.out.unsure("what " + r.verb() + " does: " + e.Message)
			return nil
		}
	}
	if an == nil && err == nil {
		// Tables of its own are most often what a body works on then.
		if r.stmt.Node != nil && changesSchema(r.stmt.Node) && c.body != nil && len(c.body.Makes) == 0 {
			r.out.unsure(fmt.Sprintf("a change of the schema in %s()", c.fn.Name))
		}
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

// definer reports whether what a reading sends runs with the rights of an owner, of a function or table, whoever sets it off. Rights on a
// partition are not asked for where its parent is named.
func (r *reading) definer() bool {
	return r.via != nil && (r.via.effect != nil || r.via.fn.SecurityDefiner || r.via.outer.lends())
}

// lends reports whether the functions that a statement runs have the rights of an owner: those of a rule and of a partition do not, foreign
// keys switch to the owner of the table (ri_PerformCheck, src/backend/utils/adt/ri_triggers.c).
func (r *reading) lends() bool {
	if r.via == nil || r.via.effect == nil {
		return r.definer()
	}
	return r.via.effect.kind == ofForeignKey || r.via.outer.lends()
}

// within reports whether a reading is of a body of the function, or of one that it calls, or an effect of the object.
func (r *reading) within(oid catalog.OID) bool {
	for ; r.via != nil; r = r.via.outer {
		if r.via.by() == oid {
			return true
		}
	}
	return false
}

// by is the function that the statement is in, or what it is an effect of.
func (c *call) by() catalog.OID {
	if c.effect != nil {
		return c.effect.by
	}
	return c.fn.OID
}

// is reports whether two calls are of one statement of one body, or one effect, at one place.
func (c *call) is(o *call) bool {
	if c.by() != o.by() || c.offset != o.offset || (c.trigger == nil) != (o.trigger == nil) || c.trigger != nil && c.trigger.OID != o.trigger.OID {
		return false
	}
	if c.effect != nil {
		return c.effect.action == o.effect.action && c.effect.write.Op == o.effect.write.Op
	}
	return c.number == o.number && catalog.SameBody(c.fn, o.fn)
}

// sameInBody reports whether two readings are of one statement of one body, reached in the same way.
func (r *reading) sameInBody(o *reading) bool {
	for r.via != nil && o.via != nil {
		if !r.via.is(o.via) {
			return false
		}
		r, o = r.via.outer, o.via.outer
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
	first, effects := c, []string(nil) // the first function that the code comes to, and what leads to it
	for at := c; at != nil; at = at.outer.via {
		if at.effect == nil {
			first, effects = at, nil
		} else if how := at.effect.through(at.outer.cat); how != "" {
			effects = append(effects, how)
		}
	}
	outermost := c.outermost()
	verb, through := outermost.outer.verb(), ""
	if first.effect == nil && first != c && c.fn != first.fn {
		through = " through " + first.fn.Name + "()"
	}
	slices.Reverse(effects)
	how := ""
	if len(effects) > 0 {
		how = ", through " + strings.Join(effects, " and ")
	}
	switch {
	case first.effect != nil:
		return first.effect.phrase(first.outer.cat, verb)
	case first.trigger != nil:
		return fmt.Sprintf("trigger %q of %s runs it%s for %s%s", first.trigger.Name, first.outer.cat.NameOf(first.trigger.Table), through, verb, how)
	}
	return fmt.Sprintf("%s calls it%s%s", verb, through, how)
}

// problem puts a problem of a body where the code comes to it.
func (c *call) problem(p Problem, maybe bool) Problem {
	p.Variant, p.Offset, p.Maybe = c.outermost().outer.variant, c.offset, p.Maybe || maybe
	p.Message += ", and " + c.phrase()
	p.Objects = slices.Clip(p.Objects)
	for at := c; at != nil; at = at.outer.via {
		if p.Objects = append(p.Objects, catalog.Address{OID: at.by()}); at.trigger != nil {
			p.Objects = append(p.Objects, catalog.Address{OID: at.trigger.OID})
		}
	}
	return p
}

// own is what a statement of a body has against its schema.
func (r *reading) own() Verdict {
	var v Verdict
	in := *r
	in.out = &v
	for _, e := range r.errs {
		if !(e.Code == "42P01" && r.via.body != nil && r.via.body.Makes[e.Object.Name]) {
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

// onBodies reports what cannot work in the functions that a statement calls, and could where they were made. What else it brings about
// depends on rows that no schema tells of.
func (r *reading) onBodies() {
	for _, in := range r.inner {
		own := in.own()
		r.out.unsure(own.Unknown...)
		if len(own.Problems) == 0 || in.via.depends() {
			continue
		}
		before := in.whenMade()
		for _, p := range own.Problems {
			if !hasProblem(before, p) {
				r.out.Problems = append(r.out.Problems, in.via.problem(p, in.via.maybe))
			}
		}
	}
}

// depends reports whether what an effect does is refused by some rows only.
func (c *call) depends() bool { return c.effect != nil && c.maybe }

// whenMade is what the statement had against the schema that its function was made on.
func (r *reading) whenMade() []Problem {
	if r.via.effect != nil {
		return nil // names in it follow renames
	}
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

// betweenBodies reports what is new in the functions that a statement calls on both schemas, and in what else it brings about there, but
// for what onBodies tells.
func (s *step) betweenBodies() {
	for _, in := range s.inner {
		was := in.counterpart(s.was)
		if was == nil || was.fails() {
			continue
		}
		list, before := in.own().Problems, was.own().Problems
		if len(list) == 0 && in.fails() {
			continue
		}
		made := in.whenMade()
		for _, p := range list {
			if !hasProblem(before, p) && (in.via.depends() || hasProblem(made, p)) {
				s.tell(in, p)
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
			s.tell(in, p)
		}
		s.out.unsure(v.Unknown...)
	}
}

// tell reports a problem of a body, but what the code meets in the statement itself as well.
func (s *step) tell(in *reading, p Problem) {
	if e := in.via.effect; e == nil || !e.told(in, p, s) {
		s.out.Problems = append(s.out.Problems, in.via.problem(p, in.via.maybe))
	}
}

// counterpart finds what a reading of a body is on the other schema, nil when the code does not come to it there.
func (r *reading) counterpart(was *reading) *reading {
	if i := slices.IndexFunc(was.inner, r.sameInBody); i >= 0 {
		return was.inner[i]
	}
	if r.via.effect == nil || r.via.effect.kind != ofPartition {
		return nil
	}
	// A partition that has nothing of its own yet.
	outer := was
	if r.via.outer.via != nil {
		if outer = r.via.outer.counterpart(was); outer == nil {
			return nil
		}
	}
	return outer.asPartition(r.via)
}
