package catalogtest

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// textKind says where a text stands, and with it how the server can be asked to print it anew.
type textKind int

const (
	plainText  textKind = iota // compared as a tree only
	defaultOf                  // of a column: DEFAULT
	rowExpr                    // over a table's columns: CHECK, index key, generated column, …
	domainText                 // over VALUE
	viewText
	ruleText
	boundText
	policyText
	domainDefault
	argumentDefault
)

// expression is SQL text and its place.
type expression struct {
	kind    textKind
	sql     string
	table   string // quoted, schema-qualified; of an argument's default, the argument's type
	column  string // quoted
	columns string // of a view, quoted, comma-separated
	bare    bool   // compared without table aliases, which the server makes up after a rename
	schema  string // quoted: where CREATE SCHEMA … CREATE VIEW looks first
}

// context says where a field's text stands.
func (p *printer) context(field string, owner catalog.Object, column int) expression {
	switch o := owner.(type) {
	case *catalog.Relation:
		e := expression{table: p.quoted(o.OID), schema: quote(strings.TrimSuffix(p.schema(o.Schema), "."))}
		switch {
		case field == "Relation.Query":
			e.kind = viewText
			var names []string
			for _, c := range o.Columns {
				if !c.Dropped {
					names = append(names, quote(c.Name))
				}
			}
			e.columns = strings.Join(names, ", ")
		case field == "Relation.Bound":
			e.kind, e.table = boundText, p.quoted(o.PartitionOf)
		case field == "Column.Default" && o.Columns[column-1].Generated == 0:
			e.kind, e.column = defaultOf, quote(o.Columns[column-1].Name)
		default:
			e.kind = rowExpr
			if o.Index != nil {
				e.table = p.quoted(o.Index.Table)
			}
		}
		return e
	case *catalog.Constraint:
		if o.Table == 0 {
			return expression{kind: domainText, table: p.quoted(o.Domain)}
		}
		return expression{kind: rowExpr, table: p.quoted(o.Table)}
	case *catalog.Policy:
		return expression{kind: policyText, table: p.quoted(o.Table)}
	case *catalog.Func:
		return expression{kind: argumentDefault, table: p.sqlType(o.Args[column].Type)}
	case *catalog.Type:
		return expression{kind: domainDefault, table: p.quoted(o.OID)}
	}
	return expression{kind: plainText}
}

// sqlType is a type as SQL writes it, without its modifier.
func (p *printer) sqlType(t catalog.TypeRef) string {
	name := p.quoted(t.OID)
	if t.OID < catalog.FirstUserOID {
		name = quote(p.builtin(t.OID))
	}
	if t.Array {
		name += "[]"
	}
	return name
}

func (p *printer) quoted(oid catalog.OID) string {
	o := p.w.objects[oid]
	if o == nil {
		return ""
	}
	if s, ok := p.w.objects[o.ObjectSchema()].(*catalog.Schema); ok {
		return quote(s.Name) + "." + quote(o.ObjectName())
	}
	return quote(o.ObjectName())
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// sameTree tells whether two texts are the same expression to the parser, apart from casts, qualification of names and
// synonyms that the server's deparser (src/backend/utils/adt/ruleutils.c) replaces.
//
// Package catalog has a comparison of its own for what people wrote (compare_expr.go). They are kept apart on purpose: that one
// must not lose a cast that matters, this one drops them all and lets the server decide what differs then; and an oracle that
// shared the code it checks would share its mistakes.
func sameTree(a, b *expression) bool {
	x, ok1 := canonical(a)
	y, ok2 := canonical(b)
	return ok1 && ok2 && x == y
}

// canonical prints the tree of a text.
func canonical(e *expression) (string, bool) {
	sql := e.sql
	switch e.kind {
	case viewText, ruleText:
	case boundText:
		sql = "ALTER TABLE t ATTACH PARTITION p " + sql
	default:
		sql = "SELECT " + sql
	}
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return "", false
	}
	var b strings.Builder
	printTree(&b, stmts[0].Node.ProtoReflect(), (e.kind == viewText || e.kind == ruleText) && !e.bare)
	return b.String(), true
}

// printTree writes a parse tree in a form in which synonyms are equal. With names, names keep their qualification.
func printTree(b *strings.Builder, m protoreflect.Message, names bool) {
	switch x := m.Interface().(type) {
	case *pgast.Node:
		if x.GetTypeCast() != nil {
			printTree(b, x.GetTypeCast().Arg.ProtoReflect(), names)
			return
		}
	case *pgast.A_Const:
		fmt.Fprintf(b, "const(%s)", constText(x))
		return
	case *pgast.FuncCall:
		if len(x.Funcname) == 2 && x.Funcname[0].GetString_().GetSval() == "pg_catalog" || !names && len(x.Funcname) == 2 {
			x.Funcname = x.Funcname[1:]
		}
		x.Funcformat = 0
	case *pgast.ColumnRef:
		if !names && len(x.Fields) > 1 {
			x.Fields = x.Fields[len(x.Fields)-1:]
		}
	case *pgast.RangeVar:
		if !names {
			x.Alias, x.Schemaname = nil, ""
		}
	case *pgast.ResTarget:
		if !names && x.Name != "" && x.Val.GetColumnRef() != nil {
			if f := x.Val.GetColumnRef().Fields; f[len(f)-1].GetString_().GetSval() == x.Name {
				x.Name = ""
			}
		}
	case *pgast.A_Expr:
		if printOperator(b, x, names) {
			return
		}
	}
	b.WriteString(string(m.Descriptor().Name()))
	b.WriteByte('(')
	var fields []protoreflect.FieldDescriptor
	m.Range(func(f protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		if n := f.Name(); n != "location" && n != "name_location" && !strings.HasSuffix(string(n), "_location") {
			fields = append(fields, f)
		}
		return true
	})
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number()) - int(b.Number()) })
	for _, f := range fields {
		v := m.Get(f)
		fmt.Fprintf(b, "%s:", f.Name())
		switch {
		case f.IsList():
			for i := range v.List().Len() {
				if f.Message() == nil {
					fmt.Fprintf(b, "%v,", v.List().Get(i))
					continue
				}
				printTree(b, v.List().Get(i).Message(), names)
				b.WriteByte(',')
			}
		case f.Message() != nil:
			printTree(b, v.Message(), names)
		default:
			fmt.Fprintf(b, "%v", v)
		}
		b.WriteByte(' ')
	}
	b.WriteByte(')')
}

func constText(c *pgast.A_Const) string {
	switch {
	case c.GetIsnull():
		return "NULL"
	case c.GetSval() != nil:
		switch s := c.GetSval().GetSval(); s {
		case "t":
			return "true"
		case "f":
			return "false"
		default:
			return s
		}
	case c.GetFval() != nil:
		return c.GetFval().GetFval()
	case c.GetBoolval() != nil:
		return fmt.Sprint(c.GetBoolval().GetBoolval())
	case c.GetBsval() != nil:
		return c.GetBsval().GetBsval()
	}
	return fmt.Sprint(c.GetIval().GetIval())
}

// printOperator writes the operators that have two spellings as the one the server stores: x IN (…) is x = ANY (ARRAY[…]),
// BETWEEN is two comparisons, LIKE is ~~ (gram.y, ruleutils.c).
func printOperator(b *strings.Builder, x *pgast.A_Expr, names bool) bool {
	op := ""
	if n := len(x.Name); n > 0 {
		op = x.Name[n-1].GetString_().GetSval()
	}
	operand := func(n *pgast.Node) {
		if n != nil {
			printTree(b, n.ProtoReflect(), names)
		}
	}
	list := func(n *pgast.Node) []*pgast.Node {
		switch {
		case n.GetList() != nil:
			return n.GetList().Items
		case n.GetTypeCast() != nil && n.GetTypeCast().Arg.GetAArrayExpr() != nil:
			return n.GetTypeCast().Arg.GetAArrayExpr().Elements
		case n.GetAArrayExpr() != nil:
			return n.GetAArrayExpr().Elements
		}
		return nil
	}
	switch x.Kind {
	case pgast.A_Expr_Kind_AEXPR_IN, pgast.A_Expr_Kind_AEXPR_OP_ANY, pgast.A_Expr_Kind_AEXPR_OP_ALL:
		items := list(x.Rexpr)
		if items == nil {
			return false
		}
		fmt.Fprintf(b, "in %s(", op)
		operand(x.Lexpr)
		for _, item := range items {
			b.WriteByte(',')
			operand(item)
		}
		b.WriteByte(')')
		return true
	case pgast.A_Expr_Kind_AEXPR_BETWEEN:
		items := list(x.Rexpr)
		if len(items) != 2 {
			return false
		}
		b.WriteString("BoolExpr(boolop:1 args:")
		for i, cmp := range []string{">=", "<="} {
			b.WriteString("Node(a_expr:")
			writeOp(b, cmp, x.Lexpr, items[i], names)
			b.WriteString(" ),")
		}
		b.WriteString(" )")
		return true
	case pgast.A_Expr_Kind_AEXPR_OP, pgast.A_Expr_Kind_AEXPR_LIKE, pgast.A_Expr_Kind_AEXPR_ILIKE:
		// Negative numbers come back as quoted constants: '-1'::integer.
		if x.Lexpr == nil && op == "-" {
			if c := x.Rexpr.GetAConst(); c != nil {
				fmt.Fprintf(b, "const(-%s)", constText(c))
				return true
			}
		}
		writeOp(b, op, x.Lexpr, x.Rexpr, names)
		return true
	}
	return false
}

func writeOp(b *strings.Builder, op string, l, r *pgast.Node, names bool) {
	if op == "!=" {
		op = "<>"
	}
	fmt.Fprintf(b, "op %s(", op)
	if l != nil {
		printTree(b, l.ProtoReflect(), names)
	}
	b.WriteByte(',')
	if r != nil {
		printTree(b, r.ProtoReflect(), names)
	}
	b.WriteByte(')')
}
