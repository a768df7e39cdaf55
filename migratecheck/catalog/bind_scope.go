package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// scope is one query level's namespace (ParseState.p_namespace).
type scope struct {
	parent *scope
	items  []*rangeItem
	ctes   map[string]*boundCTE
	groups *groupInfo
}

// rangeItem is something in FROM that columns can be taken from.
type rangeItem struct {
	name   string    // alias or relation name, "" for a join or subquery without one
	schema string    // of a relation that is not aliased
	rel    *Relation // nil for anything but a table or view
	cols   []boundColumn
	// open: the columns are not all known; any name may be one of them.
	open bool
	// Which ways lead to it: t.c, and just c (p_rel_visible, p_cols_visible).
	relVisible, colsVisible bool
	lateralOnly             bool  // visible to LATERAL items only, while FROM is being read
	at                      int32 // where the statement names it, of the target of a change
	scalar                  bool  // a function with one scalar column: the name alone is that column
	answers                 bool  // a subquery that has a row for certain
}

type boundCTE struct {
	name string
	cols []boundColumn
	open bool
	// rowless: it is a change without RETURNING.
	rowless bool
}

func (s *scope) cte(name string) *boundCTE {
	for ; s != nil; s = s.parent {
		if cte := s.ctes[name]; cte != nil {
			return cte
		}
	}
	return nil
}

// systemAttributes are the columns that every table has besides its own (src/backend/catalog/heap.c SysAtt).
var systemAttributes = []boundColumn{
	{system: true, name: "ctid", typ: TypeRef{OID: typeTID, Mod: -1}}, {system: true, name: "xmin", typ: TypeRef{OID: typeXID, Mod: -1}},
	{system: true, name: "cmin", typ: TypeRef{OID: typeCID, Mod: -1}}, {system: true, name: "xmax", typ: TypeRef{OID: typeXID, Mod: -1}},
	{system: true, name: "cmax", typ: TypeRef{OID: typeCID, Mod: -1}}, {system: true, name: "tableoid", typ: TypeRef{OID: typeOID, Mod: -1}},
}

func (it *rangeItem) system(name string) *boundColumn {
	if it.rel == nil || it.rel.Kind == View {
		return nil
	}
	for _, col := range systemAttributes {
		if col.name == name {
			return &col
		}
	}
	return nil
}

// relationItem makes the item for a relation as it would stand in FROM.
func relationItem(r *Relation, name, schema string) *rangeItem {
	it := &rangeItem{name: name, schema: schema, rel: r, relVisible: true, colsVisible: true, open: r.Assumed}
	it.cols = make([]boundColumn, 0, len(r.Columns))
	refs := make([]Address, len(r.Columns))
	for i, col := range r.Columns {
		if !col.Dropped {
			refs[i] = Address{r.OID, col.Num}
			it.cols = append(it.cols, boundColumn{
				name: col.Name, typ: col.Type, collation: col.Collation, refs: refs[i : i+1 : i+1], origin: refs[i], held: refs[i : i+1 : i+1],
				notNull: col.NotNull && !col.NotNullUnproved, mayNull: !col.NotNull && (r.Kind == Table || r.Kind == PartitionedTable),
			})
		}
	}
	return it
}

// mayHave reports whether the item may have a column that is not in cols: not one that is known to be gone.
func (it *rangeItem) mayHave(name string) bool {
	return it.open && !(it.rel != nil && it.rel.lost(name))
}

// find looks for a column of the item; ambiguous when it has two of the name.
func (it *rangeItem) find(name string) (col *boundColumn, ambiguous bool) {
	for i := range it.cols {
		if it.cols[i].name == name {
			if col != nil {
				return col, true
			}
			col = &it.cols[i]
		}
	}
	return col, false
}

// columnNamed is colNameToVar: an unqualified column, from the innermost level that has it.
func (b *binder) columnNamed(s *scope, name string) (value, bool, error) {
	var open *rangeItem
	for ; s != nil; s = s.parent {
		var found *boundColumn
		var opens int
		for _, it := range s.items {
			if !it.colsVisible {
				continue
			}
			col, twice := it.find(name)
			if twice || col != nil && found != nil {
				return value{}, false, ambiguousColumn(name, found, col)
			}
			if col != nil {
				found = col
			}
			if it.mayHave(name) {
				open = it
				opens++
			}
		}
		if found == nil {
			for _, it := range s.items {
				if it.colsVisible && found == nil {
					found = it.system(name)
				}
			}
		}
		if found != nil {
			return b.column(found), true, nil
		}
		if opens > 0 {
			break
		}
	}
	if open != nil {
		b.unsure("whether %s has a column %s", quoteMessage(open.name), quoteMessage(name))
		return value{}, true, nil
	}
	return value{}, false, nil
}

// item finds t, or schema.t, in the namespace (refnameNamespaceItem).
func (b *binder) item(s *scope, schema, name string) (*rangeItem, error) {
	for ; s != nil; s = s.parent {
		var found *rangeItem
		for _, it := range s.items {
			if !it.relVisible || it.name != name {
				continue
			}
			if schema != "" && (it.rel == nil || it.schema == "alias" || b.c.schemaNameOf(it.rel) != schema) {
				continue
			}
			if found != nil {
				return nil, errorf("42P09", "table reference %s is ambiguous", quoteMessage(name))
			}
			found = it
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}

func ambiguousColumn(name string, cols ...*boundColumn) error {
	e := &Error{Code: "42702", Message: "column reference " + quoteMessage(name) + " is ambiguous", Column: name}
	for _, col := range cols {
		if col != nil {
			e.Objects = append(e.Objects, col.refs...)
		}
	}
	return e
}

func (c *Catalog) schemaNameOf(r *Relation) string {
	s, _ := c.Get(r.Schema).(*Schema)
	if s == nil {
		return ""
	}
	return s.Name
}

// column makes the value of a column and notes what it refers to.
func (b *binder) column(col *boundColumn) value {
	for _, a := range col.refs {
		b.ref(a)
	}
	if col.system && !slices.Contains(b.system, col.name) {
		b.system = append(b.system, col.name)
	}
	v := value{typ: col.typ, collation: col.collation, fields: col.fields, origin: col.origin, held: col.held, id: col.id, full: col.full}
	v.notNull, v.mayNull = b.nulls(col)
	if len(col.refs) == 1 {
		v.columns = col.refs
	}
	return v
}

// bindColumnRef is transformColumnRef, for all but t.*, which only a target list may hold.
func (b *binder) bindColumnRef(n *pgast.ColumnRef, s *scope) (value, error) {
	last := n.Fields[len(n.Fields)-1]
	if last.GetAStar() != nil {
		return b.wholeRow(n, s)
	}
	names := stringList(n.Fields)
	if len(names) == 1 && names[0] == "value" && b.domain.known() {
		return value{typ: b.domain}, nil
	}
	if b.columns != "" {
		if v, ok := b.paramNamed(names); ok {
			return v, nil
		}
		return value{}, errorf("0A000", "%s", b.columns)
	}
	switch len(names) {
	case 1:
		v, ok, err := b.columnNamed(s, names[0])
		if ok && err == nil && b.vars.conflicts(names[0]) {
			err = ambiguousColumn(names[0]) // with a variable: plpgsql.variable_conflict is error
		}
		if err != nil || ok {
			return v, err
		}
		if v, ok := b.paramNamed(names); ok {
			return v, nil
		}
		// A table's name alone is its whole row.
		it, err := b.item(s, "", names[0])
		if err != nil {
			return value{}, err
		}
		if it != nil {
			return b.row(it), nil
		}
		return value{}, &Error{Code: "42703", Message: "column " + quoteMessage(names[0]) + " does not exist", Object: b.onlyRelation(s), Column: names[0]}
	case 2, 3, 4:
		schema, table, name := "", names[len(names)-2], names[len(names)-1]
		if len(names) > 2 {
			schema = names[len(names)-3]
		}
		it, err := b.item(s, schema, table)
		if err != nil {
			return value{}, err
		}
		if it != nil {
			return b.columnOf(it, name)
		}
		if v, ok := b.paramNamed(names); ok {
			return v, nil
		}
		return value{}, b.missingTable(s, schema, table)
	}
	return value{}, errorf("42601", "improper qualified name (too many dotted names)")
}

// onlyRelation is the relation that an unqualified column must be of, when there is only one.
func (b *binder) onlyRelation(s *scope) Name {
	var only *Relation
	for ; s != nil; s = s.parent {
		for _, it := range s.items {
			switch {
			case !it.relVisible:
			case only != nil || it.rel == nil:
				return Name{}
			default:
				only = it.rel
			}
		}
	}
	if only == nil {
		return Name{}
	}
	return b.c.nameOf(only)
}

// missingTable is errorMissingRTE.
func (b *binder) missingTable(s *scope, schema, table string) error {
	name := table
	if schema != "" {
		name = schema + "." + table
	}
	for up := s; up != nil; up = up.parent {
		for _, it := range up.items {
			if it.rel != nil && it.rel.Name == table && it.name != table || it.name == table {
				return &Error{Code: "42P01", Message: "invalid reference to FROM-clause entry for table " + quoteMessage(name), Object: Name{schema, table}}
			}
		}
	}
	return &Error{Code: "42P01", Message: "missing FROM-clause entry for table " + quoteMessage(name), Object: Name{schema, table}}
}

// columnOf is t.name: a column, or a function of the row.
func (b *binder) columnOf(it *rangeItem, name string) (value, error) {
	col, twice := it.find(name)
	if twice {
		return value{}, ambiguousColumn(name)
	}
	if col == nil {
		col = it.system(name)
	}
	if col != nil {
		return b.column(col), nil
	}
	if it.mayHave(name) {
		b.unsure("whether %s has a column %s", quoteMessage(it.name), quoteMessage(name))
		return value{}, nil
	}
	// t.f is f(t) for functions of one row argument (ParseFuncOrColumn).
	if it.rel != nil {
		if v, ok := b.rowFunction(it, name); ok {
			return v, nil
		}
	}
	e := &Error{Code: "42703", Message: "column " + it.name + "." + name + " does not exist", Column: name}
	if it.rel != nil {
		e.Object = b.c.nameOf(it.rel)
	}
	return value{}, e
}

// rowFunction resolves t.f as the function f of t's row.
func (b *binder) rowFunction(it *rangeItem, name string) (value, bool) {
	row := scalar(it.rel.OID)
	for _, f := range b.c.functionsNamed("", name) {
		in := f.inputs()
		if len(in) == 1 && (in[0].Type.bare() == row || in[0].Type.OID == typeRecord) {
			b.ref(Address{OID: f.OID})
			b.noteVolatility(f.Volatility)
			b.row(it)
			return value{typ: f.Returns}, true
		}
	}
	return value{}, false
}

// row is the value of a whole row.
func (b *binder) row(it *rangeItem) value {
	v := value{typ: scalar(typeRecord), fields: it.cols}
	if it.scalar && len(it.cols) == 1 {
		return b.column(&it.cols[0])
	}
	if it.rel != nil {
		v.typ = scalar(it.rel.OID)
		if ty := b.c.typeOfRelation(it.rel); ty != nil {
			v.typ = scalar(ty.OID)
		}
		// A whole row needs no column in particular; the table is needed by its place in FROM.
		v.fields = nil
	} else {
		for _, col := range it.cols {
			for _, a := range col.refs {
				b.ref(a)
			}
		}
	}
	if it.open {
		v.typ, v.fields = TypeRef{}, nil
	}
	return v
}

// typeOfRelation is the stand-alone composite type whose attributes r holds, nil for other relations.
func (c *Catalog) typeOfRelation(r *Relation) *Type {
	if r.Kind != CompositeRel {
		return nil
	}
	if oid, ok := c.names.Get(nameKey(inTypes, r.Schema, r.Name)); ok {
		t, _ := c.Get(oid).(*Type)
		return t
	}
	return nil
}

// wholeRow is t.* inside an expression, such as count(t.*) or ROW(t.*).
func (b *binder) wholeRow(n *pgast.ColumnRef, s *scope) (value, error) {
	names := stringList(n.Fields[:len(n.Fields)-1])
	if len(names) == 0 {
		return value{}, errorf("42601", "row expansion via \"*\" is not supported here")
	}
	schema := ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	it, err := b.item(s, schema, names[len(names)-1])
	if err != nil {
		return value{}, err
	}
	if it == nil {
		if v, ok := b.paramNamed(names); ok {
			return v, nil
		}
		return value{}, b.missingTable(s, schema, names[len(names)-1])
	}
	return b.row(it), nil
}

// paramNamed resolves a function's argument by name: arg, f.arg, or arg.field.
func (b *binder) paramNamed(names []string) (value, bool) {
	if b.vars != nil {
		return b.variable(names)
	}
	if len(names) > 1 && b.routine != "" && names[0] == b.routine {
		if v, ok := b.param(names[1], names[2:]); ok {
			return v, true
		}
	}
	return b.param(names[0], names[1:])
}

// param is the argument of a name, or a field of it.
func (b *binder) param(name string, fields []string) (value, bool) {
	for _, p := range b.params {
		if p.name == "" || p.name != name {
			continue
		}
		v := value{typ: p.typ}
		for _, f := range fields {
			var err error
			if v, err = b.field(v, f); err != nil {
				return value{}, false
			}
		}
		return v, true
	}
	return value{}, false
}
