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
	var b strings.Builder
	if n != nil {
		canonicalMessage(&b, n.ProtoReflect())
	}
	return b.String()
}

// textCasts are the types that the server casts columns to by itself.
var textCasts = [...]string{"text", "varchar", "bpchar", "name"}

func canonicalMessage(b *strings.Builder, m protoreflect.Message) {
	switch x := m.Interface().(type) {
	case *pgast.Node:
		if cast := x.GetTypeCast(); cast != nil {
			names := stringsOf(cast.TypeName.GetNames())
			bare := cast.Arg
			for bare.GetTypeCast() != nil {
				bare = bare.GetTypeCast().Arg
			}
			if bare.GetAConst() != nil || bare.GetAArrayExpr() != nil || len(names) > 0 && slices.Contains(textCasts[:], names[len(names)-1]) {
				canonicalMessage(b, cast.Arg.ProtoReflect())
				return
			}
		}
		m.Range(func(_ protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			canonicalMessage(b, v.Message()) // what the Node wraps
			return false
		})
		return
	case *pgast.A_Const:
		canonicalConst(b, x)
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
			canonicalMessage(b, mod.ProtoReflect())
		}
		fmt.Fprintf(b, " %d)", len(x.ArrayBounds))
		return
	case *pgast.FuncCall:
		names := stringsOf(x.Funcname)
		b.WriteString("call(" + names[len(names)-1])
		for _, arg := range x.Args {
			b.WriteByte(' ')
			canonicalMessage(b, arg.ProtoReflect())
		}
		if x.AggDistinct || x.AggStar || x.AggFilter != nil || len(x.AggOrder) > 0 || x.Over != nil {
			canonicalRest(b, m, "funcname", "args", "funcformat")
		}
		b.WriteByte(')')
		return
	case *pgast.ResTarget:
		if ref := x.Val.GetColumnRef(); ref != nil && x.Name == ref.Fields[len(ref.Fields)-1].GetString_().GetSval() {
			b.WriteString("ResTarget(") // its name is the one that it has without
			canonicalRest(b, m, "name")
			b.WriteByte(')')
			return
		}
	case *pgast.A_Expr:
		if canonicalOperator(b, x) {
			return
		}
	}
	b.WriteString(string(m.Descriptor().Name()) + "(")
	canonicalRest(b, m)
	b.WriteByte(')')
}

// canonicalRest prints the fields of a message in order of number, without positions.
func canonicalRest(b *strings.Builder, m protoreflect.Message, without ...protoreflect.Name) {
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
				canonicalMessage(b, v.List().Get(j).Message())
				b.WriteByte(' ')
			}
		case f.Kind() == protoreflect.MessageKind:
			canonicalMessage(b, v.Message())
		default:
			b.WriteString(v.String())
		}
		b.WriteByte(';')
	}
}

func canonicalConst(b *strings.Builder, k *pgast.A_Const) {
	if k.Isnull {
		b.WriteString("null")
		return
	}
	text := constText(&pgast.Node{Node: &pgast.Node_AConst{AConst: k}})
	// A name in a string: 'public.t_id_seq'::regclass.
	if k.GetSval() != nil {
		if schema, name, ok := splitQualified(text); ok && schema == "public" {
			text = quoteIdent(name)
		}
	}
	b.WriteString("const(" + text + ")")
}

// canonicalOperator prints the operators that the grammar has several spellings for in one of them.
func canonicalOperator(b *strings.Builder, x *pgast.A_Expr) bool {
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
		canonicalMessage(b, x.Lexpr.ProtoReflect())
		for _, item := range items {
			b.WriteByte(' ')
			canonicalMessage(b, item.ProtoReflect())
		}
		b.WriteByte(')')
		return true
	case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
		b.WriteString("op(" + name)
		for _, n := range []*pgast.Node{x.Lexpr, x.Rexpr} {
			if n != nil {
				b.WriteByte(' ')
				canonicalMessage(b, n.ProtoReflect())
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
		canonicalMessage(b, x.Lexpr.ProtoReflect())
		b.WriteByte(' ')
		canonicalMessage(b, bounds[0].ProtoReflect())
		b.WriteString(") op(<= ")
		canonicalMessage(b, x.Lexpr.ProtoReflect())
		b.WriteByte(' ')
		canonicalMessage(b, bounds[1].ProtoReflect())
		b.WriteString(") ;)")
		return true
	}
	return false
}
