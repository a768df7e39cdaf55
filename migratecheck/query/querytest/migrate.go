package querytest

import (
	"fmt"
	"slices"
	"strings"
)

// migration makes up migrations of one kind: it changes the generator's model and returns the statements, nil when the schema
// has nothing that they could change.
type migration struct {
	rule string
	make func(g *gen) []string
	// likes are the makers of the queries that such a migration is likely to meet.
	likes string
}

// migrations lists the kinds; those that break much stand beside those that break nothing.
func migrations() []migration {
	const writes, enums = "insert upsert update copy merge insert-select", "cast insert update upsert select"
	return []migration{
		{"drop-table", dropTable, ""}, {"rename-table", renameTable, ""},
		{"drop-column", dropColumn, ""}, {"rename-column", renameColumn, ""}, {"reuse-column-name", reuseColumnName, ""},
		{"change-column-type", changeType, ""}, {"narrow-column-type", narrowType, writes},
		{"add-required-column", addRequiredColumn, writes}, {"set-not-null", setNotNull, writes}, {"drop-not-null", dropNotNull, "select star join cte"},
		{"drop-default", dropDefault, "insert upsert"}, {"add-check", addCheck, writes}, {"add-unique", addUnique, writes}, {"add-foreign-key", addForeignKey, writes},
		{"add-exclusion", addExclusion, writes}, {"drop-unique", dropUnique, "upsert name"}, {"rename-constraint", renameConstraint, "upsert name"}, {"rename-index", renameIndex, "upsert name"},
		{"rename-enum-value", renameEnumValue, enums}, {"add-enum-value", addEnumValue, enums}, {"drop-type", dropType, enums},
		{"drop-view", dropView, "view"}, {"rename-view", renameView, "view"}, {"replace-view", replaceView, "view"},
		{"drop-function", dropFunction, "call"}, {"change-function", changeFunction, "call"},
		{"rename-schema", renameSchema, ""}, {"drop-schema", dropSchema, ""}, {"drop-sequence", dropSequence, "sequence"},
		{"generated-column", computeColumn, writes}, {"generated-column", identityAlways, "insert upsert"}, {"revoke", revoke, ""}, {"add-trigger", addTrigger, writes}, {"enable-rls", enableRLS, writes},
		{"widen-select-star", addColumn, "star join lateral"}, {"harmless", harmless, ""},
	}
}

func (g *gen) focusOn(names ...string) {
	for _, n := range names {
		g.m.focus[n] = true
	}
}

// target is a table for a migration, and the focus of the queries.
func (g *gen) target() *table {
	t := pick(g, g.m.tables...)
	g.focusOn(t.name)
	return t
}

// targetCol is a column for a migration, in a table that has one.
func (g *gen) targetCol(fits func(*col) bool) (*table, *col) {
	tables := slices.Clone(g.m.tables)
	g.rng.Shuffle(len(tables), func(i, j int) { tables[i], tables[j] = tables[j], tables[i] })
	for _, t := range tables {
		if c := g.anyCol(t, fits); c != nil {
			g.focusOn(t.name, c.name)
			return t, c
		}
	}
	return nil, nil
}

func alter(t *table, format string, args ...any) []string {
	return []string{"ALTER TABLE " + t.sql() + " " + fmt.Sprintf(format, args...)}
}

// forget takes what depends on the table (or, with a column, on that) out of the model, as CASCADE does.
func (g *gen) forget(t *table, column string) {
	m := g.m
	m.views = slices.DeleteFunc(m.views, func(v *view) bool {
		return v.table == t && (column == "" || slices.ContainsFunc(v.cols, func(c *col) bool { return c.name == column }) || strings.Contains(v.where, quote(column)))
	})
	t.uniques = slices.DeleteFunc(t.uniques, func(u *unique) bool { return slices.Contains(u.cols, column) })
	for _, other := range m.tables {
		for _, c := range other.cols {
			if c.ref == t && (column == "" || column == "id") {
				c.ref = nil
			}
		}
	}
}

func dropTable(g *gen) []string {
	t := g.target()
	g.forget(t, "")
	g.m.tables = slices.DeleteFunc(g.m.tables, func(o *table) bool { return o == t })
	return []string{"DROP TABLE " + t.sql() + " CASCADE"}
}

func renameTable(g *gen) []string {
	t := g.target()
	s := alter(t, "RENAME TO %s2", t.name)
	t.name += "2"
	g.focusOn(t.name)
	return s
}

func dropColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.key })
	if c == nil {
		return nil
	}
	g.forget(t, c.name)
	t.drop(c.name)
	return alter(t, "DROP COLUMN %s CASCADE", quote(c.name))
}

func renameColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.key })
	if c == nil {
		return nil
	}
	s := alter(t, "RENAME COLUMN %s TO %s_new", quote(c.name), strings.ToLower(c.name))
	for _, u := range t.uniques {
		for i, n := range u.cols {
			if n == c.name {
				u.cols[i] = strings.ToLower(c.name) + "_new"
			}
		}
		u.where = strings.ReplaceAll(u.where, quote(c.name)+" IS", strings.ToLower(c.name)+"_new IS")
	}
	c.name = strings.ToLower(c.name) + "_new"
	g.focusOn(c.name)
	return s
}

// reuseColumnName gives a column's name to another one.
func reuseColumnName(g *gen) []string {
	t, c := g.targetCol(plain)
	if c == nil {
		return nil
	}
	name := c.name
	s := append(alter(t, "RENAME COLUMN %s TO former", quote(name)), "ALTER TABLE "+t.sql()+" ADD COLUMN "+quote(name)+" "+c.typ)
	c.name = "former"
	for _, u := range t.uniques {
		for i, n := range u.cols {
			if n == name {
				u.cols[i] = "former"
			}
		}
	}
	t.cols = append(t.cols, &col{name: name, typ: c.typ, enum: c.enum})
	g.m.views = slices.DeleteFunc(g.m.views, func(v *view) bool { return v.table == t })
	return s
}

func changeType(g *gen) []string {
	changes := map[string][]string{
		"int": {"text", "bigint", "numeric"}, "bigint": {"text", "numeric"}, "text": {"varchar(20)", "jsonb"}, "boolean": {"int", "text"},
		"date": {"timestamptz", "text"}, "timestamptz": {"date", "text"}, "uuid": {"text"}, "jsonb": {"text"}, "varchar(20)": {"text", "varchar(60)"},
		"double precision": {"text"}, "int[]": {"text[]"}, "text[]": {"jsonb"}, "numeric(8,2)": {"double precision", "text"},
	}
	t, c := g.targetCol(func(c *col) bool { return plain(c) && (changes[c.typ] != nil || c.enum != nil) })
	if c == nil || slices.ContainsFunc(t.uniques, func(u *unique) bool { return slices.Contains(u.cols, c.name) }) {
		return nil
	}
	to := "text"
	if c.enum == nil {
		to = pick(g, changes[c.typ]...)
	}
	using := "NULL::" + to
	if c.notNull {
		using = quote(c.name) + "::text::" + to
		if to == "jsonb" {
			using = "to_jsonb(" + quote(c.name) + ")"
		}
	}
	s := alter(t, "ALTER COLUMN %s TYPE %s USING %s", quote(c.name), to, using)
	c.typ, c.enum, c.def = to, nil, ""
	return append(append(g.dropViews(t), "ALTER TABLE "+t.sql()+" ALTER COLUMN "+quote(c.name)+" DROP DEFAULT"), s...)
}

// dropViews is what must go before a type changes: the server refuses to alter what a view uses.
func (g *gen) dropViews(t *table) []string {
	var list []string
	for _, v := range g.m.views {
		if v.table == t {
			list = append(list, "DROP VIEW "+v.name)
		}
	}
	g.m.views = slices.DeleteFunc(g.m.views, func(v *view) bool { return v.table == t })
	return list
}

func narrowType(g *gen) []string {
	narrower := map[string]string{"bigint": "int", "int": "smallint", "text": "varchar(5)", "varchar(20)": "varchar(3)", "numeric(8,2)": "numeric(3,0)", "double precision": "int"}
	t, c := g.targetCol(func(c *col) bool { return plain(c) && narrower[c.typ] != "" })
	if c == nil {
		return nil
	}
	s := g.dropViews(t)
	to := narrower[c.typ]
	c.typ = to
	return append(s, alter(t, "ALTER COLUMN %s TYPE %s", quote(c.name), to)...)
}

func addRequiredColumn(g *gen) []string {
	t := g.target()
	c := g.column("extra")
	c.notNull, c.def = true, ""
	t.cols = append(t.cols, c)
	g.focusOn(c.name)
	return alter(t, "ADD COLUMN %s", c.definition())
}

// addColumn adds one that need not be filled; its name may be one that another table has as well.
func addColumn(g *gen) []string {
	t := g.target()
	name := pick(g, append(columnNames(), "extra", "extra")...)
	if t.col(name) != nil {
		return nil
	}
	c := g.column(name)
	if c.notNull && c.def == "" {
		c.notNull = false
	}
	t.cols = append(t.cols, c)
	g.focusOn(c.name)
	return alter(t, "ADD COLUMN %s", c.definition())
}

func setNotNull(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return !c.notNull })
	if c == nil {
		return nil
	}
	c.notNull = true
	return alter(t, "ALTER COLUMN %s SET NOT NULL", quote(c.name))
}

func dropNotNull(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.notNull && !c.key })
	if c == nil {
		return nil
	}
	c.notNull = false
	return alter(t, "ALTER COLUMN %s DROP NOT NULL", quote(c.name))
}

func dropDefault(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.def != "" })
	if c == nil {
		return nil
	}
	c.def = ""
	return alter(t, "ALTER COLUMN %s DROP DEFAULT", quote(c.name))
}

func addCheck(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && (isNumber(c) || isText(c)) })
	if c == nil {
		return nil
	}
	n := quote(c.name)
	cond := pick(g, n+" > 0", n+" <> 5", n+" BETWEEN 1 AND 1000", n+" IS NOT NULL")
	if isText(c) {
		cond = pick(g, n+" <> ''", "length("+n+") < 10", n+" IN ('x', 'hello')", n+" IS NOT NULL", n+" = lower("+n+")")
	}
	return alter(t, "ADD %sCHECK (%s)%s", g.maybe(50, "CONSTRAINT new_check "), cond, g.maybe(30, " NOT VALID"))
}

func addUnique(g *gen) []string {
	t := g.target()
	u := g.unique(t, "new_unique")
	if u == nil {
		return nil
	}
	g.focusOn(u.cols...)
	if u.index {
		return []string{u.create(t)}
	}
	return alter(t, "ADD CONSTRAINT %s UNIQUE (%s)", u.name, strings.Join(quoteAll(u.cols), ", "))
}

func addForeignKey(g *gen) []string {
	parent := pick(g, g.m.tables...)
	t, c := g.targetCol(func(c *col) bool { return plain(c) && c.typ == parent.col("id").typ })
	if c == nil {
		return nil
	}
	c.ref = parent
	return alter(t, "ADD FOREIGN KEY (%s) REFERENCES %s%s", quote(c.name), parent.sql(), g.maybe(30, " NOT VALID"))
}

func addExclusion(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && isNumber(c) })
	if c == nil {
		return nil
	}
	return alter(t, "ADD CONSTRAINT new_exclusion EXCLUDE USING btree (%s WITH =)", quote(c.name))
}

func dropUnique(g *gen) []string {
	for _, t := range g.m.tables {
		if len(t.uniques) > 0 {
			u := t.uniques[0]
			g.focusOn(t.name)
			g.focusOn(u.cols...)
			t.uniques = t.uniques[1:]
			if u.index {
				in := ""
				if t.schema != "" {
					in = t.schema + "."
				}
				return []string{"DROP INDEX " + in + u.name}
			}
			return alter(t, "DROP CONSTRAINT %s", u.name)
		}
	}
	return nil
}

func renameConstraint(g *gen) []string {
	for _, t := range g.m.tables {
		for _, u := range t.uniques {
			if !u.index {
				g.focusOn(t.name)
				g.focusOn(u.cols...)
				s := alter(t, "RENAME CONSTRAINT %s TO %s_new", u.name, u.name)
				u.name += "_new"
				return s
			}
		}
	}
	return nil
}

func renameIndex(g *gen) []string {
	for _, t := range g.m.tables {
		if len(t.uniques) > 0 && t.schema == "" {
			u := t.uniques[0]
			g.focusOn(t.name)
			g.focusOn(u.cols...)
			s := fmt.Sprintf("ALTER INDEX %s RENAME TO %s_new", u.name, u.name)
			u.name += "_new"
			return []string{s}
		}
	}
	return nil
}

// enumInUse is an enumeration that a column has.
func (g *gen) enumInUse() *enum {
	_, c := g.targetCol(func(c *col) bool { return c.enum != nil })
	if c == nil {
		return nil
	}
	g.focusOn(c.enum.name)
	return c.enum
}

func renameEnumValue(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	i := g.rng.IntN(len(e.labels))
	s := fmt.Sprintf("ALTER TYPE %s RENAME VALUE '%s' TO '%s2'", e.name, e.labels[i], e.labels[i])
	old := "'" + e.labels[i] + "'"
	e.labels[i] += "2"
	for _, t := range g.m.tables {
		for _, c := range t.cols {
			if c.enum == e && c.def == old {
				c.def = "'" + e.labels[i] + "'"
			}
		}
	}
	return []string{s}
}

func addEnumValue(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	e.labels = append(e.labels, "violet")
	return []string{fmt.Sprintf("ALTER TYPE %s ADD VALUE 'violet'", e.name)}
}

// dropType drops an enumeration that columns had until just before.
func dropType(g *gen) []string {
	e := g.enumInUse()
	if e == nil {
		return nil
	}
	var s []string
	for _, t := range g.m.tables {
		for _, c := range t.cols {
			if c.enum == e {
				g.focusOn(t.name, c.name)
				s = append(s, g.dropViews(t)...)
				s = append(s, alter(t, "ALTER COLUMN %[1]s DROP DEFAULT, ALTER COLUMN %[1]s TYPE text", quote(c.name))...)
				c.enum, c.typ, c.def = nil, "text", ""
			}
		}
	}
	g.m.enums = slices.DeleteFunc(g.m.enums, func(o *enum) bool { return o == e })
	return append(s, "DROP TYPE "+e.name)
}

func (g *gen) anyView() *view {
	if len(g.m.views) == 0 {
		return nil
	}
	v := pick(g, g.m.views...)
	g.focusOn(v.name)
	return v
}

func dropView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	g.m.views = nil
	return []string{"DROP VIEW " + v.name}
}

func renameView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	s := "ALTER VIEW " + v.name + " RENAME TO " + v.name + "_new"
	v.name += "_new"
	g.focusOn(v.name)
	return []string{s}
}

// replaceView gives a view another definition: more columns, another condition, or (dropped and made again) fewer.
func replaceView(g *gen) []string {
	v := g.anyView()
	if v == nil {
		return nil
	}
	switch g.rng.IntN(3) {
	case 0:
		for _, c := range v.table.cols {
			if !slices.Contains(v.names, c.name) && !slices.Contains(v.cols, c) {
				v.cols, v.names = append(v.cols, c), append(v.names, c.name)
				return []string{v.create("CREATE OR REPLACE VIEW ")}
			}
		}
		return nil
	case 1:
		c := g.anyCol(v.table, isNumber)
		if c == nil {
			return nil
		}
		v.where = quote(c.name) + " < 1000"
		return []string{v.create("CREATE OR REPLACE VIEW ")}
	}
	if len(v.cols) < 3 {
		return nil
	}
	v.cols, v.names = v.cols[:len(v.cols)-1], v.names[:len(v.names)-1]
	return []string{"DROP VIEW " + v.name, v.create("CREATE VIEW ")}
}

func dropFunction(g *gen) []string {
	if len(g.m.funcs) == 0 {
		return nil
	}
	f := g.m.funcs[0]
	g.focusOn(f.name)
	g.m.funcs = nil
	return []string{"DROP FUNCTION " + f.name}
}

func changeFunction(g *gen) []string {
	if len(g.m.funcs) == 0 {
		return nil
	}
	f := g.m.funcs[0]
	g.focusOn(f.name)
	if g.chance(30) {
		f.body = "SELECT $1 + 2"
		return []string{strings.Replace(f.create(), "CREATE ", "CREATE OR REPLACE ", 1)}
	}
	s := []string{"DROP FUNCTION " + f.name}
	f.args = 3 - f.args
	return append(s, f.create())
}

// computeColumn replaces a column by one that the server computes.
func computeColumn(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return plain(c) && isNumber(c) })
	if c == nil {
		return nil
	}
	g.forget(t, c.name)
	c.auto, c.notNull, c.def, c.computed = "", false, "", true
	return []string{
		"ALTER TABLE " + t.sql() + " DROP COLUMN " + quote(c.name) + " CASCADE",
		fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s GENERATED ALWAYS AS (1 + 1) STORED", t.sql(), quote(c.name), c.typ),
	}
}

// identityAlways leaves the numbering of a key to the server.
func identityAlways(g *gen) []string {
	t, c := g.targetCol(func(c *col) bool { return c.key && isNumber(c) && (c.auto == "" || c.auto == "default") })
	if c == nil {
		return nil
	}
	action := "ADD GENERATED ALWAYS AS IDENTITY"
	if c.auto == "default" {
		action = "SET GENERATED ALWAYS"
	}
	c.auto = "always"
	return alter(t, "ALTER COLUMN %s %s", quote(c.name), action)
}

func (g *gen) inSchema() *table {
	for _, t := range g.m.tables {
		if t.schema != "" {
			g.focusOn(t.name)
			return t
		}
	}
	return nil
}

func renameSchema(g *gen) []string {
	if g.inSchema() == nil {
		return nil
	}
	for _, t := range g.m.tables {
		if t.schema != "" {
			t.schema = "app2"
		}
	}
	return []string{"ALTER SCHEMA app RENAME TO app2"}
}

func dropSchema(g *gen) []string {
	if g.inSchema() == nil {
		return nil
	}
	for _, t := range slices.Clone(g.m.tables) {
		if t.schema != "" {
			g.forget(t, "")
			g.m.tables = slices.DeleteFunc(g.m.tables, func(o *table) bool { return o == t })
		}
	}
	return []string{"DROP SCHEMA app CASCADE"}
}

func dropSequence(g *gen) []string {
	if len(g.m.seqs) == 0 {
		return nil
	}
	g.focusOn(g.m.seqs[0])
	s := g.m.seqs[0]
	if g.chance(40) {
		g.m.seqs[0] = s + "_new"
		g.focusOn(s + "_new")
		return []string{"ALTER SEQUENCE " + s + " RENAME TO " + s + "_new"}
	}
	g.m.seqs = nil
	return []string{"DROP SEQUENCE " + s}
}

func revoke(g *gen) []string {
	t := g.target()
	return []string{fmt.Sprintf("REVOKE %s ON %s FROM %s", pick(g, "INSERT", "UPDATE", "DELETE", "SELECT", "INSERT, UPDATE", "ALL"), t.sql(), role)}
}

func addTrigger(g *gen) []string {
	t := g.target()
	c := g.anyCol(t, func(c *col) bool { return plain(c) && isNumber(c) })
	body := pick(g, "RETURN NULL;", "RETURN NULL;", "RAISE EXCEPTION 'not like this'; RETURN NULL;")
	if c != nil && g.chance(50) {
		body = fmt.Sprintf("IF NEW.%s < 10 THEN RAISE EXCEPTION 'too small'; END IF; RETURN NEW;", quote(c.name))
	}
	event := pick(g, "INSERT", "INSERT OR UPDATE", "UPDATE")
	return []string{
		"CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body + " END $$",
		fmt.Sprintf("CREATE TRIGGER guard BEFORE %s ON %s FOR EACH ROW EXECUTE FUNCTION guard()", event, t.sql()),
	}
}

func enableRLS(g *gen) []string {
	t := g.target()
	s := alter(t, "ENABLE ROW LEVEL SECURITY")
	if c := g.anyCol(t, isNumber); c != nil && g.chance(40) {
		s = append(s, fmt.Sprintf("CREATE POLICY mine ON %s USING (%s > 1000000)", t.sql(), quote(c.name)))
	}
	return s
}

// harmless changes that no code can notice.
func harmless(g *gen) []string {
	t := g.target()
	c := g.anyCol(t, isKeyable)
	if c == nil {
		return nil
	}
	g.focusOn(c.name)
	return pick(g,
		[]string{fmt.Sprintf("CREATE INDEX ON %s (%s)", t.sql(), quote(c.name))},
		[]string{"COMMENT ON TABLE " + t.sql() + " IS 'a table'"},
		[]string{"CREATE TABLE other_thing (id int PRIMARY KEY, " + quote(c.name) + " text)"},
		alter(t, "SET (fillfactor = 80)"),
		alter(t, "ALTER COLUMN %s SET STATISTICS 50", quote(c.name)),
	)
}
