package sqlalchemy

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// compared is a mapped column beside constants of the code: X.attr == "a", X.attr.in_(["a", "b"]), filter_by(attr="a").
type compared struct {
	named
	sql python.Text // all of the condition behind the column
}

// comparison adds what a comparison or a call of in_() says of a column and a constant.
func (c *chain) comparison(x *python.Interp, n *python.Node) {
	switch n.Kind {
	case "comparison_operator":
		if len(n.Kids) != 3 || n.Kids[1].Field != "operators" {
			return
		}
		left, op, right := n.Kids[0], n.Kids[1].Kind, n.Kids[2]
		ref, ok := c.columnOf(x, left)
		if !ok {
			if ref, ok = c.columnOf(x, right); !ok {
				return
			}
			right = left
			op = strings.NewReplacer("<", ">", ">", "<").Replace(op)
		}
		switch op {
		case "==":
			op = "="
		case "!=":
			op = "<>"
		case "<", "<=", ">", ">=":
		default:
			return
		}
		c.compare(x, ref, op, right)
	case "call":
		f, args := n.Child("function"), n.Child("arguments")
		if f == nil || f.Kind != "attribute" || args == nil || len(args.Kids) != 1 {
			return
		}
		op := map[string]string{"in_": "IN", "notin_": "NOT IN", "not_in": "NOT IN"}[x.Mod.Src(f.Child("attribute"))]
		ref, ok := c.columnOf(x, f.Child("object"))
		if op == "" || !ok {
			return
		}
		var values []python.Text
		for _, k := range args.Kids[0].Kids {
			if v := c.r.constant(x, ref.attr, k); v.S != "" {
				values = append(values, v)
			}
		}
		if len(values) > 0 {
			c.compared = append(c.compared, compared{ref, python.CatAny(" "+op+" (", python.Join(values, python.Plain(", ")), ")")})
		}
	}
}

func (c *chain) compare(x *python.Interp, ref named, op string, value *python.Node) {
	if v := c.r.constant(x, ref.attr, value); v.S != "" {
		c.compared = append(c.compared, compared{ref, python.CatAny(" "+op+" ", v)})
	}
}

// columnOf is the mapped column that X.attr names.
func (c *chain) columnOf(x *python.Interp, n *python.Node) (named, bool) {
	if n == nil || n.Kind != "attribute" {
		return named{}, false
	}
	obj, name := n.Child("object"), n.Child("attribute")
	if obj == nil || name == nil || obj.Kind == "call" {
		return named{}, false
	}
	m, ok := c.r.mappedAt(x, obj)
	if !ok {
		return named{}, false
	}
	return m.columnNamed(x.Mod.Src(name), place{x.Mod, name})
}

// constant is the SQL literal of a constant that stands in the code itself, as SQLAlchemy sends it to a column of one of its own types:
// "" for anything else, and where the type may make another value of it. (sqlalchemy/sql/sqltypes.py: Enum sends a member's label, and a
// text as it is; String and Integer have no bind_processor.)
func (r *repo) constant(x *python.Interp, a attr, n *python.Node) python.Text {
	if n == nil {
		return python.Text{}
	}
	_, _, labels := r.columnType(a)
	own := ownType(a.column.Type, labels)
	enum, annotated := a.python.(*python.Class)
	if own == "" && a.column.Type == nil && annotated && enum.IsEnum() {
		own = "Enum"
	}
	at := func(sql python.Text) python.Text { return python.Fixed(sql.S, x.Mod, n.Start) }
	switch n.Kind {
	case "string":
		t, ok := x.Eval(n).(python.Text)
		interpolated := slices.ContainsFunc(n.Kids, func(k *python.Node) bool { return k.Kind == "interpolation" })
		if ok && !interpolated && !strings.Contains(t.S, "\x00") && (own == "Enum" || own == "String") {
			return at(python.Literal(python.Plain(t.S)))
		}
	case "integer":
		if src := x.Mod.Src(n); own == "Integer" && strings.Trim(src, "0123456789") == "" && (src == "0" || src[0] != '0') {
			return at(python.Plain(src))
		}
	case "attribute":
		m, ok := x.Eval(n).(*python.Member)
		if !ok || own != "Enum" || len(labels) != len(m.Class.Members()) {
			return python.Text{}
		}
		if t := a.column.Type; t != nil && (len(t.Args.Pos) != 1 || t.Args.Pos[0] != python.Value(m.Class)) || t == nil && enum != m.Class {
			return python.Text{}
		}
		i := slices.IndexFunc(m.Class.Members(), func(o python.Value) bool { return o.(*python.Member).Name.S == m.Name.S })
		return at(python.Literal(python.Plain(labels[i])))
	}
	return python.Text{}
}
