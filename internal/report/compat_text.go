package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
)

const green = "\x1b[32m"

// writeCompatText writes for each service the grid, then what breaks under the statement that breaks it, then what could
// not be judged.
func writeCompatText(out io.Writer, d *Compat) error {
	w := &compatText{textWriter{Writer: bufio.NewWriter(out), doc: &Document{Color: d.Color}, helped: map[string]string{}}, d}
	for i, s := range d.Services {
		if i > 0 {
			w.WriteByte('\n')
		}
		w.service(s)
	}
	return w.Flush()
}

type compatText struct {
	textWriter
	compat *Compat
}

func (w *compatText) service(s *compat.Service) {
	if len(w.compat.Services) > 1 || s.Dir != "." {
		fmt.Fprintf(w, "%s\n\n", w.paint(s.Dir, bold))
	}
	w.grid(s)
	if below, suppressed := w.compat.leftOut(s); below+suppressed > 0 {
		w.WriteByte('\n')
		if below > 0 {
			fmt.Fprintf(w, "  %s below -severity %s, and not shown\n", count(below, "finding is", "findings are"), w.compat.bar())
			for _, line := range w.compat.belowBar(s) {
				fmt.Fprintf(w, "    %s\n", line)
			}
		}
		if suppressed > 0 {
			fmt.Fprintf(w, "  %s taken back by comments or settings\n", count(suppressed, "finding is", "findings are"))
		}
	}
	if list := w.compat.Doubts(s); len(list) > 0 {
		fmt.Fprintf(w, "\n%s\n", w.paint("the schemas may not be what they are taken for", bold))
		for _, f := range list {
			fmt.Fprintf(w, "  %s: %s %s: %s\n", w.paint(fmt.Sprintf("%s:%d:%d", f.Pos.File, f.Pos.Line, f.Pos.Column), bold),
				w.paint(f.Severity.String(), severityColor(f.Severity)), w.paint(f.Rule, bold), printable(oneLine(f.Message)))
		}
	}
	for _, g := range groups(w.compat.Reported(s)) {
		w.WriteByte('\n')
		w.group(g)
	}
	w.coverage(s)
	if s.Verified != nil {
		w.verified(s)
	}
}

// shownUnproved is how many of the verdicts that nothing could be shown of are listed.
const shownUnproved = 5

func (w *compatText) verified(s *compat.Service) {
	v := s.Verified
	fmt.Fprintf(w, "\n%s\n", verifiedLine(v))
	for _, k := range v.Skipped {
		fmt.Fprintf(w, "  left out of the schemas: %s: %s\n", windowStart(printable(oneLine(k.SQL))), printable(k.Reason))
	}
	// Both versions of the code have most sites, and a site has a verdict for each schema.
	disagreed, _ := grouped(v.Disagreements, verify.Comparison.String)
	for _, text := range disagreed {
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(printableLines(text), "\n", "\n  "))
	}
	if len(v.Disagreements) > 0 {
		fmt.Fprintf(w, "  a disagreement is a bug of srhtvet: please report it with the schema of the tables concerned\n")
	}
	unproved, times := grouped(v.Unproved, func(c verify.Comparison) string {
		return fmt.Sprintf("%s:%d: %s", c.Site.Pos.File, c.Site.Pos.Line, printable(c.Reason))
	})
	left := len(v.Unproved)
	for i, text := range unproved {
		if i == shownUnproved {
			fmt.Fprintf(w, "  and %s more that could not be proved\n", count(left, "verdict", "verdicts"))
			break
		}
		left -= times[text]
		often := ""
		if n := times[text]; n > 1 {
			often = fmt.Sprintf(" (%d verdicts)", n)
		}
		fmt.Fprintf(w, "  not proved%s: %s\n", often, text)
	}
}

// grouped are the different texts of comparisons, in their order, and how often each comes.
func grouped(list []verify.Comparison, text func(verify.Comparison) string) (texts []string, times map[string]int) {
	times = map[string]int{}
	for _, c := range list {
		t := text(c)
		if times[t]++; times[t] == 1 {
			texts = append(texts, t)
		}
	}
	return texts, times
}

// verifiedLine says what a server said of the verdicts.
func verifiedLine(v *compat.Verification) string {
	return fmt.Sprintf("asked PostgreSQL %d: %s agree, %d disagree, %d could not be proved, %d undecided", v.Version,
		count(v.Agreed, "verdict", "verdicts"), v.Disagreed, v.NotProved, v.Undecided)
}

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// grid draws the matrix.
func (w *compatText) grid(s *compat.Service) {
	schemas := schemaLabels(s)
	head := [2]string{"old schema", "new schema"}
	var rows [2]string
	width, column := 0, 0
	for v := range rows {
		rows[v] = fmt.Sprintf("%s code %s", compat.Version(v), s.Code[v].Rev)
		width = max(width, utf8.RuneCountInString(rows[v]))
		column = max(column, utf8.RuneCountInString(schemas[v])+4, utf8.RuneCountInString(head[v])+4, 20)
	}
	line := func(name string, cells [2]string, code [2]string) {
		fmt.Fprintf(w, "  %s", pad(name, width+4))
		for i, c := range cells {
			text := c
			if i == 0 {
				text = pad(c, column)
			}
			if code[i] != "" {
				text = w.paint(text, code[i])
			}
			w.WriteString(text)
		}
		w.WriteByte('\n')
	}
	line("", head, [2]string{bold, bold})
	line("", schemas, [2]string{dim, dim})
	for v, name := range rows {
		var cells, paint [2]string
		for schema := range cells {
			n := s.Cells[v][schema]
			cells[schema], paint[schema] = fmt.Sprintf("✔ %d", n.Checked), green
			if n.Checked == 0 {
				cells[schema], paint[schema] = "– no queries", dim
			}
			if n.Broken > 0 {
				cells[schema], paint[schema] = fmt.Sprintf("✘ %d of %d", n.Broken, n.Checked), red
			}
		}
		line(name, cells, paint)
	}
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// group writes a statement and what it breaks: the queries of one message together.
func (w *compatText) group(g group) {
	if g.cause != nil {
		pos := g.cause.Position(0)
		fmt.Fprintf(w, "%s: %s\n", w.paint(fmt.Sprintf("%s:%d:%d", pos.File, pos.Line, pos.Column), bold), windowStart(printable(oneLine(g.cause.Stmt.SQL))))
	} else {
		fmt.Fprintf(w, "%s\n", w.paint("on the schema they were written for", bold))
	}
	type about struct {
		rule     string
		severity migratecheck.Severity
		cell     compat.Cell
		schema   string
	}
	var order []about
	lists := map[about][]*compat.Break{}
	for _, b := range g.breaks {
		key := about{b.Rule, b.Severity, b.Cell, b.Schema}
		if lists[key] == nil {
			order = append(order, key)
		}
		lists[key] = append(lists[key], b)
	}
	for _, key := range order {
		list := lists[key]
		fmt.Fprintf(w, "  %s %s: %s code on the %s schema, %s\n", w.paint(key.severity.String(), severityColor(key.severity)),
			w.paint(key.rule, bold), key.cell.Code, key.cell.Schema, key.schema)
		for i, b := range list {
			w.site(b, i == 0 || b.Message != list[i-1].Message)
		}
	}
	// One split is enough for a statement and a cell, however many queries it breaks.
	said := map[string]bool{}
	for _, key := range order {
		for _, b := range lists[key] {
			if b.Help == "" || said[b.Help] {
				continue
			}
			if len(said) > 0 || len(order) > 1 && b.Help != lists[order[len(order)-1]][0].Help {
				fmt.Fprintf(w, "    %s\n", w.paint(codeOnSchema(key.cell)+":", bold))
			}
			said[b.Help] = true
			f := migratecheck.Finding{Rule: b.Rule, Help: b.Help}
			if g.cause != nil {
				f.Pos = g.cause.Position(0)
			}
			w.help(f)
		}
	}
}

// codeOnSchema says for whom a help is.
func codeOnSchema(c compat.Cell) string {
	return fmt.Sprintf("for the %s code on the %s schema", c.Code, c.Schema)
}

// site writes where a query is, its line, and unless that was said of the one before, what fails.
func (w *compatText) site(b *compat.Break, message bool) {
	if message {
		writeWrapped(w.Writer, "    ", printable(b.Message))
	}
	fmt.Fprintf(w, "      %s", w.paint(fmt.Sprintf("%s:%d:%d", b.Pos.File, b.Pos.Line, b.Pos.Column), bold))
	if b.Site.Func != "" {
		fmt.Fprintf(w, " %s", b.Site.Func)
	}
	if at := b.Site.Pos; at.File != b.Pos.File {
		fmt.Fprintf(w, " (query at %s:%d)", at.File, at.Line)
	}
	if w.compat.Source != nil {
		if line := strings.TrimSpace(printable(w.compat.Source(b.Cell.Code, b.Pos.File, b.Pos.Line))); line != "" {
			fmt.Fprintf(w, "  %s", w.paint(windowStart(line), dim))
		}
	}
	w.WriteByte('\n')
}

// shownUnchecked is how many of the sites that could not be judged are listed for a version.
const shownUnchecked = 10

func (w *compatText) coverage(s *compat.Service) {
	w.WriteByte('\n')
	for v, c := range s.Coverage {
		fmt.Fprintf(w, "%s\n", coverageLine(s, compat.Version(v), c))
		for i, u := range s.Unchecked[v] {
			if i == shownUnchecked {
				fmt.Fprintf(w, "  and %d more (srhtvet queries lists them all)\n", len(s.Unchecked[v])-i)
				break
			}
			how := "not checked"
			if u.Partly {
				how = "in part"
			}
			fmt.Fprintf(w, "  %s: %s:%d:%d: %s\n", how, u.Site.Pos.File, u.Site.Pos.Line, u.Site.Pos.Column, printable(u.Reason))
		}
		for i, g := range s.Code[v].Gaps {
			if i == shownUnchecked {
				fmt.Fprintf(w, "  and %d more\n", len(s.Code[v].Gaps)-i)
				break
			}
			if g.Pos.File != "" {
				fmt.Fprintf(w, "  not looked at: %s:%d: %s\n", g.Pos.File, g.Pos.Line, printable(g.Reason))
			} else {
				fmt.Fprintf(w, "  not looked at: %s\n", printable(g.Reason))
			}
		}
	}
}

// coverageLine says how much of a version was judged.
func coverageLine(s *compat.Service, v compat.Version, c compat.Coverage) string {
	line := fmt.Sprintf("%s code %s: %s found, %d checked", v, s.Code[v].Rev, count(c.Found, "query site", "query sites"), c.Checked)
	if c.Partly > 0 {
		line += fmt.Sprintf(" (%d in part)", c.Partly)
	}
	return line
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
