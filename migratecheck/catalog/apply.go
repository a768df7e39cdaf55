package catalog

import (
	"errors"
	"fmt"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// Error is what PostgreSQL would answer, or why the statement could not be followed.
type Error struct {
	Code    string // SQLSTATE, "42P01"; NotUnderstood when it is this package that gives up
	Message string // PostgreSQL's words
	Detail  string
	Hint    string
	Object  Name   // the object the error is about, if one
	Column  string // the column it is about, if one
	// Objects are the columns that an ambiguous name can mean, and what else the error is about.
	Objects []Address
	// Position is where in the text of the statement the mistake stands, in bytes from 1; 0 is not known.
	Position int
	// In is the place in a body at which the statement failed that ran it; nil otherwise.
	In *Place
}

// NotUnderstood is the Code of statements that may be right but are not followed; the catalog is unchanged by them.
const NotUnderstood = "not understood"

func (e *Error) Error() string { return e.Message }

func errorf(code string, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Effects is what applying one statement did besides changing the catalog.
type Effects struct {
	// Notices: what the server would say ("relation … already exists, skipping"), so that a caller knows that IF [NOT]
	// EXISTS did nothing.
	Notices []string
	// Inner lists the statements that ran inside: the body of a DO block or of a plpgsql or SQL function that the
	// statement called, in order.
	Inner []Inner
	// Gaps are parts that were not followed, e.g. EXECUTE of a string that is not constant.
	Gaps []string
	// gapsIn are the places of those Gaps that are in bodies.
	gapsIn map[string]Place
}

// GapIn is the place of a gap that is in a body.
func (e *Effects) GapIn(gap string) (Place, bool) {
	in, ok := e.gapsIn[gap]
	return in, ok
}

// Place is where in a body a statement stands.
type Place struct {
	// Body is the text of the body, "" of one without (BEGIN ATOMIC), and Function the name of the function or procedure that
	// has it, "" of a DO block.
	Body, Function string
	// SQL is the statement, "" for what is none (IF, FOR).
	SQL string
	// Line is the line of the body, from 1, on which the statement begins, and Dynamic is set of one that EXECUTE makes there. Line is 0 in
	// the body of an SQL function.
	Line    int
	Dynamic bool
	// Offset is where the statement begins in the body of an SQL function, or in the string that is executed.
	Offset int
}

// Inner is a statement run from a body.
type Inner struct {
	Stmt   pgast.Stmt
	Via    string   // "DO block", "function f()"
	At     Place    // in the body
	Before *Catalog // the catalog just before it
	After  *Catalog
	// Over is the query for each of whose rows it is run, as it stands in a FOR loop whose rows are not known, or in a function
	// that a query calls; nil otherwise.
	Over *pgast.Node
	// Loop is set of what stands in a loop, and may run again and again.
	Loop bool
	// Commits is set in a body that ends transactions itself (COMMIT, ROLLBACK): its statements need not commit together.
	Commits bool
}

// note adds a notice.
func (e *Effects) note(format string, args ...any) {
	e.Notices = append(e.Notices, fmt.Sprintf(format, args...))
}

// Apply runs one statement. On error (always an *Error) the catalog is unchanged. After an error inside a transaction
// the server refuses everything up to ROLLBACK; Apply does not: that is for the caller to know.
func (c *Catalog) Apply(stmt pgast.Stmt) (Effects, error) {
	saved := c.Clone()
	return c.applyOr(stmt, saved)
}

// After is Apply to a clone, which it returns; c stays as it is.
func (c *Catalog) After(stmt pgast.Stmt) (*Catalog, Effects, error) {
	after := c.Clone()
	eff, err := after.applyOr(stmt, c)
	return after, eff, err
}

// applyOr runs one statement and on error makes c what saved, from which it was cloned, is.
func (c *Catalog) applyOr(stmt pgast.Stmt, saved *Catalog) (Effects, error) {
	var eff Effects
	if readsOnly(stmt.Node) {
		return eff, nil
	}
	if err := stmt.Refused(c.Version); err != nil {
		return eff, errorf("42601", "%s", err)
	}
	err := c.apply(stmt, &eff)
	if err == nil && len(c.onCommit) > 0 && !c.InTransaction() && c.depth == 0 {
		err = c.dropOnCommit()
	}
	if err == nil {
		if c.depth == 0 && c.log != saved.log && stmt.Node.GetTransactionStmt() == nil {
			c.noteEventTriggers(&eff)
		}
		return eff, nil
	}
	c.restore(saved.Clone())
	var e *Error
	if !errors.As(err, &e) {
		e = errorf(NotUnderstood, "%s", err)
	}
	return eff, e
}

// readsOnly names the statements that change neither catalog nor settings whatever they say.
func readsOnly(n *pgast.Node) bool {
	switch n.GetNode().(type) {
	case *pgast.Node_LockStmt, *pgast.Node_VacuumStmt, *pgast.Node_CheckPointStmt, *pgast.Node_ListenStmt, *pgast.Node_NotifyStmt,
		*pgast.Node_UnlistenStmt, *pgast.Node_VariableShowStmt, *pgast.Node_ClosePortalStmt, *pgast.Node_FetchStmt,
		*pgast.Node_DeallocateStmt, *pgast.Node_ConstraintsSetStmt, *pgast.Node_LoadStmt:
		return true
	}
	return false
}

// apply dispatches by node type: one handler a file, see apply_*.go.
func (c *Catalog) apply(stmt pgast.Stmt, eff *Effects) error {
	switch n := stmt.Node.GetNode().(type) {
	case *pgast.Node_TransactionStmt:
		return c.applyTransaction(n.TransactionStmt, eff)
	case *pgast.Node_VariableSetStmt:
		return c.applySet(n.VariableSetStmt, eff)
	case *pgast.Node_DiscardStmt:
		return c.applyDiscard(n.DiscardStmt, eff)
	case *pgast.Node_CreateStmt:
		return c.applyCreateTable(n.CreateStmt, nil, eff)
	case *pgast.Node_CreateForeignTableStmt:
		return c.applyCreateTable(n.CreateForeignTableStmt.BaseStmt, n.CreateForeignTableStmt, eff)
	case *pgast.Node_CreateTableAsStmt:
		return c.applyCreateTableAs(n.CreateTableAsStmt, eff)
	case *pgast.Node_AlterTableStmt:
		if n.AlterTableStmt.Objtype == pgast.ObjectType_OBJECT_TYPE {
			break // a composite type's attributes
		}
		return c.applyAlterTable(n.AlterTableStmt, eff)
	case *pgast.Node_IndexStmt:
		return c.applyCreateIndex(n.IndexStmt, eff)
	case *pgast.Node_CreateSeqStmt:
		return c.applyCreateSequence(n.CreateSeqStmt, eff)
	case *pgast.Node_AlterSeqStmt:
		return c.applyAlterSequence(n.AlterSeqStmt, eff)
	case *pgast.Node_DropStmt:
		return c.applyDrop(n.DropStmt, eff)
	case *pgast.Node_RenameStmt:
		return c.applyRename(stmt, n.RenameStmt, eff)
	case *pgast.Node_AlterObjectSchemaStmt:
		return c.applySetSchema(stmt, n.AlterObjectSchemaStmt, eff)
	case *pgast.Node_CommentStmt:
		return c.applyComment(n.CommentStmt, eff)
	case *pgast.Node_CreateSchemaStmt:
		return c.applyCreateSchema(stmt, n.CreateSchemaStmt, eff)
	case *pgast.Node_ExplainStmt:
		if Runs(n.ExplainStmt) {
			return c.apply(pgast.Stmt{Node: n.ExplainStmt.Query, SQL: stmt.SQL, Offset: stmt.Offset}, eff)
		}
	case *pgast.Node_SelectStmt:
		if into := n.SelectStmt.IntoClause; into != nil {
			return c.applySelectInto(n.SelectStmt, eff)
		}
		c.applySetConfig(n.SelectStmt, eff)
	}
	handled, err := c.applyObject(stmt, eff)
	if err != nil || handled {
		return err
	}
	switch n := stmt.Node.GetNode().(type) {
	case *pgast.Node_CopyStmt, *pgast.Node_ExplainStmt, *pgast.Node_PrepareStmt, *pgast.Node_ExecuteStmt, *pgast.Node_DeclareCursorStmt:
		return nil // data only
	case *pgast.Node_TruncateStmt:
		c.applyRows(stmt.Node)
		return c.lookupAll(n.TruncateStmt.Relations)
	case *pgast.Node_ReindexStmt:
		return nil
	case *pgast.Node_ClusterStmt:
		return c.applyCluster(n.ClusterStmt, eff)
	case *pgast.Node_RefreshMatViewStmt:
		return c.applyRefresh(n.RefreshMatViewStmt)
	}
	return errorf(NotUnderstood, "%s is not followed", nodeName(stmt.Node))
}

// Runs tells whether EXPLAIN runs its statement: with ANALYZE.
func Runs(s *pgast.ExplainStmt) bool {
	for _, node := range s.Options {
		if d := node.GetDefElem(); d.GetDefname() == "analyze" {
			switch strings.ToLower(constText(d.Arg)) {
			case "false", "off", "0":
			default:
				return true
			}
		}
	}
	return false
}

// lookupAll checks that the relations of a statement exist.
func (c *Catalog) lookupAll(relations []*pgast.Node) error {
	for _, n := range relations {
		if _, err := c.lookupRelation(n.GetRangeVar()); err != nil {
			return err
		}
	}
	return nil
}

// nodeName is the parser's name of a statement, "CreateCastStmt".
func nodeName(n *pgast.Node) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", n.GetNode()), "*pg_query.Node_")
}
