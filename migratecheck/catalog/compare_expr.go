package catalog

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// canonicalSQL prints a tree so that what a person wrote and what a dump of it says (src/backend/utils/adt/ruleutils.c:
// casts on constants, qualified names, = ANY for IN, ~~ for LIKE) come out the same.
func canonicalSQL(n *pgast.Node) string {
	var p canonicalPrinter
	p.node(n)
	return p.String()
}

// canonicalPrinter prints trees in one spelling.
type canonicalPrinter struct {
	strings.Builder
	// form is set for a serverForm: more is made alike, and constants are put there instead of being printed.
	form *serverForm
}

func (b *canonicalPrinter) node(n *pgast.Node) {
	if n != nil {
		b.message(n.ProtoReflect())
	}
}

// textCasts are the types that the server casts columns to by itself.
var textCasts = [...]string{"text", "varchar", "bpchar", "name"}

func (b *canonicalPrinter) message(m protoreflect.Message) {
	if b.form != nil && b.asServer(m) {
		return
	}
	switch x := m.Interface().(type) {
	case *pgast.Node:
		if cast := x.GetTypeCast(); cast != nil {
			names := stringsOf(cast.TypeName.GetNames())
			bare := cast.Arg
			for bare.GetTypeCast() != nil {
				bare = bare.GetTypeCast().Arg
			}
			if bare.GetAConst() != nil || bare.GetAArrayExpr() != nil || len(names) > 0 && slices.Contains(textCasts[:], names[len(names)-1]) {
				b.message(cast.Arg.ProtoReflect())
				return
			}
		}
		m.Range(func(_ protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			b.message(v.Message()) // what the Node wraps
			return false
		})
		return
	case *pgast.A_Const:
		b.constant(x)
		return
	case *pgast.ColumnRef:
		last := x.Fields[len(x.Fields)-1]
		if s := last.GetString_(); s != nil {
			b.WriteString("col(" + s.Sval + ")")
		} else {
			b.WriteString("col(*)")
		}
		return
	case *pgast.RangeVar:
		b.WriteString("rel(" + x.Relname + ")")
		return
	case *pgast.TypeName:
		names := stringsOf(x.Names)
		fmt.Fprintf(b, "type(%s", names[len(names)-1])
		for _, mod := range x.Typmods {
			b.message(mod.ProtoReflect())
		}
		fmt.Fprintf(b, " %d)", len(x.ArrayBounds))
		return
	case *pgast.FuncCall:
		names := stringsOf(x.Funcname)
		b.WriteString("call(" + names[len(names)-1])
		for _, arg := range x.Args {
			b.WriteByte(' ')
			b.message(arg.ProtoReflect())
		}
		if x.AggDistinct || x.AggStar || x.AggFilter != nil || len(x.AggOrder) > 0 || x.Over != nil {
			b.rest(m, "funcname", "args", "funcformat")
		}
		b.WriteByte(')')
		return
	case *pgast.ResTarget:
		if ref := x.Val.GetColumnRef(); ref != nil && x.Name == ref.Fields[len(ref.Fields)-1].GetString_().GetSval() {
			b.WriteString("ResTarget(") // its name is the one that it has without
			b.rest(m, "name")
			b.WriteByte(')')
			return
		}
	case *pgast.A_Expr:
		if b.operator(x) {
			return
		}
	}
	b.WriteString(string(m.Descriptor().Name()) + "(")
	b.rest(m)
	b.WriteByte(')')
}

// rest prints the fields of a message in order of number, without positions.
func (b *canonicalPrinter) rest(m protoreflect.Message, without ...protoreflect.Name) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		name := f.Name()
		if !m.Has(f) || strings.HasSuffix(string(name), "location") || slices.Contains(without, name) {
			continue
		}
		v := m.Get(f)
		b.WriteString(string(name) + "=")
		switch {
		case f.IsList() && f.Kind() == protoreflect.MessageKind:
			for j := range v.List().Len() {
				b.message(v.List().Get(j).Message())
				b.WriteByte(' ')
			}
		case f.Kind() == protoreflect.MessageKind:
			b.message(v.Message())
		default:
			b.WriteString(v.String())
		}
		b.WriteByte(';')
	}
}

func (b *canonicalPrinter) constant(k *pgast.A_Const) {
	if k.Isnull {
		b.WriteString("null")
		return
	}
	b.WriteString("const(" + canonicalText(k) + ")")
}

func canonicalText(k *pgast.A_Const) string {
	text := constText(&pgast.Node{Node: &pgast.Node_AConst{AConst: k}})
	// A name in a string: 'public.t_id_seq'::regclass.
	if k.GetSval() != nil {
		if schema, name, ok := splitQualified(text); ok && schema == "public" {
			return quoteIdent(name)
		}
	}
	return text
}

// operator prints the operators that the grammar has several spellings for in one of them.
func (b *canonicalPrinter) operator(x *pgast.A_Expr) bool {
	name := ""
	if len(x.Name) > 0 {
		name = x.Name[len(x.Name)-1].GetString_().GetSval()
	}
	list := func(n *pgast.Node) []*pgast.Node {
		for n.GetTypeCast() != nil {
			n = n.GetTypeCast().Arg
		}
		if l := n.GetList(); l != nil {
			return l.Items
		}
		if a := n.GetAArrayExpr(); a != nil {
			return a.Elements
		}
		return nil
	}
	switch x.Kind {
	case pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_OP_ALL:
		items := list(x.Rexpr)
		if items == nil {
			return false
		}
		b.WriteString("in(" + name + " ")
		b.message(x.Lexpr.ProtoReflect())
		for _, item := range items {
			b.WriteByte(' ')
			b.message(item.ProtoReflect())
		}
		b.WriteByte(')')
		return true
	case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
		b.WriteString("op(" + name)
		for _, n := range []*pgast.Node{x.Lexpr, x.Rexpr} {
			if n != nil {
				b.WriteByte(' ')
				b.message(n.ProtoReflect())
			}
		}
		b.WriteByte(')')
		return true
	case pgast.A_Expr_Kind_AEXPR_BETWEEN:
		bounds := list(x.Rexpr)
		if len(bounds) != 2 {
			return false
		}
		b.WriteString("BoolExpr(boolop=1;args=op(>= ")
		b.message(x.Lexpr.ProtoReflect())
		b.WriteByte(' ')
		b.message(bounds[0].ProtoReflect())
		b.WriteString(") op(<= ")
		b.message(x.Lexpr.ProtoReflect())
		b.WriteByte(' ')
		b.message(bounds[1].ProtoReflect())
		b.WriteString(") ;)")
		return true
	}
	return false
}
