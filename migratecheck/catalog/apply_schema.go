package catalog

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyCreateSchema makes a schema and the elements that its statement holds (CreateSchemaCommand).
func (c *Catalog) applyCreateSchema(stmt pgast.Stmt, s *pgast.CreateSchemaStmt, eff *Effects) error {
	name := s.Schemaname
	if name == "" {
		name = roleName(s.Authrole)
		if s.Authrole.GetRoletype() != pgast.RoleSpecType_ROLESPEC_CSTRING {
			name = c.currentRole()
		}
		if name == "" {
			return errorf(NotUnderstood, "CREATE SCHEMA with the name of the role that runs it")
		}
	}
	if c.SchemaNamed(name) != nil {
		if s.IfNotExists {
			eff.note("schema \"%s\" already exists, skipping", name)
			return nil
		}
		return errorf("42P06", "schema \"%s\" already exists", name)
	}
	if strings.HasPrefix(name, "pg_") {
		e := errorf("42939", "unacceptable schema name \"%s\"", name)
		e.Detail = "The prefix \"pg_\" is reserved for system schemas."
		return e
	}
	c.put(&Schema{OID: c.newOID(), Name: name})
	if len(s.SchemaElts) == 0 {
		return nil
	}
	old, had := c.settings.Get("search_path")
	path := quoteIdent(name) + ", " + old
	if !had {
		path = quoteIdent(name) + ", public"
	}
	c.changeSetting("search_path", setting{path, true})
	defer func() { c.changeSetting("search_path", setting{old, had}) }()
	// The elements are made in an order that lets them refer to each other (transformCreateSchemaStmtElements).
	for _, pass := range []string{"CreateSeqStmt", "CreateStmt", "ViewStmt", "IndexStmt", "CreateTrigStmt", "GrantStmt"} {
		for _, elt := range s.SchemaElts {
			if nodeName(elt) == pass {
				if err := c.apply(pgast.Stmt{Node: elt, SQL: stmt.SQL, Offset: stmt.Offset}, eff); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *Catalog) applyDiscard(s *pgast.DiscardStmt, eff *Effects) error {
	if s.Target != pgast.DiscardMode_DISCARD_ALL && s.Target != pgast.DiscardMode_DISCARD_TEMP {
		return nil
	}
	if s.Target == pgast.DiscardMode_DISCARD_ALL {
		if c.InTransaction() {
			return errorf("25001", "DISCARD ALL cannot run inside a transaction block")
		}
		if err := c.applySet(&pgast.VariableSetStmt{Kind: pgast.VariableSetKind_VAR_RESET_ALL}, eff); err != nil {
			return err
		}
	}
	if temp := c.SchemaNamed(tempSchema); temp != nil {
		return c.dropObject(Address{OID: temp.OID}, true, &Effects{})
	}
	return nil
}

func (c *Catalog) applyCluster(s *pgast.ClusterStmt, eff *Effects) error {
	if s.Relation == nil {
		return nil
	}
	r, err := c.lookupRelation(s.Relation)
	if err != nil || s.Indexname == "" {
		return err
	}
	index, err := c.indexOf(r, s.Indexname)
	if err != nil {
		return err
	}
	if r.Kind != PartitionedTable {
		c.editRelation(r.OID, func(r *Relation) { r.ClusterIndex = index.OID })
		return nil
	}
	if c.currentRole() != "" {
		eff.Gaps = append(eff.Gaps, "which partitions the role that runs CLUSTER owns")
		return nil
	}
	// The partitions are clustered, each by its index; the partitioned one is not marked (cluster_multiple_rels).
	for _, oid := range c.inheritanceTree(index.OID) {
		if leaf := c.relation(oid); leaf.Kind == Index {
			c.editRelation(leaf.Index.Table, func(r *Relation) { r.ClusterIndex = oid })
		}
	}
	return nil
}

// currentRole is the role that the session has taken, "" when it is the one that it began with, which is not known.
func (c *Catalog) currentRole() string {
	if role := c.Setting("role"); role != "" && role != "none" {
		return role
	}
	return c.Setting("session_authorization")
}

// indexOf finds an index of a table by name.
func (c *Catalog) indexOf(r *Relation, name string) (*Relation, error) {
	oid, ok := c.names.Get(nameKey(inRelations, r.Schema, name))
	index := c.relation(oid)
	if !ok && r.Assumed {
		if index = c.assumeRelation(&pgast.RangeVar{Schemaname: c.NameOf(r.Schema).Name, Relname: name}, Index); index != nil {
			return c.editRelation(index.OID, func(index *Relation) { index.Index = &IndexAttrs{Table: r.OID, Valid: true, Immediate: true} }), nil
		}
	}
	if index == nil {
		return nil, errorf("42704", "index \"%s\" for table \"%s\" does not exist", name, r.Name)
	}
	if index.Index == nil || index.Index.Table != r.OID {
		return nil, errorf("42809", "\"%s\" is not an index for table \"%s\"", name, r.Name)
	}
	return index, nil
}

func (c *Catalog) applyRefresh(s *pgast.RefreshMatViewStmt) error {
	r, err := c.lookupKind(s.Relation, MatView)
	if err != nil {
		return err
	}
	if r.Kind != MatView && !r.Assumed {
		return errorf("0A000", "\"%s\" is not a materialized view", r.Name)
	}
	if r.Query != nil && !s.SkipData {
		if err := c.recursion(r.Query.Refs); err != nil {
			return err
		}
	}
	if r.Query != nil && r.Query.Populated == s.SkipData {
		c.editRelation(r.OID, func(r *Relation) {
			q := *r.Query
			q.Populated = !s.SkipData
			r.Query = &q
		})
	}
	return nil
}
