package migratecheck

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

// usedByCode reports whether released code may know an object's columns: a table in use, or a composite type.
func (s *Step) usedByCode(o catalog.Object) bool {
	if rel, ok := o.(*catalog.Relation); ok && rel.Kind == catalog.CompositeRel {
		return !s.IsNew(rel.OID)
	}
	return s.inUse(o)
}

// columnWord is what the parts of a relation are called, and how ALTER addresses them.
func columnWord(rel *catalog.Relation) (noun, alter, keyword string) {
	if rel.Kind == catalog.CompositeRel {
		return "attribute", "ALTER TYPE", "ATTRIBUTE"
	}
	return "column", "ALTER TABLE", "COLUMN"
}

// releasedColumn is a column as released code knows it; nil when it does not, or when the table was only assumed.
func (s *Step) releasedColumn(table catalog.OID, num int) *catalog.Column {
	if rel, ok := s.File.Run.released(s.File).Get(table).(*catalog.Relation); ok {
		return rel.Att(num)
	}
	return nil
}

// addedInFile reports whether this file itself adds the column; an earlier pending file may have added it otherwise.
func (f *File) addedInFile(table catalog.OID, num int) bool {
	rel, ok := f.Before.Get(table).(*catalog.Relation)
	return !ok || rel.Att(num) == nil
}

// columnAfter is a column as the file leaves it; nil when it is gone.
func (f *File) columnAfter(table catalog.OID, num int) *catalog.Column {
	if rel, ok := f.After.Get(table).(*catalog.Relation); ok {
		return rel.Att(num)
	}
	return nil
}

// goesWith reports whether the statement drops what o is a part of as well, so that the finding about that says it: the
// schema (unless it is new, and the object was moved to it), the extension, or the partitioned or inherited parent.
func (s *Step) goesWith(o catalog.Object) bool {
	if s.Stmt.Node.GetDropStmt().GetRemoveType() == pgast.ObjectType_OBJECT_EXTENSION {
		return true
	}
	for _, c := range s.Changes {
		if c.Op != catalog.Dropped || c.Old.ObjectID() == o.ObjectID() {
			continue
		}
		if schema, ok := c.Old.(*catalog.Schema); ok && schema.OID == o.ObjectSchema() && !s.IsNew(schema.OID) {
			return true
		}
		if rel, ok := o.(*catalog.Relation); ok {
			for _, parent := range rel.Inherits {
				if parent == c.Old.ObjectID() {
					return true
				}
			}
		}
	}
	return false
}

// copiedFrom reports whether an earlier statement of the file copies rows of the table elsewhere: INSERT … SELECT, or
// CREATE TABLE … AS.
func (s *Step) copiedFrom(table catalog.OID) bool {
	for _, e := range s.File.Up {
		if e == s {
			break
		}
		if e.copies(table) {
			return true
		}
	}
	return false
}

// copies reports whether the statement copies rows of the table elsewhere.
func (s *Step) copies(table catalog.OID) bool {
	n := s.Stmt.Node
	if n.GetCreateTableAsStmt() == nil && n.GetInsertStmt().GetSelectStmt().GetSelectStmt() == nil {
		return false
	}
	return slices.ContainsFunc(s.Lock.Locks, func(l lockmode.Lock) bool { return l.Relation == table })
}

// servesRowsOf reports whether what has a relation's name at the end of the file shows the relation's rows: a view of it, a
// table that it is a partition or a child of, or one of a file that copies the rows. Views in place of views are
// replace-view's affair.
func (f *File) servesRowsOf(old, now *catalog.Relation) bool {
	isView := func(r *catalog.Relation) bool { return r.Kind == catalog.View || r.Kind == catalog.MatView }
	if isView(old) && isView(now) || now.OID == old.OID {
		return true
	}
	if is, ok := f.After.Get(old.OID).(*catalog.Relation); ok && slices.Contains(is.Inherits, now.OID) {
		return true
	}
	if isView(now) && f.reads(now.OID, old.OID, 8) {
		return true
	}
	for _, s := range f.Up {
		if s.copies(old.OID) {
			return true
		}
	}
	return false
}

// reads reports whether a view reads a relation, directly or through at most so many views.
func (f *File) reads(view, rel catalog.OID, most int) bool {
	for _, d := range f.After.Dependencies(view) {
		if d.Ref.OID == rel {
			return true
		}
		if v, ok := f.After.Get(d.Ref.OID).(*catalog.Relation); ok && most > 0 && v.OID != view && (v.Kind == catalog.View || v.Kind == catalog.MatView) && f.reads(v.OID, rel, most-1) {
			return true
		}
	}
	return false
}

// releasedLabels lists the labels of an enum that released code knows. Of a type that nobody has seen created, one that a statement
// names was there, unless the pending change has added it.
func (s *Step) releasedLabels(enum catalog.OID) []string {
	var labels []string
	t, ok := s.File.Run.released(s.File).Get(enum).(*catalog.Type)
	if ok {
		labels = t.Labels
	}
	if now, seen := s.Before.Get(enum).(*catalog.Type); seen && (!ok || t.Assumed) {
		for _, label := range now.Labels {
			if !slices.Contains(labels, label) && !now.HasAdded(label) {
				labels = append(slices.Clip(labels), label)
			}
		}
	}
	return labels
}

// functionLike finds a function of the same name that takes the same arguments, nil when a catalog has none.
func functionLike(c *catalog.Catalog, want *catalog.Func) *catalog.Func {
	for o := range c.All() {
		f, ok := o.(*catalog.Func)
		if !ok || f.Name != want.Name || f.Schema != want.Schema || len(f.Args) < len(want.Args) {
			continue
		}
		same := true
		for i, a := range want.Args {
			same = same && f.Args[i].Type == a.Type
		}
		for _, a := range f.Args[len(want.Args):] {
			same = same && a.Default != nil
		}
		if same {
			return f
		}
	}
	return nil
}

// signature writes a function as DROP FUNCTION names it.
func (s *Step) signature(f *catalog.Func) string {
	var args []string
	for _, a := range f.Args {
		if a.Mode == 'o' || a.Mode == 't' {
			continue
		}
		args = append(args, s.Before.FormatType(a.Type))
	}
	return s.sqlName(f.OID) + "(" + strings.Join(args, ", ") + ")"
}

// createsFunctionNamed reports whether the file has created the function already.
func (s *Step) createsFunctionNamed(f *pgast.ObjectWithArgs) bool {
	if len(f.Objname) == 0 {
		return false
	}
	name := f.Objname[len(f.Objname)-1].GetString_().GetSval()
	for _, e := range s.File.Up {
		for _, c := range e.Changes {
			if fn, ok := c.New.(*catalog.Func); ok && c.Op == catalog.Created && fn.Name == name {
				return true
			}
		}
	}
	return false
}
