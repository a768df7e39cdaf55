package source

import (
	"sort"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// ignoreTool and ignoreWord begin a suppression comment; a space behind its colon is taken as well, since what looks like a suppression
// and is none would go unnoticed.
const ignoreTool, ignoreWord = "srhtvet:", "ignore"

// mayIgnore tells texts without any suppression comment cheaply.
func mayIgnore(s string) bool { return strings.Contains(s, ignoreTool) }

// ignoreComment is a suppression comment in a file.
type ignoreComment struct {
	at, end int // in the file
	ignore  Ignore
}

// governed is one SQL statement of a text.
type governed struct {
	statement  *Statement
	offset     int // Ignore.Offset
	start, end int // in the file
}

// attachIgnores finds the suppression comments of a file and gives each to the SQL statement it governs: the one it
// stands in, else the one that ends on its line, else the one that follows when only comment lines are between them.
func attachIgnores(f *File, out *script) {
	if !mayIgnore(f.Text) {
		return
	}
	var all []governed
	all = appendGoverned(all, out.up.Statements)
	all = appendGoverned(all, out.down.Statements)
	sort.SliceStable(all, func(i, j int) bool { return all[i].start < all[j].start })
	text := f.Text
	if out.masked != "" {
		text = out.masked
	}
	for _, c := range ignoreComments(f, text) {
		g := governing(f, all, c)
		if g != nil && c.at < out.downAt && g.start >= out.downAt {
			g = nil // the Down annotation is between them
		}
		if g != nil {
			c.ignore.Offset = g.offset
			g.statement.Ignores = append(g.statement.Ignores, c.ignore)
			continue
		}
		c.ignore.Offset = -1
		s := &out.up
		if out.downAt >= 0 && out.hasDown && c.at >= out.downAt {
			s = &out.down
		}
		s.StrayIgnores = append(s.StrayIgnores, c.ignore)
	}
}

func appendGoverned(all []governed, statements []Statement) []governed {
	for i := range statements {
		s := &statements[i]
		spans := pgast.Split(s.SQL)
		for _, span := range spans {
			offset := -1
			if len(spans) > 1 {
				offset = span.Offset
			}
			all = append(all, governed{
				statement: s, offset: offset,
				start: s.FileOffset(span.Offset), end: s.FileOffset(span.Offset + len(span.Text)),
			})
		}
	}
	return all
}

// governing finds the statement that a comment belongs to.
func governing(f *File, all []governed, c ignoreComment) *governed {
	if i := sort.Search(len(all), func(i int) bool { return all[i].start > c.at }); i > 0 {
		before := &all[i-1]
		if c.at < before.end {
			return before
		}
		if !strings.Contains(f.Text[before.end:c.at], "\n") {
			return before
		}
	}
	// A tool may have cut the comment itself in two, so that a statement begins inside it.
	next := sort.Search(len(all), func(i int) bool { return all[i].start >= c.end })
	if next == len(all) || !onlyComments(f.Text[c.end:all[next].start]) {
		return nil
	}
	return &all[next]
}

// onlyComments says whether a text holds nothing but comments, without an empty line.
func onlyComments(between string) bool {
	_, between, _ = strings.Cut(between, "\n") // the rest of the comment's own line
	for l := range strings.Lines(between) {
		if l = strings.TrimSpace(l); l == "" && strings.HasSuffix(between, "\n") {
			return false
		}
	}
	tokens := pgast.NewScanner(between)
	for {
		t, ok := tokens.Next()
		if !ok {
			return true
		}
		if !t.IsComment() {
			return false
		}
	}
}

// ignoreComments lists the suppression comments of a file whose SQL is text: those outside quotes, and those in the bodies of functions.
func ignoreComments(f *File, text string) []ignoreComment {
	var found []ignoreComment
	var scan func(text string, base int)
	scan = func(text string, base int) {
		tokens := pgast.NewScanner(text)
		for {
			t, ok := tokens.Next()
			if !ok {
				return
			}
			s := text[t.Start:t.End]
			if !mayIgnore(s) {
				continue
			}
			switch {
			case t.Kind == pgast.KindDollarString:
				tag := strings.IndexByte(s[1:], '$') + 2
				scan(s[tag:len(s)-tag], base+t.Start+tag)
			case t.IsComment():
				if ignore, ok := parseIgnore(s); ok {
					ignore.Pos = f.Position(base + t.Start)
					found = append(found, ignoreComment{at: base + t.Start, end: base + t.End, ignore: ignore})
				}
			case t.Kind == pgast.KindInvalid && len(s) > 1:
				// An unterminated quote: the server refuses the statement; go on with the lines.
				first := strings.IndexByte(s, '\n') + 1
				if first > 0 {
					scan(s[first:], base+t.Start+first)
				}
				return
			}
		}
	}
	body := f.body()
	scan(text[body:], body)
	return found
}

// parseIgnore reads a comment with its dashes or its slashes and stars.
func parseIgnore(comment string) (Ignore, bool) {
	s, line := strings.CutPrefix(comment, "--")
	if !line {
		s = strings.TrimSuffix(strings.TrimPrefix(comment, "/*"), "*/")
	}
	s, ok := strings.CutPrefix(strings.TrimSpace(s), ignoreTool)
	if ok {
		s, ok = strings.CutPrefix(strings.TrimLeft(s, " \t"), ignoreWord)
	}
	if !ok || s != "" && s[0] != ' ' && s[0] != '\t' {
		return Ignore{}, false
	}
	return ignoreWords(s), true
}

// ignoreWords reads what follows the marker: RULE[,RULE] reason, where a space may follow the comma.
func ignoreWords(s string) Ignore {
	var ignore Ignore
	for more := true; more; {
		s = strings.TrimSpace(s)
		word := s
		if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
			word = s[:i]
		}
		s = s[len(word):]
		more = strings.HasSuffix(word, ",") && s != ""
		for rule := range strings.SplitSeq(word, ",") {
			if rule != "" {
				ignore.Rules = append(ignore.Rules, rule)
			}
		}
	}
	ignore.Reason = strings.Join(strings.Fields(s), " ")
	return ignore
}

// ParseGoIgnore reads a comment of Go code with its slashes or its slashes and stars; ok is false when it is no suppression
// comment. The reason ends where another comment begins.
func ParseGoIgnore(comment string) (rules []string, reason string, ok bool) {
	text, line := strings.CutPrefix(comment, "//")
	if line {
		text, _, _ = strings.Cut("--"+text, " // ")
	} else {
		text = comment
	}
	ignore, ok := parseIgnore(text)
	return ignore.Rules, ignore.Reason, ok
}
