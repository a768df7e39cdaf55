package python

import "strings"

// DML is an INSERT, UPDATE or DELETE built with SQLAlchemy.
type DML struct {
	Kind  string // "insert", "update", "delete"
	Table *Table
	Rows  [][]assignmentV
	Where []*Expr
	Why   string
}

type assignmentV struct {
	column Text
	value  Value
}

func (x *Interp) callTable(t *Table, name string, a Args) Value {
	switch name {
	case "insert", "update", "delete":
		s := &DML{Kind: name, Table: t}
		if len(a.Pos) > 0 || len(a.Kw) > 0 {
			s.Why = "a statement's arguments that are not modelled"
		}
		return s
	case "create", "drop":
		return x.touch("sa.Table."+name, t, a)
	}
	return Unknown{Why: "a table's method that is not modelled: " + name, Path: "sqlalchemy.select()"}
}

func (x *Interp) callStmt(s *DML, name string, a Args) Value {
	next := *s
	g := &Gen{}
	switch name {
	case "values":
		params := map[string]Value{}
		for k, v := range a.Kw {
			params[k] = v
		}
		for _, p := range a.Pos {
			switch p := p.(type) {
			case *Dict:
				if p.Why != "" {
					g.Fail(p.Why)
				}
				for i, k := range p.Keys {
					params[g.Name(k, "a column's name").S] = p.Vals[i]
				}
			case *List:
				items, w := Iterate(p)
				if w != "" {
					g.Fail(w)
				}
				for _, it := range items {
					d, ok := it.(*Dict)
					if !ok || d.Why != "" {
						g.Fail(OrWhy(it, "rows that are not known"))
						break
					}
					row := map[string]Value{}
					for i, k := range d.Keys {
						row[g.Name(k, "a column's name").S] = d.Vals[i]
					}
					next.Add(g, row)
				}
			default:
				g.Fail(OrWhy(p, "values that are not understood"))
			}
		}
		if len(params) > 0 {
			next.Add(g, params)
		}
	case "where":
		next.Where = append([]*Expr{}, s.Where...)
		for _, p := range a.Pos {
			e := toExpr(p)
			if e == nil || !isSQL(p) {
				g.Fail("a condition that is " + OrWhy(p, "not understood"))
				continue
			}
			next.Where = append(next.Where, e)
		}
	case "execution_options", "inline":
	default:
		g.Fail("a statement's method that is not modelled: " + name)
	}
	if g.Why != "" && next.Why == "" {
		next.Why = g.Why
	}
	return &next
}

// Add adds a row of values, in the order of the table's columns as SQLAlchemy does.
func (s *DML) Add(g *Gen, params map[string]Value) {
	var row []assignmentV
	left := len(params)
	for _, c := range s.Table.Columns {
		if v, ok := params[c.Name.S]; ok {
			row = append(row, assignmentV{c.Name, v})
			left--
		} else if d, has := c.Kw.Kw["default"]; has && s.Kind == "insert" && !IsNone(d) {
			if toExpr(d) == nil {
				g.Fail("a column whose default is computed in Python")
			}
			row = append(row, assignmentV{c.Name, d})
		}
	}
	if left > 0 {
		g.Fail("a value for a column that the table does not have")
	}
	s.Rows = append(append([][]assignmentV{}, s.Rows...), row)
}

// SQL is the statement's SQL.
func (s *DML) SQL(g *Gen) []Text {
	if s.Why != "" {
		g.Fail(s.Why)
	}
	table := s.Table.SQL()
	var out Text
	switch s.Kind {
	case "insert":
		if len(s.Rows) == 0 || len(s.Rows[0]) == 0 {
			g.Fail("an INSERT without known values")
			return nil
		}
		cols := make([]Text, len(s.Rows[0]))
		for i, c := range s.Rows[0] {
			cols[i] = Quote(c.column)
		}
		var rows []Text
		for _, r := range s.Rows {
			if len(r) != len(cols) {
				g.Fail("an INSERT whose rows have different columns")
				return nil
			}
			vals := make([]Text, len(r))
			for i, c := range r {
				vals[i] = s.value(g, c)
			}
			rows = append(rows, CatAny("(", Join(vals, Plain(", ")), ")"))
		}
		out = CatAny("INSERT INTO ", table, " (", Join(cols, Plain(", ")), ") VALUES ", Join(rows, Plain(", ")))
	case "update":
		if len(s.Rows) != 1 || len(s.Rows[0]) == 0 {
			g.Fail("an UPDATE without known values")
			return nil
		}
		var sets []Text
		for _, c := range s.Rows[0] {
			sets = append(sets, CatAny(Quote(c.column), "=", s.value(g, c)))
		}
		out = CatAny("UPDATE ", table, " SET ", Join(sets, Plain(", ")))
	case "delete":
		out = CatAny("DELETE FROM ", table)
	}
	for i, w := range s.Where {
		word := " AND "
		if i == 0 {
			word = " WHERE "
		}
		for _, t := range w.Tables {
			if t.Name.S != s.Table.Name.S {
				g.Fail("a statement over several tables")
			}
		}
		sql := w.SQL
		if len(s.Where) > 1 {
			sql = w.within(precAnd)
		}
		out = CatAny(out, word, sql)
	}
	return []Text{out}
}

func (s *DML) value(g *Gen, c assignmentV) Text {
	if m, ok := c.value.(*Member); ok {
		if col := s.Table.find(c.column.S); col != nil && col.Type != nil && strings.HasSuffix(col.Type.Name, "Enum") {
			return Literal(m.Name)
		}
		return g.Fail("an enum's member as a value")
	}
	e := toExpr(c.value)
	if e == nil {
		return g.Fail("a value that is " + OrWhy(c.value, "not known"))
	}
	if i, isInt := c.value.(int64); isInt {
		if col := s.Table.find(c.column.S); col != nil && col.Type != nil && strings.HasSuffix(col.Type.Name, ".Boolean") {
			return toExpr(i != 0).SQL
		}
	}
	return e.SQL
}
