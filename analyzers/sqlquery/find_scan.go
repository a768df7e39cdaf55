package sqlquery

import (
	"go/ast"
	"go/types"
	"reflect"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// resultMethod is a method of rows, or of one row.
func (m *machine) resultMethod(r *result, name string, e *ast.CallExpr, st *state) (value, bool) {
	switch name {
	case "Scan":
		args, open := m.args(e, st)
		m.scan(r, args, open, st)
		for _, a := range args {
			m.havoc(a, st)
		}
		return &unknown{}, true
	case "StructScan":
		args, _ := m.args(e, st)
		if len(args) == 1 {
			m.scanned(r, m.structScan(args[0], false), st)
		}
		return &unknown{}, true
	case "Next", "Err", "Close", "Columns", "ColumnTypes", "NextResultSet", "MapScan", "SliceScan", "Values", "RawValues", "FieldDescriptions", "CommandTag", "Conn":
		m.args(e, st)
		return m.opaqueResult(e), true
	case "Query", "QueryRow", "Exec": // pgx's QueuedQuery, with a function for what comes back
		args, _ := m.args(e, st)
		for _, a := range args {
			if f, ok := a.v.(*function); ok && f.lit != nil {
				m.callLit(f, []arg{{v: r}}, e.Pos(), st)
			}
		}
		return &unknown{}, true
	}
	return nil, false
}

// scan notes where the columns of a result go, in order.
func (m *machine) scan(v value, args []arg, open bool, st *state) {
	r, ok := v.(*result)
	if !ok {
		if t, isTuple := v.(*tuple); isTuple && len(t.vals) > 0 {
			r, ok = t.vals[0].(*result)
		}
		if !ok {
			return
		}
	}
	s := &scanned{kind: query.ByPosition, open: open}
	for _, a := range args {
		if d, ok := a.v.(*destinations); ok {
			for _, c := range d.of.columns {
				s.dests = append(s.dests, arg{typ: c.typ, expr: c.expr, pkg: c.pkg, fact: c.goType})
			}
			if len(args) == 1 {
				s.open = false
			}
			continue
		}
		if open && a.expr == args[len(args)-1].expr {
			if _, isList := a.v.(*list); isList || a.typ != nil && isSliceType(a.typ) {
				continue
			}
		}
		s.dests = append(s.dests, a)
	}
	m.scanned(r, s, st)
}

func isSliceType(t types.Type) bool {
	_, ok := t.Underlying().(*types.Slice)
	return ok
}

// scanned notes where the columns of a result go; nil is not known.
func (m *machine) scanned(r *result, s *scanned, st *state) {
	if s == nil {
		return
	}
	for _, o := range r.of {
		at := *s
		at.gate, at.extra = st.gate, o.unsafe
		o.scans = append(o.scans, at)
	}
}

// scanAt is where the result of a query goes on the schemas of a range; nil when that is not known, or not one place.
func (o *observation) scanAt(at span) *scanned {
	var found *scanned
	for i := range o.scans {
		s := &o.scans[i]
		switch {
		case at.meet(s.gate).empty():
		case found == nil:
			found = s
		case found.kind != s.kind || len(found.dests) != len(s.dests):
			return nil // two places scan it, each another number of columns
		}
	}
	return found
}

// structScan is where sqlx puts columns: by name, into the fields of a struct; of any other type, one column.
func (m *machine) structScan(dest arg, many bool) *scanned {
	t := dest.typ
	if t == nil {
		return nil
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	if many {
		s, ok := t.Underlying().(*types.Slice)
		if !ok {
			return nil
		}
		t = s.Elem()
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
	}
	return m.structDests(t, "db", sqlxName, dest.pkg)
}

func sqlxName(field string) string { return strings.ToLower(field) }

// structDests are the fields of a struct by name; a type that is no struct, or scans itself, takes one column.
func (m *machine) structDests(t types.Type, tag string, name func(string) string, k *pkg) *scanned {
	s, ok := t.Underlying().(*types.Struct)
	importPath, typ := namedType(t)
	if !ok || importPath == "time" && typ == "Time" || m.scansItself(t) {
		return &scanned{kind: query.ByPosition, dests: []arg{{typ: types.NewPointer(t), pkg: k}}}
	}
	if s.NumFields() == 0 {
		return nil
	}
	out := &scanned{kind: query.ByName}
	m.fieldsOf(out, s, tag, name, k, 0)
	return out
}

func (m *machine) fieldsOf(out *scanned, s *types.Struct, tag string, name func(string) string, k *pkg, depth int) {
	if depth > 5 {
		return
	}
	for i := range s.NumFields() {
		f := s.Field(i)
		value, has := reflect.StructTag(s.Tag(i)).Lookup(tag)
		value, _, _ = strings.Cut(value, ",")
		if value == "-" || !f.Exported() && !f.Embedded() {
			continue
		}
		ft := f.Type()
		if p, ok := ft.Underlying().(*types.Pointer); ok && f.Embedded() {
			ft = p.Elem()
		}
		if inner, ok := ft.Underlying().(*types.Struct); ok && f.Embedded() && !has && !m.scansItself(ft) {
			if inner.NumFields() == 0 {
				out.open = true // of a package that is not here
			}
			m.fieldsOf(out, inner, tag, name, k, depth+1)
			continue
		}
		if value == "" {
			value = name(f.Name())
		}
		out.dests = append(out.dests, arg{typ: types.NewPointer(f.Type()), pkg: k, field: f})
		out.names = append(out.names, value)
	}
}

// scansItself reports whether a type has a method Scan of its own.
func (m *machine) scansItself(t types.Type) bool {
	return hasMethod(t, "Scan")
}

func hasMethod(t types.Type, name string) bool {
	if t == nil {
		return false
	}
	if _, ok := t.Underlying().(*types.Pointer); !ok {
		t = types.NewPointer(t)
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	_, ok := obj.(*types.Func)
	return ok
}
