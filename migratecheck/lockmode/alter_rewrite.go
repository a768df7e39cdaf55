package lockmode

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// rewrites notes the tables that a subcommand has written anew (the AT_REWRITE_… flags of ATRewriteTables in
// src/backend/commands/tablecmds.c).
func (a *alteration) rewrites(cmd *pgast.AlterTableCmd) {
	rel := a.table.rel
	switch cmd.Subtype {
	case pgast.AlterTableType_AT_AddColumn:
		if a.columnExists(cmd) || rel != nil && rel.Kind == catalog.CompositeRel {
			return
		}
		if reason := a.columnRewrites(cmd.Def.GetColumnDef()); reason != "" {
			a.rewrite(reason, a.inh)
		}
	case pgast.AlterTableType_AT_AlterColumnType:
		for _, m := range append(a.family(a.table.target, rel, a.inh), a.typed(cmd.Behavior)...) {
			if reason := a.typeRewrites(m, cmd); reason != "" {
				a.rewriteMember(m, reason)
			}
		}
	case pgast.AlterTableType_AT_SetLogged, pgast.AlterTableType_AT_SetUnLogged:
		want, words := catalog.Permanent, "SET LOGGED"
		if cmd.Subtype == pgast.AlterTableType_AT_SetUnLogged {
			want, words = catalog.Unlogged, "SET UNLOGGED"
		}
		if rel != nil && rel.Persistence == want && !rel.Assumed {
			return
		}
		a.rewrite(words, false)
		if rel != nil && a.version >= 15 { // unlogged sequences exist since version 15
			for _, seq := range a.ownedSequences(rel, 0) {
				a.lockRel(seq, AccessExclusive)
				a.rewriteFile(a.target(seq), seq.Kind, words, true)
			}
		}
	case pgast.AlterTableType_AT_SetAccessMethod:
		if rel != nil && (rel.AccessMethod == cmd.Name || rel.AccessMethod == "" && (cmd.Name == "heap" || cmd.Name == "")) {
			return
		}
		a.rewrite("SET ACCESS METHOD", false)
	}
}

func (a *alteration) rewrite(reason string, inh bool) {
	for _, m := range a.family(a.table.target, a.table.rel, inh) {
		a.rewriteMember(m, reason)
	}
}

func (a *alteration) rewriteMember(m member, reason string) {
	if m.rel != nil && m.rel.Kind != catalog.Table && m.rel.Kind != catalog.MatView {
		return
	}
	a.rewritten[m.target] = true
	a.rewriteTable(m.target, m.rel, reason)
}

// columnRewrites says why ADD COLUMN writes the table anew, "" when it does not (ATExecAddColumn): a value that is the
// same for every row is kept in pg_attribute.attmissingval instead, since version 11.
func (a *alteration) columnRewrites(def *pgast.ColumnDef) string {
	col := a.newColumn(def.GetColname())
	if col == nil {
		return guessColumnRewrites(def)
	}
	switch {
	case col.Generated == 's':
		return "every row needs a value for generated column " + def.Colname
	case col.Identity != 0:
		return "every row needs a number from the sequence of identity column " + def.Colname
	}
	if a.constrainedDomain(col.Type) {
		return "the values of column " + def.Colname + " are checked against the constraints of its domain"
	}
	value := a.columnDefault(col)
	if value == nil || value.Volatility != catalog.Volatile {
		return ""
	}
	a.lockSequences(value) // each row takes its number from there
	if value.Unknown {
		a.eff.Worst = true
		a.note("the volatility of the default of column " + def.Colname + " is not known")
	}
	return "the default of column " + def.Colname + " is volatile: every row needs its own value"
}

// domainDefaultVersion is the first version in which ADD COLUMN gives the rows there are the default of the column's domain;
// before, they got NULL. It was repaired in 2025, in the minor releases of 13 and later (release notes of 13.21, 14.18, 15.13,
// 16.9 and 17.5); 12 was no longer maintained.
const domainDefaultVersion = 13

// newColumn is a column of the altered table after the statement, nil when that is not known.
func (a *alteration) newColumn(name string) *catalog.Column {
	return a.columnAfter(a.table.oid, name)
}

func (a *analyzer) columnAfter(table catalog.OID, name string) *catalog.Column {
	if table == 0 || a.after == nil {
		return nil
	}
	now, _ := a.after.Get(table).(*catalog.Relation)
	if now == nil {
		return nil
	}
	return now.Column(name)
}

// columnDefault is what ADD COLUMN fills a column with: its default, or that of its domain.
func (a *analyzer) columnDefault(col *catalog.Column) *catalog.Expr {
	if col.Default != nil || a.version < domainDefaultVersion {
		return col.Default
	}
	for t := col.Type; !t.Array; {
		d, ok := a.afterOrBefore(t.OID).(*catalog.Type)
		if !ok || d.Kind != catalog.DomainType {
			return nil
		}
		if d.Default != nil {
			return d.Default
		}
		t = d.Base
	}
	return nil
}

func (a *analyzer) afterOrBefore(oid catalog.OID) catalog.Object {
	if a.after != nil {
		return a.after.Get(oid)
	}
	return a.before.Get(oid)
}

// constrainedDomain is DomainHasConstraints (src/backend/utils/cache/typcache.c): a CHECK or NOT NULL of the domain or of
// one that it is based on.
func (a *analyzer) constrainedDomain(t catalog.TypeRef) bool {
	for !t.Array {
		d, ok := a.afterOrBefore(t.OID).(*catalog.Type)
		if !ok || d.Kind != catalog.DomainType {
			return false
		}
		if d.NotNull {
			return true
		}
		for _, con := range a.before.Constraints(d.OID) {
			if con.Kind == catalog.Check {
				return true
			}
		}
		t = d.Base
	}
	return false
}

// guessColumnRewrites does without a catalog, by the names of the type and of the functions of the default.
func guessColumnRewrites(def *pgast.ColumnDef) string {
	names := namesOf(def.GetTypeName().GetNames())
	if len(names) > 0 && isSerial(names[len(names)-1]) {
		return "every row needs a number from the sequence of column " + def.Colname
	}
	for _, n := range def.GetConstraints() {
		con := n.GetConstraint()
		switch con.GetContype() {
		case pgast.ConstrType_CONSTR_IDENTITY:
			return "every row needs a number from the sequence of identity column " + def.Colname
		case pgast.ConstrType_CONSTR_GENERATED:
			return "every row needs a value for generated column " + def.Colname
		case pgast.ConstrType_CONSTR_DEFAULT:
			if callsVolatile(con.RawExpr) {
				return "the default of column " + def.Colname + " is volatile: every row needs its own value"
			}
		}
	}
	return ""
}

func isSerial(name string) bool {
	switch name {
	case "serial", "bigserial", "smallserial", "serial2", "serial4", "serial8":
		return true
	}
	return false
}

// callsVolatile tells whether an expression calls a function other than those known not to be volatile.
func callsVolatile(n *pgast.Node) bool {
	if n == nil {
		return false
	}
	if f := n.GetFuncCall(); f != nil && len(f.Funcname) > 0 {
		switch strings.ToLower(f.Funcname[len(f.Funcname)-1].GetString_().GetSval()) {
		case "now", "transaction_timestamp", "statement_timestamp", "to_char", "to_timestamp", "timezone", "date_trunc", "md5", "lower", "upper",
			"concat", "coalesce", "jsonb_build_object", "json_build_object", "to_json", "to_jsonb", "array_fill", "make_interval", "make_date":
		default:
			return true
		}
	}
	volatile := false
	children(n, func(child *pgast.Node) { volatile = volatile || callsVolatile(child) })
	return volatile
}

// filled tells whether the rows there are have a value other than NULL in a new column.
func (a *alteration) filled(def *pgast.ColumnDef) bool {
	if col := a.newColumn(def.GetColname()); col != nil {
		value := a.columnDefault(col)
		return col.Identity != 0 || col.Generated != 0 || value != nil && !isNullConstant(value.Node)
	}
	if guessColumnRewrites(def) != "" {
		return true
	}
	for _, n := range def.GetConstraints() {
		if con := n.GetConstraint(); con.GetContype() == pgast.ConstrType_CONSTR_DEFAULT {
			return !isNullConstant(con.RawExpr)
		}
	}
	return false
}

func isNullConstant(n *pgast.Node) bool {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	return n.GetAConst().GetIsnull()
}
