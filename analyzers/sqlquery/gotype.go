package sqlquery

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// argTypes says what is certain of the values that are bound.
func (m *machine) argTypes(args []arg) []query.GoType {
	out := make([]query.GoType, len(args))
	for i, a := range args {
		out[i] = m.argType(a)
	}
	return out
}

func (m *machine) argType(a arg) query.GoType {
	if _, ok := a.v.(*null); ok {
		return query.GoType{Name: "nil", Nullable: true, Null: true}
	}
	if c := m.arrayCall(a); c != nil {
		return query.GoType{Name: types.ExprString(a.expr), Kind: query.List}
	}
	t := a.typ
	if t == nil {
		if u, ok := a.v.(*unknown); ok {
			t = u.typ
		}
	}
	g := m.goType(t, a.pkg)
	if _, ok := a.v.(*text); ok && g.Kind == "" {
		g.Kind = query.String
		g.Name = "string"
	}
	return g
}

// arrayCall is a call of pq.Array and the like.
func (m *machine) arrayCall(a arg) *ast.CallExpr {
	if a.expr == nil || a.pkg == nil {
		return nil
	}
	c, ok := ast.Unparen(a.expr).(*ast.CallExpr)
	if !ok {
		return nil
	}
	importPath, name := typeExpr(c.Fun, a.pkg)
	if importPath == "github.com/lib/pq" && (name == "Array" || strings.HasSuffix(name, "Array")) {
		return c
	}
	return nil
}

// scanOf says where a result goes.
func (m *machine) scanOf(s *scanned) *query.Scan {
	if s == nil {
		return nil
	}
	out := &query.Scan{Kind: s.kind, Open: s.open, Lax: s.lax, Extra: s.extra}
	for i, d := range s.dests {
		dest := query.Dest{Type: m.destType(d)}
		if s.kind == query.ByName && i < len(s.names) {
			dest.Name = s.names[i]
		}
		out.Dests = append(out.Dests, dest)
	}
	return out
}

// destType is the type that a destination points to.
func (m *machine) destType(d arg) query.GoType {
	if c := m.arrayCall(d); c != nil {
		return query.GoType{Name: types.ExprString(d.expr), Kind: query.List, Nullable: true, Full: d.pkg.info != nil && pqFull(d.pkg.info.TypeOf(c.Args[0]))}
	}
	if d.typ == nil {
		return d.fact
	}
	p, ok := types.Unalias(d.typ).(*types.Pointer)
	if !ok {
		if p, ok = d.typ.Underlying().(*types.Pointer); !ok {
			return query.GoType{Name: m.typeString(d.typ, d.pkg), Kind: query.Custom, Nullable: true}
		}
	}
	g := m.goType(p.Elem(), d.pkg)
	if g.Kind != "" && hasMethod(p.Elem(), "Scan") && !m.wellKnown(p.Elem()) {
		labels := g.Labels
		g = query.GoType{Name: g.Name, Kind: query.Custom, Nullable: true, Labels: labels}
	}
	if g.Labels == nil {
		g.Labels = m.switchLabels(d)
	}
	return g
}

// pqFull reports whether pq.Array of a pointer to such a slice takes no NULL elements (lib/pq array.go, Array): the arrays of its own
// types of elements do not.
func pqFull(t types.Type) bool {
	p, ok := t.(*types.Pointer)
	if !ok {
		return false
	}
	s, ok := types.Unalias(p.Elem()).(*types.Slice)
	if !ok {
		return false
	}
	b, ok := types.Unalias(s.Elem()).(*types.Basic)
	return ok && slices.Contains([]types.BasicKind{types.Bool, types.Float64, types.Float32, types.Int64, types.Int32, types.String}, b.Kind())
}

func (m *machine) typeString(t types.Type, k *pkg) string {
	return types.TypeString(t, func(p *types.Package) string {
		if k != nil && p == k.types {
			return ""
		}
		return p.Name()
	})
}

// wellKnown reports whether goType knows a named type by name.
func (m *machine) wellKnown(t types.Type) bool {
	_, ok := namedTypes[typeKey(t)]
	return ok
}

func typeKey(t types.Type) string {
	importPath, name := namedType(t)
	return importPath + "." + name
}

// namedTypes are what drivers treat apart, or convert themselves with a known effect.
var namedTypes = map[string]query.GoType{
	"time.Time":                       {Kind: query.Time},
	"database/sql.NullString":         {Kind: query.String, Nullable: true},
	"database/sql.NullInt64":          {Kind: query.Int, Bits: 64, Nullable: true},
	"database/sql.NullInt32":          {Kind: query.Int, Bits: 32, Nullable: true},
	"database/sql.NullInt16":          {Kind: query.Int, Bits: 16, Nullable: true},
	"database/sql.NullByte":           {Kind: query.Int, Bits: 8, Nullable: true},
	"database/sql.NullFloat64":        {Kind: query.Float, Bits: 64, Nullable: true},
	"database/sql.NullBool":           {Kind: query.Bool, Nullable: true},
	"database/sql.NullTime":           {Kind: query.Time, Nullable: true},
	"database/sql.RawBytes":           {Kind: query.Bytes, Nullable: true},
	"encoding/json.RawMessage":        {Kind: query.Bytes, Nullable: true},
	"github.com/google/uuid.UUID":     {Kind: query.UUID},
	"github.com/google/uuid.NullUUID": {Kind: query.UUID, Nullable: true},
	"github.com/gofrs/uuid.UUID":      {Kind: query.UUID},
	"github.com/gofrs/uuid/v5.UUID":   {Kind: query.UUID},
	"github.com/lib/pq.StringArray":   {Kind: query.List, Nullable: true, Full: true},
	"github.com/lib/pq.Int64Array":    {Kind: query.List, Nullable: true, Full: true},
	"github.com/lib/pq.Int32Array":    {Kind: query.List, Nullable: true, Full: true},
	"github.com/lib/pq.BoolArray":     {Kind: query.List, Nullable: true, Full: true},
	"github.com/lib/pq.ByteaArray":    {Kind: query.List, Nullable: true},
	"github.com/lib/pq.Float64Array":  {Kind: query.List, Nullable: true, Full: true},
	"github.com/lib/pq.GenericArray":  {Kind: query.List, Nullable: true},
	"github.com/lib/pq.NullTime":      {Kind: query.Time, Nullable: true},
}

// pgtypes are the value types of pgx's package pgtype, each of which can hold NULL.
var pgtypes = map[string]query.GoType{
	"Text": {Kind: query.String}, "Int2": {Kind: query.Int, Bits: 16}, "Int4": {Kind: query.Int, Bits: 32}, "Int8": {Kind: query.Int, Bits: 64},
	"Float4": {Kind: query.Float, Bits: 32}, "Float8": {Kind: query.Float, Bits: 64}, "Bool": {Kind: query.Bool}, "UUID": {Kind: query.UUID},
	"Timestamp": {Kind: query.Time}, "Timestamptz": {Kind: query.Time}, "Date": {Kind: query.Time}, "JSON": {Kind: query.Custom}, "JSONB": {Kind: query.Custom},
}

// goType says what is certain of a type; no Kind means that nothing is.
func (m *machine) goType(t types.Type, k *pkg) query.GoType {
	if t == nil || t == types.Typ[types.Invalid] {
		return query.GoType{}
	}
	t = types.Default(t)
	g := query.GoType{Name: m.typeString(t, k)}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		g = m.goType(p.Elem(), k)
		g.Name = "*" + g.Name
		g.Nullable = true
		return g
	}
	if known, ok := namedTypes[typeKey(t)]; ok {
		known.Name = g.Name
		return known
	}
	if importPath, name := namedType(t); strings.HasSuffix(importPath, "/pgtype") {
		if known, ok := pgtypes[name]; ok {
			known.Name, known.Nullable = g.Name, true
			return known
		}
		return query.GoType{Name: g.Name, Kind: query.Custom, Nullable: true}
	} else if importPath == "database/sql" && name == "Null" {
		if n, ok := types.Unalias(t).(*types.Named); ok && n.TypeArgs().Len() == 1 {
			inner := m.goType(n.TypeArgs().At(0), k)
			inner.Name, inner.Nullable = g.Name, true
			return inner
		}
	}
	if hasMethod(t, "Value") || hasMethod(t, "Scan") {
		g.Kind, g.Nullable = query.Custom, true
		g.Labels = m.labels(t)
		return g
	}
	if m.opaqueType(t) {
		return query.GoType{Name: g.Name}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch info := u.Info(); {
		case info&types.IsBoolean != 0:
			g.Kind = query.Bool
		case info&types.IsInteger != 0:
			g.Kind, g.Bits = query.Int, bits(u.Kind())
		case info&types.IsFloat != 0:
			g.Kind, g.Bits = query.Float, 64
			if u.Kind() == types.Float32 {
				g.Bits = 32
			}
		case info&types.IsString != 0:
			g.Kind = query.String
			g.Labels = m.labels(t)
		case u.Kind() == types.UntypedNil:
			return query.GoType{Name: "nil", Nullable: true, Null: true}
		}
	case *types.Slice:
		if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte {
			g.Kind, g.Nullable = query.Bytes, true
		} else {
			g.Kind, g.Nullable = query.List, true
			switch elem := m.goType(u.Elem(), k); elem.Kind {
			case query.Bool, query.Int, query.Float, query.String, query.Time, query.UUID:
				g.Full = !elem.Nullable
			}
		}
	case *types.Array:
		if b, ok := u.Elem().Underlying().(*types.Basic); ok && b.Kind() == types.Byte && u.Len() == 16 {
			g.Kind = query.UUID
		}
	case *types.Interface:
		g.Nullable = true
		if _, isParam := types.Unalias(t).(*types.TypeParam); isParam {
			return query.GoType{Name: g.Name}
		}
	}
	return g
}

func bits(k types.BasicKind) int {
	switch k {
	case types.Int8, types.Uint8:
		return 8
	case types.Int16, types.Uint16:
		return 16
	case types.Int32, types.Uint32:
		return 32
	}
	return 64
}

// labels are the values of an enumeration: the typed string constants of its package. nil when there are fewer than two, or
// the type is a plain string.
func (m *machine) labels(t types.Type) []string {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil {
		return nil
	}
	if b, ok := n.Underlying().(*types.Basic); !ok || b.Info()&types.IsString == 0 {
		return nil
	}
	if n.Obj().Pkg().Path() == "database/sql" {
		return nil
	}
	var list []string
	scope := n.Obj().Pkg().Scope()
	for _, name := range scope.Names() {
		c, ok := scope.Lookup(name).(*types.Const)
		if ok && types.Identical(c.Type(), t) && c.Val().Kind() == constant.String {
			list = append(list, constant.StringVal(c.Val()))
		}
	}
	if len(list) < 2 {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}

var _ = token.NoPos
