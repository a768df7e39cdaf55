package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// Break is one way in which a query breaks on a schema that it was not written for, as a server shows it.
type Break struct {
	Kind BreakKind
	Code string // SQLSTATE, of what is refused
	Text string
}

// BreakKind says what breaks.
type BreakKind string

const (
	Refused    BreakKind = "refused"     // the server answers with an error
	Lost       BreakKind = "lost"        // a write touches nothing any more
	Other      BreakKind = "meaning"     // a name stands for another object
	Default    BreakKind = "default"     // a column that an INSERT leaves out gets another value
	Columns    BreakKind = "columns"     // the result has more or fewer columns than the code scans
	Null       BreakKind = "null"        // NULL where the code's type cannot hold it
	Type       BreakKind = "type"        // a column's type is one that the code's type does not take
	Label      BreakKind = "label"       // an enumeration has a label that the code does not tell apart
	Value      BreakKind = "value"       // rows hold in another form what the code knows by a text
	Name       BreakKind = "name"        // a constraint or index whose name the code compares is not there
	CachedPlan BreakKind = "cached plan" // a statement that was prepared before is refused after
)

func (b Break) String() string {
	return strings.Join(strings.Fields(string(b.Kind)+" "+b.Text), " ")
}

// Breaks sums up what the server showed of a text whose result is scanned so (nil: not read, or nobody knows where).
func (o *VariantOutcome) Breaks(scan *query.Scan) []Break {
	if f := o.Failure; f != nil {
		return []Break{{Refused, f.Code, f.String()}}
	}
	var list []Break
	add := func(kind BreakKind, text string) { list = append(list, Break{Kind: kind, Text: text}) }
	if o.Lost {
		add(Lost, "it touches no row here")
	}
	if len(o.Denotes) > 0 {
		add(Other, strings.Join(o.Denotes, ", "))
	}
	if len(o.Defaults) > 0 {
		add(Default, strings.Join(o.Defaults, ", "))
	}
	if scan == nil {
		return list
	}
	for i, c := range o.Here {
		j, ok := destination(scan, i, c.Name)
		if !ok {
			if !scan.Open && !(scan.Kind == query.ByName && scan.Extra) {
				add(Columns, "no destination for column "+c.Name)
			}
			continue
		}
		d := scan.Dests[j].Type
		if i < len(o.Nulls) && o.Nulls[i] && !d.Nullable && d.Name != "" {
			add(Null, c.Name)
		}
		home, ok := o.home(scan, i, c.Name)
		if !ok {
			continue
		}
		if home.Type != c.Type && i < len(o.samples) {
			if why := scanFails(d.Kind, c.Type, o.samples[i]); why != "" {
				add(Type, fmt.Sprintf("%s: %s -> %s: %s", c.Name, home.TypeName, c.TypeName, why))
			}
		}
		if i < len(o.values) && d.Labels != nil {
			for _, l := range slices.Sorted(maps.Keys(o.values[i])) {
				if !o.reads && !slices.Contains(d.Labels, l) {
					add(Label, c.Name+": "+l)
				}
			}
		}
		for _, l := range c.Labels {
			if o.reads && d.Labels != nil && !slices.Contains(d.Labels, l) && !slices.Contains(home.Labels, l) {
				add(Label, c.Name+": "+l)
			}
		}
	}
	if scan.Kind == query.ByPosition && len(o.Here) < len(scan.Dests) {
		add(Columns, fmt.Sprintf("%d columns for %d destinations", len(o.Here), len(scan.Dests)))
	}
	if scan.Kind == query.ByName && !scan.Lax {
		for _, d := range scan.Dests {
			if !slices.ContainsFunc(o.Here, func(c Column) bool { return c.Name == d.Name }) {
				add(Columns, "no column for destination "+d.Name)
			}
		}
	}
	return list
}

// destination finds where a column goes.
func destination(scan *query.Scan, i int, name string) (int, bool) {
	if scan.Kind == query.ByPosition {
		return i, i < len(scan.Dests)
	}
	j := slices.IndexFunc(scan.Dests, func(d query.Dest) bool { return d.Name == name })
	return j, j >= 0
}

// home is the column that goes to the same destination where the text is at home.
func (o *VariantOutcome) home(scan *query.Scan, i int, name string) (Column, bool) {
	if scan.Kind == query.ByName {
		i = slices.IndexFunc(o.Home, func(c Column) bool { return c.Name == name })
	}
	if i < 0 || i >= len(o.Home) {
		return Column{}, false
	}
	return o.Home[i], true
}

// Agreement is how a static verdict and a server's stand to each other.
type Agreement string

const (
	Agreed     Agreement = "agreed"     // both find the site broken, or both find nothing
	Disagreed  Agreement = "disagreed"  // one of them is wrong: our bug
	NotProved  Agreement = "not proved" // the server could not be made to show anything
	NotDecided Agreement = "undecided"  // the static verdict says that it does not know

)

// noSurprises is why a static finding stands although the server took the query.
const noSurprises = "the server was not made to show it: it depends on values, roles or data that it did not have"

// Comparison is what came of holding a static verdict against a server's.
type Comparison struct {
	Site      *query.Site
	State     string // the name of the state it was judged on
	Agreement Agreement
	// Reason says why nothing is proved, Uncertain why the absence of Breaks is no proof, whatever the static verdict.
	Reason, Uncertain string

	Breaks   []Break         // the server's
	Problems []query.Problem // ours
}

// Compare holds what package query says of a site on a schema (On the schema and Between the site's own and it, together)
// against what a server says.
func Compare(site *query.Site, state string, ours query.Verdict, out Outcome) Comparison {
	c := Comparison{Site: site, State: state, Problems: ours.Problems}
	for _, name := range out.NamesGone {
		c.Breaks = append(c.Breaks, Break{Kind: Name, Text: name})
	}
	for i := range out.Variants {
		c.Breaks = append(c.Breaks, out.Variants[i].Breaks(site.Variants[i].Scan)...)
		if f := out.Variants[i].Refusal; f != nil && slices.ContainsFunc(ours.Problems, func(p query.Problem) bool { return p.Code == f.Code && !p.Maybe }) {
			c.Breaks = append(c.Breaks, Break{Refused, f.Code, f.String()})
		}
		c.Reason = out.Variants[i].doubt(ours.Problems)
	}
	c.Breaks = append(c.Breaks, out.Crossed...)
	c.Uncertain = c.Reason
	switch broken := len(c.Breaks) > 0; {
	case broken && len(ours.Problems) > 0:
		c.Agreement = Agreed
	case broken && len(ours.Unknown) > 0:
		c.Agreement = NotDecided
	case broken:
		c.Agreement = Disagreed
	case c.Reason != "" || len(out.Variants)+len(site.Names) == 0:
		c.Agreement = NotProved
	case len(ours.Problems) == 0 && len(ours.Unknown) > 0:
		c.Agreement = NotDecided
	case len(ours.Problems) == 0:
		c.Agreement = Agreed
	case slices.ContainsFunc(ours.Problems, certain):
		c.Agreement = Disagreed
	default:
		c.Agreement, c.Reason = NotProved, noSurprises
	}
	if c.Agreement != NotProved {
		c.Reason = ""
	}
	return c
}

// doubt says why a server that shows no break has proved nothing.
func (o *VariantOutcome) doubt(ours []query.Problem) string {
	switch {
	case o.NotProved != "":
		return o.NotProved
	case len(ours) == 0:
		return ""
	case !slices.ContainsFunc(ours, func(p query.Problem) bool { return !p.Unseen }):
		return "the order of values, which instant a time is, and what sessions keep are not looked at"
	case o.Differs:
		return "it answers other rows here, which may be for any reason"
	case o.Empty && !slices.ContainsFunc(ours, certain):
		return "no row was found to show it"
	case o.utility && !slices.ContainsFunc(ours, func(p query.Problem) bool { return p.Code != "" }):
		return "what its names mean is not known"
	case o.Once && !slices.ContainsFunc(ours, func(p query.Problem) bool { return p.Code != "23505" && p.Code != "23P01" }):
		return "it cannot be run twice where it is at home"
	}
	return ""
}

const insufficientPrivilege = "42501"

// certain: a server that has such a problem shows it with any values and any role. Class 42 is what is found before a row is
// looked at, but for privileges (src/backend/utils/errcodes.txt), and in what a statement may come to.
func certain(p query.Problem) bool {
	return strings.HasPrefix(p.Code, "42") && p.Code != insufficientPrivilege && !p.Maybe
}

// String says what each side says, for a bug report: a disagreement is one.
func (c Comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s:%d on %s", c.Agreement, c.Site.Pos.File, c.Site.Pos.Line, c.State)
	if c.Reason != "" {
		fmt.Fprintf(&b, ": %s", c.Reason)
	}
	for _, v := range c.Site.Variants {
		fmt.Fprintf(&b, "\n  query:  %s", strings.Join(strings.Fields(v.SQL), " "))
	}
	for _, k := range c.Breaks {
		fmt.Fprintf(&b, "\n  server: %s", k)
	}
	if len(c.Breaks) == 0 {
		b.WriteString("\n  server: fine")
	}
	for _, p := range c.Problems {
		fmt.Fprintf(&b, "\n  ours:   %s %s", p.Check, p.Message)
	}
	if len(c.Problems) == 0 {
		b.WriteString("\n  ours:   fine")
	}
	return b.String()
}

// Summary counts comparisons.
type Summary struct {
	Agreed, Disagreed, NotProved, Undecided int
	// Disagreements are our bugs; Unproved is what nothing follows from, with the reason.
	Disagreements, Unproved []Comparison
}

// Add counts one comparison.
func (s *Summary) Add(c Comparison) {
	switch c.Agreement {
	case Agreed:
		s.Agreed++
	case Disagreed:
		s.Disagreed++
		s.Disagreements = append(s.Disagreements, c)
	case NotDecided:
		s.Undecided++
	default:
		s.NotProved++
		s.Unproved = append(s.Unproved, c)
	}
}
