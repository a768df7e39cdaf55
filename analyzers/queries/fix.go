package queries

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ast/astutil"
	"golang.org/x/tools/go/types/typeutil"

	"git.sr.ht/~sourcehut/ha-go/analyzers/sqlquery"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// fixer rewrites the queries of a package that the pending migrations break by giving things other names.
type fixer struct {
	pass        *analysis.Pass
	found       *sqlquery.Result
	base, final *catalog.Catalog

	bound  []*query.Bound // all sites, also those of tests; nil until the first is asked for
	unseen []*ast.File    // see unseenFiles
	tests  []string       // the texts of tests
}

// rewriting is one fix as it is worked out: edits of literals, and every site that one of them reaches.
type rewriting struct {
	*fixer
	from  *catalog.Catalog // on which the sites were right
	sites []*query.Bound
	edits map[query.Position]query.Edit // by where they are in the source; Variant and Offset are of no meaning
}

// renamed is the rewrite of a query that the pending migration breaks by taking a name away, when the migration gives the
// thing another name, and nothing is in doubt: each site that the rewritten literals reach is right on the schema after
// the migrations and means what it meant, and nothing else is seen to read those literals.
func (f *fixer) renamed(b *compat.Break) (analysis.SuggestedFix, bool) {
	_, now, ok := b.NewName()
	if !ok {
		return analysis.SuggestedFix{}, false
	}
	if f.bound == nil {
		sites := make([]*query.Site, len(f.found.Sites))
		for i := range sites {
			sites[i] = &f.found.Sites[i]
		}
		f.bound = query.ParseAll(sites)
	}
	// Of several things that have other names one statement took the last away; all had theirs before the first.
	for _, from := range []*catalog.Catalog{f.base, b.Cause.Before} {
		r := &rewriting{fixer: f, from: from, edits: map[query.Position]query.Edit{}}
		r.sites = slices.DeleteFunc(slices.Clone(f.bound), func(s *query.Bound) bool { return s.Site.Pos != b.Site.Pos })
		if r.collect() && r.clean() {
			return r.fix("use the new name " + now)
		}
	}
	return analysis.SuggestedFix{}, false
}

func (r *rewriting) fix(message string) (analysis.SuggestedFix, bool) {
	fix := analysis.SuggestedFix{Message: message}
	for at, e := range r.edits {
		edit, ok := r.textEdit(at, e)
		if !ok {
			return analysis.SuggestedFix{}, false
		}
		fix.TextEdits = append(fix.TextEdits, edit)
	}
	slices.SortFunc(fix.TextEdits, func(a, b analysis.TextEdit) int { return int(a.Pos - b.Pos) })
	return fix, len(fix.TextEdits) > 0
}

// collect adds the edits that each site needs, and the sites that these reach, until there are no more.
func (r *rewriting) collect() bool {
	for i := 0; i < len(r.sites); i++ {
		b := r.sites[i]
		if b.Site.Module != "" || b.Site.Status != query.Static && b.Site.Status != query.Finite || gated(b.Site) {
			return false
		}
		edits, ok := b.Renamed(r.from, r.final)
		if !ok {
			return false
		}
		for _, e := range edits {
			v := &b.Site.Variants[e.Variant]
			if !v.Linear(e.Offset, e.Length) {
				return false
			}
			at := v.Position(b.Site, e.Offset)
			old, there := r.edits[at]
			switch {
			case there && strings.HasPrefix(old.Text, e.Text):
				continue
			case there && !strings.HasPrefix(e.Text, old.Text): // one of them with AS
				return false
			}
			r.edits[at] = query.Edit{Length: e.Length, Text: e.Text}
			for _, other := range r.bound {
				if !slices.Contains(r.sites, other) && slices.ContainsFunc(r.editsOf(other), func(found query.Edit) bool {
					return other.Site.Variants[found.Variant].Position(other.Site, found.Offset) == at
				}) {
					r.sites = append(r.sites, other)
				}
			}
		}
	}
	return true
}

// gated reports whether some texts of a site are for some schemas only.
func gated(site *query.Site) bool {
	return site.Gate != query.Gate{} || slices.ContainsFunc(site.Variants, func(v query.Variant) bool { return v.Gate != query.Gate{} })
}

// editsOf are the edits as they change a site's texts.
func (r *rewriting) editsOf(b *query.Bound) []query.Edit {
	var list []query.Edit
	for i := range b.Site.Variants {
		v := &b.Site.Variants[i]
		for j, s := range v.Segments {
			end := len(v.SQL)
			if j+1 < len(v.Segments) {
				end = v.Segments[j+1].Offset
			}
			if !s.Linear {
				continue
			}
			at := s.Pos
			for offset := s.Offset; offset < end; offset++ {
				if e, ok := r.edits[at]; ok {
					list = append(list, query.Edit{Variant: i, Offset: offset, Length: e.Length, Text: e.Text})
				}
				at.Column++
				if v.SQL[offset] == '\n' {
					at.Line, at.Column = at.Line+1, 1
				}
			}
		}
	}
	return list
}

// clean reports whether every site is right on the schema after the migrations and means what it meant.
func (r *rewriting) clean() bool {
	for _, b := range r.sites {
		edits := r.editsOf(b)
		for _, e := range edits {
			if !b.Site.Variants[e.Variant].Linear(e.Offset, e.Length) {
				return false
			}
		}
		after := b.Edited(edits)
		if len(after.On(r.final).Problems) > 0 || !b.Same(r.from, after, edits, r.final) {
			return false
		}
	}
	return true
}

// textEdit is an edit of a literal of this package, which only the sites read.
func (r *rewriting) textEdit(at query.Position, e query.Edit) (analysis.TextEdit, bool) {
	pos := r.found.Pos(at)
	path := r.path(pos)
	if len(path) == 0 || ast.IsGenerated(path[len(path)-1].(*ast.File)) {
		return analysis.TextEdit{}, false // it is in a file that is not Go, or written by a program
	}
	lit, ok := path[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING || pos+token.Pos(e.Length) > lit.End() || strings.ContainsAny(e.Text, "`%?:@") || !r.onlySites(path, nil) ||
		r.expected(lit, lit.Value[pos-lit.Pos():][:e.Length]) {
		return analysis.TextEdit{}, false
	}
	text := e.Text
	if lit.Value[0] == '"' {
		text = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)
	}
	return analysis.TextEdit{Pos: pos, End: pos + token.Pos(e.Length), NewText: []byte(text)}, true
}

func (r *rewriting) path(pos token.Pos) []ast.Node {
	for _, f := range r.pass.Files {
		if pos.IsValid() && f.FileStart <= pos && pos < f.FileEnd {
			path, _ := astutil.PathEnclosingInterval(f, pos, pos)
			return path
		}
	}
	return nil
}

// onlySites reports whether a string, the first node of the path, is seen to go into the texts of the sites and nowhere else:
// straight, or by a constant or variable of this package all uses of which do.
func (r *rewriting) onlySites(path []ast.Node, seen []types.Object) bool {
	for i := 1; i < len(path); i++ {
		child := path[i-1]
		switch p := path[i].(type) {
		case *ast.ParenExpr, *ast.SelectorExpr:
		case *ast.KeyValueExpr:
			if p.Value == child {
				return false // squirrel compares a column with it
			}
		case *ast.BinaryExpr:
			if p.Op != token.ADD {
				return false
			}
		case *ast.CompositeLit:
			if _, isStruct := r.pass.TypesInfo.TypeOf(p).Underlying().(*types.Struct); isStruct {
				return false // a field may be read by others
			}
		case *ast.CallExpr:
			if n := slices.IndexFunc(p.Args, func(e ast.Expr) bool { return e == child }); n >= 0 && !r.isText(p, n) {
				return false
			}
			if at := p.Pos(); slices.ContainsFunc(r.sites, func(b *query.Bound) bool { return r.found.Pos(b.Site.Pos) == at }) {
				return true
			}
			if !r.passesOn(p) {
				return false
			}
		case *ast.ValueSpec:
			if decl, ok := path[i+1].(*ast.GenDecl); ok && decl.Tok == token.CONST && repeated(decl, p) {
				return false
			}
			n := slices.IndexFunc(p.Values, func(e ast.Expr) bool { return e == child })
			return n >= 0 && n < len(p.Names) && r.onlyInSites(r.pass.TypesInfo.Defs[p.Names[n]], seen)
		case *ast.AssignStmt:
			n := slices.IndexFunc(p.Rhs, func(e ast.Expr) bool { return e == child })
			if n < 0 {
				return true // it gets a value here
			}
			id, _ := p.Lhs[min(n, len(p.Lhs)-1)].(*ast.Ident)
			return id != nil && len(p.Lhs) == len(p.Rhs) && r.onlyInSites(r.pass.TypesInfo.ObjectOf(id), seen)
		default:
			return false
		}
	}
	return false
}

// repeated reports whether the constants after some in a list have the same values, which are not written again.
func repeated(decl *ast.GenDecl, spec ast.Spec) bool {
	next := slices.Index(decl.Specs, spec) + 1
	return next < len(decl.Specs) && len(decl.Specs[next].(*ast.ValueSpec).Values) == 0
}

// onlyInSites is onlySites for what is assigned to an object.
func (r *rewriting) onlyInSites(obj types.Object, seen []types.Object) bool {
	switch {
	case slices.Contains(seen, obj):
		return true
	case obj == nil || obj.Name() == "_" || obj.Parent() == nil || obj.Exported() && obj.Parent() == r.pass.Pkg.Scope():
		return false // a field, or what other packages can read
	case r.usedUnseen(obj):
		return false
	}
	seen = append(seen, obj)
	for id, used := range r.pass.TypesInfo.Uses {
		if used == obj && !r.onlySites(r.path(id.Pos()), seen) {
			return false
		}
	}
	return true
}

const squirrel = "github.com/Masterminds/squirrel"

// isText reports whether an argument of a call is SQL, and not a value that is bound to a parameter of it.
func (r *rewriting) isText(call *ast.CallExpr, n int) bool {
	if r.passesOn(call) {
		fn := typeutil.Callee(r.pass.TypesInfo, call)
		if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != squirrel {
			return true
		}
		switch fn.Name() {
		case "Select", "Columns", "GroupBy", "OrderBy":
			return true
		case "Values":
			return false
		}
		return n == 0
	}
	// The text comes before what is bound to it.
	return !slices.ContainsFunc(call.Args[:n], func(e ast.Expr) bool {
		b, ok := r.pass.TypesInfo.TypeOf(e).Underlying().(*types.Basic)
		return ok && b.Info()&types.IsString != 0
	})
}

// passesOn tells of calls that make one text, or one part of a query, of what they get.
func (r *rewriting) passesOn(call *ast.CallExpr) bool {
	if r.pass.TypesInfo.Types[call.Fun].IsType() {
		return true
	}
	fn := typeutil.Callee(r.pass.TypesInfo, call)
	if fn == nil || fn.Pkg() == nil {
		return fn != nil && fn.Name() == "append"
	}
	switch fn.Pkg().Path() {
	case "fmt", "strings", squirrel:
		return true
	case "github.com/lib/pq":
		return fn.Name() == "CopyIn" || fn.Name() == "CopyInSchema" || fn.Name() == "QuoteIdentifier"
	}
	return false
}
