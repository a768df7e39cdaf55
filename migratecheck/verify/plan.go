package verify

import (
	"context"
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"github.com/jackc/pgx/v5/pgconn"
)

// Column is one column of a result.
type Column struct {
	Name string
	Type uint32 // pg_type.oid; equal in the states of one history for equal types
	// TypeName is the type as the server prints it.
	TypeName string
	Labels   []string // of an enumeration
}

// planned is a statement that the server was asked to prepare and plan.
type planned struct {
	stmt    pgast.Stmt
	name    string // of the prepared statement, "" for one that cannot be prepared
	params  []uint32
	columns []Column
	failure *Failure
	reason  string // why the statement is not run, "" when it is
}

// plan prepares a statement and has its generic plan made: preparing alone does not notice that an index that ON CONFLICT
// needs is gone (infer_arbiter_indexes, src/backend/optimizer/util/plancat.c, runs in the planner).
func (p *Probe) plan(ctx context.Context, stmt pgast.Stmt) (planned, error) {
	out := planned{stmt: stmt}
	if !optimizable(stmt.Node) {
		out.reason = p.utility(stmt.Node)
		return out, nil
	}
	name := p.statement()
	err := p.tryAs(ctx, func() error {
		if err := p.settle(ctx); err != nil {
			return err
		}
		description, err := p.conn.Prepare(ctx, name, stmt.SQL, nil)
		if out.failure, err = refusal(ctx, err); err != nil || out.failure != nil {
			return err
		}
		out.name, out.params = name, description.ParamOIDs
		out.columns = p.columns(description.Fields)
		_, err = p.exec(ctx, p.explain(name, stmt.SQL, len(description.ParamOIDs)))
		failure, err := refusal(ctx, err)
		// NULL for a parameter may violate a domain before there is a plan: that is the trick's fault.
		if failure != nil && !strings.HasPrefix(failure.Code, "23") {
			out.failure = failure
		}
		return err
	})
	if out.failure != nil {
		out.failure.Planned = true
	}
	return out, err
}

// forget gives a prepared statement's name back. A statement that the server refused has none.
func (p *Probe) forget(s *planned) {
	if s.name != "" {
		p.due = append(p.due, "DEALLOCATE "+s.name)
	}
}

// explain is the statement that has the server plan without values. GENERIC_PLAN is new in PostgreSQL 16
// (doc/src/sgml/release-16.sgml); before, a prepared statement is told to use its generic plan.
func (p *Probe) explain(name, sql string, params int) string {
	if p.version >= 16 {
		return "EXPLAIN (GENERIC_PLAN) " + sql
	}
	values := ""
	if params > 0 {
		values = "(NULL" + strings.Repeat(", NULL", params-1) + ")"
	}
	return "SET LOCAL plan_cache_mode = force_generic_plan; EXPLAIN EXECUTE " + name + values
}

func (p *Probe) columns(fields []pgconn.FieldDescription) []Column {
	list := []Column{}
	for _, f := range fields {
		c := Column{Name: f.Name, Type: f.DataTypeOID, TypeName: fmt.Sprint(f.DataTypeOID)}
		if t := p.typ(f.DataTypeOID); t != nil {
			c.TypeName, c.Labels = t.name, t.labels
		}
		list = append(list, c)
	}
	return list
}

func optimizable(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_SelectStmt, *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt:
		return true
	}
	return false
}

// utility says why a statement of another kind is not run, "" when it is. Only those are that a savepoint takes back and
// that reach nothing beyond the database.
func (p *Probe) utility(n *pgast.Node) string {
	switch n := n.GetNode().(type) {
	case *pgast.Node_CopyStmt:
		if n.CopyStmt.IsProgram || n.CopyStmt.Filename != "" {
			return "COPY with a file of the server's or a program is not run"
		}
		return ""
	case *pgast.Node_ListenStmt, *pgast.Node_UnlistenStmt, *pgast.Node_NotifyStmt, *pgast.Node_LockStmt, *pgast.Node_TruncateStmt,
		*pgast.Node_VariableShowStmt, *pgast.Node_VariableSetStmt, *pgast.Node_CallStmt, *pgast.Node_CreateTableAsStmt, *pgast.Node_CreateStmt,
		*pgast.Node_RefreshMatViewStmt, *pgast.Node_AlterTableStmt, *pgast.Node_DropStmt, *pgast.Node_DeclareCursorStmt, *pgast.Node_AlterSeqStmt:
		return ""
	}
	return "statements of this kind are not run: " + strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n.GetNode()), "*pg_query.Node_"), "Stmt")
}
