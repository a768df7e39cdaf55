package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"git.sr.ht/~sourcehut/ha-go/migratecheck"
)

// ANSI escapes, used only when Document.Color is set.
const (
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	dim    = "\x1b[2m"
	reset  = "\x1b[0m"
)

// wrapAt is the width to which messages are wrapped.
const wrapAt = 100

// writeText writes the findings on one line of a file together: the line once, with a caret at each place, then what is
// wrong there. Help that was given before in the same file is referred to.
func writeText(out io.Writer, d *Document) error {
	t := &textWriter{Writer: bufio.NewWriter(out), doc: d, helped: map[string]string{}}
	list := d.Report.Findings
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Pos.File == list[0].Pos.File && list[n].Pos.Line == list[0].Pos.Line {
			n++
		}
		t.group(list[:n])
		list = list[n:]
	}
	return t.Flush()
}

type textWriter struct {
	*bufio.Writer
	doc    *Document
	helped map[string]string // file and help to where it was given
}

func (t *textWriter) paint(s, code string) string {
	if !t.doc.Color {
		return s
	}
	return code + s + reset
}

func severityColor(s migratecheck.Severity) string {
	switch s {
	case migratecheck.Error:
		return red
	case migratecheck.Warning:
		return yellow
	}
	return cyan
}

// group writes the findings on one line.
func (t *textWriter) group(list []migratecheck.Finding) {
	for i, f := range list {
		down := ""
		if f.Down {
			down = " (down)"
		}
		fmt.Fprintf(t, "%s: %s %s%s\n", t.paint(fmt.Sprintf("%s:%d:%d", f.Pos.File, f.Pos.Line, f.Pos.Column), bold),
			t.paint(f.Severity.String(), severityColor(f.Severity)), t.paint(f.Rule, bold), down)
		if i == 0 {
			t.source(list)
		}
		for line := range strings.Lines(f.Message) {
			writeWrapped(t.Writer, "  ", printable(strings.TrimRight(line, "\n")))
		}
		t.help(f)
	}
	t.WriteByte('\n')
}

// help writes a finding's help, or where it stands already.
func (t *textWriter) help(f migratecheck.Finding) {
	if f.Help == "" {
		return
	}
	key := f.Pos.File + "\x00" + f.Help
	if at, ok := t.helped[key]; ok {
		fmt.Fprintf(t, "    %s\n", t.paint("as for "+at, dim))
		return
	}
	if f.Pos.Line > 0 { // else there is no place that could be referred to
		t.helped[key] = fmt.Sprintf("%s in line %d", f.Rule, f.Pos.Line)
	}
	for line := range strings.Lines(f.Help) {
		writeWrapped(t.Writer, "    ", printable(strings.TrimRight(line, "\n")))
	}
}

// source writes the line that findings are on, with a caret at each place, below the line where its statement begins.
func (t *textWriter) source(list []migratecheck.Finding) {
	f := list[0]
	line := t.doc.line(f.Pos.File, f.Pos.Line)
	if line == "" {
		return
	}
	number := fmt.Sprint(f.Pos.Line)
	margin := strings.Repeat(" ", len(number))
	if above := strings.Count(f.Statement[:min(max(f.At, 0), len(f.Statement))], "\n"); above > 0 && above < f.Pos.Line {
		first := f.Pos.Line - above
		if text := t.doc.line(f.Pos.File, first); text != "" {
			fmt.Fprintf(t, "  %s %s\n", t.paint(fmt.Sprintf("%*d |", len(number), first), dim), windowStart(text))
			if above > 1 {
				fmt.Fprintf(t, "  %s\n", t.paint(margin+" | …", dim))
			}
		}
	}
	var columns []int
	worst := f.Severity
	for _, f := range list {
		columns = append(columns, f.Pos.Column-1)
		worst = max(worst, f.Severity)
	}
	slices.Sort(columns)
	shown, columns := window(line, columns)
	fmt.Fprintf(t, "  %s %s\n", t.paint(number+" |", dim), shown)
	fmt.Fprintf(t, "  %s %s\n", t.paint(margin+" |", dim), t.paint(carets(shown, columns), severityColor(worst)))
}

// window shortens a line that would fill the screen to the part around the first of the columns (offsets in bytes,
// ascending), and moves those that are in it.
func window(line string, columns []int) (shown string, moved []int) {
	const longest, before, after = 160, 60, 40
	start, end := 0, len(line)
	if last := columns[len(columns)-1]; len(line) > longest && last+after > longest {
		start = max(0, min(columns[0], len(line))-before)
	}
	end = min(end, start+longest)
	for start > 0 && !utf8.RuneStart(line[start]) {
		start--
	}
	for end < len(line) && !utf8.RuneStart(line[end]) {
		end--
	}
	shown = line[start:end]
	offset := start
	if start > 0 {
		shown = "…" + shown
		offset -= len("…")
	}
	for _, c := range columns {
		if c < end || c >= len(line) && end == len(line) {
			moved = append(moved, c-offset)
		}
	}
	if end < len(line) {
		shown += "…"
	}
	return shown, moved
}

func windowStart(line string) string {
	shown, _ := window(line, []int{0})
	return shown
}

// carets is a line with a caret below each of the bytes; tabs stay tabs.
func carets(line string, columns []int) string {
	var b strings.Builder
	last := columns[len(columns)-1]
	for i, r := range line {
		switch {
		case i > last:
			return b.String()
		case slices.Contains(columns, i):
			b.WriteByte('^')
		case r == '\t':
			b.WriteByte('\t')
		default:
			b.WriteByte(' ')
		}
	}
	if last >= len(line) { // the end of the line
		b.WriteByte('^')
	}
	return b.String()
}

func (d *Document) line(file string, number int) string {
	if d.Source == nil {
		return ""
	}
	return printable(strings.TrimRight(d.Source(file, number), "\r\n"))
}

// printable replaces, byte by byte, what a terminal would obey: the text comes out of files.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// writeWrapped breaks prose at spaces. Lines of SQL (they hold a semicolon) are left alone, to be copied.
func writeWrapped(w *bufio.Writer, indent, text string) {
	if strings.HasSuffix(text, ";") {
		fmt.Fprintf(w, "%s%s\n", indent, text)
		return
	}
	width := 0
	w.WriteString(indent)
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > wrapAt-len(indent):
			w.WriteString("\n" + indent)
			width = 0
		default:
			w.WriteByte(' ')
			width++
		}
		w.WriteString(word)
		width += n
	}
	w.WriteByte('\n')
}
