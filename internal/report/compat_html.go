package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

//go:embed compat.html.tmpl
var compatTemplate string

var parsedCompat = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("compat").Parse(compatTemplate))
})

// What the page shows, in its words.
type (
	page struct {
		Title    string
		Services []servicePage
	}
	servicePage struct {
		Dir                string
		Named              bool
		Schemas            []heading
		Rows               []rowPage
		Released, Baseline string
		Migrations         []migrationPage
		Causes             []causePage
		Doubts             []string
		Verified           string
		Coverage           []coveragePage
	}
	heading struct{ Head, Name string }
	rowPage struct {
		heading
		Cells []compat.Count
	}
	migrationPage struct{ File, Statements, Breaks string }
	causePage     struct {
		Where, SQL string
		Breaks     []breakPage
		Help       []helpPage
	}
	// helpPage is what to write instead, and for whom: "" when it is all that there is.
	helpPage  struct{ For, Text string }
	breakPage struct {
		Severity, Rule, Cell, Message string
		Sites, More                   []sitePage
		MoreSummary                   string
	}
	sitePage struct {
		Where, Func                string
		Code                       []linePage
		MigrationWhere             string
		Migration                  []linePage
		SQL, Before, Marked, After string
		Open                       bool // what it sends is not in the lines of the code
	}
	linePage struct {
		Number int
		Text   string
		Here   bool
	}
	coveragePage struct {
		Summary string
		Sites   []string
	}
)

// shownSites is how many queries of one break are shown before the rest is folded away.
const shownSites = 3

func writeCompatHTML(w io.Writer, d *Compat) error {
	p := page{Title: "Old and new code on the old and the new schema"}
	for _, s := range d.Services {
		p.Services = append(p.Services, d.servicePage(s))
	}
	return parsedCompat().Execute(w, p)
}

func (d *Compat) servicePage(s *compat.Service) servicePage {
	out := servicePage{Dir: s.Dir, Named: len(d.Services) > 1 || s.Dir != ".", Released: "today's schema", Baseline: s.Timeline.Baseline}
	if m := s.Timeline.Released; m != nil {
		out.Released = path.Base(m.File)
	}
	for v, label := range schemaLabels(s) {
		out.Schemas = append(out.Schemas, heading{compat.Version(v).String() + " schema", label})
		out.Rows = append(out.Rows, rowPage{heading{compat.Version(v).String() + " code", s.Code[v].Rev}, s.Cells[v][:]})
	}
	breaks := d.Reported(s)
	byFile := map[*migratecheck.File]*[2]int{}
	for _, b := range breaks {
		if b.Cause == nil {
			continue
		}
		if byFile[b.Cause.File] == nil {
			byFile[b.Cause.File] = new([2]int)
		}
		byFile[b.Cause.File][b.Cell.Code]++
	}
	for _, f := range s.Timeline.Pending {
		m := migrationPage{File: f.Migration.File, Statements: count(len(f.Up), "statement", "statements")}
		if n := byFile[f]; n != nil {
			var parts []string
			for v, k := range n {
				if k > 0 {
					parts = append(parts, fmt.Sprintf("%s of the %s code", count(k, "query", "queries"), compat.Version(v)))
				}
			}
			m.Breaks = "breaks " + strings.Join(parts, ", ")
		}
		out.Migrations = append(out.Migrations, m)
	}
	for _, f := range d.Doubts(s) {
		out.Doubts = append(out.Doubts, fmt.Sprintf("%s:%d: %s: %s", f.Pos.File, f.Pos.Line, f.Rule, f.Message))
	}
	if v := s.Verified; v != nil {
		out.Verified = verifiedLine(v)
	}
	for _, g := range groups(breaks) {
		out.Causes = append(out.Causes, d.causePage(g))
	}
	for v, c := range s.Coverage {
		cp := coveragePage{Summary: coverageLine(s, compat.Version(v), c)}
		for _, u := range s.Unchecked[v] {
			cp.Sites = append(cp.Sites, fmt.Sprintf("%s:%d: %s", u.Site.Pos.File, u.Site.Pos.Line, u.Reason))
		}
		for _, g := range s.Code[v].Gaps {
			cp.Sites = append(cp.Sites, strings.TrimPrefix(fmt.Sprintf("%s: %s", g.Pos.File, g.Reason), ": "))
		}
		out.Coverage = append(out.Coverage, cp)
	}
	return out
}

func (d *Compat) causePage(g group) causePage {
	c := causePage{Where: "On the schema they were written for"}
	if g.cause != nil {
		pos := g.cause.Position(0)
		c.Where, c.SQL = fmt.Sprintf("%s:%d", pos.File, pos.Line), g.cause.Stmt.SQL
	}
	var helps []string
	helped, all := map[string][]string{}, map[compat.Cell]bool{}
	for _, b := range g.breaks {
		all[b.Cell] = true
		cell := fmt.Sprintf("%s code %s on the schema %s", b.Cell.Code, b.Rev, b.Schema)
		n := len(c.Breaks) - 1
		if n < 0 || c.Breaks[n].Rule != b.Rule || c.Breaks[n].Cell != cell || c.Breaks[n].Message != b.Message {
			c.Breaks = append(c.Breaks, breakPage{Severity: b.Severity.String(), Rule: b.Rule, Cell: cell, Message: b.Message})
			n++
		}
		if bp := &c.Breaks[n]; len(bp.Sites) < shownSites {
			bp.Sites = append(bp.Sites, d.sitePage(b))
		} else {
			bp.More = append(bp.More, d.sitePage(b))
			bp.MoreSummary = fmt.Sprintf("%d more", len(bp.More))
		}
		if b.Help == "" {
			continue
		}
		if helped[b.Help] == nil {
			helps = append(helps, b.Help)
		}
		if who := codeOnSchema(b.Cell); !slices.Contains(helped[b.Help], who) {
			helped[b.Help] = append(helped[b.Help], who)
		}
	}
	for _, text := range helps {
		h := helpPage{Text: text}
		if len(helped[text]) < len(all) {
			h.For = strings.Join(helped[text], " and ")
		}
		c.Help = append(c.Help, h)
	}
	return c
}

// sitePage shows the code and the migration side by side, and what the code sends with the place marked.
func (d *Compat) sitePage(b *compat.Break) sitePage {
	p := sitePage{Where: fmt.Sprintf("%s:%d", b.Pos.File, b.Pos.Line), Func: b.Site.Func, SQL: b.SQL, Open: b.Site.Kind != query.Statement}
	p.Code = d.excerpt(b.Cell.Code, b.Pos.File, b.Pos.Line)
	if b.Cause != nil {
		pos := b.Cause.Position(0)
		p.MigrationWhere = fmt.Sprintf("%s:%d", pos.File, pos.Line)
		p.Migration = d.excerpt(compat.New, pos.File, pos.Line)
	}
	start, end := wordAt(b.SQL, b.Problem.Offset)
	p.Before, p.Marked, p.After = b.SQL[:start], b.SQL[start:end], b.SQL[end:]
	return p
}

// around is how many lines are shown on either side of a place.
const around = 3

// excerpt is a line of a file and those around it, without the indentation that all of them have.
func (d *Compat) excerpt(v compat.Version, file string, line int) []linePage {
	if d.Source == nil {
		return nil
	}
	var lines []linePage
	indent := -1
	for n := max(1, line-around); n <= line+around; n++ {
		text := strings.ReplaceAll(strings.TrimRight(d.Source(v, file, n), " \t\r\n"), "\t", "    ")
		lines = append(lines, linePage{n, text, n == line})
		if text != "" {
			depth := len(text) - len(strings.TrimLeft(text, " "))
			if indent < 0 || depth < indent {
				indent = depth
			}
		}
	}
	for len(lines) > 0 && lines[len(lines)-1].Text == "" {
		lines = lines[:len(lines)-1]
	}
	for i := range lines {
		lines[i].Text = lines[i].Text[min(max(indent, 0), len(lines[i].Text)):]
	}
	return lines
}

// wordAt is the word of a text that begins at, or spans, a byte offset.
func wordAt(s string, at int) (start, end int) {
	start = min(max(at, 0), len(s))
	for start > 0 && !utf8.RuneStart(s[min(start, len(s)-1)]) {
		start--
	}
	end = start
	quoted := end < len(s) && s[end] == '"'
	for end < len(s) {
		c := s[end]
		word := c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
		if quoted && end > start && c == '"' {
			return start, end + 1
		}
		if !word && !quoted {
			break
		}
		end++
	}
	return start, end
}
