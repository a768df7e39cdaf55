package report

import (
	"bufio"
	"fmt"
	"io"
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

func writeText(out io.Writer, d *Document) error {
	w := bufio.NewWriter(out)
	paint := func(s, code string) string {
		if !d.Color {
			return s
		}
		return code + s + reset
	}
	for _, f := range d.Report.Findings {
		color := cyan
		switch f.Severity {
		case migratecheck.Error:
			color = red
		case migratecheck.Warning:
			color = yellow
		}
		down := ""
		if f.Down {
			down = " (down)"
		}
		fmt.Fprintf(w, "%s: %s %s%s\n", paint(fmt.Sprintf("%s:%d:%d", f.Pos.File, f.Pos.Line, f.Pos.Column), bold),
			paint(f.Severity.String(), color), paint(f.Rule, bold), down)
		if line := d.line(f); line != "" {
			number := fmt.Sprint(f.Pos.Line)
			fmt.Fprintf(w, "  %s %s\n", paint(number+" |", dim), line)
			fmt.Fprintf(w, "  %s %s%s\n", paint(strings.Repeat(" ", len(number))+" |", dim), indentLike(line, f.Pos.Column-1), paint("^", color))
		}
		writeWrapped(w, "  ", f.Message)
		for line := range strings.Lines(f.Help) {
			writeWrapped(w, "    ", strings.TrimRight(line, "\n"))
		}
		w.WriteByte('\n')
	}
	return w.Flush()
}

func (d *Document) line(f migratecheck.Finding) string {
	if d.Source == nil {
		return ""
	}
	return strings.ToValidUTF8(strings.TrimRight(d.Source(f.Pos.File, f.Pos.Line), "\r\n"), "\uFFFD")
}

// indentLike is as wide as the first n bytes of line: tabs stay tabs.
func indentLike(line string, n int) string {
	var b strings.Builder
	for _, r := range line[:min(max(n, 0), len(line))] {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
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
