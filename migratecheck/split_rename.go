package migratecheck

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// In the texts of these splits a line that begins with a small letter is for the reader, every other one is SQL; the test runs it.

// renameColumnHelp is a change of name over three releases. A plain column gets a second one beside it, which a trigger keeps the same; what
// a second column cannot be (a key, an identity, what views read) is offered under both names by a view.
func (s *Step) renameColumnHelp(rel *catalog.Relation, old, now *catalog.Column) string {
	as := quoteIdent(old.Name) + " AS " + quoteIdent(now.Name)
	switch {
	case rel.Kind == catalog.CompositeRel:
		return "Keep the name; code can give it another one: (value)." + as
	case rel.Assumed || old.Assumed:
		return "Keep the name; code can give it another one: SELECT " + as
	case rel.Kind == catalog.ForeignTable || len(rel.Inherits) > 0:
		return "Keep the name: " + s.sqlName(rel.OID) + " is not alone in having the column. Code can give it another one: SELECT " + as
	}
	if s.domainDefault(old.Type) {
		// PostgreSQL fills both columns of a view by it, "multiple assignments to same column" (rewriteTargetListIU in src/backend/rewrite/rewriteHandler.c).
		return "Keep the name: the default of the domain comes in between wherever a column has two names. Code can give it another one: SELECT " + as
	}
	keep := "Keep the name (code can give it another one: SELECT " + as + "). If it must change, split it over releases"
	if why := s.notTwice(rel, old, now); why != "" {
		if rel.RowSecurity && s.File.Run.Config.version() < 15 {
			return "Keep the name: before PostgreSQL 15 a view that has both names would go around the policies of the table. Code can give it another one: SELECT " + as
		}
		return keep + ", by a view that has both names (two columns and a trigger will not do: " + why + "):\n" + s.renameByView(rel, old, now)
	}
	return keep + ":\n" + s.renameByTrigger(rel, old, now)
}

// notTwice says why a trigger cannot keep a second column the same as this one, or that cannot take over all that hangs on
// it without a moment in which it is missing; "" when neither.
func (s *Step) notTwice(rel *catalog.Relation, col, now *catalog.Column) string {
	switch typ, _ := s.Before.Get(col.Type.OID).(*catalog.Type); {
	case col.Identity != 0:
		return "it is an identity"
	case col.Generated != 0:
		return "it is generated"
	case typ != nil && typ.Kind == catalog.DomainType:
		return "its type is a domain" // whose default and NOT NULL hold for the second column from its first moment
	case rel.Kind == catalog.PartitionedTable || len(s.Before.Inheritors(rel.OID)) > 0:
		return "other tables have it from this one"
	case !col.NotNull && col.Default != nil && col.Default.Volatility == catalog.Volatile:
		return "each row gets another default, so that a NULL cannot be told from a column left out"
	case s.syncName(rel, now) == "":
		return "no name comes after those of the triggers that it has"
	}
	for _, t := range s.Before.Triggers(rel.OID) {
		// What it does to the one column, it has to do to the other, before and after the two are made the same.
		if f, _ := s.Before.Get(t.Function).(*catalog.Func); f != nil && t.Before && t.Row && findWords(f.Body, []string{col.Name}) > 0 {
			return "trigger function " + quoteIdent(f.Name) + " names it"
		}
	}
	for _, con := range s.Before.Constraints(rel.OID) {
		if !slices.Contains(con.Columns, col.Num) {
			continue
		}
		switch con.Kind {
		case catalog.PrimaryKey:
			return "it is of the primary key"
		case catalog.Unique:
			return "it is of the unique key " + quoteIdent(con.Name) // two keys on the same values: an upsert waits for the one and fails by the other
		case catalog.Exclusion:
			return "it is of the exclusion constraint " + quoteIdent(con.Name)
		}
	}
	for _, con := range s.Before.ReferencedBy(rel.OID) {
		if slices.Contains(con.RefColumns, col.Num) {
			return "foreign key " + quoteIdent(con.Name) + " refers to it"
		}
	}
	for _, d := range s.Before.Dependents(catalog.Address{OID: rel.OID, Column: col.Num}) {
		switch o := s.Before.Get(d.OID).(type) {
		case *catalog.Constraint:
		case *catalog.Relation:
			switch {
			case o.OID == rel.OID && !d.Default:
				return "another column is made of it"
			case o.Index != nil && o.Index.Exclusion:
				return "it is of the exclusion constraint " + quoteIdent(o.Name)
			case o.Index != nil && o.Index.Unique:
				return "it is of the unique index " + quoteIdent(o.Name)
			case o.Kind == catalog.View || o.Kind == catalog.MatView:
				return "view " + quoteIdent(o.Name) + " reads it"
			}
		default:
			return fmt.Sprintf("%s names it", quoteIdent(o.ObjectName()))
		}
	}
	return ""
}

// domainDefault reports whether a type is a domain that has a default.
func (s *Step) domainDefault(t catalog.TypeRef) bool {
	typ, _ := s.Before.Get(t.OID).(*catalog.Type)
	return typ != nil && typ.Kind == catalog.DomainType && !t.Array && (typ.Default != nil || s.domainDefault(typ.Base))
}

// renameByTrigger is the split with two columns.
func (s *Step) renameByTrigger(rel *catalog.Relation, old, now *catalog.Column) string {
	table, o, n := s.sqlName(rel.OID), quoteIdent(old.Name), quoteIdent(now.Name)
	typ := s.After.FormatType(now.Type)
	add := typ
	if now.Collation != "" {
		add += " COLLATE " + quoteIdent(now.Collation)
	}
	sync := quoteIdent(s.syncName(rel, now))

	// Values are compared to the letter: what = takes for equal (1.0 and 1.00, words of citext) is not to be lost.
	as := ""
	if !s.equalIsSame(now) {
		as = "::text"
	}
	if now.Collation != "" {
		as += ` COLLATE "C"` // another one may have no regard for case
	}
	differs := func(a, b string) string { return fmt.Sprintf("%s%s IS DISTINCT FROM %s%[2]s", a, as, b) }

	// Both columns have the default, so that an INSERT which gives a column is seen by the value that is not it.
	given := "NEW." + n + " IS NOT NULL"
	constant := now.Default != nil && now.Default.Volatility != catalog.Volatile
	release1 := fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s;\n", table, n, add)
	release3 := ""
	switch {
	case constant:
		given = differs("NEW."+n, fmt.Sprintf("(%s)::%s", now.Default.SQL, typ))
		release1 += fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", table, n, now.Default.SQL)
	case now.Default != nil:
		release3 = fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", table, n, now.Default.SQL)
	}
	release1 += s.attributes(rel, now)
	release1 += fmt.Sprintf(`CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF TG_OP = 'INSERT' AND %[5]s
    OR TG_OP = 'UPDATE' AND %[6]s
  THEN NEW.%[3]s := NEW.%[4]s; ELSE NEW.%[4]s := NEW.%[3]s; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER %[1]s BEFORE INSERT OR UPDATE ON %[2]s FOR EACH ROW EXECUTE FUNCTION %[1]s();
then, in batches (by ranges of a key):
UPDATE %[2]s SET %[4]s = %[3]s WHERE %[7]s;
`, sync, table, o, n, given, differs("NEW."+n, "OLD."+n), differs(n, o))
	constraints, marks := s.constraintsOfBoth(rel, old, now)
	release1 += constraints
	release3 += marks

	for _, d := range s.Before.Dependents(catalog.Address{OID: rel.OID, Column: old.Num}) {
		if seq, ok := s.Before.Get(d.OID).(*catalog.Relation); ok && seq.Kind == catalog.Sequence {
			release3 += fmt.Sprintf("ALTER SEQUENCE %s OWNED BY %s.%s;\n", s.sqlName(seq.OID), table, n)
		}
	}
	return "release 1, the code goes on using " + o + "; a trigger keeps the two the same (in a StatementBegin block, where the tool has one):\n" + release1 +
		"release 2, when that is done: ship code that uses " + n + " only\n" +
		"release 3, when no older code runs, in one transaction" + s.bodiesNaming(rel, old) + ":\n" +
		fmt.Sprintf("DROP TRIGGER %s ON %s;\nDROP FUNCTION %[1]s();\n", sync, table) + release3 +
		fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, o)
}

// equalIsSame tells of a column whose values are equal only when they are the same.
func (s *Step) equalIsSame(col *catalog.Column) bool {
	if typ, _ := s.After.Get(col.Type.OID).(*catalog.Type); typ != nil && typ.Kind == catalog.EnumType && !col.Type.Array {
		return true
	}
	switch s.After.FormatType(catalog.TypeRef{OID: col.Type.OID, Mod: -1, Array: col.Type.Array}) {
	case "text", "character varying", "boolean", "smallint", "integer", "bigint", "oid", "uuid", "date", "time without time zone", "timestamp without time zone", "timestamp with time zone", "bytea":
		return true
	}
	return false
}

// attributes gives the new column what else the old one has: grants, a comment, settings of storage and statistics.
func (s *Step) attributes(rel *catalog.Relation, now *catalog.Column) string {
	table, n := s.sqlName(rel.OID), quoteIdent(now.Name)
	var b strings.Builder
	set := func(what string) { fmt.Fprintf(&b, "ALTER TABLE %s ALTER COLUMN %s SET %s;\n", table, n, what) }
	if now.Storage != "" {
		set("STORAGE " + strings.ToUpper(now.Storage))
	}
	if now.Compression != "" {
		set("COMPRESSION " + now.Compression)
	}
	if now.Stats >= 0 {
		set(fmt.Sprintf("STATISTICS %d", now.Stats))
	}
	if len(now.Options) > 0 {
		set("(" + strings.Join(now.Options, ", ") + ")")
	}
	at := catalog.Address{OID: rel.OID, Column: now.Num}
	if text := s.After.Comment(at); text != "" {
		fmt.Fprintf(&b, "COMMENT ON COLUMN %s.%s IS %s;\n", table, n, "'"+strings.ReplaceAll(text, "'", "''")+"'")
	}
	return b.String() + grantsSQL(s.After.Grants(at), table, n)
}

// grantsSQL gives rights on a table, or on one of its columns, as others have them.
func grantsSQL(grants []catalog.Grant, table, column string) string {
	var b strings.Builder
	for _, g := range grants {
		to := "PUBLIC"
		if g.Grantee != "" {
			to = quoteIdent(g.Grantee)
		}
		give := func(privileges []string, tail string) {
			if len(privileges) == 0 {
				return
			}
			list := strings.Join(privileges, ", ")
			if column != "" {
				list = strings.Join(privileges, " ("+column+"), ") + " (" + column + ")"
			}
			fmt.Fprintf(&b, "GRANT %s ON %s TO %s%s;\n", list, table, to, tail)
		}
		give(slices.DeleteFunc(slices.Clone(g.Privileges), func(p string) bool { return slices.Contains(g.Grantable, p) }), "")
		give(g.Grantable, " WITH GRANT OPTION")
	}
	return b.String()
}

// constraintsOfBoth makes, once the new column is filled, the constraints and indexes that the old one has; DROP COLUMN takes the old
// ones, when what marks them marks the new ones.
func (s *Step) constraintsOfBoth(rel *catalog.Relation, old, now *catalog.Column) (text, marks string) {
	table, given := s.sqlName(rel.OID), map[string]bool{}
	var note, prove, indexes strings.Builder
	if now.NotNull {
		given[s.notNullName(rel.OID, now.Name)] = true
		n, p, rest := s.notNullSQL(rel.OID, now.Name)
		note.WriteString(n + "\n")
		prove.WriteString(p + "\n")
		if rest != "" {
			prove.WriteString(rest + "\n")
		}
	}
	at := catalog.Address{OID: rel.OID, Column: now.Num}
	for _, con := range s.After.Constraints(rel.OID) {
		about := slices.Contains(con.Columns, now.Num) || con.Check != nil && slices.Contains(con.Check.Refs, at)
		if !about || con.Kind != catalog.Check && con.Kind != catalog.ForeignKey {
			continue
		}
		name := s.freeConstraint(rel.OID, newName(con.Name, old.Name, now.Name), given)
		given[name] = true
		fmt.Fprintf(&note, "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;\n", table, quoteIdent(name), s.constraintSQL(con))
		if con.Valid {
			fmt.Fprintf(&prove, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", table, quoteIdent(name))
		}
	}
	made := map[catalog.OID]bool{} // an index that has the column twice depends on it twice
	for _, d := range s.After.Dependents(at) {
		ix, ok := s.After.Get(d.OID).(*catalog.Relation)
		if !ok || ix.Index == nil || made[d.OID] {
			continue
		}
		made[d.OID] = true
		name := s.freeIndex(rel.OID, newName(ix.Name, old.Name, now.Name), given)
		given[name] = true
		indexes.WriteString(s.indexSQL(rel, ix, name) + "\n")
		if rel.ClusterIndex == ix.OID {
			marks = fmt.Sprintf("ALTER TABLE %s CLUSTER ON %s;\n", table, quoteIdent(name))
		}
	}
	text = note.String()
	if prove.Len() > 0 {
		text += "in a later migration (another transaction):\n" + prove.String()
	}
	if indexes.Len() > 0 {
		text += "in a migration of its own that runs outside a transaction:\n" + indexes.String()
	}
	return text, marks
}

// indexSQL makes an index under another name, while everybody works.
func (s *Step) indexSQL(rel, ix *catalog.Relation, name string) string {
	after, _ := s.After.Get(rel.OID).(*catalog.Relation)
	var keys []string
	for _, k := range ix.Index.Keys {
		key := columnNames(after, []int{k.Column})
		if k.Expr != nil {
			key = "(" + k.Expr.SQL + ")"
		}
		if k.Collation != "" {
			key += " COLLATE " + quoteIdent(k.Collation)
		}
		if k.OpClass != "" {
			key += " " + quoteIdent(k.OpClass)
		}
		if k.Desc {
			key += " DESC"
		}
		if k.NullsFirst != k.Desc {
			key += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst]
		}
		keys = append(keys, key)
	}
	sql := fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s USING %s (%s)", quoteIdent(name), s.sqlName(rel.OID), ix.AccessMethod, strings.Join(keys, ", "))
	if len(ix.Index.Include) > 0 {
		sql += " INCLUDE (" + columnNames(after, ix.Index.Include) + ")"
	}
	if len(ix.Options) > 0 {
		sql += " WITH (" + strings.Join(ix.Options, ", ") + ")"
	}
	if ix.Index.Predicate != nil {
		sql += " WHERE " + ix.Index.Predicate.SQL
	}
	return sql + ";"
}

// bodiesNaming lists the trigger functions of a table that name a column: no statement changes what they say.
func (s *Step) bodiesNaming(rel *catalog.Relation, col *catalog.Column) string {
	var names []string
	for _, t := range s.Before.Triggers(rel.OID) {
		f, _ := s.Before.Get(t.Function).(*catalog.Func)
		if f == nil || slices.Contains(names, quoteIdent(f.Name)+"()") {
			continue
		}
		if findWords(f.Body, []string{col.Name}) > 0 {
			names = append(names, quoteIdent(f.Name)+"()")
		}
	}
	if names == nil {
		return ""
	}
	return " with a body of " + strings.Join(names, ", ") + " that names the new column"
}

// renameByView is the split in which the table is behind a view that has the column under both names. Which of them a
// change names is the same to a view that can be written through (PostgreSQL 15 manual, CREATE VIEW, Updatable Views).
func (s *Step) renameByView(rel *catalog.Relation, old, now *catalog.Column) string {
	name := s.Before.NameOf(rel.OID)
	base := s.baseName(name)
	table, behind := sqlNameOf(name), sqlNameOf(base)
	var columns []string
	for i := range rel.Columns {
		c := &rel.Columns[i]
		switch {
		case c.Dropped:
		case c.Num == old.Num:
			columns = append(columns, quoteIdent(now.Name)+" AS "+quoteIdent(old.Name))
		default:
			columns = append(columns, quoteIdent(c.Name))
		}
	}
	columns = append(columns, quoteIdent(now.Name))
	return "release 1, in one transaction" + s.bodiesNaming(rel, old) + ", the code goes on using " + quoteIdent(old.Name) + ":\n" +
		fmt.Sprintf("ALTER TABLE %s RENAME TO %s;\nALTER TABLE %s RENAME COLUMN %s TO %s;\n", table, quoteIdent(base.Name), behind, quoteIdent(old.Name), quoteIdent(now.Name)) +
		s.viewOf(rel, name, base, strings.Join(columns, ", ")) +
		"release 2: ship code that uses " + quoteIdent(now.Name) + " only\n" +
		"release 3, when no older code runs, in one transaction:\n" +
		fmt.Sprintf("DROP VIEW %s;\nALTER TABLE %s RENAME TO %s;\n", table, behind, quoteIdent(name.Name)) +
		viewLimits(table) + "; migrations in between name " + behind
}

// viewOf makes a view of a table that those who may use the table may use, by the policies of the table.
func (s *Step) viewOf(rel *catalog.Relation, name, base catalog.Name, columns string) string {
	with := ""
	if rel.RowSecurity && s.File.Run.Config.version() >= 15 {
		with = " WITH (security_invoker = true)" // its owner may be above the policies
	}
	view := sqlNameOf(name)
	sql := fmt.Sprintf("CREATE VIEW %s%s AS SELECT %s FROM %s;\n", view, with, columns, sqlNameOf(base))
	for i := range rel.Columns {
		// The default of a column's domain would come before the column's own, which is the table's.
		if c := &rel.Columns[i]; !c.Dropped && c.Default != nil && c.Generated == 0 && s.domainDefault(c.Type) {
			sql += fmt.Sprintf("ALTER VIEW %s ALTER COLUMN %s SET DEFAULT %s;\n", view, quoteIdent(c.Name), c.Default.SQL)
		}
	}
	sql += grantsSQL(s.Before.Grants(catalog.Address{OID: rel.OID}), view, "")
	for i := range rel.Columns {
		if c := &rel.Columns[i]; !c.Dropped {
			sql += grantsSQL(s.Before.Grants(catalog.Address{OID: rel.OID, Column: c.Num}), view, quoteIdent(c.Name))
		}
	}
	return sql
}

// viewLimits says what a view does not take that a table does.
func viewLimits(table string) string {
	return "the view " + table + " takes SELECT, INSERT, UPDATE, DELETE and ON CONFLICT (columns), but no COPY … FROM, TRUNCATE, ON CONFLICT ON CONSTRAINT, " +
		"pg_get_serial_sequence, nor a GROUP BY of the primary key alone"
}
