package catalog

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyCreateTableAs follows CREATE TABLE … AS; a materialized view is applyObject's.
func (c *Catalog) applyCreateTableAs(s *pgast.CreateTableAsStmt, eff *Effects) error {
	if s.Objtype == pgast.ObjectType_OBJECT_MATVIEW {
		stmt := pgast.Stmt{Node: &pgast.Node{Node: &pgast.Node_CreateTableAsStmt{CreateTableAsStmt: s}}}
		handled, err := c.applyObject(stmt, eff)
		if err == nil && !handled {
			err = errorf(NotUnderstood, "CREATE MATERIALIZED VIEW is not followed")
		}
		return err
	}
	return c.createTableAs(s.Into, s.Query, s.IfNotExists, eff)
}

// applySelectInto follows SELECT … INTO.
func (c *Catalog) applySelectInto(s *pgast.SelectStmt, eff *Effects) error {
	query := pgast.Clone(s)
	query.IntoClause = nil
	return c.createTableAs(s.IntoClause, &pgast.Node{Node: &pgast.Node_SelectStmt{SelectStmt: query}}, false, eff)
}

func (c *Catalog) createTableAs(into *pgast.IntoClause, query *pgast.Node, ifNotExists bool, eff *Effects) error {
	// The query is analysed before the target is looked at (transformCreateTableAsStmt).
	columns, refs, unknown, err := c.queryColumns(query)
	if err != nil {
		return err
	}
	schema, err := c.creationSchema(into.Rel)
	if err != nil {
		return err
	}
	if exists, err := c.checkNewRelation(schema, into.Rel.Relname, ifNotExists, true, eff); exists || err != nil {
		return err
	}
	names := stringsOf(into.ColNames)
	if len(names) > len(columns) && !unknown {
		return errorf("42601", "too many column names were specified")
	}
	r := &Relation{
		OID: c.newOID(), Schema: schema, Name: into.Rel.Relname, Kind: Table, Persistence: Permanent, ReplicaIdent: 'd',
		AccessMethod: c.tableMethod(), Tablespace: tablespace(into.TableSpaceName), Assumed: unknown,
	}
	switch {
	case into.Rel.Relpersistence == "t" || into.Rel.Schemaname == tempSchema:
		r.Persistence = Temporary
	case into.Rel.Relpersistence == "u":
		r.Persistence = Unlogged
	}
	if into.AccessMethod != "" {
		r.AccessMethod = into.AccessMethod
	}
	if r.Options, err = relOptions(nil, into.Options, false); err != nil {
		return err
	}
	for i, col := range columns {
		if i < len(names) {
			col.Name = names[i]
		}
		if r.Column(col.Name) != nil {
			return errorf("42701", "column \"%s\" specified more than once", col.Name)
		}
		if col.Type.OID == typeUnknown {
			col.Type = scalar(typeText)
		}
		r.Columns = append(r.Columns, Column{Num: i + 1, Name: col.Name, Type: col.Type, Collation: col.Collation, Local: true, Stats: -1})
	}
	if into.OnCommit == pgast.OnCommitAction_ONCOMMIT_DROP {
		c.onCommit = append(c.onCommit[:len(c.onCommit):len(c.onCommit)], r.OID)
	}
	if !into.SkipData {
		if err := c.recursion(refs); err != nil {
			return err
		}
	}
	c.put(r)
	c.addMethodDep(r.OID, r.AccessMethod, DepNormal)
	for i := range r.Columns {
		c.addTypeDeps(r.OID, &r.Columns[i])
	}
	return nil
}
