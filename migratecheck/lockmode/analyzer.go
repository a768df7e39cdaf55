package lockmode

import (
	"errors"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// analyzer collects the effect of one statement.
type analyzer struct {
	version int
	before  *catalog.Catalog
	// after is the catalog after the statement, nil when it could not be applied; changes is the way there.
	after   *catalog.Catalog
	changes []catalog.Change
	skipped bool // a notice said "does not exist, skipping" or "already exists, skipping"

	eff      Effect
	locks    places[target] // in eff.Locks, and so on
	rewrites places[target]
	scans    places[scanKey]
	builds   places[buildKey]
	unknown  []string
	assumed  []string
	views    map[catalog.OID]bool // being expanded: CREATE OR REPLACE VIEW can make circles; made when needed
}

// target is a relation: of the catalog, or one it has never seen, whose rel is nil and which is taken for a plain table.
type target struct {
	oid  catalog.OID
	name catalog.Name
}

type scanKey struct {
	target
	kind ScanKind
}

type buildKey struct {
	target
	name string
}

// analyze works out the effect of one statement. It may be called again: only what it returns is made anew.
func (a *analyzer) analyze(version int, before, after *catalog.Catalog, changes []catalog.Change, stmt pgast.Stmt) (Effect, error) {
	if stmt.Node == nil || stmt.Node.Node == nil {
		return Effect{}, errors.New("analyzing the locks of a statement: it is empty")
	}
	if version == 0 {
		version = before.Version
	}
	*a = analyzer{
		version: version, before: before, after: after, changes: changes,
		locks: a.locks.empty(), rewrites: a.rewrites.empty(), scans: a.scans.empty(), builds: a.builds.empty(),
	}
	if after == nil && changesSchema(stmt.Node) {
		if !a.apply(stmt, before.Open) && !before.Open {
			a.apply(stmt, true) // what it names and the catalog lacks is taken for granted
		}
		if a.after != nil {
			a.changes = catalog.Diff(before, a.after)
		}
	}
	a.statement(stmt.Node)
	sortEffect(&a.eff)
	a.eff.Unknown, a.eff.Assumed = strings.Join(a.unknown, "; "), strings.Join(a.assumed, "; ")
	return a.eff, nil
}

// apply applies the statement to a copy of the catalog, and reports whether that worked.
func (a *analyzer) apply(stmt pgast.Stmt, open bool) bool {
	after := a.before.Clone()
	after.Open = open
	applied, err := after.Apply(stmt)
	if err != nil {
		return false
	}
	a.after = after
	for _, n := range applied.Notices {
		a.skipped = a.skipped || strings.HasSuffix(n, ", skipping")
	}
	return true
}

// changesSchema tells whether the catalog after the statement has something to say about its effect.
func changesSchema(n *pgast.Node) bool {
	switch n.Node.(type) {
	case *pgast.Node_AlterTableStmt, *pgast.Node_CreateStmt, *pgast.Node_DropStmt, *pgast.Node_IndexStmt, *pgast.Node_ViewStmt,
		*pgast.Node_DropOwnedStmt, *pgast.Node_AlterDomainStmt, *pgast.Node_CreateForeignTableStmt,
		*pgast.Node_CreateSchemaStmt, *pgast.Node_CreateTrigStmt, *pgast.Node_RenameStmt, *pgast.Node_AlterSeqStmt:
		return true
	}
	return false
}

// ref resolves a name. rel is the relation before the statement, nil when the catalog had not seen it. ok is false for the
// server's own catalogs, which are left out.
func (a *analyzer) ref(rv *pgast.RangeVar) (t target, rel *catalog.Relation, ok bool) {
	if rv == nil {
		return target{}, nil, false
	}
	if rel := a.before.Relation(rv.Schemaname, rv.Relname); rel != nil {
		return target{rel.OID, a.before.NameOf(rel.OID)}, rel, true
	}
	if isSystem(rv.Schemaname, rv.Relname) {
		return target{}, nil, false
	}
	name := catalog.Name{Schema: rv.Schemaname, Name: rv.Relname}
	if a.after != nil {
		if rel := a.after.Relation(rv.Schemaname, rv.Relname); rel != nil && rel.Assumed {
			if !a.before.Open {
				a.note("relation " + name.String() + " does not exist")
			}
			return target{rel.OID, a.after.NameOf(rel.OID)}, nil, true
		}
	}
	if !a.before.Open {
		a.note("relation " + name.String() + " does not exist")
	}
	if name.Schema == "" {
		name.Schema = "public"
	}
	return target{0, name}, nil, true
}

// isSystem tells whether a name that the catalog does not have is one of the server's own.
func isSystem(schema, name string) bool {
	switch schema {
	case "pg_catalog", "information_schema", "pg_toast":
		return true
	case "":
		return strings.HasPrefix(name, "pg_")
	}
	return false
}

// target makes a target of an object of the catalog before the statement.
func (a *analyzer) target(rel *catalog.Relation) target {
	return target{rel.OID, a.before.NameOf(rel.OID)}
}

// relation returns a relation as it was before the statement.
func (a *analyzer) relation(oid catalog.OID) *catalog.Relation {
	rel, _ := a.before.Get(oid).(*catalog.Relation)
	return rel
}

func (a *analyzer) note(why string) {
	if !slices.Contains(a.unknown, why) {
		a.unknown = append(a.unknown, why)
	}
}

// assume notes what is left out for a table that is taken for a plain one.
func (a *analyzer) assume(why string) {
	if !slices.Contains(a.assumed, why) {
		a.assumed = append(a.assumed, why)
	}
}

func (a *analyzer) lock(t target, mode Mode) {
	if mode == "" {
		return
	}
	if i, ok := a.locks.add(t); ok {
		a.eff.Locks[i].Mode = Strongest(a.eff.Locks[i].Mode, mode)
		return
	}
	a.eff.Locks = append(a.eff.Locks, Lock{Relation: t.oid, Name: t.name, Mode: mode})
}

// lockRel locks a relation of the catalog before the statement; nil is ignored, and what the statement made or assumed.
func (a *analyzer) lockRel(rel *catalog.Relation, mode Mode) {
	if rel != nil && a.before.Get(rel.OID) != nil {
		a.lock(a.target(rel), mode)
	}
}

func (a *analyzer) lockOID(oid catalog.OID, mode Mode) { a.lockRel(a.relation(oid), mode) }

// lockIndexes locks the indexes that a table has before the statement.
func (a *analyzer) lockIndexes(rel *catalog.Relation, mode Mode) {
	if rel == nil {
		return
	}
	for _, index := range a.before.Indexes(rel.OID) {
		a.lockRel(index, mode)
	}
}

func (a *analyzer) scan(t target, kind ScanKind, reason string) {
	if _, ok := a.scans.add(scanKey{t, kind}); ok {
		return
	}
	a.eff.Scans = append(a.eff.Scans, Scan{Relation: t.oid, Name: t.name, Kind: kind, Reason: reason})
}

// rewriteFile notes that one relation gets a new file.
func (a *analyzer) rewriteFile(t target, kind catalog.RelKind, reason string, empty bool) {
	if i, ok := a.rewrites.add(t); ok {
		a.eff.Rewrites[i].Empty = a.eff.Rewrites[i].Empty && empty
		return
	}
	a.eff.Rewrites = append(a.eff.Rewrites, Rewrite{Relation: t.oid, Name: t.name, Kind: kind, Reason: reason, Empty: empty})
}

// rewriteTable notes that a table is written anew, row by row, and its indexes with it (finish_heap_swap in
// src/backend/commands/cluster.c, which calls reindex_relation). A partitioned table has no rows of its own.
func (a *analyzer) rewriteTable(t target, rel *catalog.Relation, reason string) {
	if rel != nil && !hasStorage(rel) {
		return
	}
	kind := catalog.Table
	if rel != nil {
		kind = rel.Kind
	}
	a.lock(t, AccessExclusive)
	a.rewriteFile(t, kind, reason, false)
	a.scan(t, ScanRewrite, reason)
	a.renewIndexes(rel, "its table is rewritten: "+reason, false)
}

// renewIndexes notes that every index of a table is built anew.
func (a *analyzer) renewIndexes(rel *catalog.Relation, reason string, empty bool) {
	if rel == nil {
		return
	}
	for _, index := range a.before.Indexes(rel.OID) {
		if a.goneAfter(index.OID) {
			continue // the statement drops it first
		}
		a.lockRel(index, AccessExclusive)
		a.rewriteFile(a.target(index), index.Kind, reason, empty)
	}
}

// goneAfter tells whether an object is known not to survive the statement.
func (a *analyzer) goneAfter(oid catalog.OID) bool {
	return a.after != nil && a.after.Get(oid) == nil
}

func (a *analyzer) build(t target, index, reason string) {
	if _, ok := a.builds.add(buildKey{t, index}); ok && index != "" {
		return
	}
	a.eff.Builds = append(a.eff.Builds, Build{Table: t.oid, TableName: t.name, Index: index, Reason: reason})
}

// hasStorage tells whether a relation has rows of its own (RELKIND_HAS_STORAGE).
func hasStorage(rel *catalog.Relation) bool {
	switch rel.Kind {
	case catalog.Table, catalog.MatView, catalog.Index, catalog.Sequence:
		return true
	}
	return false
}

// descendants lists a relation's children, their children and so on, each once (find_all_inheritors in
// src/backend/catalog/pg_inherits.c).
func (a *analyzer) descendants(rel *catalog.Relation) []*catalog.Relation {
	if rel == nil {
		return nil
	}
	if len(a.before.Inheritors(rel.OID)) == 0 {
		return nil
	}
	seen := map[catalog.OID]bool{rel.OID: true}
	list := []*catalog.Relation{rel}
	for i := 0; i < len(list); i++ {
		for _, child := range a.before.Inheritors(list[i].OID) {
			if !seen[child.OID] {
				seen[child.OID] = true
				list = append(list, child)
			}
		}
	}
	return list[1:]
}

// family is the relation and, with inh, its descendants. For a relation the catalog does not know it is that alone.
func (a *analyzer) family(t target, rel *catalog.Relation, inh bool) []member {
	list := []member{{t, rel}}
	if inh {
		for _, child := range a.descendants(rel) {
			list = append(list, member{a.target(child), child})
		}
	}
	return list
}

// expand calls f for the relations that the query of a view names, once each.
func (a *analyzer) expand(view *catalog.Relation, f func(rel *catalog.Relation)) {
	if view.Query == nil || a.views[view.OID] {
		return
	}
	if a.views == nil {
		a.views = map[catalog.OID]bool{}
	}
	a.views[view.OID] = true
	defer delete(a.views, view.OID)
	if view.Query.Unknown {
		a.note("the query of " + a.target(view).name.String() + " is not fully known")
	}
	seen := map[catalog.OID]bool{}
	for _, ref := range view.Query.Refs {
		rel := a.relation(ref.OID)
		if rel == nil || seen[rel.OID] || rel.OID == view.OID {
			continue
		}
		seen[rel.OID] = true
		switch rel.Kind {
		case catalog.Sequence, catalog.CompositeRel, catalog.Index, catalog.PartitionedIndex:
		default:
			f(rel)
		}
	}
}

// member is a table and what the catalog knows of it, which may be nothing.
type member struct {
	target
	rel *catalog.Relation
}
