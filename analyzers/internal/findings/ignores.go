package findings

import (
	"go/ast"
	"go/token"
	"slices"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// Ignores are the suppression comments of a package: //srhtvet:ignore RULE[,RULE] reason.
type Ignores struct {
	fset *token.FileSet
	list []Ignore
}

// Ignore is one of them.
type Ignore struct {
	Pos    token.Pos
	Rules  []string // empty when the comment names none
	Reason string   // empty when the comment gives none

	file        string
	first, last int // the lines that it governs
}

// ReadIgnores finds the comments. One behind code governs its line; one on a line of its own governs the statement, the
// declaration, the field or the element that begins on the next line of code: all its lines when it holds no block, else
// those up to the block. In the doc comment of a function it governs the whole function.
func ReadIgnores(fset *token.FileSet, files []*ast.File) *Ignores {
	all := &Ignores{fset: fset}
	for _, f := range files {
		var found []Ignore
		for _, group := range f.Comments {
			for _, c := range group.List {
				if rules, reason, ok := source.ParseGoIgnore(c.Text); ok {
					at := fset.Position(c.Pos())
					// A comment may be followed by others of its group.
					end := fset.Position(group.End()).Line
					found = append(found, Ignore{Pos: c.Pos(), Rules: rules, Reason: reason, file: at.Filename, first: at.Line, last: end + 1})
				}
			}
		}
		if len(found) > 0 {
			all.govern(f, found)
		}
	}
	return all
}

// List lists the comments by position.
func (a *Ignores) List() []Ignore { return a.list }

// govern says which lines each comment of a file governs.
func (a *Ignores) govern(f *ast.File, found []Ignore) {
	line := func(pos token.Pos) int { return a.fset.Position(pos).Line }
	code := map[int]bool{}            // lines on which something other than a comment begins or ends
	whole := make([]bool, len(found)) // which of them are a function's
	starts := map[int]int{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		case *ast.FuncDecl:
			code[line(n.Pos())] = true
			if n.Doc != nil {
				for i := range found {
					if n.Doc.Pos() <= found[i].Pos && found[i].Pos < n.Doc.End() {
						found[i].first, found[i].last = line(n.Pos()), line(n.End())
						found[i].file, whole[i] = a.fset.Position(n.Pos()).Filename, true
					}
				}
			}
		case ast.Stmt, ast.Spec, *ast.Field, *ast.KeyValueExpr, *ast.GenDecl:
			first := line(n.Pos())
			starts[first] = max(starts[first], a.end(n))
		}
		code[line(n.Pos())] = true
		code[line(n.End())] = true
		return true
	})
	for i := range found {
		ig := &found[i]
		switch at := line(ig.Pos); {
		case whole[i]:
		case code[at] && a.behindCode(f, ig.Pos):
			ig.last = at
		default: // last is the line behind the group
			ig.last = max(ig.last, starts[ig.last])
		}
	}
	a.list = append(a.list, found...)
}

// behindCode reports whether code stands before a comment on its line.
func (a *Ignores) behindCode(f *ast.File, comment token.Pos) bool {
	start := a.fset.File(comment).LineStart(a.fset.Position(comment).Line)
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.Comment, *ast.CommentGroup:
			return false
		}
		if n.Pos() >= start && n.Pos() < comment || n.End() > start && n.End() <= comment {
			found = true
		}
		return !found && n.Pos() < comment && n.End() > start
	})
	return found
}

// end is the last line of a node that holds no block, else the line of its first block's brace.
func (a *Ignores) end(n ast.Node) int {
	end := n.End()
	if _, ok := n.(*ast.BlockStmt); ok {
		end = n.Pos()
	}
	ast.Inspect(n, func(in ast.Node) bool {
		if b, ok := in.(*ast.BlockStmt); ok && b.Pos() < end {
			end = b.Pos()
		}
		return true
	})
	return a.fset.Position(end).Line
}

// at finds the comment that takes back what has one of the names at a position.
func (a *Ignores) at(pos token.Pos, names []string) (Use, bool) {
	p := a.fset.Position(pos)
	for _, ig := range a.list {
		if ig.file != p.Filename || p.Line < ig.first || p.Line > ig.last || ig.Reason == "" {
			continue
		}
		for _, name := range names {
			if slices.Contains(ig.Rules, name) {
				return Use{ig.Pos, name}, true
			}
		}
	}
	return Use{}, false
}
