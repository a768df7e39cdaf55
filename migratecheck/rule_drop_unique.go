package migratecheck

import (
	"fmt"
	"slices"

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
		Exceptions: "Silent for tables that the pending change creates or drops, and when the column itself is dropped (drop-column says that, and names the constraints that go with it). A warning when another unique index on the same columns remains at the end of the file, since ON CONFLICT ON CONSTRAINT may name the old one.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, INSERT, ON CONFLICT; infer_arbiter_indexes in src/backend/optimizer/util/plancat.c.",
	},
	File: func(f *File) {
		for _, s := range f.Up {
			for _, c := range s.Changes {
				ix, ok := c.Old.(*catalog.Relation)
				if !ok || c.Op != catalog.Dropped || ix.Index == nil || !ix.Index.Unique || len(ix.Inherits) > 0 {
					continue
				}
				table := s.relation(ix.Index.Table)
				if table == nil || !s.inUse(table) || f.After.Get(table.OID) == nil || s.IsNew(ix.OID) || columnGone(s, table, ix) {
					continue
				}
				severity, left := Error, ""
				for _, other := range f.After.Indexes(table.OID) {
					if other.Index.Unique && other.Index.Valid && slices.Equal(keyColumns(other), keyColumns(ix)) && (other.Index.Predicate == nil) == (ix.Index.Predicate == nil) {
						if other.Name == ix.Name {
							severity = 0
							break
						}
						severity, left = Warning, fmt.Sprintf("; %s on the same columns remains, so only ON CONFLICT ON CONSTRAINT %s breaks", other.Name, ix.Name)
					}
				}
				if severity == 0 {
					continue
				}
				f.ReportStep(s, severity,
					fmt.Sprintf("drops the unique index %s of %s (%s): ON CONFLICT on these columns fails in released code (42P10), and duplicates are no longer refused%s", ix.Name, s.Name(table.OID), columnNames(table, keyColumns(ix)), left),
					"Split it over releases:\nrelease 1: ship code that needs neither the conflict target nor the guarantee\nrelease 2, when no older code runs: drop it. To replace it, build the new unique index first (CREATE UNIQUE INDEX CONCURRENTLY) and drop the old one a release later.")
			}
		}
	},
}

// columnGone reports whether the statement drops one of an index's columns.
func columnGone(s *Step, table, ix *catalog.Relation) bool {
	after, ok := s.After.Get(table.OID).(*catalog.Relation)
	if !ok {
		return true
	}
	for _, n := range keyColumns(ix) {
		if after.Att(n) == nil {
			return true
		}
	}
	return false
}
