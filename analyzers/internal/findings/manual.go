package findings

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Manual is what an analyzer's doc.go says.
type Manual struct {
	Name    string // of the analyzer
	Summary string // one line
	Text    string // the rest, with a line "# TITLE" above each section
}

// ReadManual reads the part of a package's doc comment that follows "# Analyzer NAME": a line "NAME: SUMMARY", and the manual
// with its sections. It panics when there is none: the text is embedded in the program.
func ReadManual(source string) Manual {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", source, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		panic(err)
	}
	text := docText(file.Doc)
	_, text, ok := strings.Cut(text, "# Analyzer ")
	name, text, _ := strings.Cut(text, "\n")
	first, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	summary, named := strings.CutPrefix(first, name+": ")
	if !ok || !named {
		panic(fmt.Sprintf("doc.go: want a section %q that begins with %q", "# Analyzer NAME", "NAME: SUMMARY"))
	}
	return Manual{Name: name, Summary: summary, Text: strings.TrimSpace(rest)}
}

// docText is a comment without its slashes. ast.CommentGroup.Text would do, but for headings' blank lines.
func docText(group *ast.CommentGroup) string {
	var b strings.Builder
	for _, c := range group.List {
		line := strings.TrimPrefix(strings.TrimPrefix(c.Text, "//"), " ")
		b.WriteString(line + "\n")
	}
	return b.String()
}

// Doc is the text as analysis.Analyzer.Doc has it: a summary, an empty line, the manual.
func (m *Manual) Doc() string { return m.Summary + "\n\n" + m.Text }

// ManualOf is the manual of an analyzer, as its Doc has it.
func ManualOf(a *analysis.Analyzer) Manual {
	summary, text, _ := strings.Cut(a.Doc, "\n")
	return Manual{Name: a.Name, Summary: summary, Text: strings.TrimSpace(text)}
}

// Section is the text below a heading, "" when there is none of that name.
func (m *Manual) Section(title string) string {
	_, text, ok := strings.Cut("\n"+m.Text, "\n# "+title+"\n")
	if !ok {
		return ""
	}
	text, _, _ = strings.Cut(text, "\n# ")
	return strings.TrimSpace(text)
}
