package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// embeds are the files that `//go:embed` puts into a variable (https://pkg.go.dev/embed): one, or those of an embed.FS.
type embeds struct {
	dir      string // of the package
	patterns []string
}

// holds reports whether a name is one of an embed.FS: it matches a pattern, or lies in a directory that does.
func (e *embeds) holds(name string) bool {
	return slices.ContainsFunc(e.patterns, func(pattern string) bool {
		pattern = strings.TrimPrefix(pattern, "all:")
		for at := name; at != "."; at = path.Dir(at) {
			if ok, err := path.Match(pattern, at); err == nil && ok || pattern == "." {
				return true
			}
			if path.Dir(at) == at {
				break
			}
		}
		return false
	})
}

// embedded is a variable that is filled with a file.
func (m *machine) embedded(obj *types.Var) value {
	e := m.embedsOf(obj)
	if e == nil || len(e.patterns) != 1 || strings.ContainsAny(e.patterns[0], "*?[") || isEmbedFS(obj.Type()) {
		return nil
	}
	return m.embeddedFile(filepath.Join(e.dir, filepath.FromSlash(e.patterns[0])))
}

func (m *machine) embedsOf(obj *types.Var) *embeds {
	if m.embeds == nil {
		m.indexEmbeds()
	}
	return m.embeds[obj]
}

// embeddedFile is the text of a file, nil when it cannot be read, which is noted.
func (m *machine) embeddedFile(name string) value {
	if v, ok := m.embeddedTexts[name]; ok {
		return v
	}
	content, err := m.p.disk.readFile(name)
	if err != nil {
		m.p.gap(m.p.rel(name), "is embedded and cannot be read: "+plain(err))
		return nil
	}
	f := m.p.fset.AddFile(name, -1, len(content))
	f.SetLinesForContent(content)
	if m.embeddedTexts == nil {
		m.embeddedTexts = map[string]value{}
	}
	m.embeddedTexts[name] = known(string(content), token.Pos(f.Base()), true)
	return m.embeddedTexts[name]
}

func isEmbedFS(t types.Type) bool {
	importPath, name := namedType(t)
	return importPath == "embed" && name == "FS"
}

// embeddedCall is a call of ReadFile or ReadDir, the methods of an embed.FS or the functions of io/fs. Of which file must be known.
func (m *machine) embeddedCall(function string, files ast.Expr, name value, e *ast.CallExpr) (value, bool) {
	var id *ast.Ident
	switch x := ast.Unparen(files).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		id = x.Sel
	default:
		return nil, false
	}
	obj, _ := m.pkg().info.Uses[id].(*types.Var)
	if obj == nil || m.changed[obj] {
		return nil, false
	}
	of := m.embedsOf(obj)
	if of == nil {
		return nil, false
	}
	var v value
	if function == "ReadDir" {
		v = m.embeddedDir(of, name)
	} else {
		v = m.embeddedText(of, name)
	}
	if v == nil {
		return nil, false
	}
	return m.pair(v, e), true
}

// dirEntry is an entry of a directory of an embed.FS.
type dirEntry struct {
	name string
	dir  bool
}

// embeddedDir lists a directory, nil when it is not known which, or it cannot be read.
func (m *machine) embeddedDir(of *embeds, name value) value {
	dir, ok := literal(name)
	if !ok {
		return nil
	}
	entries, err := m.p.disk.readDir(filepath.Join(of.dir, filepath.FromSlash(dir)))
	if err != nil {
		return nil
	}
	l := &list{}
	for _, entry := range entries {
		if of.holds(path.Join(dir, entry.Name())) {
			l.elems = append(l.elems, arg{v: &dirEntry{entry.Name(), entry.IsDir()}})
		}
	}
	return l
}

// method is a call of a method of the entry.
func (d *dirEntry) method(name string, e *ast.CallExpr) (value, bool) {
	switch name {
	case "Name":
		return known(d.name, e.Pos(), false), true
	case "IsDir":
		return &number{constant.MakeBool(d.dir)}, true
	}
	return nil, false
}

// embeddedText is the text of the file that a name, or each of several, denotes.
func (m *machine) embeddedText(of *embeds, name value) value {
	if c, ok := name.(*choice); ok {
		alts := make([]value, len(c.alts))
		for i, a := range c.alts {
			if alts[i] = m.embeddedText(of, a); alts[i] == nil {
				return nil
			}
		}
		return &choice{c.event, alts}
	}
	file, ok := literal(name)
	if !ok || path.Ext(file) != ".sql" || !of.holds(file) {
		return nil
	}
	return m.embeddedFile(filepath.Join(of.dir, filepath.FromSlash(file)))
}

// indexEmbeds finds the embed directives.
func (m *machine) indexEmbeds() {
	m.embeds = map[types.Object]*embeds{}
	m.packageVars(func(k *pkg, decl *ast.GenDecl, v *ast.ValueSpec) {
		doc := v.Doc
		if doc == nil {
			doc = decl.Doc
		}
		if doc == nil || len(v.Names) != 1 {
			return
		}
		of := &embeds{dir: k.dir}
		for _, c := range doc.List {
			if list, ok := strings.CutPrefix(c.Text, "//go:embed "); ok {
				for _, pattern := range strings.Fields(list) {
					of.patterns = append(of.patterns, strings.Trim(pattern, "\"`"))
				}
			}
		}
		if obj := k.info.Defs[v.Names[0]]; obj != nil && of.patterns != nil {
			m.embeds[obj] = of
		}
	})
}
