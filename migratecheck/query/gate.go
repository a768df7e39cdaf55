package query

// Gate is a range of schema versions, as the migration tool counts them: AtLeast ≤ version < Below. 0 means no bound.
type Gate struct {
	AtLeast, Below int64
	// Retried: the query runs in a gate.Do in which the code asked for what keeps it Below, so that an error that a newer
	// schema explains makes the code ask again. Else it may meet newer schemas, until the gate has read the version anew.
	Retried bool
}

// Admits reports whether a schema at version lies in the range.
func (g Gate) Admits(version int64) bool {
	return (g.AtLeast == 0 || version >= g.AtLeast) && (g.Below == 0 || version < g.Below)
}

// Outlives reports whether code that was let in may still run at version, which lies behind the range, because the gate has not
// read it yet.
func (g Gate) Outlives(version int64) bool {
	return g.Below != 0 && version >= g.Below && version >= g.AtLeast
}

// Empty reports whether no schema lies in the range: two questions that cannot both have had these answers.
func (g Gate) Empty() bool { return g.Below != 0 && g.AtLeast >= g.Below }

// Or is the smallest range that has both.
func (g Gate) Or(o Gate) Gate {
	if g.Empty() {
		return o
	}
	if o.Empty() {
		return g
	}
	or := Gate{AtLeast: min(g.AtLeast, o.AtLeast), Below: max(g.Below, o.Below), Retried: g.Retried && o.Retried}
	if g.Below == 0 || o.Below == 0 {
		or.Below, or.Retried = 0, false
	}
	return or
}

// And is what lies in both ranges.
func (g Gate) And(o Gate) Gate {
	and := Gate{AtLeast: max(g.AtLeast, o.AtLeast), Below: g.Below, Retried: g.Retried}
	switch {
	case o.Below == 0 || g.Below != 0 && g.Below < o.Below:
	case g.Below == o.Below:
		and.Retried = g.Retried || o.Retried // one of the two questions is asked again: that is enough
	default:
		and.Below, and.Retried = o.Below, o.Retried
	}
	return and
}

// Shared is the smallest range that has those of all variants; no bound when there are none.
func (s *Site) Shared() Gate {
	var shared Gate
	for i := range s.Variants {
		if i == 0 {
			shared = s.Variants[i].Gate
		}
		shared = shared.Or(s.Variants[i].Gate)
	}
	return shared
}

// ByGate takes a site apart into what is sent at the same schemas: sites that have the same place, each with the variants of
// one range, which is then its Gate as well. It is the site itself when they all have the same.
func (s *Site) ByGate() []*Site {
	var list []*Site
	at := map[Gate]*Site{}
	for i := range s.Variants {
		v := &s.Variants[i]
		part := at[v.Gate]
		if part == nil {
			c := *s
			part = &c
			part.Variants, part.Names, part.Gate = nil, nil, v.Gate
			at[v.Gate] = part
			list = append(list, part)
		}
		part.Variants = append(part.Variants, *v)
	}
	if len(list) < 2 {
		return []*Site{s}
	}
	list[0].Names = s.Names
	return list
}
