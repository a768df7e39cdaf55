package sqlquery

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// runNames finds the constraints and indexes that code names: in comparisons with an error's constraint, in switches on it,
// and in the text of errors.
func (m *machine) runNames() {
	for _, k := range m.p.order {
		if !k.own || k.info == nil {
			continue
		}
		for _, f := range k.files {
			for _, d := range f.Decls {
				fr := &frame{pkg: k}
				if fd, ok := d.(*ast.FuncDecl); ok {
					fr.info = &funcInfo{pkg: k, decl: fd}
				}
				m.stack = []*frame{fr}
				m.steps = 0
				m.namesIn(d, fr)
				m.stack = nil
			}
		}
	}
}

func (m *machine) namesIn(d ast.Decl, fr *frame) {
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op != token.EQL && n.Op != token.NEQ {
				break
			}
			for _, pair := range [][2]ast.Expr{{n.X, n.Y}, {n.Y, n.X}} {
				if isConstraintField(pair[0]) {
					m.addName(pair[1], fr, bare)
				} else if isErrorText(pair[0]) {
					m.addName(pair[1], fr, inMessage)
				}
			}
		case *ast.SwitchStmt:
			if n.Tag == nil || !isConstraintField(n.Tag) {
				break
			}
			for _, c := range n.Body.List {
				if c, ok := c.(*ast.CaseClause); ok {
					for _, e := range c.List {
						m.addName(e, fr, bare)
					}
				}
			}
		case *ast.CallExpr:
			importPath, name := typeExpr(n.Fun, fr.pkg)
			if importPath == "strings" && (name == "Contains" || name == "HasSuffix" || name == "HasPrefix" || name == "EqualFold") && len(n.Args) == 2 {
				if isErrorText(n.Args[0]) {
					m.addName(n.Args[1], fr, inMessage)
				} else if isConstraintField(n.Args[0]) && name == "EqualFold" {
					m.addName(n.Args[1], fr, bare)
				}
			}
		}
		return true
	})
}

// isConstraintField reports whether an expression is the name of the constraint in a driver's error: lib/pq's
// Error.Constraint, pgconn's PgError.ConstraintName.
func isConstraintField(e ast.Expr) bool {
	s, ok := ast.Unparen(e).(*ast.SelectorExpr)
	return ok && (s.Sel.Name == "Constraint" || s.Sel.Name == "ConstraintName")
}

// isErrorText reports whether an expression is err.Error(), or an error's Message or Detail.
func isErrorText(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		s, ok := e.Fun.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "Error" && len(e.Args) == 0
	case *ast.SelectorExpr:
		return e.Sel.Name == "Message" || e.Sel.Name == "Detail"
	}
	return false
}

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_$]*$`)
	// quotedName is how PostgreSQL's messages name a constraint or an index.
	quotedName = regexp.MustCompile(`(?:constraint|index) "((?:[^"]|"")+)"`)
	// objectName is a name that says what it is: PostgreSQL's own suffixes, and those that people use.
	objectName = regexp.MustCompile(`^[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*_(?:key|pkey|fkey|check|excl|idx|index|uniq|unique|uix|fk|ck|uk)$|^(?:uq|uk|ux|fk|ck|idx|ix|pk|uniq|unique)_[A-Za-z0-9_]+$`)
)

type nameForm int

const (
	bare nameForm = iota
	inMessage
)

func (m *machine) addName(e ast.Expr, fr *frame, form nameForm) {
	v := m.eval(e, newState())
	s, ok := literal(v)
	if !ok || s == "" {
		return
	}
	name := ""
	if form == bare {
		if identifier.MatchString(s) || !strings.ContainsAny(s, " \t\n") {
			name = s
		}
	} else if found := quotedName.FindStringSubmatch(s); found != nil {
		name = strings.ReplaceAll(found[1], `""`, `"`)
	} else if trimmed := strings.Trim(s, `"' `); objectName.MatchString(trimmed) {
		name = trimmed
	}
	if name == "" {
		return
	}
	pos := m.p.position(e.Pos())
	m.names = append(m.names, query.Site{Pos: pos, Lang: "go", Kind: query.Name, Func: fr.funcName(), Status: query.Static,
		Names: []query.NameUse{{Name: name, Pos: pos}}})
}
