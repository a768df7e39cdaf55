package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Step is a text that a migration tool sends to the server in one go.
type Step struct {
	SQL string
	// Tx numbers the transaction it is sent in: neighbours with an equal number share one. 0 is none, so that the text commits
	// by itself.
	Tx int
	// Session: a session begins with it.
	Session bool
}

// State is the schema at one point of a history, in a database of its own. It may be used by several goroutines; they wait
// for each other.
type State struct {
	// Name is what the caller calls it.
	Name string
	// Skipped are statements of its script that were not run, since they reach beyond the database or need what a scratch
	// database does not have.
	Skipped []Skipped

	server   *Server
	database string
	// begins gives sessions the search path that a script has given to the database or a role, which are others here; "" when
	// none has.
	begins string

	mu    sync.Mutex
	conn  *pgconn.PgConn
	probe *Probe
}

// Skipped is a statement that was left out, and why.
type Skipped struct{ SQL, Reason string }

// BuildError means that the server refuses a state's script: the state cannot be had, nor any after it.
type BuildError struct {
	State   string
	SQL     string
	Failure *Failure
}

func (e *BuildError) Error() string {
	return fmt.Sprintf("building %s: the server refuses %s: %s", e.State, shorten(e.SQL), e.Failure)
}

var errClosed = errors.New("verify: the server is closed")

func shorten(sql string) string {
	s := strings.Join(strings.Fields(sql), " ")
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100]) + "…"
	}
	return s
}

// State builds the state that follows another when a script is run, or with from nil that of an empty database. The error is
// a *BuildError when it is the script's fault.
func (s *Server) State(ctx context.Context, from *State, name string, script []Step) (*State, error) {
	template, begins := "template0", ""
	if from != nil {
		// A database with sessions cannot be copied.
		from.mu.Lock()
		defer from.mu.Unlock()
		from.close(ctx)
		template, begins = from.database, from.begins
	}
	database, err := s.create(ctx, template)
	if err != nil {
		return nil, err
	}
	st := &State{Name: name, server: s, database: database, begins: begins}
	conn, err := s.session(ctx, database)
	if err != nil {
		return nil, err
	}
	err = st.build(ctx, conn, script)
	if err := errors.Join(err, conn.Close(context.WithoutCancel(ctx))); err != nil {
		return nil, s.scrub2(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, st)
	return st, nil
}

// scrub2 is scrub for errors that callers look into.
func (s *Server) scrub2(err error) error {
	var b *BuildError
	if errors.As(err, &b) {
		return err
	}
	return s.scrub(err)
}

// build runs the script on a new session, as the tool would.
func (st *State) build(ctx context.Context, conn *pgconn.PgConn, script []Step) error {
	for i := 0; i < len(script); {
		if script[i].Session || i == 0 {
			if err := st.server.renew(ctx, conn, st.begins); err != nil {
				return err
			}
		}
		if script[i].Tx == 0 {
			if err := st.step(ctx, conn, script[i].SQL); err != nil {
				return err
			}
			i++
			continue
		}
		if err := run(ctx, conn, "BEGIN"); err != nil {
			return err
		}
		tx := script[i].Tx
		for first := i; i < len(script) && script[i].Tx == tx && (i == first || !script[i].Session); i++ {
			if err := st.step(ctx, conn, script[i].SQL); err != nil {
				return err
			}
		}
		failure, err := refusal(ctx, run(ctx, conn, "COMMIT"))
		if err != nil {
			return err
		}
		if failure != nil {
			return &BuildError{st.Name, "COMMIT", failure}
		}
	}
	return nil
}

func run(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}

// step runs one text. Statements that are not for a scratch database are taken out, the rest is then sent one by one.
func (st *State) step(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	stmts, err := pgast.Parse(sql)
	if err != nil {
		return st.statement(ctx, conn, sql, nil) // a newer grammar than ours, perhaps: the server knows
	}
	whole := len(stmts) != 1
	for _, s := range stmts {
		if err := st.makeRoles(ctx, s.Node); err != nil {
			return err
		}
		whole = whole && st.beyond(s.Node) == ""
	}
	if whole {
		err := st.statement(ctx, conn, sql, nil)
		var b *BuildError
		if !errors.As(err, &b) || !roleMissing(b.Failure) && b.Failure.Code != insufficientPrivilege {
			return err
		}
		// One of them can perhaps be done without.
	}
	for _, s := range stmts {
		if why := st.beyond(s.Node); why != "" {
			st.Skipped = append(st.Skipped, Skipped{s.SQL, why})
			st.begin(s.Node)
			continue
		}
		if err := st.statement(ctx, conn, s.SQL, s.Node); err != nil {
			return err
		}
	}
	return nil
}

// makeRoles creates the roles that a statement names in a throwaway cluster, beforehand: in a transaction that has missed one,
// the server may go on missing it.
func (st *State) makeRoles(ctx context.Context, node *pgast.Node) error {
	s := st.server
	if s.cluster == nil {
		return nil // roles are the whole server's: none is made in another's
	}
	var names []string
	pgast.WalkMessages(node, func(m pgast.Message) bool {
		switch m := m.(type) {
		case *pgast.RoleSpec:
			if m.Roletype == pgast.RoleSpecType_ROLESPEC_CSTRING {
				names = append(names, m.Rolename)
			}
		case *pgast.CreateRoleStmt:
			names = append(names, m.Role)
		}
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	for _, name := range names {
		var known bool
		if err := s.admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name).Scan(&known); err != nil {
			return fmt.Errorf("looking for role %s: %w", name, err)
		}
		if known {
			continue
		}
		// Only a member may give away what it owns.
		role := pgx.Identifier{name}.Sanitize()
		if _, err := s.admin.Exec(ctx, "CREATE ROLE "+role+"; GRANT "+role+" TO "+throwawayRole); err != nil {
			return fmt.Errorf("making up role %s: %w", name, err)
		}
	}
	return nil
}

// statement runs SQL, mends what a scratch database lacks and skips what cannot be mended and does not change the schema.
func (st *State) statement(ctx context.Context, conn *pgconn.PgConn, sql string, node *pgast.Node) error {
	inTx := conn.TxStatus() == 'T'
	if inTx {
		if err := run(ctx, conn, "SAVEPOINT step"); err != nil {
			return err
		}
	}
	failure, err := refusal(ctx, run(ctx, conn, sql))
	if err != nil || failure == nil {
		return err
	}
	if inTx {
		if err := run(ctx, conn, "ROLLBACK TO step"); err != nil {
			return err
		}
	}
	skip, err := st.mend(ctx, failure, node)
	switch {
	case err != nil:
		return err
	case skip:
		st.Skipped = append(st.Skipped, Skipped{sql, failure.String()})
		return nil
	}
	return &BuildError{st.Name, sql, failure}
}

// mend reports whether a refused statement can be done without: the reason lies in the scratch database, not in the schema.
func (st *State) mend(ctx context.Context, f *Failure, node *pgast.Node) (skip bool, err error) {
	s := st.server
	switch {
	case roleMissing(f):
		return node != nil, nil
	case f.Code != insufficientPrivilege:
		return false, nil
	case node.GetCommentStmt().GetObjtype() == pgast.ObjectType_OBJECT_EXTENSION, node.GetAlterOwnerStmt() != nil, isOwnerChange(node):
		return true, nil
	case node.GetCreateExtensionStmt() != nil && s.cluster != nil:
		return true, s.asSuperuser(ctx, st.database, "CREATE EXTENSION IF NOT EXISTS "+pgx.Identifier{node.GetCreateExtensionStmt().Extname}.Sanitize())
	}
	return false, nil
}

func isOwnerChange(node *pgast.Node) bool {
	cmds := node.GetAlterTableStmt().GetCmds()
	return len(cmds) == 1 && cmds[0].GetAlterTableCmd().GetSubtype() == pgast.AlterTableType_AT_ChangeOwner
}

// beyond says why a statement is not for a scratch database: it changes what the server has only one of, or reads and writes
// its files. "" when it is fine.
func (st *State) beyond(n *pgast.Node) string {
	const server = "it changes the whole server"
	switch n := n.GetNode().(type) {
	case *pgast.Node_CreatedbStmt, *pgast.Node_DropdbStmt, *pgast.Node_AlterDatabaseStmt, *pgast.Node_AlterDatabaseSetStmt,
		*pgast.Node_AlterDatabaseRefreshCollStmt, *pgast.Node_AlterSystemStmt, *pgast.Node_CreateTableSpaceStmt,
		*pgast.Node_DropTableSpaceStmt, *pgast.Node_CreateSubscriptionStmt, *pgast.Node_AlterSubscriptionStmt, *pgast.Node_LoadStmt:
		return server
	case *pgast.Node_CreateRoleStmt, *pgast.Node_AlterRoleStmt, *pgast.Node_AlterRoleSetStmt, *pgast.Node_DropRoleStmt, *pgast.Node_GrantRoleStmt:
		return "roles are the whole server's"
	case *pgast.Node_CopyStmt:
		if n.CopyStmt.IsProgram || n.CopyStmt.Filename != "" {
			return "it reads or writes files of the server"
		}
		if n.CopyStmt.IsFrom {
			return "its rows are not part of the schema"
		}
	}
	return ""
}

// begin notes what sessions begin with from a statement on that gives a search path to a database or a role.
func (st *State) begin(n *pgast.Node) {
	set := n.GetAlterDatabaseSetStmt().GetSetstmt()
	if set == nil {
		set = n.GetAlterRoleSetStmt().GetSetstmt()
	}
	if set.GetName() != "search_path" || set.GetKind() == pgast.VariableSetKind_VAR_SET_CURRENT {
		return
	}
	if sql, err := pgast.Deparse(&pgast.Node{Node: &pgast.Node_VariableSetStmt{VariableSetStmt: set}}); err == nil {
		st.begins = sql
	}
}

// use runs f with a probe of the state. The transaction stays open, and with it the rows that queries find.
func (st *State) use(ctx context.Context, f func(*Probe) error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.probe == nil {
		conn, err := st.server.session(ctx, st.database)
		if err != nil {
			return err
		}
		st.conn = conn
		if err := run(ctx, conn, st.begins); err != nil {
			return err
		}
		if err := run(ctx, conn, "BEGIN"); err != nil {
			return err
		}
		if st.probe, err = NewProbe(ctx, conn); err != nil {
			return err
		}
		st.probe.history = st.server.id
	}
	err := f(st.probe)
	if err != nil { // what the session is in is not known
		st.close(context.WithoutCancel(ctx))
	}
	return err
}

// close ends the session, and with it the transaction.
func (st *State) close(ctx context.Context) {
	if st.conn != nil {
		_ = st.conn.Close(ctx) // nothing in it is kept
	}
	st.conn, st.probe = nil, nil
}

func (st *State) release(ctx context.Context) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.close(ctx)
}

// Hints lists the constants in the constraints of the state.
func (st *State) Hints(ctx context.Context) (Hints, error) {
	var hints Hints
	err := st.use(ctx, func(p *Probe) error {
		hints = p.Hints()
		return nil
	})
	return hints, err
}

// Prove looks for a site's witness on this state, the one that it was written for.
func (st *State) Prove(ctx context.Context, site *query.Site, hints Hints) (*Witness, error) {
	var w *Witness
	err := st.use(ctx, func(p *Probe) (err error) {
		w, err = p.Prove(ctx, site, hints)
		return err
	})
	return w, err
}

// Judge plans and runs a site on this state with its witness from the one that it was written for.
func (st *State) Judge(ctx context.Context, w *Witness) (Outcome, error) {
	var out Outcome
	err := st.use(ctx, func(p *Probe) (err error) {
		out, err = p.Judge(ctx, w)
		return err
	})
	return out, err
}
