package alembic

import (
	"strings"
)

// opCall is a call of one of alembic's operations, its arguments by name.
type opCall struct {
	x     *interp
	n     *node
	g     *gen
	given map[string]value
	rest  []value // what a *columns or *elements parameter takes
	batch *batch
	args  args
}

// batch is what op.batch_alter_table gives: operations on one table, run at the end of the with statement
// (alembic/operations/batch.py; PostgreSQL never needs the table copied).
type batch struct {
	table, schema value
	n             *node
	why           string
	waiting       []Statement
}

type autocommit struct{}

// flush sends what the batch has collected.
func (b *batch) flush(x *interp) {
	if x.script == nil {
		return
	}
	for _, s := range b.waiting {
		s.Tx = x.tx.number()
		x.script.Statements = append(x.script.Statements, s)
	}
	b.waiting = nil
}

// statement makes a Statement of SQL sent by the call n.
func (x *interp) statement(n *node, sql text) Statement {
	x.charge(sql)
	b := builder{home: span{at: n.start, mod: x.mod}}
	b.add(sql)
	t := b.text()
	s := Statement{SQL: t.s, File: x.mod.file, Ignores: x.ignores()}
	for _, p := range t.p {
		if p.mod != x.mod {
			p.at, p.linear = n.start, false
		}
		if k := len(s.Pieces); k > 0 && !p.linear && !s.Pieces[k-1].Linear && s.Pieces[k-1].At == p.at {
			continue
		}
		s.Pieces = append(s.Pieces, Piece{p.off, p.at, p.linear})
	}
	return s
}

// emit adds a statement to the script.
func (x *interp) emit(n *node, sql text) {
	if x.script == nil {
		x.early(n)
		return
	}
	if strings.TrimSpace(sql.s) == "" {
		x.gap(n, "empty SQL, which the driver refuses", true)
		return
	}
	s := x.statement(n, sql)
	s.Tx = x.tx.number()
	x.script.Statements = append(x.script.Statements, s)
	x.tx.command(sql.s)
}

// early notes SQL that is sent while the file is imported, before any migration runs.
func (x *interp) early(n *node) {
	x.mod.early = append(x.mod.early, Gap{File: x.mod.file, At: n.start, Source: shorten(x.mod.src(n)),
		Reason: "SQL outside of upgrade() and downgrade(), sent whenever the file is read"})
}

// emitOr emits sql, or a gap when writing it failed.
func (x *interp) emitOr(n *node, g *gen, sql text) bool {
	if g.why != "" {
		x.gap(n, g.why, false)
		return false
	}
	x.emit(n, sql)
	return true
}

// send is emitOr for an operation, which a batch holds back.
func (o *opCall) send(sql text) bool {
	if o.g.why != "" {
		o.x.gap(o.n, o.g.why, false)
		return false
	}
	if o.batch != nil && o.x.script != nil {
		o.batch.waiting = append(o.batch.waiting, o.x.statement(o.n, sql))
		return true
	}
	o.x.emit(o.n, sql)
	return true
}

// has reports whether an argument is given and is not None.
func (o *opCall) has(name string) bool {
	v, ok := o.given[name]
	return ok && !isNone(v)
}

func (o *opCall) name(param string) text { return o.g.name(o.given[param], param) }

func (o *opCall) table(name, schema string) text {
	var s text
	if o.has(schema) {
		s = o.name(schema)
	}
	return qualified(s, o.name(name))
}

// kw are the given arguments, for what takes keywords.
func (o *opCall) kw() args { return args{n: o.n, kw: o.given} }

func (o *opCall) list(param string) []value {
	items, w := iterate(o.given[param])
	if w != "" {
		o.g.fail(param + " is " + orWhy(o.given[param], "not known"))
	}
	if _, isText := o.given[param].(text); isText {
		// A plain string is a sequence of its letters, for alembic too.
		o.g.fail(param + " is a string, not a list")
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
func (x *interp) callOp(name string, a args) value {
	switch name {
	case "execute":
		x.execute(a)
		return none{}
	case "get_bind":
		return &conn{}
	case "get_context":
		return &migrationContext{}
	case "f":
		v, _ := a.get(0, "name")
		return v
	case "inline_literal":
		if v, ok := x.saExpr("op.inline_literal", a); ok {
			return v
		}
		return unknown{why: "a literal that is not known"}
	}
	return x.operation(name, a, nil)
}

func (x *interp) callBatch(b *batch, name string, a args) value {
	switch name {
	case "execute", "get_bind", "get_context", "f", "inline_literal":
		return x.callOp(name, a)
	}
	return x.operation(name, a, b)
}

func (x *interp) operation(name string, a args, b *batch) value {
	params, batchParams, ok := parameters(name)
	if !ok {
		switch name {
		case "invoke", "run_async", "register_operation", "implementation_for", "create_module_class_proxy", "configure_for_batch":
			x.gap(a.n, "op."+name+" runs code that is not modelled", false)
		default:
			x.gap(a.n, "alembic has no operation "+name+"; unless a plugin brings it, Python stops here", true)
		}
		return unknown{why: "an operation that is not known"}
	}
	o := &opCall{x: x, n: a.n, g: &gen{why: a.why}, given: map[string]value{}, batch: b, args: a}
	if b != nil {
		params = batchParams
		if b.why != "" {
			o.g.fail(b.why)
		}
		o.given["table_name"], o.given["source_table"] = b.table, b.table
		o.given["schema"], o.given["source_schema"] = b.schema, b.schema
	}
	names := strings.Fields(params)
	for i, v := range a.pos {
		if i < len(names) && names[i] != "*" {
			o.given[names[i]] = v
			continue
		}
		if k := len(names); k > 0 && names[k-1] == "*" {
			o.rest = append(o.rest, v)
			continue
		}
		x.gap(a.n, "op."+name+" takes fewer arguments by position", true)
		return unknown{why: "an operation that fails"}
	}
	for k, v := range a.kw {
		o.given[modern(name, k)] = v
	}
	return o.run(name)
}

func (o *opCall) run(name string) value {
	g := o.g
	switch name {
	case "add_column":
		o.addColumn()
	case "drop_column":
		o.send(catAny("ALTER TABLE ", o.table("table_name", "schema"), " DROP COLUMN ", o.ifExists(), g.ident(o.given["column_name"], "column_name")))
	case "alter_column":
		o.alterColumn()
	case "create_table":
		return o.createTable()
	case "drop_table":
		o.send(catAny("DROP TABLE ", o.ifExists(), o.table("table_name", "schema")))
	case "rename_table":
		o.send(catAny("ALTER TABLE ", o.table("old_table_name", "schema"), " RENAME TO ", g.ident(o.given["new_table_name"], "new_table_name")))
	case "create_index":
		ix := &indexV{name: o.given["index_name"], exprs: o.list("columns"), kw: o.kw()}
		o.send(g.indexSQL(ix, o.table("table_name", "schema")))
	case "drop_index":
		o.dropIndex()
	case "drop_constraint":
		o.dropConstraint()
	case "create_table_comment":
		c := plain("NULL")
		if o.has("comment") {
			c = literal(o.name("comment"))
		}
		o.send(catAny("COMMENT ON TABLE ", o.table("table_name", "schema"), " IS ", c))
	case "drop_table_comment":
		o.send(catAny("COMMENT ON TABLE ", o.table("table_name", "schema"), " IS NULL"))
	case "bulk_insert":
		o.bulkInsert()
	case "batch_alter_table":
		b := &batch{table: o.given["table_name"], schema: o.given["schema"], n: o.n, why: g.why}
		if b.schema == nil {
			b.schema = none{}
		}
		if v, ok := o.given["recreate"]; ok {
			if t, _ := v.(text); t.s != "auto" && t.s != "never" {
				b.why = "a batch that copies the table, whose columns only the database knows"
			}
		}
		return b
	default:
		o.addConstraint(name)
	}
	return none{}
}

func (o *opCall) ifExists() string {
	if o.g.flag(o.kw(), "if_exists", false) {
		return "IF EXISTS "
	}
	return ""
}

func (o *opCall) addColumn() {
	g := o.g
	c, ok := o.given["column"].(*columnV)
	if !ok {
		g.fail("a column that is " + orWhy(o.given["column"], "not understood"))
	}
	table := o.table("table_name", "schema")
	if g.why != "" {
		o.send(text{})
		return
	}
	t := &tableV{name: o.name("table_name")}
	if o.has("schema") {
		t.schema = o.name("schema")
	}
	t.take([]value{c})
	c = t.columns[0]
	words := "ADD COLUMN "
	if g.flag(o.kw(), "if_not_exists", false) {
		words = "ADD COLUMN IF NOT EXISTS "
	}
	o.boundChecks(c)
	spec := g.columnSpec(o.x, c, autocolumn(c, t))
	if !o.send(catAny("ALTER TABLE ", table, " "+words, spec)) {
		return
	}
	index := g.columnIndex(t, c)
	if index == nil && g.flag(c.kw, "unique", false) {
		k := &constraintV{kind: "unique", columns: []value{c.name}}
		o.send(catAny("ALTER TABLE ", table, " ADD ", g.constraintSQL(k)))
	}
	for _, fk := range c.foreignKeys() {
		o.send(catAny("ALTER TABLE ", table, " ADD ", g.constraintSQL(keyConstraint(c, fk))))
	}
	if index != nil {
		o.send(g.indexSQL(index, table))
	}
	o.columnComment(table, c)
}

func autocolumn(c *columnV, t *tableV) *columnV {
	if autoincrement(t.columns) == c {
		return c
	}
	return nil
}

// boundChecks refuses the CHECK constraints that a Boolean or Enum makes with create_constraint=True.
func (o *opCall) boundChecks(c *columnV) {
	if c.typ == nil {
		return
	}
	if _, name, _ := strings.Cut(c.typ.name, "."); name == "Enum" || name == "Boolean" {
		if o.g.flag(c.typ.args, "create_constraint", false) {
			native := name == "Enum" && o.g.flag(c.typ.args, "native_enum", true)
			if !native && name != "Boolean" {
				o.g.fail("a type with create_constraint=True")
			}
		}
	}
}

func (o *opCall) columnComment(table text, c *columnV) {
	if v, ok := c.kw.kw["comment"]; ok && !isNone(v) {
		o.send(catAny("COMMENT ON COLUMN ", table, ".", quote(c.name), " IS ", literal(o.g.name(v, "a comment"))))
	}
}

func (o *opCall) alterColumn() {
	g, x := o.g, o.x
	table := catAny("ALTER TABLE ", o.table("table_name", "schema"))
	column := g.ident(o.given["column_name"], "column_name")
	alter := catAny(table, " ALTER COLUMN ", column, " ")
	if g.why != "" {
		o.send(text{})
		return
	}
	if o.has("type_") {
		t := x.asType(o.given["type_"])
		if t == nil {
			g.fail(unknownType(o.given["type_"]))
		}
		sql := catAny(alter, "TYPE ", g.typeSQL(x, t))
		if o.has("postgresql_using") {
			sql = catAny(sql, " USING ", g.name(o.given["postgresql_using"], "postgresql_using"))
		}
		o.send(sql)
		g.why = ""
	} else if o.has("postgresql_using") {
		x.gap(o.n, "postgresql_using without type_, which alembic refuses", true)
		return
	}
	if v, ok := o.given["nullable"]; ok && !isNone(v) {
		switch is, known := truth(v); {
		case !known:
			x.gap(o.n, "nullable is "+orWhy(v, "not known"), false)
		case is:
			o.send(catAny(alter, "DROP NOT NULL"))
		default:
			o.send(catAny(alter, "SET NOT NULL"))
		}
	}
	if v, ok := o.given["server_default"]; ok && v != value(false) {
		o.alterDefault(alter, v)
		g.why = ""
	}
	if v, ok := o.given["comment"]; ok && v != value(false) {
		sql := plain("NULL")
		if !isNone(v) {
			sql = literal(g.name(v, "a comment"))
		}
		o.send(catAny("COMMENT ON COLUMN ", o.table("table_name", "schema"), ".", column, " IS ", sql))
		g.why = ""
	}
	if o.has("new_column_name") {
		o.send(catAny(table, " RENAME ", column, " TO ", g.ident(o.given["new_column_name"], "new_column_name")))
	}
}

func unknownType(v value) string {
	if e, ok := v.(ext); ok {
		return "the type " + e.path + ", which is not known"
	}
	return "a type that is " + orWhy(v, "not known")
}

func (o *opCall) alterDefault(alter text, v value) {
	g := o.g
	_, wasIdentity := o.given["existing_server_default"].(*identityV)
	switch d := v.(type) {
	case none:
		if wasIdentity {
			o.send(catAny(alter, "DROP IDENTITY"))
			return
		}
		o.send(catAny(alter, "DROP DEFAULT"))
	case *computedV:
		o.x.gap(o.n, "a generated column made of an existing one, which alembic refuses", true)
	case *identityV:
		if old, ok := o.given["existing_server_default"]; !ok || !isNone(old) {
			o.x.gap(o.n, "a change of an identity column whose present state is not known", false)
			return
		}
		o.send(catAny(alter, "ADD ", g.identitySQL(d)))
	default:
		sql, _ := g.defaultSQL(v)
		o.send(catAny(alter, "SET DEFAULT ", sql))
	}
}

func (o *opCall) dropIndex() {
	var schema text
	if o.has("schema") {
		schema = o.name("schema")
	}
	words := ""
	if o.g.flag(o.kw(), "postgresql_concurrently", false) {
		words = "CONCURRENTLY "
	}
	o.send(catAny("DROP INDEX "+words+o.ifExists(), qualified(schema, o.name("index_name"))))
}

func (o *opCall) dropConstraint() {
	if v, ok := o.given["constraint_name"]; ok && isNone(v) {
		o.x.gap(o.n, "a constraint without a name, which alembic cannot drop", true)
		return
	}
	o.send(catAny("ALTER TABLE ", o.table("table_name", "schema"), " DROP CONSTRAINT ", o.ifExists(),
		o.g.ident(o.given["constraint_name"], "constraint_name")))
}

func (o *opCall) addConstraint(name string) {
	k := &constraintV{name: o.given["constraint_name"], kw: o.kw()}
	table := ""
	switch name {
	case "create_foreign_key":
		k.kind, table = "foreign", "source_table"
		k.columns, k.refColumns = o.list("local_cols"), o.list("remote_cols")
		k.refTable = o.name("referent_table")
		if o.has("referent_schema") {
			k.refSchema = o.name("referent_schema")
		}
		o.send(catAny("ALTER TABLE ", o.table(table, "source_schema"), " ADD ", o.g.constraintSQL(k)))
		return
	case "create_unique_constraint":
		k.kind, k.columns = "unique", o.list("columns")
	case "create_primary_key":
		k.kind, k.columns = "primary", o.list("columns")
	case "create_check_constraint":
		k.kind, k.body = "check", o.given["condition"]
	case "create_exclude_constraint":
		k.kind, k.elements = "exclude", o.rest
	}
	o.send(catAny("ALTER TABLE ", o.table("table_name", "schema"), " ADD ", o.g.constraintSQL(k)))
}

func (o *opCall) createTable() value {
	t := &tableV{name: o.name("table_name"), kw: o.kw(), why: o.g.why}
	if o.has("schema") {
		t.schema = o.name("schema")
	}
	t.take(o.rest)
	o.makeTable(t)
	return t
}

// makeTable writes CREATE TYPE for the table's enums, CREATE TABLE, its indexes and its comments
// (DefaultImpl.create_table and the events of sqlalchemy/dialects/postgresql/base.py, ENUM._on_table_create).
func (o *opCall) makeTable(t *tableV) {
	g, x := o.g, o.x
	if t.why != "" {
		g.fail(t.why)
	}
	var enums []*enumV
	for _, c := range t.columns {
		o.boundChecks(c)
		if e := x.enumOf(g, c.typ); e != nil && e.native && e.create {
			enums = append(enums, e)
		}
	}
	sql := o.tableSQL(t)
	if g.why != "" {
		o.send(text{})
		return
	}
	for _, e := range enums {
		key := e.schema.s + "." + e.name.s
		if !x.enums[key] {
			if x.enums != nil {
				x.enums[key] = true
			}
			o.send(e.createSQL())
		}
	}
	o.send(sql)
	for _, it := range t.items {
		if ix, ok := it.(*indexV); ok {
			o.send(g.indexSQL(ix, t.sql()))
		}
	}
	for _, c := range t.columns {
		if ix := g.columnIndex(t, c); ix != nil {
			o.send(g.indexSQL(ix, t.sql()))
		}
	}
	if o.has("comment") {
		o.send(catAny("COMMENT ON TABLE ", t.sql(), " IS ", literal(o.name("comment"))))
	}
	for _, c := range t.columns {
		o.columnComment(t.sql(), c)
	}
}

// enumOf is the enum of a type or of an array's items.
func (x *interp) enumOf(g *gen, t *typeV) *enumV {
	if t == nil {
		return nil
	}
	switch _, name, _ := strings.Cut(t.name, "."); name {
	case "Enum", "ENUM":
		return g.enum(x, t)
	case "ARRAY":
		if it, ok := t.args.get(0, "item_type"); ok {
			return x.enumOf(g, x.asType(it))
		}
	}
	return nil
}

// tableSQL is CREATE TABLE (DDLCompiler.visit_create_table): the columns, the primary key, then the other constraints
// in the order in which SQLAlchemy creates them, those written out before those that come from columns.
func (o *opCall) tableSQL(t *tableV) text {
	g := o.g
	auto := autoincrement(t.columns)
	var parts []text
	for _, c := range t.columns {
		parts = append(parts, g.columnSpec(o.x, c, auto))
	}
	var primary *constraintV
	var others []*constraintV
	for _, it := range t.items {
		k, ok := it.(*constraintV)
		switch {
		case !ok:
		case k.kind == "primary":
			primary = k
		case g.flag(k.kw, "use_alter", false):
			g.fail("a foreign key with use_alter")
		default:
			others = append(others, k)
		}
	}
	if primary == nil {
		primary = &constraintV{kind: "primary"}
		if auto != nil {
			primary.columns = append(primary.columns, auto.name)
		}
		for _, c := range t.columns {
			if c.pkKey && c != auto {
				primary.columns = append(primary.columns, c.name)
			}
		}
	}
	if len(primary.columns) > 0 {
		parts = append(parts, g.constraintSQL(primary))
	}
	for _, c := range t.columns {
		if g.flag(c.kw, "unique", false) && g.columnIndex(t, c) == nil {
			others = append(others, &constraintV{kind: "unique", columns: []value{c.name}})
		}
		for _, fk := range c.foreignKeys() {
			others = append(others, keyConstraint(c, fk))
		}
	}
	for _, k := range others {
		parts = append(parts, g.constraintSQL(k))
	}
	out := plain("CREATE ")
	if v, ok := o.given["prefixes"]; ok && !isNone(v) {
		items, w := iterate(v)
		if w != "" {
			return g.fail("prefixes that are not known")
		}
		for _, it := range items {
			out = catAny(out, g.name(it, "a prefix"), " ")
		}
	}
	out = catAny(out, "TABLE ")
	if g.flag(o.kw(), "if_not_exists", false) {
		out = catAny(out, "IF NOT EXISTS ")
	}
	return catAny(out, t.sql(), " (", join(parts, plain(", ")), ")", o.tableOptions())
}

// tableOptions is what stands behind the parentheses (PGDDLCompiler.post_create_table).
func (o *opCall) tableOptions() text {
	g := o.g
	var out text
	for _, k := range sortedKeys(o.given) {
		switch k {
		case "postgresql_inherits", "postgresql_partition_by", "postgresql_on_commit", "postgresql_tablespace", "postgresql_using":
		default:
			if strings.HasPrefix(k, "postgresql_") {
				return g.fail("the table option " + k + ", which is not modelled")
			}
		}
	}
	if o.has("postgresql_inherits") {
		items := []value{o.given["postgresql_inherits"]}
		if _, one := items[0].(text); !one {
			items = o.list("postgresql_inherits")
		}
		out = catAny(out, " INHERITS ( ", g.idents(items), " )")
	}
	if o.has("postgresql_partition_by") {
		out = catAny(out, " PARTITION BY ", o.name("postgresql_partition_by"))
	}
	if o.has("postgresql_using") {
		out = catAny(out, " USING ", g.ident(o.given["postgresql_using"], "postgresql_using"))
	}
	if o.has("postgresql_on_commit") {
		v := o.name("postgresql_on_commit")
		out = catAny(out, " ON COMMIT ", v.mapped(strings.ToUpper(strings.ReplaceAll(v.s, "_", " "))))
	}
	if o.has("postgresql_tablespace") {
		out = catAny(out, " TABLESPACE ", g.ident(o.given["postgresql_tablespace"], "postgresql_tablespace"))
	}
	return out
}
