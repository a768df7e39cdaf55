package source

import (
	"sort"
	"strings"
	"sync"
)

// File is one file's text and the index of its lines.
type File struct {
	Path string // slash-separated; goes into every Position
	Text string // all of it as it stands on disk, with its byte order mark and carriage returns

	lines *lineIndex
}

// lineIndex is filled on first use: most files have no finding in them.
type lineIndex struct {
	once   sync.Once
	starts []int
}

// bom is UTF-8's byte order mark.
const bom = "\ufeff"

// NewFile makes a File of a text at hand.
func NewFile(path, text string) File {
	return File{Path: path, Text: text, lines: new(lineIndex)}
}

// body is where the text begins behind a byte order mark.
func (f *File) body() int {
	if strings.HasPrefix(f.Text, bom) {
		return len(bom)
	}
	return 0
}

// Position is the place of a byte of the file; that of its end for any offset beyond it.
func (f *File) Position(offset int) Position {
	offset = max(0, min(offset, len(f.Text)))
	starts := f.starts()
	line := sort.Search(len(starts), func(i int) bool { return starts[i] > offset })
	return Position{File: f.Path, Line: line, Column: offset - starts[line-1] + 1}
}

// Offset is the inverse of Position. Lines and columns beyond the text are cut to it.
func (f *File) Offset(pos Position) int {
	starts := f.starts()
	line := max(1, min(pos.Line, len(starts)))
	return max(0, min(starts[line-1]+pos.Column-1, len(f.Text)))
}

// Line is the text of a line (1-based) without its end; empty outside the file.
func (f *File) Line(line int) string {
	starts := f.starts()
	if line < 1 || line > len(starts) {
		return ""
	}
	text := f.Text[starts[line-1]:]
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSuffix(text, "\r")
}

func (f *File) starts() []int {
	if f.lines == nil { // a File made by hand; not safe for concurrent first use
		f.lines = new(lineIndex)
	}
	f.lines.once.Do(func() {
		starts := make([]int, 1, 1+strings.Count(f.Text, "\n"))
		for at := 0; ; {
			i := strings.IndexByte(f.Text[at:], '\n')
			if i < 0 {
				break
			}
			at += i + 1
			starts = append(starts, at)
		}
		f.lines.starts = starts
	})
	return f.lines.starts
}
