package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"strings"
	"sync"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
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
		Help       []string
	}
	breakPage struct {
		Severity, Rule, Cell, Message string
		Sites, More                   []sitePage
		MoreSummary                   string
	}
	sitePage struct {
		Where, Func, Code     string
		Before, Marked, After string
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
	byFile := map[*migratecheck.File]int{}
	for _, b := range breaks {
		if b.Cause != nil {
			byFile[b.Cause.File]++
		}
	}
	for _, f := range s.Timeline.Pending {
		m := migrationPage{File: f.Migration.File, Statements: count(len(f.Up), "statement", "statements")}
		if n := byFile[f]; n > 0 {
			m.Breaks = "breaks " + count(n, "query", "queries")
		}
		out.Migrations = append(out.Migrations, m)
	}
	for _, g := range groups(breaks) {
		out.Causes = append(out.Causes, d.causePage(g))
	}
	for v, c := range s.Coverage {
		cp := coveragePage{Summary: fmt.Sprintf("%s code %s: %s found, %d checked", compat.Version(v), s.Code[v].Rev, count(c.Found, "query site", "query sites"), c.Checked)}
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
	helped := map[string]bool{}
	for _, b := range g.breaks {
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
		if b.Help != "" && !helped[b.Help] {
			helped[b.Help] = true
			c.Help = append(c.Help, b.Help)
		}
	}
	return c
}

// sitePage shows the source around a query, and what it sends with the place marked.
func (d *Compat) sitePage(b *compat.Break) sitePage {
	p := sitePage{Where: fmt.Sprintf("%s:%d", b.Pos.File, b.Pos.Line), Func: b.Site.Func}
	if d.Source != nil {
		const around = 2
		var lines []string
		for n := max(1, b.Pos.Line-around); n <= b.Pos.Line+around; n++ {
			lines = append(lines, fmt.Sprintf("%4d  %s", n, strings.TrimRight(d.Source(b.Cell.Code, b.Pos.File, n), "\r\n")))
		}
		p.Code = strings.Join(lines, "\n")
	}
	start, end := wordAt(b.SQL, b.Problem.Offset)
	p.Before, p.Marked, p.After = b.SQL[:start], b.SQL[start:end], b.SQL[end:]
	return p
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
