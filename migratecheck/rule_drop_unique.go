package migratecheck

import (
	"fmt"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

var ruleDropUnique = &Rule{
	ID: "drop-unique", Category: Compatibility, Severity: Error,
	Doc: Doc{
		Summary:    "A unique index, or the UNIQUE or PRIMARY KEY constraint on it, goes away, and no other has the same columns.",
		Why:        "INSERT … ON CONFLICT (columns) of released code fails (42P10) without a unique index on exactly these columns; ON CONFLICT ON CONSTRAINT fails when the name is gone (42704). Code that relies on the server to refuse duplicates writes them. Without a primary key logical replication has no replica identity.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, owner_id integer, name text, CONSTRAINT repo_owner_name_unique UNIQUE (owner_id, name));",
		Bad:        "ALTER TABLE repo DROP CONSTRAINT repo_owner_name_unique;",
		Good:       "ALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Silent for tables that the pending change creates or drops, when a column of the key is dropped (drop-column says that; not when another column takes its name in the same file), and when the file leaves a unique key of the same name on the same columns. When one of another name is left, it is a warning for a constraint, since ON CONFLICT ON CONSTRAINT may name it, and silent for an index.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, INSERT, ON CONFLICT; infer_arbiter_indexes in src/backend/optimizer/util/plancat.c.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				ix, ok := c.Old.(*catalog.Relation)
				if ok && c.Op == catalog.Dropped && ix.Index != nil && ix.Assumed {
					f.ReportStepAt(s, s.onlyWord(ix.Name), Info, fmt.Sprintf("drops index %s, which no migration creates: if it is unique, ON CONFLICT of its columns fails in released code (42P10), and duplicates are no longer refused", ix.Name),
						"Give the schema before the first migration with -schema FILE: it says what the index is.")
					continue
				}
				if !ok || c.Op != catalog.Dropped || ix.Index == nil || !ix.Index.Unique || ix.Index.Parent != 0 || s.IsNew(ix.OID) {
					continue
				}
				table := s.relation(ix.Index.Table)
				if table == nil || !s.inUse(table) || f.After.Get(table.OID) == nil {
					continue
				}
				if columnGone(s, table, ix) {
					f.reportLostWithColumn(s, table, ix)
					continue
				}
				con := constraintOf(s.Before, ix)
				kind, at, drop := "unique index", 0, "DROP INDEX CONCURRENTLY "+s.sqlName(ix.OID)+";"
				if con != nil {
					kind, at = map[catalog.ConstraintKind]string{catalog.PrimaryKey: "primary key"}[con.Kind], s.Find("DROP", "CONSTRAINT", "[IF EXISTS]", con.Name)
					drop = s.dropping(fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", s.sqlName(table.OID), quoteIdent(con.Name)))
					if kind == "" {
						kind = "unique constraint"
					}
				}
				help := "Split it over releases:\nrelease 1: ship code that needs neither the conflict target nor the guarantee; to replace the key, build the new one now (CREATE UNIQUE INDEX CONCURRENTLY)\nrelease 2, when no older code runs:\n" + drop
				severity, effect := Error, fmt.Sprintf("ON CONFLICT (%s) fails in released code (42P10), and duplicates are no longer refused", keySQL(table, ix.Index))
				if other := equalKey(f.After, ix); other != nil {
					if con == nil || other.Name == ix.Name {
						continue
					}
					help = fmt.Sprintf("Give the new constraint the name of the old one, %s.", quoteIdent(ix.Name))
					severity, effect = Warning, fmt.Sprintf("ON CONFLICT ON CONSTRAINT %s fails in released code (42704), and an error names %s instead", ix.Name, other.Name)
				} else if con != nil && con.Kind == catalog.PrimaryKey {
					effect += "; logical replication of its UPDATE and DELETE stops"
				}
				f.ReportStepAt(s, at, severity,
					fmt.Sprintf("drops the %s %s of %s (%s): %s", kind, ix.Name, s.Name(table.OID), keySQL(table, ix.Index), effect), help)
			}
		}
	},
}

// constraintOf finds the constraint that an index belongs to.
func constraintOf(c *catalog.Catalog, ix *catalog.Relation) *catalog.Constraint {
	for _, con := range c.Constraints(ix.Index.Table) {
		if con.Index == ix.OID && con.Kind != catalog.ForeignKey {
			return con
		}
	}
	return nil
}

// equalKey finds a unique index that ON CONFLICT takes for the same: any order of the columns will do. One of the same
// name is preferred.
func equalKey(c *catalog.Catalog, ix *catalog.Relation) *catalog.Relation {
	var found *catalog.Relation
	table, ok := c.Get(ix.Index.Table).(*catalog.Relation)
	for _, other := range c.Indexes(ix.Index.Table) {
		a, b := ix.Index, other.Index
		if !ok || !b.Unique || !b.Valid || (a.Predicate == nil) != (b.Predicate == nil) || a.Predicate != nil && a.Predicate.SQL != b.Predicate.SQL {
			continue
		}
		if !sameNumbers(keyColumns(ix), keyColumns(other)) && keySQL(table, a) != keySQL(table, b) {
			continue
		}
		if found == nil || other.Name == ix.Name {
			found = other
		}
	}
	return found
}

// columnGone reports whether the statement drops one of an index's columns.
func columnGone(s *Step, table, ix *catalog.Relation) bool {
	after, ok := s.After.Get(table.OID).(*catalog.Relation)
	if !ok {
		return true
	}
	for _, k := range ix.Index.Keys {
		if k.Column != 0 && after.Att(k.Column) == nil {
			return true
		}
		if k.Expr == nil {
			continue
		}
		for _, ref := range k.Expr.Refs {
			if ref.OID == table.OID && ref.Column != 0 && after.Att(ref.Column) == nil {
				return true
			}
		}
	}
	return false
}

// reportLostWithColumn speaks of a key that goes with one of its columns, where a column takes the name of that by the
// end of the file (a swap): released code goes on using the names. Else drop-column says it all.
func (f *File) reportLostWithColumn(s *Step, table, ix *catalog.Relation) {
	after, ok := f.After.Get(table.OID).(*catalog.Relation)
	if !ok || len(keyColumns(ix)) == 0 {
		return
	}
	swapped := false
	for _, num := range keyColumns(ix) {
		col := table.Att(num)
		if col == nil || after.Column(col.Name) == nil {
			return
		}
		swapped = swapped || after.Column(col.Name).Num != num
	}
	key := keySQL(table, ix.Index)
	for _, other := range f.After.Indexes(table.OID) {
		if other.Index.Unique && other.Index.Predicate == nil && keySQL(after, other.Index) == key {
			return
		}
	}
	if !swapped || ix.Index.Predicate != nil {
		return
	}
	f.ReportStep(s, Error,
		fmt.Sprintf("with the column goes the unique key %s of %s (%s), and the column that takes its name has none: ON CONFLICT (%[3]s) fails in released code (42P10), and duplicates are no longer refused", ix.Name, s.Name(table.OID), key),
		"Build the same key on the new column first, under another name (CREATE UNIQUE INDEX CONCURRENTLY, in a migration of its own): ON CONFLICT takes any unique index on these columns.")
}
