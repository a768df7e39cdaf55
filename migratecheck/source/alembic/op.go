package alembic

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/source/internal/python"
)

// opCall is a call of one of alembic's operations, its arguments by name.
type opCall struct {
	x     *python.Interp
	n     *python.Node
	g     *python.Gen
	given map[string]python.Value
	rest  []python.Value // what a *columns or *elements parameter takes
	batch *batch
	args  python.Args
	names convention
}

// batch is what op.batch_alter_table gives: operations on one table, run at the end of the with statement
// (alembic/operations/batch.py; PostgreSQL never needs the table copied).
type batch struct {
	table, schema python.Value
	n             *python.Node
	why           string
	waiting       []Statement
}

func (b *batch) Enter(x *python.Interp) (python.Value, func()) { return b, func() { b.flush(x) } }

func (b *batch) Attribute(_ *python.Interp, name string) python.Value {
	return python.Method{Self: b, Name: name}
}

// autocommit is what autocommit_block() gives.
type autocommit struct{}

func (a *autocommit) Enter(x *python.Interp) (python.Value, func()) {
	r := collecting(x)
	if r == nil {
		return python.None{}, nil
	}
	r.tx.autocommit++
	return python.None{}, func() {
		r.tx.autocommit--
		if r.tx.autocommit == 0 {
			r.tx.begin()
		}
	}
}

// flush sends what the batch has collected.
func (b *batch) flush(x *python.Interp) {
	r := collecting(x)
	if r == nil {
		return
	}
	for _, s := range b.waiting {
		s.Tx = r.tx.number()
		r.script.Statements = append(r.script.Statements, s)
	}
	b.waiting = nil
}

// send is emitOr for an operation, which a batch holds back.
func (o *opCall) send(sql python.Text) bool {
	if o.g.Why != "" {
		o.x.Gap(o.n, o.g.Why, false)
		return false
	}
	// Words behind a name have the name's place (python.Cat). Where that is elsewhere (in batch_alter_table's call, in a variable),
	// they belong to the operation.
	sql.P = slices.Clone(sql.P)
	for i := range sql.P {
		if p := &sql.P[i]; !p.Linear && p.Mod == o.x.Mod && (p.At < o.n.Start || p.At >= o.n.End) {
			p.At = o.n.Start
		}
	}
	if r := collecting(o.x); o.batch != nil && r != nil {
		o.batch.waiting = append(o.batch.waiting, r.statement(o.x, o.n, sql))
		return true
	}
	emit(o.x, o.n, sql)
	return true
}

// has reports whether an argument is given and is not None.
func (o *opCall) has(name string) bool {
	v, ok := o.given[name]
	return ok && !python.IsNone(v)
}

// schema is the schema that an argument names, empty for none.
func (o *opCall) schema(param string) python.Text {
	if o.has(param) {
		return o.name(param)
	}
	return python.Text{}
}

func (o *opCall) name(param string) python.Text { return o.g.Name(o.given[param], param) }

func (o *opCall) table(name, schema string) python.Text {
	return python.Qualified(o.schema(schema), o.name(name))
}

// kw are the given arguments, for what takes keywords.
func (o *opCall) kw() python.Args { return python.Args{N: o.n, Kw: o.given} }

func (o *opCall) list(param string) []python.Value {
	items, w := python.Iterate(o.given[param])
	if w != "" {
		o.g.Fail(param + " is " + python.OrWhy(o.given[param], "not known"))
	}
	if _, isText := o.given[param].(python.Text); isText {
		// A plain string is a sequence of its letters, for alembic too.
		o.g.Fail(param + " is a string, not a list")
	}
	return items
}

// parameters are an operation's, in order, first as op.… has them and then as batch_op.…; "*" takes the rest. Since
// alembic 1.11 many are taken by name only; the order is that of the versions before.
func parameters(name string) (plain, batch string, ok bool) {
	switch name {
	case "add_column":
		return "table_name column schema", "column insert_before insert_after", true
	case "drop_column":
		return "table_name column_name schema", "column_name", true
	case "alter_column":
		const rest = " nullable comment server_default new_column_name type_ existing_type existing_server_default existing_nullable existing_comment"
		return "table_name column_name" + rest + " schema", "column_name" + rest, true
	case "create_table":
		return "table_name *", "", true
	case "drop_table":
		return "table_name schema", "", true
	case "rename_table":
		return "old_table_name new_table_name schema", "", true
	case "create_index":
		return "index_name table_name columns schema unique", "index_name columns", true
	case "drop_index":
		return "index_name table_name schema", "index_name", true
	case "create_foreign_key":
		return "constraint_name source_table referent_table local_cols remote_cols onupdate ondelete deferrable initially match source_schema referent_schema",
			"constraint_name referent_table local_cols remote_cols referent_schema onupdate ondelete deferrable initially match", true
	case "create_unique_constraint", "create_primary_key":
		return "constraint_name table_name columns schema", "constraint_name columns", true
	case "create_check_constraint":
		return "constraint_name table_name condition schema", "constraint_name condition", true
	case "create_exclude_constraint":
		return "constraint_name table_name *", "constraint_name *", true
	case "drop_constraint":
		return "constraint_name table_name type_ schema", "constraint_name type_", true
	case "create_table_comment":
		return "table_name comment existing_comment schema", "comment existing_comment", true
	case "drop_table_comment":
		return "table_name existing_comment schema", "existing_comment", true
	case "bulk_insert":
		return "table rows multiinsert", "", true
	case "batch_alter_table":
		return "table_name schema recreate", "", true
	}
	return "", "", false
}

// older spellings of parameters that alembic once had (alembic/operations/ops.py, @_with_legacy_names, before 1.0).
func modern(name, param string) string {
	switch name + "." + param {
	case "create_foreign_key.name", "create_unique_constraint.name", "create_index.name", "drop_index.name",
		"create_check_constraint.name", "drop_constraint.name", "create_primary_key.name":
		if strings.HasSuffix(name, "index") {
			return "index_name"
		}
		return "constraint_name"
	case "create_foreign_key.source":
		return "source_table"
	case "create_foreign_key.referent":
		return "referent_table"
	case "drop_index.tablename", "create_index.tablename":
		return "table_name"
	case "alter_column.name":
		return "new_column_name"
	}
	return param
}

// callOp calls op.name(…).
func callOp(x *python.Interp, name string, a python.Args) python.Value {
	switch name {
	case "execute":
		execute(x, a)
		return python.None{}
	case "get_bind":
		return &conn{}
	case "get_context":
		return &migrationContext{}
	case "f":
		v, _ := a.Get(0, "name")
		if t, ok := v.(python.Text); ok {
			t.Conv = true
			return t
		}
		return v
	case "inline_literal":
		if v, ok := x.SAExpr("op.inline_literal", a); ok {
			return v
		}
		return python.Unknown{Why: "a literal that is not known"}
	}
	return operation(x, name, a, nil)
}

func (b *batch) CallMethod(x *python.Interp, name string, a python.Args) python.Value {
	if a.Why != "" {
		return python.Unknown{Why: a.Why}
	}
	switch name {
	case "execute", "get_bind", "get_context", "f", "inline_literal":
		return callOp(x, name, a)
	}
	return operation(x, name, a, b)
}

func operation(x *python.Interp, name string, a python.Args, b *batch) python.Value {
	params, batchParams, ok := parameters(name)
	if !ok {
		switch name {
		case "invoke", "run_async", "register_operation", "implementation_for", "create_module_class_proxy", "configure_for_batch":
			x.Gap(a.N, "op."+name+" runs code that is not modelled", false)
		default:
			x.Gap(a.N, "alembic has no operation "+name+"; unless a plugin brings it, Python stops here", true)
		}
		return python.Unknown{Why: "an operation that is not known"}
	}
	o := &opCall{x: x, n: a.N, g: &python.Gen{Why: a.Why}, given: map[string]python.Value{}, batch: b, args: a}
	if r := collecting(x); r != nil {
		o.names = r.names
	}
	if b != nil {
		params = batchParams
		if b.why != "" {
			o.g.Fail(b.why)
		}
		o.given["table_name"], o.given["source_table"] = b.table, b.table
		o.given["schema"], o.given["source_schema"] = b.schema, b.schema
	}
	names := strings.Fields(params)
	for i, v := range a.Pos {
		if i < len(names) && names[i] != "*" {
			o.given[names[i]] = v
			continue
		}
		if k := len(names); k > 0 && names[k-1] == "*" {
			o.rest = append(o.rest, v)
			continue
		}
		x.Gap(a.N, "op."+name+" takes fewer arguments by position", true)
		return python.Unknown{Why: "an operation that fails"}
	}
	for k, v := range a.Kw {
		o.given[modern(name, k)] = v
	}
	return o.run(name)
}

func (o *opCall) run(name string) python.Value {
	g := o.g
	switch name {
	case "add_column":
		o.addColumn()
	case "drop_column":
		o.send(python.CatAny("ALTER TABLE ", o.table("table_name", "schema"), " DROP COLUMN ", o.ifExists(), g.Ident(o.given["column_name"], "column_name")))
	case "alter_column":
		o.alterColumn()
	case "create_table":
		return o.createTable()
	case "drop_table":
		o.send(python.CatAny("DROP TABLE ", o.ifExists(), o.table("table_name", "schema")))
	case "rename_table":
		o.send(python.CatAny("ALTER TABLE ", o.table("old_table_name", "schema"), " RENAME TO ", g.Ident(o.given["new_table_name"], "new_table_name")))
	case "create_index":
		ix := &python.Index{Name: o.given["index_name"], Exprs: o.list("columns"), Kw: o.kw()}
		if o.names != nil {
			ix = o.namedIndex(o.schema("schema"), o.name("table_name"), ix)
		}
		o.send(g.IndexSQL(ix, o.table("table_name", "schema")))
	case "drop_index":
		o.dropIndex()
	case "drop_constraint":
		o.dropConstraint()
	case "create_table_comment":
		c := python.Plain("NULL")
		if o.has("comment") {
			c = python.Literal(o.name("comment"))
		}
		o.send(python.CatAny("COMMENT ON TABLE ", o.table("table_name", "schema"), " IS ", c))
	case "drop_table_comment":
		o.send(python.CatAny("COMMENT ON TABLE ", o.table("table_name", "schema"), " IS NULL"))
	case "bulk_insert":
		o.bulkInsert()
	case "batch_alter_table":
		b := &batch{table: o.given["table_name"], schema: o.given["schema"], n: o.n, why: g.Why}
		if b.schema == nil {
			b.schema = python.None{}
		}
		if v, ok := o.given["recreate"]; ok {
			if t, _ := v.(python.Text); t.S != "auto" && t.S != "never" {
				b.why = "a batch that copies the table, whose columns only the database knows"
			}
		}
		return b
	default:
		o.addConstraint(name)
	}
	return python.None{}
}

func (o *opCall) ifExists() string {
	if o.g.Flag(o.kw(), "if_exists", false) {
		return "IF EXISTS "
	}
	return ""
}

func (o *opCall) addColumn() {
	g := o.g
	c, ok := o.given["column"].(*python.Column)
	if !ok {
		g.Fail("a column that is " + python.OrWhy(o.given["column"], "not understood"))
	}
	table := o.table("table_name", "schema")
	if g.Why != "" {
		o.send(python.Text{})
		return
	}
	t := &python.Table{Name: o.name("table_name")}
	if o.has("schema") {
		t.Schema = o.name("schema")
	}
	t.Take([]python.Value{c})
	c = t.Columns[0]
	words := "ADD COLUMN "
	if g.Flag(o.kw(), "if_not_exists", false) {
		words = "ADD COLUMN IF NOT EXISTS "
	}
	o.boundChecks(c)
	spec := g.ColumnSpec(o.x, o.namedChecks(t, c), autocolumn(c, t))
	if !o.send(python.CatAny("ALTER TABLE ", table, " "+words, spec)) {
		return
	}
	index := g.ColumnIndex(t, c)
	if index == nil && g.Flag(c.Kw, "unique", false) {
		k := o.named(t.Schema, t.Name, &python.Constraint{Kind: "unique", Columns: []python.Value{c.Name}})
		o.send(python.CatAny("ALTER TABLE ", table, " ADD ", g.ConstraintSQL(k)))
	}
	for _, fk := range c.ForeignKeys() {
		o.send(python.CatAny("ALTER TABLE ", table, " ADD ", g.ConstraintSQL(o.named(t.Schema, t.Name, python.KeyConstraint(c, fk)))))
	}
	if index != nil {
		index = o.namedIndex(t.Schema, t.Name, index)
		o.send(g.IndexSQL(index, table))
	}
	o.columnComment(table, c)
}

func autocolumn(c *python.Column, t *python.Table) *python.Column {
	if python.Autoincrement(t.Columns) == c {
		return c
	}
	return nil
}

// boundChecks refuses the CHECK constraints that a Boolean or Enum makes with create_constraint=True.
func (o *opCall) boundChecks(c *python.Column) {
	if c.Type == nil {
		return
	}
	if _, name, _ := strings.Cut(c.Type.Name, "."); name == "Enum" || name == "Boolean" {
		if o.g.Flag(c.Type.Args, "create_constraint", false) {
			native := name == "Enum" && o.g.Flag(c.Type.Args, "native_enum", true)
			if !native && name != "Boolean" {
				o.g.Fail("a type with create_constraint=True")
			}
		}
	}
}

func (o *opCall) columnComment(table python.Text, c *python.Column) {
	if v, ok := c.Kw.Kw["comment"]; ok && !python.IsNone(v) {
		o.send(python.CatAny("COMMENT ON COLUMN ", table, ".", python.Quote(c.Name), " IS ", python.Literal(o.g.Name(v, "a comment"))))
	}
}

func (o *opCall) alterColumn() {
	g, x := o.g, o.x
	table := python.CatAny("ALTER TABLE ", o.table("table_name", "schema"))
	column := g.Ident(o.given["column_name"], "column_name")
	alter := python.CatAny(table, " ALTER COLUMN ", column, " ")
	if g.Why != "" {
		o.send(python.Text{})
		return
	}
	if o.has("type_") {
		t := x.AsType(o.given["type_"])
		if t == nil {
			g.Fail(unknownType(o.given["type_"]))
		}
		sql := python.CatAny(alter, "TYPE ", g.TypeSQL(x, t))
		if o.has("postgresql_using") {
			sql = python.CatAny(sql, " USING ", g.Name(o.given["postgresql_using"], "postgresql_using"))
		}
		o.send(sql)
		g.Why = ""
	} else if o.has("postgresql_using") {
		x.Gap(o.n, "postgresql_using without type_, which alembic refuses", true)
		return
	}
	if v, ok := o.given["nullable"]; ok && !python.IsNone(v) {
		switch is, known := python.Truth(v); {
		case !known:
			x.Gap(o.n, "nullable is "+python.OrWhy(v, "not known"), false)
		case is:
			o.send(python.CatAny(alter, "DROP NOT NULL"))
		default:
			o.send(python.CatAny(alter, "SET NOT NULL"))
		}
	}
	if v, ok := o.given["server_default"]; ok && v != python.Value(false) {
		o.alterDefault(alter, v)
		g.Why = ""
	}
	if v, ok := o.given["comment"]; ok && v != python.Value(false) {
		sql := python.Plain("NULL")
		if !python.IsNone(v) {
			sql = python.Literal(g.Name(v, "a comment"))
		}
		o.send(python.CatAny("COMMENT ON COLUMN ", o.table("table_name", "schema"), ".", column, " IS ", sql))
		g.Why = ""
	}
	if o.has("new_column_name") {
		o.send(python.CatAny(table, " RENAME ", column, " TO ", g.Ident(o.given["new_column_name"], "new_column_name")))
	}
}

func unknownType(v python.Value) string {
	if e, ok := v.(python.External); ok {
		return "the type " + e.Path + ", which is not known"
	}
	return "a type that is " + python.OrWhy(v, "not known")
}

func (o *opCall) alterDefault(alter python.Text, v python.Value) {
	g := o.g
	_, wasIdentity := o.given["existing_server_default"].(*python.Identity)
	switch d := v.(type) {
	case python.None:
		if wasIdentity {
			o.send(python.CatAny(alter, "DROP IDENTITY"))
			return
		}
		o.send(python.CatAny(alter, "DROP DEFAULT"))
	case *python.Computed:
		o.x.Gap(o.n, "a generated column made of an existing one, which alembic refuses", true)
	case *python.Identity:
		if old, ok := o.given["existing_server_default"]; !ok || !python.IsNone(old) {
			o.x.Gap(o.n, "a change of an identity column whose present state is not known", false)
			return
		}
		o.send(python.CatAny(alter, "ADD ", g.IdentitySQL(d)))
	default:
		sql, _ := g.DefaultSQL(v)
		o.send(python.CatAny(alter, "SET DEFAULT ", sql))
	}
}

func (o *opCall) dropIndex() {
	var schema python.Text
	if o.has("schema") {
		schema = o.name("schema")
	}
	words := ""
	if o.g.Flag(o.kw(), "postgresql_concurrently", false) {
		words = "CONCURRENTLY "
	}
	o.send(python.CatAny("DROP INDEX "+words+o.ifExists(), python.Qualified(schema, o.name("index_name"))))
}

func (o *opCall) dropConstraint() {
	if v, ok := o.given["constraint_name"]; ok && python.IsNone(v) {
		o.x.Gap(o.n, "a constraint without a name, which alembic cannot drop", true)
		return
	}
	name := o.given["constraint_name"]
	if kind, ok := o.given["type_"].(python.Text); ok && o.names != nil {
		// The constraint is made, without columns, to be dropped (SchemaObjects.generic_constraint).
		made := map[string]string{"check": "check", "unique": "unique", "primary": "primary", "foreignkey": "foreign"}[kind.S]
		name = o.named(o.schema("schema"), o.name("table_name"), &python.Constraint{Kind: made, Name: name, Body: python.Plain("")}).Name
	}
	o.send(python.CatAny("ALTER TABLE ", o.table("table_name", "schema"), " DROP CONSTRAINT ", o.ifExists(), o.g.Ident(name, "constraint_name")))
}

func (o *opCall) addConstraint(name string) {
	k := &python.Constraint{Name: o.given["constraint_name"], Kw: o.kw()}
	table := ""
	switch name {
	case "create_foreign_key":
		k.Kind, table = "foreign", "source_table"
		k.Columns, k.RefColumns = o.list("local_cols"), o.list("remote_cols")
		k.RefTable = o.name("referent_table")
		if o.has("referent_schema") {
			k.RefSchema = o.name("referent_schema")
		}
		k = o.named(o.schema("source_schema"), o.name(table), k)
		o.send(python.CatAny("ALTER TABLE ", o.table(table, "source_schema"), " ADD ", o.g.ConstraintSQL(k)))
		return
	case "create_unique_constraint":
		k.Kind, k.Columns = "unique", o.list("columns")
	case "create_primary_key":
		k.Kind, k.Columns = "primary", o.list("columns")
	case "create_check_constraint":
		k.Kind, k.Body = "check", o.given["condition"]
	case "create_exclude_constraint":
		k.Kind, k.Elements = "exclude", o.rest
	}
	k = o.named(o.schema("schema"), o.name("table_name"), k)
	o.send(python.CatAny("ALTER TABLE ", o.table("table_name", "schema"), " ADD ", o.g.ConstraintSQL(k)))
}

func (o *opCall) createTable() python.Value {
	t := &python.Table{Name: o.name("table_name"), Kw: o.kw(), Why: o.g.Why}
	if o.has("schema") {
		t.Schema = o.name("schema")
	}
	t.Take(o.rest)
	o.makeTable(t)
	return t
}

// makeTable writes CREATE TYPE for the table's enums, CREATE TABLE, its indexes and its comments
// (DefaultImpl.create_table and the events of sqlalchemy/dialects/postgresql/base.py, ENUM._on_table_create).
func (o *opCall) makeTable(t *python.Table) {
	g, x := o.g, o.x
	if t.Why != "" {
		g.Fail(t.Why)
	}
	var enums []*python.Enum
	for _, c := range t.Columns {
		o.boundChecks(c)
		if e := enumOf(x, g, c.Type); e != nil && e.Native && e.Create {
			enums = append(enums, e)
		}
	}
	sql := o.tableSQL(t)
	if g.Why != "" {
		o.send(python.Text{})
		return
	}
	for _, e := range enums {
		key := e.Schema.S + "." + e.Name.S
		r := x.Host.(*run)
		if !r.enums[key] {
			if r.enums != nil {
				r.enums[key] = true
			}
			o.send(e.CreateSQL())
		}
	}
	o.send(sql)
	for _, it := range t.Items {
		if ix, ok := it.(*python.Index); ok {
			o.send(g.IndexSQL(o.namedIndex(t.Schema, t.Name, ix), t.SQL()))
		}
	}
	for _, c := range t.Columns {
		if ix := g.ColumnIndex(t, c); ix != nil {
			o.send(g.IndexSQL(o.namedIndex(t.Schema, t.Name, ix), t.SQL()))
		}
	}
	if o.has("comment") {
		o.send(python.CatAny("COMMENT ON TABLE ", t.SQL(), " IS ", python.Literal(o.name("comment"))))
	}
	for _, c := range t.Columns {
		o.columnComment(t.SQL(), c)
	}
}

// enumOf is the enum of a type or of an array's items.
func enumOf(x *python.Interp, g *python.Gen, t *python.Type) *python.Enum {
	if t == nil {
		return nil
	}
	switch _, name, _ := strings.Cut(t.Name, "."); name {
	case "Enum", "ENUM":
		return g.Enum(x, t)
	case "ARRAY":
		if it, ok := t.Args.Get(0, "item_type"); ok {
			return enumOf(x, g, x.AsType(it))
		}
	}
	return nil
}

// tableSQL is CREATE TABLE (DDLCompiler.visit_create_table): the columns, the primary key, then the other constraints
// in the order in which SQLAlchemy creates them, those written out before those that come from columns.
func (o *opCall) tableSQL(t *python.Table) python.Text {
	g := o.g
	auto := python.Autoincrement(t.Columns)
	var parts []python.Text
	for _, c := range t.Columns {
		parts = append(parts, g.ColumnSpec(o.x, o.namedChecks(t, c), auto))
	}
	var primary *python.Constraint
	var others []*python.Constraint
	for _, it := range t.Items {
		k, ok := it.(*python.Constraint)
		switch {
		case !ok:
		case k.Kind == "primary":
			primary = k
		case g.Flag(k.Kw, "use_alter", false):
			g.Fail("a foreign key with use_alter")
		default:
			others = append(others, k)
		}
	}
	if primary == nil {
		primary = &python.Constraint{Kind: "primary"}
		if auto != nil {
			primary.Columns = append(primary.Columns, auto.Name)
		}
		for _, c := range t.Columns {
			if c.PKKey && c != auto {
				primary.Columns = append(primary.Columns, c.Name)
			}
		}
	}
	if len(primary.Columns) > 0 {
		parts = append(parts, g.ConstraintSQL(o.namedKey(t, primary)))
	}
	for _, c := range t.Columns {
		if g.Flag(c.Kw, "unique", false) && g.ColumnIndex(t, c) == nil {
			others = append(others, &python.Constraint{Kind: "unique", Columns: []python.Value{c.Name}})
		}
		for _, fk := range c.ForeignKeys() {
			others = append(others, python.KeyConstraint(c, fk))
		}
	}
	for _, k := range others {
		parts = append(parts, g.ConstraintSQL(o.named(t.Schema, t.Name, k)))
	}
	out := python.Plain("CREATE ")
	if v, ok := o.given["prefixes"]; ok && !python.IsNone(v) {
		items, w := python.Iterate(v)
		if w != "" {
			return g.Fail("prefixes that are not known")
		}
		for _, it := range items {
			out = python.CatAny(out, g.Name(it, "a prefix"), " ")
		}
	}
	out = python.CatAny(out, "TABLE ")
	if g.Flag(o.kw(), "if_not_exists", false) {
		out = python.CatAny(out, "IF NOT EXISTS ")
	}
	return python.CatAny(out, t.SQL(), " (", python.Join(parts, python.Plain(", ")), ")", o.tableOptions())
}

// tableOptions is what stands behind the parentheses (PGDDLCompiler.post_create_table).
func (o *opCall) tableOptions() python.Text {
	g := o.g
	var out python.Text
	for _, k := range python.SortedKeys(o.given) {
		switch k {
		case "postgresql_inherits", "postgresql_partition_by", "postgresql_on_commit", "postgresql_tablespace", "postgresql_using":
		default:
			if strings.HasPrefix(k, "postgresql_") {
				return g.Fail("the table option " + k + ", which is not modelled")
			}
		}
	}
	if o.has("postgresql_inherits") {
		items := []python.Value{o.given["postgresql_inherits"]}
		if _, one := items[0].(python.Text); !one {
			items = o.list("postgresql_inherits")
		}
		out = python.CatAny(out, " INHERITS ( ", g.Idents(items), " )")
	}
	if o.has("postgresql_partition_by") {
		out = python.CatAny(out, " PARTITION BY ", o.name("postgresql_partition_by"))
	}
	if o.has("postgresql_using") {
		out = python.CatAny(out, " USING ", g.Ident(o.given["postgresql_using"], "postgresql_using"))
	}
	if o.has("postgresql_on_commit") {
		v := o.name("postgresql_on_commit")
		out = python.CatAny(out, " ON COMMIT ", v.Mapped(strings.ToUpper(strings.ReplaceAll(v.S, "_", " "))))
	}
	if o.has("postgresql_tablespace") {
		out = python.CatAny(out, " TABLESPACE ", g.Ident(o.given["postgresql_tablespace"], "postgresql_tablespace"))
	}
	return out
}
