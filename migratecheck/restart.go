package migratecheck

import (
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// reportRestarts reports released sequences that a step sets back to where they began: the numbers that they have drawn come
// again, and collide where they are unique.
func (f *File) reportRestarts() {
	for i, s := range f.Up {
		if s.Err != nil {
			continue
		}
		for _, r := range s.restarted() {
			if s.IsNew(r.seq.OID) || f.continues(i+1, r.seq) || s.noRowsOf(r.seq) {
				continue
			}
			f.ReportStepAt(s, r.at, Error, fmt.Sprintf("starts sequence %s again: INSERTs of released code that draw from it collide with the rows that have its numbers (23505), or repeat their values", s.Name(r.seq.OID)),
				s.continueHelp(r.seq, sqlNameOf(s.After.NameOf(r.seq.OID))))
		}
	}
}

// continueHelp lets a sequence of a name go on where the rows of the column end to which it, or the one before it, belongs.
func (s *Step) continueHelp(old *catalog.Relation, name string) string {
	value := "…"
	if old.Seq != nil {
		if rel, ok := s.After.Get(old.Seq.OwnedBy.OID).(*catalog.Relation); ok {
			if col := rel.Att(old.Seq.OwnedBy.Column); col != nil {
				value = fmt.Sprintf("(SELECT coalesce(max(%s), 0) + 1 FROM %s)", quoteIdent(col.Name), s.sqlName(rel.OID))
			}
		}
	}
	return fmt.Sprintf("Let it go on where the rows end, in the same transaction:\nSELECT setval(%s, %s, false);", quoteLiteral(name), value)
}

type restart struct {
	seq *catalog.Relation
	at  int
}

// restarted lists the sequences that the statement sets back: RESTART, or setval, to where they start or before it.
func (s *Step) restarted() []restart {
	var list []restart
	s.setsSequences(func(seq *catalog.Relation, to *int64, at int) {
		if seq != nil && to != nil && !beyondStart(seq, *to) {
			list = append(list, restart{seq, at})
		}
	})
	return list
}

// continues reports whether the file makes a sequence go on elsewhere than where it starts, at a step or after it: at a
// number beyond, or one that nobody knows.
func (f *File) continues(from int, wanted *catalog.Relation) bool {
	found := false
	for _, e := range f.Up[from:] {
		e.setsSequences(func(seq *catalog.Relation, to *int64, _ int) {
			found = found || (seq == nil || wanted != nil && seq.OID == wanted.OID) && (to == nil || seq != nil && beyondStart(seq, *to))
		})
	}
	return found
}

// setsSequences calls fn for each sequence to which the statement gives its next number: seq is nil when it is computed which
// one, to when it is computed, or too large to be an integer, which number.
func (s *Step) setsSequences(fn func(seq *catalog.Relation, to *int64, at int)) {
	n := s.Stmt.Node
	restart := func(seq *catalog.Relation, options []*pgast.Node, words ...string) {
		for _, o := range options {
			d := o.GetDefElem()
			if d.GetDefname() != "restart" || seq == nil {
				continue
			}
			to := start(seq)
			switch {
			case d.Arg == nil:
				fn(seq, &to, s.Find(words...))
			case d.Arg.GetInteger() != nil:
				to = int64(d.Arg.GetInteger().Ival)
				fn(seq, &to, s.Find(words...))
			default:
				fn(seq, nil, s.Find(words...))
			}
		}
	}
	switch {
	case n.GetAlterSeqStmt() != nil:
		alter := n.GetAlterSeqStmt()
		restart(s.Before.Relation(alter.Sequence.GetSchemaname(), alter.Sequence.GetRelname()), alter.Options, "RESTART")
	case n.GetAlterTableStmt() != nil:
		alter := n.GetAlterTableStmt()
		rel := s.Before.Relation(alter.Relation.GetSchemaname(), alter.Relation.GetRelname())
		for _, cmd := range alter.Cmds {
			c := cmd.GetAlterTableCmd()
			if c.GetSubtype() != pgast.AlterTableType_AT_SetIdentity || rel == nil || rel.Column(c.Name) == nil {
				continue
			}
			restart(sequenceOf(s.Before, catalog.Address{OID: rel.OID, Column: rel.Column(c.Name).Num}, true), c.Def.GetList().GetItems(), "ALTER", "[COLUMN]", c.Name)
		}
	default:
		pgast.Walk(n, func(n *pgast.Node) bool {
			call := n.GetFuncCall()
			if name := words(call.GetFuncname()); len(name) == 0 || name[len(name)-1] != "setval" || len(call.Args) < 2 {
				return true
			}
			seq, known := s.namedSequence(call.Args[0])
			if known && seq == nil {
				return true // of something else
			}
			var to *int64
			if c := uncast(call.Args[1]).GetAConst(); c != nil && (c.GetIval() != nil || c.GetVal() == nil && !c.Isnull) {
				n := int64(c.GetIval().GetIval())
				to = &n
			}
			fn(seq, to, s.Find("setval"))
			return true
		})
	}
}

// namedSequence is the sequence that the first argument of setval stands for, by its name or through pg_get_serial_sequence;
// not known when it is computed otherwise, nil when there is none.
func (s *Step) namedSequence(arg *pgast.Node) (seq *catalog.Relation, known bool) {
	bare := uncast(arg)
	if text := bare.GetAConst().GetSval(); text != nil {
		return s.relationNamed(text.Sval), true
	}
	call := bare.GetFuncCall()
	if name := words(call.GetFuncname()); len(name) == 0 || name[len(name)-1] != "pg_get_serial_sequence" || len(call.Args) != 2 {
		return nil, false
	}
	table, column := uncast(call.Args[0]).GetAConst().GetSval(), uncast(call.Args[1]).GetAConst().GetSval()
	if table == nil || column == nil {
		return nil, false
	}
	rel := s.relationNamed(table.Sval)
	if rel == nil || rel.Column(column.Sval) == nil {
		return nil, true
	}
	at := catalog.Address{OID: rel.OID, Column: rel.Column(column.Sval).Num}
	// A serial's sequence is found before that of the column's identity, while there is one.
	if seq = sequenceOf(s.Before, at, false); seq == nil {
		seq = sequenceOf(s.Before, at, true)
	}
	return seq, true
}

// relationNamed is a relation by its name as text, as regclass reads it.
func (s *Step) relationNamed(text string) *catalog.Relation {
	schema, name, found := strings.Cut(text, ".")
	if !found {
		schema, name = "", text
	}
	fold := func(s string) string {
		if strings.HasPrefix(s, `"`) {
			return strings.Trim(s, `"`)
		}
		return strings.ToLower(s)
	}
	return s.Before.Relation(fold(schema), fold(name))
}

// sequenceOf is the sequence that belongs to a column, as its identity or otherwise; nil when there is none.
func sequenceOf(c *catalog.Catalog, column catalog.Address, identity bool) *catalog.Relation {
	for o := range c.All() {
		if seq, ok := o.(*catalog.Relation); ok && seq.Seq != nil && seq.Seq.Identity == identity && seq.Seq.OwnedBy == column {
			return seq
		}
	}
	return nil
}

// start is the number with which a sequence begins.
func start(seq *catalog.Relation) int64 {
	if seq.Seq == nil {
		return 1
	}
	return seq.Seq.Start
}

// beyondStart reports whether a sequence that goes on at n leaves out some of the numbers that it has begun with.
func beyondStart(seq *catalog.Relation, n int64) bool {
	if seq.Seq != nil && seq.Seq.Increment < 0 {
		return n < start(seq)
	}
	return n > start(seq)
}

// noRowsOf reports whether the table to whose column a sequence belongs is known to have no rows at a step: it had none, or
// the file has emptied it, which truncate-table says.
func (s *Step) noRowsOf(seq *catalog.Relation) bool {
	if seq.Seq == nil || seq.Seq.OwnedBy.OID == 0 {
		return false
	}
	rows, known := s.Rows(seq.Seq.OwnedBy.OID)
	return known && rows == 0 || s.emptied(seq.Seq.OwnedBy.OID)
}
