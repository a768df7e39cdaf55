package source

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// line is one line of a file without its end: text[start:end].
type line struct {
	start, end int
}

// nextLine reads the line that begins at byte at, as bufio.ScanLines does (one carriage return before the line feed is
// dropped), and says where the next one begins. At the end of the text ok is false.
func nextLine(text string, at int) (l line, next int, ok bool) {
	if at >= len(text) {
		return line{}, at, false
	}
	next = len(text)
	end := next
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		end = at + i
		next = end + 1
	}
	if end > at && text[end-1] == '\r' {
		end--
	}
	return line{at, end}, next, true
}

// lastWordEnds says whether a line ends a statement for goose and those descended from it: the last word before the
// first word that begins with "--" ends in a semicolon.
func lastWordEnds(s string) bool {
	if strings.IndexByte(s, ';') < 0 {
		return false
	}
	if !strings.Contains(s, "--") {
		return strings.HasSuffix(strings.TrimRightFunc(s, unicode.IsSpace), ";")
	}
	prev := byte(0)
	for word := range strings.FieldsSeq(s) {
		if strings.HasPrefix(word, "--") {
			break
		}
		prev = word[len(word)-1]
	}
	return prev == ';'
}

// joiner collects lines that a tool joins with line feeds. Lines that stand side by side in the file are one range, so
// that no byte is copied unless the tool leaves something out.
type joiner struct {
	file   *File
	ranges []joined
}

// joined is a range of the file, or text that replaces one.
type joined struct {
	start, end int
	text       string // used instead of the file's when replaced
	replaced   bool
}

func (j *joiner) empty() bool { return len(j.ranges) == 0 }

func (j *joiner) reset() { j.ranges = j.ranges[:0] }

// add appends a line.
func (j *joiner) add(l line) {
	if n := len(j.ranges); n > 0 {
		last := &j.ranges[n-1]
		// A carriage return between the two would be in the file but not in the text.
		if !last.replaced && last.end+1 == l.start {
			last.end = l.end
			return
		}
	}
	j.ranges = append(j.ranges, joined{start: l.start, end: l.end})
}

// addReplaced appends a line whose text is not the file's.
func (j *joiner) addReplaced(l line, text string) {
	j.ranges = append(j.ranges, joined{start: l.start, end: l.end, text: text, replaced: true})
}

// trimmed is the statement made of the lines, without the white space around it; ok is false when nothing remains.
func (j *joiner) trimmed() (s Statement, ok bool) {
	if len(j.ranges) == 1 && !j.ranges[0].replaced {
		start, end := trimRange(j.file.Text, j.ranges[0].start, j.ranges[0].end)
		return newStatement(j.file, start, end), start < end
	}
	var b strings.Builder
	pieces := make([]piece, 0, len(j.ranges))
	for i, r := range j.ranges {
		if i > 0 {
			b.WriteByte('\n')
		}
		pieces = append(pieces, piece{Offset: b.Len(), At: r.start, Linear: !r.replaced})
		if r.replaced {
			b.WriteString(r.text)
		} else {
			b.WriteString(j.file.Text[r.start:r.end])
		}
	}
	sql := b.String()
	start, end := trimRange(sql, 0, len(sql))
	return newPieced(j.file, sql[start:end], cutPieces(pieces, start)), start < end
}

// cutPieces moves the pieces by n bytes that were cut off the front of the text.
func cutPieces(pieces []piece, n int) []piece {
	first := 0
	for first+1 < len(pieces) && pieces[first+1].Offset <= n {
		first++
	}
	pieces = pieces[first:]
	for i := range pieces {
		p := &pieces[i]
		if p.Offset < n {
			if p.Linear {
				p.At += n - p.Offset
			}
			p.Offset = n
		}
		p.Offset -= n
	}
	return pieces
}

// trimRange narrows text[start:end] by the white space that strings.TrimSpace cuts.
func trimRange(text string, start, end int) (int, int) {
	s := text[start:end]
	t := strings.TrimLeftFunc(s, unicode.IsSpace)
	start += len(s) - len(t)
	return start, start + len(strings.TrimRightFunc(t, unicode.IsSpace))
}

// shorten cuts a text for use in a message to one line of at most some 80 bytes.
func shorten(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i]
	}
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
