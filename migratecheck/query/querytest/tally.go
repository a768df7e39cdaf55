package querytest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Verdict compares package query with the server on one triple.
type Verdict string

const (
	Invalid    Verdict = "invalid"     // the query does not work where it is at home: it says nothing
	NotProved  Verdict = "not proved"  // the server could not be made to show anything
	Agreed     Verdict = "agreed"      // both find it broken, or both fine
	Undecided  Verdict = "undecided"   // broken or not, package query says that it does not know
	FalseFine  Verdict = "false fine"  // broken, and package query says nothing
	FalseAlarm Verdict = "false alarm" // fine, and package query has something against it
)

// Verdict judges the judge.
func (t *Triple) Verdict() Verdict {
	static := len(t.Away.Problems) > 0
	switch {
	case t.Invalid != "":
		return Invalid
	case len(t.Home.Problems) > 0 && (t.Server.NotProved != "" || t.Unproved != ""):
		return Invalid // neither could make it work
	case len(t.Home.Problems) > 0:
		return FalseAlarm // it works there: the server was asked
	case len(t.Server.Breaks) > 0 && static:
		return Agreed
	case len(t.Server.Breaks) > 0 && len(t.Away.Unknown) > 0:
		return Undecided
	case len(t.Server.Breaks) > 0:
		return FalseFine
	case t.Server.NotProved != "":
		return NotProved
	case static:
		return FalseAlarm
	case len(t.Away.Unknown) > 0:
		return Undecided
	}
	return Agreed
}

// Without is the verdict that there would be if the named checks were not made.
func (t *Triple) Without(checks ...string) Verdict {
	u := *t
	u.Home, u.Away = t.static(t.bound.Without(checks...))
	return u.Verdict()
}

// Explain says what each said.
func (t *Triple) Explain() string {
	var b strings.Builder
	written := "before"
	if t.Query.New {
		written = "after"
	}
	fmt.Fprintf(&b, "query (%s, written for the schema %s): %s\n", t.Query.Maker, written, t.Query.SQL+t.Query.Name)
	ours := func(what string, problems []string) {
		if len(problems) > 0 {
			fmt.Fprintf(&b, "  ours, %s: %s\n", what, strings.Join(problems, "; "))
		}
	}
	var home, away []string
	for _, p := range t.Home.Problems {
		home = append(home, p.Check+" "+p.Code+" "+p.Message)
	}
	for _, p := range t.Away.Problems {
		away = append(away, p.Check+" "+p.Code+" "+p.Message)
	}
	ours("at home", home)
	ours("away", away)
	ours("not known at home", t.Home.Unknown)
	ours("not known away", t.Away.Unknown)
	if len(home)+len(away) == 0 {
		b.WriteString("  ours: fine\n")
	}
	switch {
	case t.Invalid != "":
		fmt.Fprintf(&b, "  server: %s\n", t.Invalid)
	case len(t.Server.Breaks) > 0:
		for _, k := range t.Server.Breaks {
			fmt.Fprintf(&b, "  server: %s\n", k)
		}
	default:
		fmt.Fprintf(&b, "  server: fine %s\n", t.Server.NotProved)
	}
	return b.String()
}

// Tally counts triples by the kind of the migration and by what was found.
type Tally struct {
	Rules map[string]map[string]int // by rule: "broken", "fine" and each Verdict
	// Checks counts, by check, the broken triples that it is the only one to find: without it they would be false fines.
	Checks map[string]int
	// Makers counts, by what made the query up, those that do not work at home.
	Makers map[string][2]int
}

// Add counts a triple.
func (n *Tally) Add(t *Triple) {
	if n.Rules == nil {
		n.Rules, n.Checks, n.Makers = map[string]map[string]int{}, map[string]int{}, map[string][2]int{}
	}
	r := n.Rules[t.Rule]
	if r == nil {
		r = map[string]int{}
		n.Rules[t.Rule] = r
	}
	v := t.Verdict()
	r[string(v)]++
	made := n.Makers[t.Query.Maker]
	made[1]++
	switch {
	case v == Invalid:
		made[0]++
	case len(t.Server.Breaks) > 0:
		r["broken"]++
	case v != NotProved:
		r["fine"]++
	}
	n.Makers[t.Query.Maker] = made
	if v == Agreed && len(t.Away.Problems) > 0 {
		checks := map[string]bool{}
		for _, p := range t.Away.Problems {
			checks[p.Check] = true
		}
		if len(checks) == 1 {
			n.Checks[t.Away.Problems[0].Check]++
		}
	}
}

// Triples is how many were counted.
func (n *Tally) Triples() int {
	total := 0
	for _, r := range n.Rules {
		for _, v := range []Verdict{Invalid, NotProved, Agreed, Undecided, FalseFine, FalseAlarm} {
			total += r[string(v)]
		}
	}
	return total
}

// Poorest is the rule of which the fewest triples are broken, or fine, of those that can break anything.
func (n *Tally) Poorest() (rule string, count int) {
	count = math.MaxInt
	for _, r := range Rules() {
		if c := min(n.Rules[r]["broken"], n.Rules[r]["fine"]); r != "harmless" && c < count {
			rule, count = r, c
		}
	}
	return rule, count
}

// Total sums a column over the rules.
func (n *Tally) Total(what string) int {
	total := 0
	for _, r := range n.Rules {
		total += r[what]
	}
	return total
}

func (n *Tally) String() string {
	columns := []string{"broken", "fine", string(Agreed), string(FalseFine), string(FalseAlarm), string(Undecided), string(NotProved), string(Invalid)}
	var b strings.Builder
	fmt.Fprintf(&b, "%-22s", "")
	for _, c := range columns {
		fmt.Fprintf(&b, "%12s", c)
	}
	for _, rule := range slices.Sorted(maps.Keys(n.Rules)) {
		fmt.Fprintf(&b, "\n%-22s", rule)
		for _, c := range columns {
			fmt.Fprintf(&b, "%12d", n.Rules[rule][c])
		}
	}
	fmt.Fprintf(&b, "\n%-22s", "all")
	for _, c := range columns {
		fmt.Fprintf(&b, "%12d", n.Total(c))
	}
	return b.String()
}
