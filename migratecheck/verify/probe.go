package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Probe judges queries on the schema that a connection sees, inside a transaction that its user has begun. What it runs it
// takes back, but for rows that it adds to the tables that queries need; the transaction must be rolled back at the end.
// It is not safe for concurrent use.
type Probe struct {
	conn    *pgconn.PgConn
	filled  bool   // every table has its first rows, or is unfit
	history string // of two probes with the same, OIDs mean the same objects; "" compares with none
	version int    // major
	schema  *schema
	rows    map[uint32][]row  // by table: what was put there, as read back
	unfit   map[uint32]string // by table: why no row could be made
	filling map[uint32]bool   // tables whose first rows are being made
	seen    map[string][]row  // by relation as a query names it: its first rows
	builtin map[uint32]*typ   // the server's own types
	role    string            // whom queries run as, "" for the connection's own
	names   map[uint32]string // types as SQL writes them
	number  int               // of prepared statements
	kept    int               // how many rows of an answer are looked at
	marks   []string          // open savepoints
	// due are commands that the server has not been sent yet: they go with the next that is. A statement takes a few round trips else
	// for what is around it, and there are many statements.
	due []string
}

// NewProbe returns a Probe on a connection in a transaction. The schema is read at once: whoever changes it needs a new one.
func NewProbe(ctx context.Context, conn *pgconn.PgConn) (*Probe, error) {
	return (&Probe{}).Another(ctx, conn)
}

// Another is NewProbe for a connection to the same server, of which it knows the built-in types already.
func (p *Probe) Another(ctx context.Context, conn *pgconn.PgConn) (*Probe, error) {
	if conn.TxStatus() != 'T' {
		return nil, errors.New("verify: a probe needs an open transaction")
	}
	p = &Probe{
		conn: conn, builtin: p.builtin, rows: map[uint32][]row{}, unfit: map[uint32]string{}, filling: map[uint32]bool{}, seen: map[string][]row{},
		names: map[uint32]string{}, kept: 20,
	}
	version := conn.ParameterStatus("server_version")
	if _, err := fmt.Sscanf(version, "%d", &p.version); err != nil {
		return nil, fmt.Errorf("reading the server's version %q: %w", version, err)
	}
	// A generic plan does not look at constants that a custom one folds, and which of them is taken depends on how often a
	// statement was run (src/backend/utils/cache/plancache.c, choose_custom_plan).
	if _, err := p.exec(ctx, "SET LOCAL plan_cache_mode = force_custom_plan"); err != nil {
		return nil, fmt.Errorf("preparing a session: %w", err)
	}
	return p, p.readSchema(ctx)
}

// As makes queries run as another role than the one that owns the schema, which shows what privileges and row security do.
func (p *Probe) As(role string) { p.role = role }

// Failure is the server's refusal.
type Failure struct {
	Code    string // SQLSTATE
	Message string // the server's words
	// Planned: it was refused before any row was looked at.
	Planned bool
	Detail  string
	// Constraint, Table and Column are what the server names beside the message; "" when it does not.
	Constraint, Table, Column string
	// Params are the values bound when it was refused, NULL or quoted; nil when there are none.
	Params []string
}

func (f *Failure) String() string {
	s := f.Code + ": " + f.Message
	if len(f.Params) > 0 {
		s += " (with " + strings.Join(f.Params, ", ") + ")"
	}
	return s
}

// refusal takes a server's answer out of an error; other errors (a lost connection, the end of ctx) come back as such.
func refusal(ctx context.Context, err error) (*Failure, error) {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &pg) && !ours(pg.Code):
		return &Failure{Code: pg.Code, Message: pg.Message, Detail: pg.Detail, Constraint: pg.ConstraintName, Table: pg.TableName, Column: pg.ColumnName}, nil
	}
	return nil, err
}

// ours: the code is about the connection, or about the names that this package gives.
func ours(code string) bool {
	const duplicatePrepared, noPrepared, noSavepoint = "42P05", "26000", "3B001"
	return strings.HasPrefix(code, "57P") || strings.HasPrefix(code, "08") || code == duplicatePrepared || code == noPrepared || code == noSavepoint
}

// exec sends SQL, behind what is due.
func (p *Probe) exec(ctx context.Context, sql string) ([]*pgconn.Result, error) {
	due := p.due
	p.due = nil
	results, err := p.conn.Exec(ctx, strings.Join(append(due, sql), "; ")).ReadAll()
	return results[min(len(due), len(results)):], err
}

// settle sends what is due. It comes before anything that is not sent by exec, and before whoever else uses the connection.
func (p *Probe) settle(ctx context.Context) error {
	if len(p.due) == 0 {
		return nil
	}
	if _, err := p.exec(ctx, ""); err != nil {
		return fmt.Errorf("setting and leaving savepoints: %w", err)
	}
	return nil
}

// try runs f behind a savepoint and takes back all that it did.
func (p *Probe) try(ctx context.Context, f func() error) error {
	p.mark()
	err := f()
	p.back()
	if err != nil && ctx.Err() == nil {
		err = errors.Join(err, p.settle(ctx))
	}
	return err
}

// tryAs is try for what the queries' role does.
func (p *Probe) tryAs(ctx context.Context, f func() error) error {
	return p.try(ctx, func() error {
		if p.role != "" {
			p.due = append(p.due, "SET LOCAL ROLE "+quote(p.role))
		}
		return f()
	})
}

// mark sets a savepoint.
func (p *Probe) mark() {
	name := fmt.Sprintf("verify_%d", len(p.marks))
	p.marks = append(p.marks, name)
	p.due = append(p.due, "SAVEPOINT "+name)
}

// back undoes what was done since the last mark.
func (p *Probe) back() {
	name := p.marks[len(p.marks)-1]
	p.marks = p.marks[:len(p.marks)-1]
	p.due = append(p.due, "ROLLBACK TO "+name, "RELEASE "+name)
}

// keep makes what was done since the last mark stay.
func (p *Probe) keep() {
	name := p.marks[len(p.marks)-1]
	p.marks = p.marks[:len(p.marks)-1]
	p.due = append(p.due, "RELEASE "+name)
}

// statement is a name for a prepared statement.
func (p *Probe) statement() string {
	p.number++
	return fmt.Sprintf("verify_%d", p.number)
}
