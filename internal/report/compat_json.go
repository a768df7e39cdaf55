package report

import (
	"io"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
)

// The JSON shape of a compat report, see docs/json.md. Fields are only ever added.
type (
	compatJSON struct {
		Version  int           `json:"version"`
		Services []serviceJSON `json:"services"`
	}
	serviceJSON struct {
		Dir       string                   `json:"dir"`
		Old       string                   `json:"old"`
		New       string                   `json:"new"`
		Pending   []string                 `json:"pending"`
		Base      string                   `json:"base"`
		Baseline  string                   `json:"baseline"`
		Cells     map[string]cellJSON      `json:"cells"`
		Findings  []breakJSON              `json:"findings"`
		Coverage  map[string]coverageJSON  `json:"coverage"`
		Unchecked map[string][]missingJSON `json:"unchecked"`
		// Problems are findings about the migrations that put the schemas in doubt.
		Problems   []finding     `json:"problems"`
		Below      int           `json:"below"`
		Suppressed int           `json:"suppressed"`
		Verified   *verifiedJSON `json:"verified,omitempty"`
	}
	verifiedJSON struct {
		Server        int            `json:"server"`
		Agreed        int            `json:"agreed"`
		Disagreed     int            `json:"disagreed"`
		NotProved     int            `json:"notProved"`
		Undecided     int            `json:"undecided"`
		Disagreements []disagreeJSON `json:"disagreements"`
	}
	disagreeJSON struct {
		File   string   `json:"file"`
		Line   int      `json:"line"`
		Column int      `json:"column"`
		Schema string   `json:"schema"`
		Server []string `json:"server"`
		Ours   []string `json:"ours"`
	}
	cellJSON struct {
		Checked int `json:"checked"`
		Broken  int `json:"broken"`
	}
	coverageJSON struct {
		Found   int `json:"found"`
		Checked int `json:"checked"`
		Partly  int `json:"partly"`
	}
	missingJSON struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		Reason string `json:"reason"`
	}
	breakJSON struct {
		Rule     string    `json:"rule"`
		Severity string    `json:"severity"`
		Cell     string    `json:"cell"`
		Schema   string    `json:"schema"`
		Query    queryJSON `json:"query"`
		Cause    causeJSON `json:"cause"`
		Message  string    `json:"message"`
		Help     string    `json:"help"`
	}
	queryJSON struct {
		Rev    string   `json:"rev"`
		File   string   `json:"file"`
		Line   int      `json:"line"`
		Column int      `json:"column"`
		SQL    string   `json:"sql"`
		Site   siteJSON `json:"site"`
	}
	siteJSON struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	causeJSON struct {
		File string `json:"file"`
		Line int    `json:"line"`
		SQL  string `json:"sql"`
	}
)

func writeCompatJSON(w io.Writer, d *Compat) error {
	doc := compatJSON{Version: 1, Services: []serviceJSON{}}
	for _, s := range d.Services {
		doc.Services = append(doc.Services, d.service(s))
	}
	return encode(w, doc)
}

func (d *Compat) service(s *compat.Service) serviceJSON {
	out := serviceJSON{Dir: s.Dir, Old: s.Code[compat.Old].Rev, New: s.Code[compat.New].Rev, Pending: []string{},
		Base: s.Timeline.SetReport.Base, Baseline: s.Timeline.Baseline, Cells: map[string]cellJSON{}, Findings: []breakJSON{},
		Coverage: map[string]coverageJSON{}, Unchecked: map[string][]missingJSON{}, Problems: []finding{}}
	out.Below, out.Suppressed = d.leftOut(s)
	for _, f := range d.Doubts(s) {
		out.Problems = append(out.Problems, finding{f.Rule, f.Severity.String(), f.Pos.File, f.Pos.Line, f.Pos.Column, f.Message, f.Help})
	}
	for _, f := range s.Timeline.Pending {
		out.Pending = append(out.Pending, f.Migration.File)
	}
	for _, c := range compat.Cells() {
		n := s.Count(c)
		out.Cells[c.String()] = cellJSON{n.Checked, n.Broken}
	}
	for _, b := range d.Reported(s) {
		item := breakJSON{Rule: b.Rule, Severity: b.Severity.String(), Cell: b.Cell.String(), Schema: b.Schema,
			Query: queryJSON{b.Rev, b.Pos.File, b.Pos.Line, b.Pos.Column, b.SQL, siteJSON(b.Site.Pos)}, Message: b.Message, Help: b.Help}
		if b.Cause != nil {
			pos := b.Cause.Position(0)
			item.Cause = causeJSON{pos.File, pos.Line, b.Cause.Stmt.SQL}
		}
		out.Findings = append(out.Findings, item)
	}
	for _, v := range []compat.Version{compat.Old, compat.New} {
		out.Coverage[v.String()] = coverageJSON(s.Coverage[v])
		list := []missingJSON{}
		for _, u := range s.Unchecked[v] {
			list = append(list, missingJSON{u.Site.Pos.File, u.Site.Pos.Line, u.Site.Pos.Column, u.Reason})
		}
		for _, g := range s.Code[v].Gaps {
			list = append(list, missingJSON{g.Pos.File, g.Pos.Line, g.Pos.Column, g.Reason})
		}
		out.Unchecked[v.String()] = list
	}
	if v := s.Verified; v != nil {
		out.Verified = &verifiedJSON{v.Version, v.Agreed, v.Disagreed, v.NotProved, v.Undecided, []disagreeJSON{}}
		for _, c := range v.Disagreements {
			d := disagreeJSON{c.Site.Pos.File, c.Site.Pos.Line, c.Site.Pos.Column, c.State, []string{}, []string{}}
			for _, b := range c.Breaks {
				d.Server = append(d.Server, b.String())
			}
			for _, p := range c.Problems {
				d.Ours = append(d.Ours, p.Message)
			}
			out.Verified.Disagreements = append(out.Verified.Disagreements, d)
		}
	}
	return out
}
