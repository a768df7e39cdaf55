package catalog

import (
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// applyView is DefineView (src/backend/commands/view.c).
func (c *Catalog) applyView(n *pgast.ViewStmt, eff *Effects) error {
	rv := n.View
	b := c.newBinder()
	bound, err := b.bindQuery(n.Query, nil)
	if err == nil {
		err = b.failed
	}
	if err != nil {
		return err
	}
	if sel := n.Query.GetSelectStmt(); sel != nil {
		if sel.IntoClause != nil {
			return errorf("42601", "views must not contain SELECT INTO")
		}
		for _, cte := range sel.GetWithClause().GetCtes() {
			if cte.GetCommonTableExpr().GetCtequery().GetSelectStmt() == nil {
				return errorf("0A000", "views must not contain data-modifying statements in WITH")
			}
		}
	}
	cols, err := c.viewColumns(bound, stringList(n.Aliases), "CREATE VIEW")
	if err != nil {
		return err
	}
	if rv.Relpersistence == "u" {
		return errorf("42601", "views cannot be unlogged because they do not have storage")
	}
	q := &Query{Node: c.storedQuery(n.Query), Refs: b.sortedRefs(), Unknown: b.unknown || bound.open}
	if q.SQL, err = pgast.Deparse(q.Node); err != nil {
		return errorf(NotUnderstood, "writing the view's query: %s", err)
	}
	switch n.WithCheckOption {
	case pgast.ViewCheckOption_LOCAL_CHECK_OPTION:
		q.CheckOption = "local"
	case pgast.ViewCheckOption_CASCADED_CHECK_OPTION:
		q.CheckOption = "cascaded"
	}
	options, check, err := viewOptions(n.Options)
	if err != nil {
		return err
	}
	if check != "" {
		q.CheckOption = check
	}
	if q.CheckOption != "" && !q.Unknown {
		if why := c.notUpdatable(n.Query, bound, b); why != "" {
			return &Error{Code: "0A000", Message: "WITH CHECK OPTION is supported only on automatically updatable views", Hint: why}
		}
	}
	persistence := Permanent
	temp := rv.Relpersistence == "t" || rv.Schemaname == tempSchema
	if !temp && b.usesTemporary() {
		temp = true
		eff.note("view \"%s\" will be a temporary view", rv.Relname)
	}
	if temp {
		tmp := pgast.Clone(rv)
		tmp.Relpersistence = "t"
		rv, persistence = tmp, Temporary
	}
	schema, err := c.creationSchema(rv)
	if err != nil {
		return err
	}
	if oid, ok := c.names.Get(nameKey(inRelations, schema, rv.Relname)); ok && n.Replace {
		return c.replaceView(c.relation(oid), cols, q, options, b)
	}
	if _, err := c.checkNewRelation(schema, rv.Relname, false, true, eff); err != nil {
		return err
	}
	r := &Relation{
		OID: c.newOID(), Schema: schema, Name: rv.Relname, Kind: View, Persistence: persistence, ReplicaIdent: 'n',
		Columns: cols, Options: options, Query: q, Assumed: q.Unknown && bound.open,
	}
	c.put(r)
	c.addViewDeps(r)
	return nil
}

// viewColumns makes the columns of a view or materialized view.
func (c *Catalog) viewColumns(bound *boundQuery, names []string, what string) ([]Column, error) {
	if len(names) > len(bound.cols) && !bound.open {
		if what == "CREATE VIEW" {
			return nil, errorf("42601", "CREATE VIEW specifies more column names than columns")
		}
		return nil, errorf("42601", "too many column names were specified")
	}
	var cols []Column
	seen := map[string]bool{}
	for i, col := range bound.cols {
		name := col.name
		if i < len(names) {
			name = names[i]
		}
		if seen[name] {
			return nil, errorf("42701", "column %s specified more than once", quoteMessage(name))
		}
		seen[name] = true
		if err := c.checkColumnType(name, col.typ); err != nil && col.typ.known() {
			return nil, err
		}
		cols = append(cols, Column{Num: i + 1, Name: name, Type: col.typ, Collation: c.ownCollation(col), Local: true, Stats: -1})
	}
	return cols, nil
}

// ownCollation is the collation of an output column, "" when it is the type's.
func (c *Catalog) ownCollation(col boundColumn) string {
	if col.collation == "default" {
		return ""
	}
	return col.collation
}

// addViewDeps records what a view needs: its query's references and the types of its columns.
func (c *Catalog) addViewDeps(r *Relation) {
	c.addDeps(Address{OID: r.OID}, r.Query.Refs, DepNormal)
	for i := range r.Columns {
		c.addTypeDeps(r.OID, &r.Columns[i])
	}
}

// viewOptions sorts a view's options; check_option is told apart.
func viewOptions(defs []*pgast.Node) (options []string, check string, err error) {
	var rest []*pgast.Node
	for _, n := range defs {
		d := n.GetDefElem()
		switch strings.ToLower(d.Defname) {
		case "check_option":
			check = strings.ToLower(constText(d.Arg))
			if check != "local" && check != "cascaded" {
				return nil, "", &Error{Code: "22023", Message: "invalid value for enum option \"check_option\": " + constText(d.Arg), Detail: "Valid values are \"local\" and \"cascaded\"."}
			}
		case "security_barrier", "security_invoker":
			rest = append(rest, n)
		default:
			return nil, "", errorf("22023", "unrecognized parameter %s", quoteMessage(d.Defname))
		}
	}
	options, err = relOptions(nil, rest, false)
	return options, check, err
}

// replaceView is CREATE OR REPLACE VIEW of one that exists: columns may only be added at the end (checkViewColumns).
func (c *Catalog) replaceView(old *Relation, cols []Column, q *Query, options []string, b *binder) error {
	if old.Kind != View {
		if !old.Assumed {
			return errorf("42809", "%s is not a view", quoteMessage(old.Name))
		}
		changed := *old
		changed.Kind = View
		old = &changed
	}
	known := !old.Assumed && !(old.Query != nil && old.Query.Unknown) && !q.Unknown
	if known {
		if len(cols) < len(old.Columns) {
			return errorf("42P16", "cannot drop columns from view")
		}
		for i, col := range old.Columns {
			if i >= len(cols) {
				break
			}
			next := cols[i]
			if col.Name != next.Name {
				return &Error{
					Code: "42P16", Message: "cannot change name of view column " + quoteMessage(col.Name) + " to " + quoteMessage(next.Name),
					Hint: "Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
				}
			}
			if col.Type.known() && next.Type.known() && col.Type != next.Type {
				return errorf("42P16", "cannot change data type of view column %s from %s to %s", quoteMessage(col.Name), c.FormatType(col.Type), c.FormatType(next.Type))
			}
			if col.Type.known() && next.Type.known() && col.Collation != next.Collation {
				return errorf("42P16", "cannot change collation of view column %s from %s to %s", quoteMessage(col.Name), quoteMessage(orDefault(col.Collation)), quoteMessage(orDefault(next.Collation)))
			}
		}
	}
	// A view may be replaced by one that reads itself: only querying it is an error (fireRIRrules, "infinite recursion
	// detected"). It does not depend on itself.
	q.itself = slices.ContainsFunc(q.Refs, func(a Address) bool { return a.OID == old.OID })
	q.Refs = slices.DeleteFunc(slices.Clone(q.Refs), func(a Address) bool { return a.OID == old.OID })
	r := *old
	r.Query, r.Options = q, options
	if !q.Unknown || len(cols) >= len(old.Columns) {
		r.Columns = append([]Column(nil), cols...)
		for i := range old.Columns {
			if i < len(r.Columns) {
				r.Columns[i].Default, r.Columns[i].Stats, r.Columns[i].Storage = old.Columns[i].Default, old.Columns[i].Stats, old.Columns[i].Storage
			}
		}
	}
	c.dropDeps(r.OID, func(d Dep) bool { return d.Type == DepNormal && !d.Default })
	c.put(&r)
	c.addViewDeps(&r)
	return nil
}

func orDefault(collation string) string {
	if collation == "" {
		return "default"
	}
	return collation
}

// usesTemporary reports whether the query reads a temporary relation, which makes a view temporary too.
func (b *binder) usesTemporary() bool {
	for a := range b.refs {
		if r := b.c.relation(a.OID); r != nil && r.Persistence == Temporary {
			return true
		}
	}
	return false
}

// notUpdatable is view_query_is_auto_updatable (src/backend/rewrite/rewriteHandler.c): why not, "" when it is.
func (c *Catalog) notUpdatable(n *pgast.Node, bound *boundQuery, b *binder) string {
	s := n.GetSelectStmt()
	switch {
	case s == nil:
		return "Views that do not select from a single table or view are not automatically updatable."
	case len(s.DistinctClause) > 0:
		return "Views containing DISTINCT are not automatically updatable."
	case len(s.GroupClause) > 0:
		return "Views containing GROUP BY are not automatically updatable."
	case s.HavingClause != nil:
		return "Views containing HAVING are not automatically updatable."
	case s.Op > pgast.SetOperation_SETOP_NONE:
		return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
	case s.WithClause != nil:
		return "Views containing WITH are not automatically updatable."
	case s.LimitCount != nil || s.LimitOffset != nil:
		return "Views containing LIMIT or OFFSET are not automatically updatable."
	case bound.aggregates:
		return "Views that return aggregate functions are not automatically updatable."
	case b.windows > 0:
		return "Views that return window functions are not automatically updatable."
	case b.sets > 0:
		return "Views that return set-returning functions are not automatically updatable."
	case len(s.FromClause) != 1 || s.FromClause[0].GetRangeVar() == nil:
		return "Views that do not select from a single table or view are not automatically updatable."
	}
	return ""
}

// applyMatView is CREATE MATERIALIZED VIEW (ExecCreateTableAs).
func (c *Catalog) applyMatView(n *pgast.CreateTableAsStmt, eff *Effects) error {
	into := n.Into
	schema, err := c.creationSchema(into.Rel)
	if err != nil {
		return err
	}
	if exists, err := c.checkNewRelation(schema, into.Rel.Relname, n.IfNotExists, true, eff); exists || err != nil {
		return err
	}
	b := c.newBinder()
	bound, err := b.bindQuery(n.Query, nil)
	if err == nil {
		err = b.failed
	}
	if err != nil {
		return err
	}
	if b.usesTemporary() {
		return errorf("0A000", "materialized views must not use temporary tables or views")
	}
	cols, err := c.viewColumns(bound, stringList(into.ColNames), "CREATE MATERIALIZED VIEW")
	if err != nil {
		return err
	}
	if !into.SkipData {
		if err := c.recursion(b.sortedRefs()); err != nil {
			return err
		}
	}
	q := &Query{Node: c.storedQuery(n.Query), Refs: b.sortedRefs(), Unknown: b.unknown || bound.open, Populated: !into.SkipData}
	if q.SQL, err = pgast.Deparse(q.Node); err != nil {
		return errorf(NotUnderstood, "writing the view's query: %s", err)
	}
	r := &Relation{
		OID: c.newOID(), Schema: schema, Name: into.Rel.Relname, Kind: MatView, Persistence: Permanent, ReplicaIdent: 'd',
		Columns: cols, Query: q, AccessMethod: c.tableMethod(), Tablespace: tablespace(into.TableSpaceName), Assumed: bound.open,
	}
	if into.AccessMethod != "" {
		r.AccessMethod = into.AccessMethod
	}
	if r.Options, err = relOptions(nil, into.Options, false); err != nil {
		return err
	}
	c.put(r)
	c.addMethodDep(r.OID, r.AccessMethod, DepNormal)
	c.addViewDeps(r)
	return nil
}

// recursion is the rewriter's error for a query that reads a view which reads itself, at once or through others (fireRIRrules,
// src/backend/rewrite/rewriteHandler.c). Making such a view is no error.
func (c *Catalog) recursion(refs []Address) error {
	var open, done []OID
	var visit func(refs []Address) error
	visit = func(refs []Address) error {
		for _, ref := range refs {
			view := c.relation(ref.OID)
			if view == nil || view.Kind != View || view.Query == nil || slices.Contains(done, ref.OID) {
				continue
			}
			if view.Query.itself || slices.Contains(open, ref.OID) {
				return &Error{Code: "42P17", Message: "infinite recursion detected in rules for relation " + quoteMessage(view.Name), Object: c.nameOf(view)}
			}
			open = append(open, ref.OID)
			err := visit(view.Query.Refs)
			open, done = open[:len(open)-1], append(done, ref.OID)
			if err != nil {
				return err
			}
		}
		return nil
	}
	return visit(refs)
}
