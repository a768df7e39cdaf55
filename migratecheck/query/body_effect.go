package query

import (
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// effect is what the server does besides for a change of a table's rows: the foreign keys of other tables act, rules send statements of
// their own, and the rows are those of a partition, or of an inheriting table, which has triggers and constraints of its own.
type effect struct {
	kind   effectKind
	by     catalog.OID    // the foreign key, the rule, the partition
	write  *catalog.Write // the change
	action int            // of a rule, the number of the statement
}

type effectKind int

const (
	ofForeignKey effectKind = iota
	ofRule
	ofPartition
)

// effects lists what the changes of a statement bring about.
func (r *reading) effects() []call {
	var list []call
	add := func(maybe bool, w *catalog.Write, e effect) {
		e.write = w
		list = append(list, call{effect: &e, maybe: maybe, offset: w.Offset})
	}
	for _, w := range r.an.Writes {
		table := r.cat.OnTable(w)
		rules := r.rules(w)
		if table != nil && table.Relation != w.Relation {
			rules = append(rules, r.rules(table)...)
		}
		for _, rule := range rules {
			for i := range rule.Actions() {
				add(w.Query || rule.Node.WhereClause != nil, w, effect{kind: ofRule, by: rule.OID, action: i})
			}
		}
		if table == nil {
			continue
		}
		for _, con := range r.cat.ReferencedBy(table.Relation) {
			if con.Parent == 0 && r.actionSQL(con, table) != "" {
				add(true, table, effect{kind: ofForeignKey, by: con.OID})
			}
		}
		for _, part := range r.partitions(table) {
			if r.hasOwn(part, table) {
				add(true, table, effect{kind: ofPartition, by: part.OID})
			}
		}
	}
	return list
}

// rules lists the rules for a change; COPY knows none (sql-copy.html).
func (r *reading) rules(w *catalog.Write) []*catalog.Rule {
	return slices.DeleteFunc(slices.Clone(r.cat.Rules(w.Relation)), func(rule *catalog.Rule) bool {
		return w.Copy || rule.Assumed || !rule.Fires(w.Op)
	})
}

// actionSQL is the statement by which a foreign key changes the rows that refer to others, "" when it leaves them
// (RI_FKey_cascade_del, RI_FKey_cascade_upd and ri_set in src/backend/utils/adt/ri_triggers.c).
func (r *reading) actionSQL(con *catalog.Constraint, w *catalog.Write) string {
	rel, _ := r.cat.Get(con.Table).(*catalog.Relation)
	if rel == nil || rel.Assumed || !(change{Write: w}).acts(con) && w.Op != 't' {
		return ""
	}
	name := r.cat.NameOf(con.Table)
	table := pgast.QuoteIdent(name.Schema) + "." + pgast.QuoteIdent(name.Name)
	if w.Op == 't' {
		if r.stmt.Node.GetTruncateStmt().GetBehavior() != pgast.DropBehavior_DROP_CASCADE {
			return ""
		}
		return "TRUNCATE " + table + " CASCADE"
	}
	only := "ONLY "
	if rel.Kind == catalog.PartitionedTable {
		only = ""
	}
	columns := func(numbers []int, value func(i int) string) []string {
		var list []string
		for i, n := range numbers {
			if col := rel.Att(n); col != nil {
				list = append(list, pgast.QuoteIdent(col.Name)+" = "+value(i))
			}
		}
		return list
	}
	where := " WHERE " + strings.Join(columns(con.Columns, func(i int) string { return fmt.Sprintf("$%d", i+1) }), " AND ")
	set, value := con.Columns, map[byte]string{'n': "NULL", 'd': "DEFAULT"}[change{Write: w}.action(con)]
	if w.Op == 'd' && len(con.SetColumns) > 0 {
		set = con.SetColumns
	}
	switch action := (change{Write: w}).action(con); {
	case action == 'c' && w.Op == 'd':
		return "DELETE FROM " + only + table + where
	case action == 'c':
		return "UPDATE " + only + table + " SET " + strings.Join(columns(set, func(i int) string { return fmt.Sprintf("$%d", len(con.Columns)+i+1) }), ", ") + where
	case value != "":
		return "UPDATE " + only + table + " SET " + strings.Join(columns(set, func(int) string { return value }), ", ") + where
	}
	return ""
}

// read is what the effect does on a schema; outer is the statement that brings it about.
func (e *effect) read(outer *reading, cat *catalog.Catalog) (pgast.Stmt, *catalog.Analysis, error) {
	switch e.kind {
	case ofForeignKey:
		con, _ := cat.Get(e.by).(*catalog.Constraint)
		if con == nil {
			return pgast.Stmt{}, nil, nil
		}
		stmts, err := pgast.Parse(outer.actionSQL(con, e.write))
		if err != nil || len(stmts) != 1 {
			return pgast.Stmt{}, nil, err
		}
		an, err := cat.Analyze(stmts[0], catalog.Ask{Untyped: true, All: true, Args: e.keys(cat, con)})
		return stmts[0], an, err
	case ofRule:
		rule, _ := cat.Get(e.by).(*catalog.Rule)
		if rule == nil || e.action >= len(rule.Actions()) || rule.Actions()[e.action].GetNotifyStmt() != nil {
			return pgast.Stmt{}, nil, nil
		}
		an, err := cat.AnalyzeRule(rule, e.action)
		if err != nil || len(an.Errors) > 0 { // what it names follows renames, here not all of them
			outer.out.unsure(fmt.Sprintf("what %s sends", e.through(cat)))
			return pgast.Stmt{}, nil, nil
		}
		return pgast.Stmt{Node: rule.Actions()[e.action]}, an, nil
	}
	part, _ := cat.Get(e.by).(*catalog.Relation)
	parent, _ := cat.Get(e.write.Relation).(*catalog.Relation)
	if part == nil || parent == nil {
		return pgast.Stmt{}, nil, nil
	}
	return outer.stmt, &catalog.Analysis{Writes: []*catalog.Write{onPartition(e.write, parent, part)}, Refs: []catalog.Address{{OID: part.OID}}}, nil
}

// keys says of the parameters of an action whether they may be NULL: what refers to a row has no NULL, and no new key that is NOT NULL.
func (e *effect) keys(cat *catalog.Catalog, con *catalog.Constraint) []catalog.Nullness {
	list := make([]catalog.Nullness, 2*len(con.Columns))
	rel, _ := cat.Get(con.RefTable).(*catalog.Relation)
	for i := range con.Columns {
		list[i] = catalog.NeverNull
		if rel != nil && i < len(con.RefColumns) {
			if col := rel.Att(con.RefColumns[i]); col != nil && col.NotNull {
				list[len(con.Columns)+i] = catalog.NeverNull
			}
		}
	}
	return list
}

// told reports whether a problem is one that others tell of: new-foreign-key of what SET NULL leaves, a partition's parent of what it has in
// common with it; or none, as of keys that CASCADE renumbers, which stay as unique as they were.
func (e *effect) told(in *reading, p Problem, s *step) bool {
	switch e.kind {
	case ofForeignKey:
		if p.Check == checkNewForeignKey.ID && p.Code == "23503" && s.ofNewTable(p) {
			s.out.unsure(fmt.Sprintf("whether rows of a table that comes keep %s from it", in.verb()))
			return true
		}
		return p.Check == checkNullWritten.ID || p.Check == checkRequiredColumn.ID || (p.Check == checkNewUnique.ID || p.Check == checkNewExclusion.ID) && len(in.an.Params) > 0 && !setsDefault(in.an.Writes)
	case ofPartition:
		same := func(q Problem) bool {
			return q.Column == p.Column && (q.Check == p.Check || q.Code == p.Code && p.Code != "")
		}
		return slices.ContainsFunc(s.out.Problems, same) || slices.ContainsFunc(s.alone(), same)
	}
	return false
}

// alone is what the other schema by itself has against the variant.
func (s *step) alone() []Problem {
	out := s.out
	defer func() { s.out = out }() // which judging sets
	return s.onVariant(s.variant, s.cat).Problems
}

// ofNewTable reports whether a problem is about a table that the other schema does not have: its rows are new code's.
func (s *step) ofNewTable(p Problem) bool {
	return slices.ContainsFunc(p.Objects, func(a catalog.Address) bool {
		_, ok := s.cat.Get(a.OID).(*catalog.Relation)
		return ok && s.was.cat.Get(a.OID) == nil
	})
}

func setsDefault(list []*catalog.Write) bool {
	return slices.ContainsFunc(list, func(w *catalog.Write) bool {
		return slices.ContainsFunc(w.Targets, func(t catalog.Target) bool { return t.Default })
	})
}

// verb names a statement that the effect sends.
func (e *effect) verb(r *reading) string {
	switch e.kind {
	case ofForeignKey:
		return "the " + statementWord(r.stmt.Node) + " by " + e.through(r.cat)
	case ofRule:
		return "the " + statementWord(r.stmt.Node) + " in " + e.through(r.cat)
	}
	return r.via.outer.verb()
}

// through names what has the effect, "" of a partition.
func (e *effect) through(cat *catalog.Catalog) string {
	switch o := cat.Get(e.by).(type) {
	case *catalog.Constraint:
		return fmt.Sprintf("foreign key %q of %s", o.Name, cat.NameOf(o.Table))
	case *catalog.Rule:
		return fmt.Sprintf("rule %q of %s", o.Name, cat.NameOf(o.Table))
	}
	return ""
}

// phrase says how a statement, whose word is given, comes to the effect.
func (e *effect) phrase(cat *catalog.Catalog, verb string) string {
	if e.kind != ofPartition {
		return verb + " sets that off"
	}
	if part, _ := cat.Get(e.by).(*catalog.Relation); part != nil && part.PartitionOf == 0 {
		return fmt.Sprintf("%s inherits from %s", cat.NameOf(e.by), cat.NameOf(e.write.Relation))
	}
	return fmt.Sprintf("%s is a partition of %s", cat.NameOf(e.by), cat.NameOf(e.write.Relation))
}
