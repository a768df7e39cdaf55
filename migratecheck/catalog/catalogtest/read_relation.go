package catalogtest

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

type relationRow struct {
	OID, Schema           catalog.OID
	Name, Kind            string
	Persistence           string
	IsPartition           bool
	RowSecurity, ForceRLS bool
	ReplIdent             string
	Options               []string
	Tablespace, AM        string
	OfType                catalog.OID
	Populated             bool
	Server                string
	Bound, Query          *string
	Rule                  catalog.OID
	Parents               []catalog.OID
}

type columnRow struct {
	Rel                            catalog.OID
	Num                            int
	Name                           string
	Dropped                        bool
	Type                           catalog.OID
	Mod                            int32
	NotNull, Unproved              bool
	Generated, Identity            string
	Storage, TypStorage, Collation string
	Missing                        bool
	Inherited                      int
	Local                          bool
	Stats                          int
	Compression                    string
	Options                        []string
	Tree, Def                      *string
}

type partitionKeyRow struct {
	Rel         catalog.OID
	Strategy    string
	Columns     []int
	Tree, Exprs *string
	Def         string
}

type sequenceRow struct {
	Rel, Type                  catalog.OID
	Start, Increment, Min, Max int64
	Cache                      int64
	Cycle                      bool
	Owner                      catalog.OID
	OwnerColumn                int
	Identity                   bool
}

type indexRow struct {
	Rel, Table                 catalog.OID
	Unique, Primary, Exclusion bool
	Immediate, Valid           bool
	NullsNotDistinct           bool
	Clustered, ReplIdent       bool
	NKeys                      int
	Columns                    []int
	OpClasses, Collations      []string
	Options                    []int
	Tree                       *string
	Defs                       []string
	PredTree, Predicate        *string
	Parent                     catalog.OID
}

func (r *reader) buildRelations() {
	rels := map[catalog.OID]*catalog.Relation{}
	for _, row := range r.rows.Relations {
		rel := &catalog.Relation{
			OID: row.OID, Schema: row.Schema, Name: row.Name, Kind: catalog.RelKind(first(row.Kind)),
			Persistence: catalog.Persistence(first(row.Persistence)), RowSecurity: row.RowSecurity, ForceRLS: row.ForceRLS,
			ReplicaIdent: first(row.ReplIdent), Tablespace: row.Tablespace, AccessMethod: row.AM, OfType: row.OfType,
			ForeignServer: row.Server, Inherits: row.Parents,
		}
		check := ""
		for _, o := range row.Options {
			if v, ok := strings.CutPrefix(o, "check_option="); ok {
				check = v
				continue
			}
			rel.Options = append(rel.Options, o)
		}
		slices.Sort(rel.Options)
		if row.IsPartition && len(row.Parents) == 1 && rel.Kind != catalog.Index && rel.Kind != catalog.PartitionedIndex {
			rel.PartitionOf = row.Parents[0]
		}
		if row.Bound != nil {
			rel.Bound = &catalog.Bound{Default: *row.Bound == "DEFAULT", SQL: *row.Bound}
		}
		if row.Query != nil {
			rel.Query = &catalog.Query{SQL: *row.Query, CheckOption: check, Refs: r.refsOf(row.Rule, row.OID)}
			rel.Query.Populated = rel.Kind == catalog.MatView && row.Populated
		}
		rels[row.OID] = rel
	}
	for _, c := range r.rows.Columns {
		rel := rels[c.Rel]
		if rel == nil {
			continue
		}
		col := catalog.Column{
			Num: c.Num, Name: c.Name, Dropped: c.Dropped, Type: r.typeRef(c.Type, c.Mod), NotNull: c.NotNull, NotNullUnproved: c.Unproved,
			Generated: first(c.Generated), Identity: first(c.Identity), Collation: c.Collation, Missing: c.Missing,
			Inherited: c.Inherited, Local: c.Local, Stats: c.Stats, Compression: c.Compression, Options: slices.Sorted(slices.Values(c.Options)),
		}
		if c.Storage != c.TypStorage {
			col.Storage = storageName(c.Storage)
		}
		if c.Def != nil {
			col.Default = r.trees.expr(*c.Def, *c.Tree, c.Rel, 0)
		}
		rel.Columns = append(rel.Columns, col)
	}
	for _, k := range r.rows.Keys {
		key := &catalog.PartitionKey{Strategy: map[string]string{"r": "range", "l": "list", "h": "hash"}[k.Strategy], Columns: k.Columns}
		if k.Exprs != nil {
			for i, text := range splitList(*k.Exprs) {
				key.Exprs = append(key.Exprs, *r.trees.expr(text, treeItem(*k.Tree, i), k.Rel, 0))
			}
		}
		if rel := rels[k.Rel]; rel != nil {
			rel.PartitionKey = key
		}
	}
	for _, s := range r.rows.Sequences {
		if rel := rels[s.Rel]; rel != nil {
			rel.Seq = &catalog.SequenceAttrs{
				Type: r.typeRef(s.Type, -1), Start: s.Start, Increment: s.Increment, Min: s.Min, Max: s.Max, Cache: s.Cache,
				Cycle: s.Cycle, OwnedBy: catalog.Address{OID: s.Owner, Column: s.OwnerColumn}, Identity: s.Identity,
			}
		}
	}
	for _, row := range r.rows.Indexes {
		rel := rels[row.Rel]
		if rel == nil {
			continue
		}
		rel.Index = r.index(row)
		if row.Clustered && rels[row.Table] != nil {
			rels[row.Table].ClusterIndex = row.Rel
		}
		if row.ReplIdent && rels[row.Table] != nil && rels[row.Table].ReplicaIdent == 'i' {
			rels[row.Table].ReplicaIndex = row.Rel
		}
	}
	for _, row := range r.rows.Relations {
		r.w.add(rels[row.OID])
	}
}

func (r *reader) index(row indexRow) *catalog.IndexAttrs {
	x := &catalog.IndexAttrs{
		Table: row.Table, Parent: row.Parent, Unique: row.Unique, Primary: row.Primary, Exclusion: row.Exclusion,
		Immediate: row.Immediate, Valid: row.Valid, NullsNotDistinct: row.NullsNotDistinct,
	}
	expr := 0
	for i, col := range row.Columns {
		if i >= row.NKeys {
			x.Include = append(x.Include, col)
			continue
		}
		key := catalog.IndexKey{
			Column: col, OpClass: row.OpClasses[i], Collation: row.Collations[i],
			Desc: row.Options[i]&1 != 0, NullsFirst: row.Options[i]&2 != 0, // INDOPTION_DESC, INDOPTION_NULLS_FIRST
		}
		if col == 0 {
			key.Expr = r.trees.expr(row.Defs[i], treeItem(*row.Tree, expr), row.Table, 0)
			expr++
		}
		x.Keys = append(x.Keys, key)
	}
	if row.Predicate != nil {
		x.Predicate = r.trees.expr(*row.Predicate, *row.PredTree, row.Table, 0)
	}
	return x
}

// refsOf lists what an object needs according to pg_depend, without itself and without self. Where columns of a relation are
// needed, the whole of it is not listed besides, as in pg_depend itself, which has its row type and system columns apart though.
func (r *reader) refsOf(oid, self catalog.OID) []catalog.Address {
	var refs []catalog.Address
	columns := map[catalog.OID]bool{}
	for _, d := range r.deps[oid] {
		if a := r.ofOurs(catalog.Address{OID: d.Ref, Column: d.RefColumn}); d.Type == "n" && a.OID != self {
			refs = append(refs, a)
			columns[a.OID] = columns[a.OID] || a.Column > 0
		}
	}
	return slices.DeleteFunc(refs, func(a catalog.Address) bool { return a.Column == 0 && columns[a.OID] })
}

// storageName is what ALTER COLUMN … SET STORAGE calls pg_attribute.attstorage.
func storageName(s string) string {
	return map[string]string{"p": "plain", "e": "external", "m": "main", "x": "extended"}[s]
}
