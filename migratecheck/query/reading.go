package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// reading is one statement of a variant as a schema reads it.
type reading struct {
	*Bound
	variant int
	stmt    pgast.Stmt
	only    bool              // it is the variant's only statement
	cat     *catalog.Catalog  // as the statement meets it
	an      *catalog.Analysis // nil when nothing can be said but errs
	errs    []*catalog.Error  // what the server answers, the first of them first
	out     *Verdict
	via     *call         // how the code comes to it, of a statement in the body of a function; nil for one of the code's own
	inner   []*reading    // of a statement of the code: those of the functions that it makes run, and of what else it brings about
	ran     []catalog.OID // the functions that it makes run, and the foreign keys, rules and partitions
}

// step is a statement as two schemas read it.
type step struct {
	*reading // on the schema that the site meets
	was      *reading
}

// run reads the statements of a variant one after the other. What cannot be read goes to out as unknown.
func (b *Bound) run(variant int, cat *catalog.Catalog, out *Verdict) []*reading {
	if err := b.errs[variant]; err != nil {
		out.unsure(unparsable(err))
		return nil
	}
	site := b.Site
	if site.Status == Partial {
		out.unsure(site.Reason)
	}
	ask := catalog.Ask{Untyped: site.Lang == "python", All: true, Args: nullness(b.Site.Variants[variant].Args)}
	if ask.Untyped {
		ask.Literals = literals(b.Site.Variants[variant].Args)
		for _, g := range b.Site.Variants[variant].Args {
			ask.Texts = append(ask.Texts, g.Text)
		}
	}
	var list []*reading
	for _, stmt := range b.stmts[variant] {
		if stmt.Node.GetVariableSetStmt().GetName() == "search_path" {
			if next := cat.Clone(); applies(next, stmt) {
				cat = next
			}
			continue
		}
		if changesSchema(stmt.Node) {
			next := cat.Clone()
			if _, err := next.Apply(stmt); err != nil {
				out.unsure("code that changes the schema: " + err.Error())
			} else {
				cat = next
				out.unsure("code that changes the schema is not judged")
			}
			continue
		}
		r := &reading{Bound: b, variant: variant, stmt: stmt, only: len(b.stmts[variant]) == 1, cat: cat, out: out}
		an, err := cat.Analyze(stmt, ask)
		if err == nil {
			r.an, r.errs = an, an.Errors
			out.unsure(an.Unknown...)
		}
		if e := (*catalog.Error)(nil); errors.As(err, &e) {
			r.errs = []*catalog.Error{e}
		}
		if i := slices.IndexFunc(r.errs, func(e *catalog.Error) bool { return e.Code == catalog.NotUnderstood }); i >= 0 {
			out.unsure(r.errs[i].Message)
			if r.errs = r.errs[:i]; i == 0 {
				continue
			}
		}
		r.inner = r.called()
		list = append(list, r)
		if makesTable(stmt.Node) && !r.fails() {
			if next := cat.Clone(); applies(next, stmt) {
				cat = next
			}
		}
	}
	return list
}

// literals are the types that numbers, truth values and some objects have where psycopg2 puts them into the text; a driver that binds
// them gives them types of the same kind.
func literals(args []GoType) []catalog.TypeRef {
	list := make([]catalog.TypeRef, len(args))
	for i, g := range args {
		oid := map[GoKind]catalog.OID{Int: 23, Float: 1700, Bool: 16}[g.Kind]
		if oid == 0 {
			oid = pythonLiterals[g.SQLAlchemy]
		}
		if oid != 0 && !g.Null {
			list[i] = catalog.TypeRef{OID: oid, Mod: -1}
		}
	}
	return list
}

// nullness says of arguments whether they may be NULL.
func nullness(args []GoType) []catalog.Nullness {
	list := make([]catalog.Nullness, len(args))
	for i, g := range args {
		switch {
		case g.Nullable || g.Null:
			list[i] = catalog.MayBeNull
		case g.Name != "":
			list[i] = catalog.NeverNull
		}
	}
	return list
}

func applies(cat *catalog.Catalog, stmt pgast.Stmt) bool {
	_, err := cat.Apply(stmt)
	return err == nil
}

// fails reports whether the server refuses the statement.
func (r *reading) fails() bool { return len(r.errs) > 0 }

func (r *reading) sql() *Variant { return &r.Site.Variants[r.variant] }

// report adds a problem of a check. Offset is in the variant's SQL.
func (r *reading) report(c *Check, p Problem, format string, args ...any) {
	p.Check, p.Variant = c.ID, r.variant
	if p.Message = fmt.Sprintf(format, args...); p.Offset == 0 {
		p.Offset = r.stmt.Offset
	}
	r.out.Problems = append(r.out.Problems, p)
}

// refused reports what the server answers to the statement, by the check whose business it is.
func (r *reading) refused(e *catalog.Error) {
	if r.made[e.Object.Name] || e.Code == "42P01" && source.IsBookkeeping(e.Object.Name) {
		r.out.unsure(fmt.Sprintf("relation %q is made by the program or a tool, not by a migration", e.Object.Name))
		return
	}
	for _, c := range checks {
		if c.refuses == nil || !c.refuses(e) {
			continue
		}
		if !r.has(c) {
			return
		}
		p := Problem{Code: e.Code, Offset: max(e.Position-1, r.stmt.Offset), Column: e.Column, Objects: e.Objects}
		if e.Object.Name != "" {
			p.Relation = e.Object.String()
			if rel := r.cat.Relation(e.Object.Schema, e.Object.Name); rel != nil {
				p.Objects = append(p.Objects, catalog.Address{OID: rel.OID})
				if col := rel.Column(e.Column); col != nil {
					p.Objects = append(p.Objects, catalog.Address{OID: rel.OID, Column: col.Num})
				}
			}
		}
		message := e.Message
		if e.Column != "" && e.Object.Name != "" && !strings.Contains(message, e.Object.Name) {
			message += " in " + e.Object.String()
		}
		r.report(c, p, "%s fails: %s", r.verb(), message)
		return
	}
}

// verb names the statement for a message: "this INSERT", "the INSERT in f()".
func (r *reading) verb() string {
	switch {
	case r.via == nil:
		return "this " + statementWord(r.stmt.Node)
	case r.via.effect != nil:
		return r.via.effect.verb(r)
	case r.via.body.Statements[r.via.number].Expression:
		return "an expression in " + r.via.fn.Name + "()"
	}
	return "the " + statementWord(r.stmt.Node) + " in " + r.via.fn.Name + "()"
}

// relationsMade lists the tables, views and indexes that the statements of a site create.
func relationsMade(b *Bound) map[string]bool {
	made := map[string]bool{}
	for _, stmts := range b.stmts {
		for _, stmt := range stmts {
			switch n := stmt.Node.GetNode().(type) {
			case *pgast.Node_CreateStmt:
				made[n.CreateStmt.Relation.GetRelname()] = true
			case *pgast.Node_CreateTableAsStmt:
				made[n.CreateTableAsStmt.Into.GetRel().GetRelname()] = true
			case *pgast.Node_SelectStmt:
				if into := n.SelectStmt.IntoClause; into != nil {
					made[into.GetRel().GetRelname()] = true
				}
			case *pgast.Node_ViewStmt:
				made[n.ViewStmt.View.GetRelname()] = true
			case *pgast.Node_CreateSeqStmt:
				made[n.CreateSeqStmt.Sequence.GetRelname()] = true
			}
		}
	}
	return made
}

// makesTable tells of a query whose result becomes a table.
func makesTable(n *pgast.Node) bool {
	return n.GetCreateTableAsStmt() != nil || n.GetSelectStmt().GetIntoClause() != nil
}

// changesSchema tells of DDL, which the catalog applies and the checks leave alone.
func changesSchema(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt,
		*pgast.Node_ExplainStmt, *pgast.Node_PrepareStmt, *pgast.Node_DeclareCursorStmt, *pgast.Node_CopyStmt, *pgast.Node_CallStmt,
		*pgast.Node_CreateTableAsStmt, *pgast.Node_TruncateStmt, *pgast.Node_LockStmt, *pgast.Node_VacuumStmt, *pgast.Node_RefreshMatViewStmt,
		*pgast.Node_TransactionStmt, *pgast.Node_VariableShowStmt, *pgast.Node_ListenStmt, *pgast.Node_NotifyStmt, *pgast.Node_UnlistenStmt,
		*pgast.Node_DiscardStmt, *pgast.Node_DeallocateStmt, *pgast.Node_ClosePortalStmt, *pgast.Node_FetchStmt, *pgast.Node_CheckPointStmt,
		*pgast.Node_ConstraintsSetStmt, *pgast.Node_LoadStmt, *pgast.Node_ExecuteStmt:
		return false
	case *pgast.Node_VariableSetStmt:
		return false // SET search_path is followed (see run)
	}
	return true
}

// statementWord is the word that a statement begins with.
func statementWord(n *pgast.Node) string {
	switch n.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		if len(n.GetSelectStmt().ValuesLists) > 0 {
			return "VALUES"
		}
		return "SELECT"
	case *pgast.Node_InsertStmt:
		return "INSERT"
	case *pgast.Node_UpdateStmt:
		return "UPDATE"
	case *pgast.Node_DeleteStmt:
		return "DELETE"
	case *pgast.Node_MergeStmt:
		return "MERGE"
	case *pgast.Node_CopyStmt:
		return "COPY"
	case *pgast.Node_CallStmt:
		return "CALL"
	case *pgast.Node_TruncateStmt:
		return "TRUNCATE"
	}
	return "statement"
}
