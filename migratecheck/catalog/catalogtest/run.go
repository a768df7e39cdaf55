package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5/pgconn"
)

// Mode says how often a run compares the catalogs.
type Mode int

const (
	// AtEnd compares after the last statement, and when that finds a difference runs the script again as EachStatement
	// does, to say which statement it comes from.
	AtEnd Mode = iota
	// EachStatement compares after every statement that succeeded.
	EachStatement
)

// Disagreement is one thing that the server and our catalog do not agree on.
type Disagreement struct {
	Index     int    // of the statement in the script
	Statement string // "" for the end of a script
	What      []string
}

func (d Disagreement) String() string {
	return fmt.Sprintf("statement %d: %s\n    %s", d.Index+1, oneLine(d.Statement), strings.Join(d.What, "\n    "))
}

// Report is what a run found.
type Report struct {
	Statements    int
	Understood    int // applied, or refused as the server refused them
	NotUnderstood []string
	// Beyond were refused by the server for something that a schema does not tell (see beyond).
	Beyond int
	// Newer were refused by a server older than our grammar and tables of built-in functions (see tooNew), and left out.
	Newer         int
	OtherCode     int // refused by both, with different SQLSTATEs
	Disagreements []Disagreement
	Compared      int // comparisons of catalogs
	Facts         int // in the last of them
	Final         *catalog.Catalog
}

// Run runs the statements on both sides, in an empty database, until they first disagree. Statements are texts, so that
// what does not parse can be among them. An error is a failure of the run, not of the comparison.
func (c *Checker) Run(ctx context.Context, statements []string, mode Mode) (Report, error) {
	if err := c.reset(ctx); err != nil {
		return Report{}, err
	}
	report, err := c.run(ctx, statements, mode)
	if err != nil || mode == EachStatement || len(report.Disagreements) == 0 {
		return report, err
	}
	if err := c.reset(ctx); err != nil {
		return report, err
	}
	// Comparing after each statement also says whether a text that now differs was right when it was written: names in it
	// may have changed since (see Checker.good).
	return c.run(ctx, statements, EachStatement)
}

// runGenerated runs length statements that next makes up, one after the other, each having seen in cat what the ones
// before it did.
func (c *Checker) runGenerated(ctx context.Context, cat *catalog.Catalog, length int, next func() string) ([]string, Report, error) {
	if err := c.reset(ctx); err != nil {
		return nil, Report{}, err
	}
	var script []string
	report, err := c.steps(ctx, cat, AtEnd, func(i int) (string, bool) {
		if i >= length {
			return "", false
		}
		script = append(script, next())
		return script[i], true
	})
	if err == nil && len(report.Disagreements) > 0 {
		report, err = c.Run(ctx, script, EachStatement)
	}
	return script, report, err
}

func (c *Checker) run(ctx context.Context, statements []string, mode Mode) (Report, error) {
	return c.steps(ctx, c.New(), mode, func(i int) (string, bool) {
		if i >= len(statements) {
			return "", false
		}
		return statements[i], true
	})
}

func (c *Checker) steps(ctx context.Context, cat *catalog.Catalog, mode Mode, next func(int) (string, bool)) (Report, error) {
	report := Report{Final: cat}
	for i := 0; ; i++ {
		sql, ok := next(i)
		if !ok {
			break
		}
		report.Statements++
		what, changed, err := c.statement(ctx, cat, sql, &report)
		if err != nil {
			return report, fmt.Errorf("statement %d, %s: %w", i+1, oneLine(sql), err)
		}
		if len(what) == 0 && changed && mode == EachStatement && c.conn.PgConn().TxStatus() != 'E' {
			if what, err = c.compareNow(ctx, cat, &report); err != nil {
				return report, fmt.Errorf("after statement %d, %s: %w", i+1, oneLine(sql), err)
			}
		}
		if len(what) > 0 {
			report.Disagreements = append(report.Disagreements, Disagreement{i, sql, what})
			return report, nil
		}
	}
	if mode == AtEnd && c.conn.PgConn().TxStatus() != 'E' {
		what, err := c.compareNow(ctx, cat, &report)
		if err != nil {
			return report, err
		}
		if len(what) > 0 {
			report.Disagreements = append(report.Disagreements, Disagreement{report.Statements, "", what})
		}
	}
	return report, nil
}

func (c *Checker) compareNow(ctx context.Context, cat *catalog.Catalog, report *Report) ([]string, error) {
	server, err := Read(ctx, c.conn, c.version)
	if err != nil {
		return nil, err
	}
	report.Compared++
	report.Facts = server.Len()
	return c.compare(ctx, server, FromCatalog(cat)), nil
}

// statement runs one statement on both sides and says how their answers differ. changed tells whether it succeeded.
func (c *Checker) statement(ctx context.Context, cat *catalog.Catalog, sql string, report *Report) (what []string, changed bool, err error) {
	aborted := c.conn.PgConn().TxStatus() == 'E'
	_, err = c.conn.PgConn().Exec(ctx, sql).ReadAll()
	var server *pgconn.PgError
	if err != nil && !errors.As(err, &server) {
		return nil, false, err
	}
	if aborted && server != nil && server.Code == "25P02" {
		// In an aborted transaction the server refuses all but its end; Apply leaves that to its caller.
		report.Understood++
		return nil, false, nil
	}
	if c.tooNew(server) {
		report.Newer++
		return nil, false, nil
	}
	before := cat.Clone()
	_, ours := apply(cat, inAborted(sql, aborted))
	if ours != nil && ours.Code == catalog.NotUnderstood {
		report.NotUnderstood = append(report.NotUnderstood, oneLine(sql)+": "+ours.Message)
		if server == nil {
			return []string{"not understood: " + ours.Message}, true, nil
		}
		return nil, false, nil
	}
	report.Understood++
	switch {
	case server == nil && ours == nil:
		return nil, true, nil
	case server == nil:
		return []string{fmt.Sprintf("the server accepts it, ours says %s %s", ours.Code, ours.Message)}, true, nil
	case ours == nil && queryOnly(sql):
		// Whether data is right is the server's to say.
		return nil, false, nil
	case ours == nil && beyond(server):
		*cat = *before
		report.Beyond++
		return nil, false, nil
	case ours == nil:
		return []string{fmt.Sprintf("ours accepts it, the server says %s %s", server.Code, server.Message)}, false, nil
	case server.Code != ours.Code:
		report.OtherCode++
		if c.LenientCodes {
			return nil, false, nil
		}
		return []string{fmt.Sprintf("the server says %s %s, ours %s %s", server.Code, server.Message, ours.Code, ours.Message)}, false, nil
	}
	return nil, false, nil
}

// inAborted is what a statement amounts to in an aborted transaction: COMMIT rolls back.
func inAborted(sql string, aborted bool) string {
	if !aborted {
		return sql
	}
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return sql
	}
	if tx := stmts[0].Node.GetTransactionStmt(); tx != nil && tx.Kind == pgast.TransactionStmtKind_TRANS_STMT_COMMIT {
		if tx.Chain {
			return "ROLLBACK AND CHAIN"
		}
		return "ROLLBACK"
	}
	return sql
}

// beyond tells errors whose cause is not in the schema: what the machine and the cluster have (roles, tablespaces,
// extensions on disk, settings), the values of constants, and the rows.
func beyond(e *pgconn.PgError) bool {
	m := e.Message
	switch e.Code {
	case "42704":
		return strings.HasPrefix(m, "role ") || strings.HasPrefix(m, "tablespace ") || strings.HasPrefix(m, "unrecognized configuration parameter")
	case "0A000":
		return strings.HasPrefix(m, "extension ") && strings.HasSuffix(m, "is not available")
	case "58P01", "55P03", "40P01", "57014":
		return true
	case "42501":
		return !strings.HasPrefix(m, "permission denied to create \"pg_catalog") && !strings.Contains(m, "is a system catalog")
	case "22P02", "22007", "22008", "22003", "22001", "22P03", "22023", "22012", "22004":
		return true // a constant that is no value of its type, a parameter out of range
	case "23505", "23502", "23503", "23514":
		return true
	case "42P17":
		// Bounds are compared by value.
		return strings.Contains(m, "would overlap partition") || strings.HasPrefix(m, "empty range bound") ||
			strings.HasPrefix(m, "every hash partition modulus")
	case "42P13", "42601":
		// What is inside a function's body is its language's to judge.
		return e.InternalQuery != "" || strings.HasPrefix(m, "return type mismatch") || strings.Contains(e.Where, "compilation of PL/pgSQL function")
	}
	return false
}

// tooNew tells errors of a server that is older than what we know statements by: our grammar is PostgreSQL 16's, our tables of
// built-in functions are 15's, whatever Config.Version says.
func (c *Checker) tooNew(e *pgconn.PgError) bool {
	switch {
	case e == nil:
		return false
	case e.Code == "42601" && c.version < 16:
		return strings.HasPrefix(e.Message, "syntax error at or near")
	case e.Code == "42883" && c.version < 15:
		return strings.HasPrefix(e.Message, "function ")
	}
	return false
}

// apply parses and applies one statement, turning a crash into an error that names it. gaps are what of it was not followed.
func apply(cat *catalog.Catalog, sql string) (gaps []string, e *catalog.Error) {
	defer func() {
		if r := recover(); r != nil {
			e = &catalog.Error{Code: "panic", Message: fmt.Sprint(r)}
		}
	}()
	stmts, err := pgast.Parse(sql)
	if err != nil {
		return nil, &catalog.Error{Code: "42601", Message: err.Error()}
	}
	for _, s := range stmts {
		if e := cat.Missing(s.Node); e != nil {
			return nil, e
		}
		effects, err := cat.Apply(s)
		if err != nil {
			if !errors.As(err, &e) {
				e = &catalog.Error{Code: "not an *Error", Message: err.Error()}
			}
			return nil, e
		}
		gaps = append(gaps, effects.Gaps...)
	}
	return gaps, nil
}

// queryOnly tells statements that read and write rows: the catalog need not see their errors.
func queryOnly(sql string) bool {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) == 0 {
		return false
	}
	switch n := stmts[0].Node.GetNode().(type) {
	case *pgast.Node_SelectStmt:
		return n.SelectStmt.IntoClause == nil
	case *pgast.Node_InsertStmt, *pgast.Node_UpdateStmt, *pgast.Node_DeleteStmt, *pgast.Node_MergeStmt, *pgast.Node_CopyStmt,
		*pgast.Node_ExplainStmt, *pgast.Node_PrepareStmt, *pgast.Node_ExecuteStmt, *pgast.Node_DeallocateStmt,
		*pgast.Node_DeclareCursorStmt, *pgast.Node_FetchStmt, *pgast.Node_ClosePortalStmt, *pgast.Node_TruncateStmt,
		*pgast.Node_LockStmt, *pgast.Node_VacuumStmt, *pgast.Node_VariableShowStmt, *pgast.Node_CallStmt, *pgast.Node_ClusterStmt,
		*pgast.Node_ReindexStmt, *pgast.Node_RefreshMatViewStmt, *pgast.Node_NotifyStmt, *pgast.Node_ListenStmt,
		*pgast.Node_UnlistenStmt, *pgast.Node_DoStmt, *pgast.Node_LoadStmt, *pgast.Node_ConstraintsSetStmt:
		return true
	}
	return false
}

// reset empties the database, which is quicker than making a new one.
func (c *Checker) reset(ctx context.Context) error {
	conn := c.conn.PgConn()
	if conn.TxStatus() != 'I' {
		if _, err := conn.Exec(ctx, "ROLLBACK").ReadAll(); err != nil {
			return fmt.Errorf("ending the last script's transaction: %w", err)
		}
	}
	const list = `SELECT 'DROP EVENT TRIGGER ' || quote_ident(evtname) FROM pg_event_trigger
UNION ALL SELECT 'DROP PUBLICATION ' || quote_ident(pubname) FROM pg_publication
UNION ALL SELECT 'DROP EXTENSION IF EXISTS ' || quote_ident(extname) || ' CASCADE' FROM pg_extension WHERE extname <> 'plpgsql'
UNION ALL SELECT 'DROP SCHEMA ' || quote_ident(nspname) || ' CASCADE' FROM pg_namespace
          WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL SELECT 'DROP SERVER IF EXISTS ' || quote_ident(srvname) || ' CASCADE' FROM pg_foreign_server
UNION ALL SELECT 'DROP FOREIGN DATA WRAPPER IF EXISTS ' || quote_ident(fdwname) || ' CASCADE' FROM pg_foreign_data_wrapper
UNION ALL SELECT 'DROP LANGUAGE IF EXISTS ' || quote_ident(lanname) || ' CASCADE' FROM pg_language WHERE oid >= 16384
UNION ALL SELECT 'DROP CAST (' || castsource::regtype || ' AS ' || casttarget::regtype || ')' FROM pg_cast WHERE oid >= 16384
UNION ALL SELECT 'DROP ACCESS METHOD IF EXISTS ' || quote_ident(amname) || ' CASCADE' FROM pg_am WHERE oid >= 16384`
	results, err := conn.Exec(ctx, "SET client_min_messages = error; DISCARD TEMP;").ReadAll()
	if err == nil {
		results, err = conn.Exec(ctx, list).ReadAll()
	}
	if err != nil {
		return fmt.Errorf("listing what the last script left: %w", err)
	}
	batch := []string{"RESET ROLE; RESET SESSION AUTHORIZATION"}
	for _, row := range results[0].Rows {
		batch = append(batch, string(row[0]))
	}
	public := "CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC"
	if c.version < 15 {
		public = "CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC"
	}
	batch = append(batch, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
		public+"; COMMENT ON SCHEMA public IS 'standard public schema'")
	for _, sql := range batch {
		// One at a time: dropped together in one transaction, extensions that use each other make the server look for
		// functions that are gone.
		_, err := conn.Exec(ctx, sql).ReadAll()
		var gone *pgconn.PgError
		if err != nil && !(errors.As(err, &gone) && (gone.Code == "42704" || gone.Code == "3F000")) { // went with another
			return fmt.Errorf("emptying the database, %s: %w", oneLine(sql), err)
		}
	}
	// RESET ALL sets client_min_messages back, DISCARD ALL may not be in a batch.
	for _, sql := range []string{"DISCARD ALL", "SET client_min_messages = error"} {
		if _, err := conn.Exec(ctx, sql).ReadAll(); err != nil {
			return fmt.Errorf("emptying the session: %w", err)
		}
	}
	return nil
}

func oneLine(sql string) string {
	s := strings.Join(strings.Fields(sql), " ")
	if len(s) > 240 {
		s = s[:240] + "…"
	}
	return s
}

// Shrink returns a smaller script that still fails: statements are taken out, in ever smaller runs, as long as it does.
func Shrink(statements []string, fails func([]string) bool) []string {
	for size := len(statements) / 2; size > 0; size /= 2 {
		for i := 0; i+size <= len(statements); {
			shorter := slices.Concat(statements[:i], statements[i+size:])
			if fails(shorter) {
				statements = shorter
				continue
			}
			i += size
		}
	}
	return statements
}
