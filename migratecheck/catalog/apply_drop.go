package catalog

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// dropKind says, for DROP of a kind of relation, what it is called and what else it could have been.
type dropKind struct {
	word  string
	kinds []RelKind
	hint  string
}

// dropKinds is dropmsgstringarray (src/backend/commands/tablecmds.c).
func dropKindOf(t pgast.ObjectType) (dropKind, bool) {
	switch t {
	case pgast.ObjectType_OBJECT_TABLE:
		return dropKind{"table", []RelKind{Table, PartitionedTable}, "Use DROP TABLE to remove a table."}, true
	case pgast.ObjectType_OBJECT_FOREIGN_TABLE:
		return dropKind{"foreign table", []RelKind{ForeignTable}, "Use DROP FOREIGN TABLE to remove a foreign table."}, true
	case pgast.ObjectType_OBJECT_SEQUENCE:
		return dropKind{"sequence", []RelKind{Sequence}, "Use DROP SEQUENCE to remove a sequence."}, true
	case pgast.ObjectType_OBJECT_VIEW:
		return dropKind{"view", []RelKind{View}, "Use DROP VIEW to remove a view."}, true
	case pgast.ObjectType_OBJECT_MATVIEW:
		return dropKind{"materialized view", []RelKind{MatView}, "Use DROP MATERIALIZED VIEW to remove a materialized view."}, true
	case pgast.ObjectType_OBJECT_INDEX:
		return dropKind{"index", []RelKind{Index, PartitionedIndex}, "Use DROP INDEX to remove an index."}, true
	}
	return dropKind{}, false
}

func (c *Catalog) applyDrop(s *pgast.DropStmt, eff *Effects) error {
	if kind, ok := dropKindOf(s.RemoveType); ok {
		return c.dropRelations(s, kind, eff)
	}
	if s.RemoveType == pgast.ObjectType_OBJECT_SCHEMA {
		return c.dropSchemas(s, eff)
	}
	stmt := pgast.Stmt{Node: &pgast.Node{Node: &pgast.Node_DropStmt{DropStmt: s}}}
	handled, err := c.applyObject(stmt, eff)
	if err == nil && !handled {
		err = errorf(NotUnderstood, "DROP of %s is not followed", s.RemoveType)
	}
	return err
}

// dropRelations is RemoveRelations.
func (c *Catalog) dropRelations(s *pgast.DropStmt, kind dropKind, eff *Effects) error {
	cascade := s.Behavior == pgast.DropBehavior_DROP_CASCADE
	if s.Concurrent {
		switch {
		case len(s.Objects) != 1:
			return errorf("0A000", "DROP INDEX CONCURRENTLY does not support dropping multiple objects")
		case cascade:
			return errorf("0A000", "DROP INDEX CONCURRENTLY does not support CASCADE")
		case c.InTransaction():
			return errorf("25001", "DROP INDEX CONCURRENTLY cannot run inside a transaction block")
		}
	}
	var targets []dropTarget
	for _, n := range s.Objects {
		rv := rangeVarOf(n.GetList().GetItems())
		r, err := c.relationToDrop(rv, kind, s.MissingOk, eff)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if s.Concurrent && r.Kind == PartitionedIndex && r.Persistence != Temporary {
			return errorf("0A000", "cannot drop partitioned index \"%s\" concurrently", r.Name)
		}
		targets = append(targets, dropTarget{Address: Address{OID: r.OID}})
	}
	return c.dropObjects(targets, cascade, eff)
}

// relationToDrop finds one relation of a DROP, nil when there is none and none is needed.
func (c *Catalog) relationToDrop(rv *pgast.RangeVar, kind dropKind, missingOK bool, eff *Effects) (*Relation, error) {
	r := c.findRelation(rv)
	if r == nil {
		r = c.assumeRelation(rv, kind.kinds[0])
	}
	if r == nil {
		if rv.Schemaname != "" && c.SchemaNamed(rv.Schemaname) == nil {
			if missingOK {
				eff.note("schema \"%s\" does not exist, skipping", rv.Schemaname)
				return nil, nil
			}
			return nil, errorf("3F000", "schema \"%s\" does not exist", rv.Schemaname)
		}
		if missingOK {
			eff.note("%s \"%s\" does not exist, skipping", kind.word, rv.Relname)
			return nil, nil
		}
		code := "42P01"
		if kind.word == "index" {
			code = "42704"
		}
		e := errorf(code, "%s \"%s\" does not exist", kind.word, rv.Relname)
		e.Object = Name{rv.Schemaname, rv.Relname}
		return nil, e
	}
	for _, k := range kind.kinds {
		if r.Kind == k {
			return r, nil
		}
	}
	if r.Assumed {
		return r, nil
	}
	e := notA(r, kind.word).(*Error)
	e.Hint = r.dropHint()
	return nil, e
}

// dropHint says how a relation of this kind is dropped.
func (o *Relation) dropHint() string {
	switch o.Kind {
	case View:
		return "Use DROP VIEW to remove a view."
	case MatView:
		return "Use DROP MATERIALIZED VIEW to remove a materialized view."
	case Sequence:
		return "Use DROP SEQUENCE to remove a sequence."
	case Index, PartitionedIndex:
		return "Use DROP INDEX to remove an index."
	case CompositeRel:
		return "Use DROP TYPE to remove a type."
	case ForeignTable:
		return "Use DROP FOREIGN TABLE to remove a foreign table."
	}
	return "Use DROP TABLE to remove a table."
}

func (c *Catalog) dropSchemas(s *pgast.DropStmt, eff *Effects) error {
	var targets []dropTarget
	for _, n := range s.Objects {
		name := n.GetString_().GetSval()
		schema := c.SchemaNamed(name)
		if schema == nil {
			schema = c.assumeSchema(name)
		}
		if schema == nil {
			if s.MissingOk {
				eff.note("schema \"%s\" does not exist, skipping", name)
				continue
			}
			return errorf("3F000", "schema \"%s\" does not exist", name)
		}
		if schema.OID == pgCatalogOID || schema.OID == pgToastOID {
			return errorf("2BP01", "cannot drop schema %s because it is required by the database system", name)
		}
		targets = append(targets, dropTarget{Address: Address{OID: schema.OID}})
	}
	return c.dropObjects(targets, s.Behavior == pgast.DropBehavior_DROP_CASCADE, eff)
}
