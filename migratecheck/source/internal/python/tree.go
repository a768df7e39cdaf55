package python

import (
	"strings"
	"sync"

	treesitter "github.com/tree-sitter/go-tree-sitter"
	python "github.com/tree-sitter/tree-sitter-python/bindings/go"
)

// Node is one node of a Python syntax tree, copied out of tree-sitter's so that the C memory can be freed at once and
// reading a node costs no call into C.
type Node struct {
	Kind  string // tree-sitter-python's name of it, "call", "string_content", …
	Field string // the role in its parent, "" for none
	Start int
	End   int
	Bad   bool // holds a syntax error
	Kids  []*Node
}

// maxDepth bounds the nesting that is read. A deeper node keeps its place but loses its children.
const maxDepth = 2000

// kindTooDeep marks a node whose children were not read.
const kindTooDeep = "nested too deeply"

// Child is the first child in the given role.
func (n *Node) Child(field string) *Node {
	for _, k := range n.Kids {
		if k.Field == field {
			return k
		}
	}
	return nil
}

// Module is one parsed file.
type Module struct {
	File     int // index into the files given to Read
	Path     string
	Text     string
	Root     *Node
	Comments []Comment
	// ErrorAt is the byte offset of the first syntax error, -1 for none.
	ErrorAt int
	Stars   bool // it holds `from … import *`
	Env     *Env // its globals, once it has been run
}

// Comment is a comment's range of bytes.
type Comment struct{ Start, End int }

// Src is the source of a node.
func (m *Module) Src(n *Node) string { return m.Text[n.Start:n.End] }

// Line is the 1-based line of a byte offset.
func (m *Module) Line(at int) int { return 1 + strings.Count(m.Text[:min(at, len(m.Text))], "\n") }

// grammar is tree-sitter's Python, with the names of its symbols and fields as Go strings.
type grammar struct {
	language *treesitter.Language
	kinds    []string
	named    []bool
	fields   []string
}

// loadGrammar is called when the first Python file is met, so that a program without any does not pay for it.
var loadGrammar = sync.OnceValue(func() *grammar {
	l := treesitter.NewLanguage(python.Language())
	g := &grammar{language: l}
	for i := range l.NodeKindCount() {
		g.kinds = append(g.kinds, l.NodeKindForId(uint16(i)))
		g.named = append(g.named, l.NodeKindIsNamed(uint16(i)))
	}
	for i := range l.FieldCount() + 1 {
		g.fields = append(g.fields, l.FieldNameForId(uint16(i)))
	}
	return g
})

// kindOf is the name of a symbol; tree-sitter's own ERROR has a number beyond the table.
func (g *grammar) kindOf(id uint16) (string, bool) {
	if int(id) < len(g.kinds) {
		return g.kinds[id], g.named[id]
	}
	return "ERROR", true
}

// parser wraps a tree-sitter parser, which is not safe for concurrent use.
type parser struct {
	g *grammar
	p *treesitter.Parser
	// slab and open save allocations: nodes come by the hundred, and children are collected before their number is known.
	slab []Node
	open []*Node
}

func (p *parser) newNode() *Node {
	if len(p.slab) == 0 {
		p.slab = make([]Node, 256)
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	return n
}

func newParser() (*parser, error) {
	g := loadGrammar()
	p := treesitter.NewParser()
	if err := p.SetLanguage(g.language); err != nil {
		p.Close()
		return nil, err
	}
	return &parser{g: g, p: p}, nil
}

func (p *parser) close() { p.p.Close() }

// Parse reads one file. It never fails: what is not Python is an ERROR node.
func (p *parser) parse(file int, path, text string) *Module {
	m := &Module{File: file, Path: path, Text: text, ErrorAt: -1}
	src := []byte(text)
	// Handed over in pieces: the binding copies the piece each time the lexer goes back, and keeps the copies.
	const piece = 4096
	tree := p.p.ParseWithOptions(func(at int, _ treesitter.Point) []byte {
		if at >= len(src) {
			return nil
		}
		return src[at:min(at+piece, len(src))]
	}, nil, nil)
	if tree == nil {
		m.ErrorAt = 0
		m.Root = &Node{Kind: "module"}
		return m
	}
	defer tree.Close()
	cursor := tree.Walk()
	defer cursor.Close()
	m.Root = p.copy(m, cursor, tree.RootNode().HasError(), false, 0)
	return m
}

// copy copies the node under the cursor and everything below it. checked says that there is a syntax error somewhere:
// asking every node about it is only then worth a call. So is asking for its role when the parent gives its children some.
func (p *parser) copy(m *Module, cursor *treesitter.TreeCursor, checked, roles bool, depth int) *Node {
	ts := cursor.Node()
	kind, named := p.g.kindOf(ts.KindId())
	field := ""
	if roles {
		if id := cursor.FieldId(); id != 0 {
			field = p.g.fields[id]
		}
	}
	// Every question is a call into C: punctuation and keywords are left out first.
	if !named && field == "" && !checked {
		return nil
	}
	start, end := ts.ByteRange()
	n := p.newNode()
	*n = Node{Kind: kind, Field: field, Start: min(int(start), len(m.Text)), End: min(int(end), len(m.Text))}
	if checked && ts.HasError() {
		n.Bad = true
		if (kind == "ERROR" || ts.IsMissing()) && (m.ErrorAt < 0 || n.Start < m.ErrorAt) {
			m.ErrorAt = n.Start
		}
	}
	if kind == "comment" {
		m.Comments = append(m.Comments, Comment{n.Start, n.End})
		return nil
	}
	if !named && n.Field == "" && !n.Bad {
		return nil
	}
	if !named || leaf(kind) {
		return n
	}
	if depth >= maxDepth {
		n.Kind = kindTooDeep
		return n
	}
	if cursor.GotoFirstChild() {
		roles, first := givesRoles(kind), len(p.open)
		for {
			if k := p.copy(m, cursor, checked && n.Bad, roles, depth+1); k != nil {
				p.open = append(p.open, k)
			}
			if !cursor.GotoNextSibling() {
				break
			}
		}
		cursor.GotoParent()
		n.Kids = append([]*Node(nil), p.open[first:]...)
		p.open = p.open[:first]
	}
	return n
}

// givesRoles is false for nodes whose children are only a sequence.
func givesRoles(kind string) bool {
	switch kind {
	case "module", "block", "argument_list", "list", "tuple", "set", "dictionary", "string", "concatenated_string",
		"expression_statement", "expression_list", "parenthesized_expression", "dotted_name", "parameters", "pattern_list",
		"tuple_pattern", "return_statement", "assert_statement", "list_splat", "with_clause", "conditional_expression":
		return false
	}
	return true
}

// leaf reports whether nothing below a node is of interest.
func leaf(kind string) bool {
	switch kind {
	case "identifier", "integer", "float", "true", "false", "none", "string_start", "string_content", "string_end",
		"dotted_name", "pass_statement", "break_statement", "continue_statement", "type_conversion", "escape_sequence":
		return true
	}
	return false
}
