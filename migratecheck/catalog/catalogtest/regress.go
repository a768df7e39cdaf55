package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
	"github.com/jackc/pgx/v5/pgconn"
)

// Tally counts what came of the statements of a long script that was not written for us, such as a file of
// PostgreSQL's own regression suite.
type Tally struct {
	Statements int
	// Parsed by our parser; NotParsed are those that the server parsed and we did not.
	Parsed    int
	NotParsed []string
	// Understood were applied or refused; NotUnderstood were given up on, in whole or in part (catalog.Effects.Gaps).
	Understood    int
	NotUnderstood []string
	// Accepted by the server; AcceptedUnderstood of them were understood.
	Accepted, AcceptedUnderstood int
	// Refused by us though the server accepts them, accepted though it refuses them, and refused with another SQLSTATE.
	Refused, Missed, OtherCode []string
	// Refused by us for an object that a statement made which was not understood; not counted as refused wrongly.
	Behind []string
	// Refused by the server for a reason outside the schema (see beyond); not counted as accepted wrongly.
	Beyond int
	// Objects that came to differ after a statement understood, one line each.
	Differ   []string
	Compared int
	Panics   []string
	Slowest  time.Duration
}

// Add adds another file's counts.
func (t *Tally) Add(o Tally) {
	t.Statements += o.Statements
	t.Parsed += o.Parsed
	t.Understood += o.Understood
	t.Accepted += o.Accepted
	t.AcceptedUnderstood += o.AcceptedUnderstood
	t.Compared += o.Compared
	t.Beyond += o.Beyond
	t.Slowest = max(t.Slowest, o.Slowest)
	t.NotParsed = append(t.NotParsed, o.NotParsed...)
	t.NotUnderstood = append(t.NotUnderstood, o.NotUnderstood...)
	t.Refused = append(t.Refused, o.Refused...)
	t.Behind = append(t.Behind, o.Behind...)
	t.Missed = append(t.Missed, o.Missed...)
	t.OtherCode = append(t.OtherCode, o.OtherCode...)
	t.Differ = append(t.Differ, o.Differ...)
	t.Panics = append(t.Panics, o.Panics...)
}

func (t Tally) String() string {
	return fmt.Sprintf("%d statements: %d parsed (%d not, that the server parses), %d understood (%d of %d that the server accepts), %d compared; "+
		"%d refused wrongly (and %d behind one not understood), %d accepted wrongly, %d other SQLSTATE, %d objects came to differ, %d panics; slowest %s",
		t.Statements, t.Parsed, len(t.NotParsed), t.Understood, t.AcceptedUnderstood, t.Accepted, t.Compared,
		len(t.Refused), len(t.Behind), len(t.Missed), len(t.OtherCode), len(t.Differ), len(t.Panics), t.Slowest.Round(time.Millisecond))
}

// Complaints lists everything that did not agree.
func (t Tally) Complaints() string {
	var b strings.Builder
	for _, list := range []struct {
		kind  string
		lines []string
	}{
		{"panic", t.Panics}, {"not parsed", t.NotParsed}, {"not understood", t.NotUnderstood}, {"refused wrongly", t.Refused},
		{"refused behind one not understood", t.Behind},
		{"accepted wrongly", t.Missed}, {"other SQLSTATE", t.OtherCode}, {"differs", t.Differ},
	} {
		for _, line := range list.lines {
			fmt.Fprintf(&b, "%s | %s\n", list.kind, line)
		}
	}
	return b.String()
}

// Follow runs a script on both sides to its end, whatever happens on the way: after a disagreement the objects concerned
// are left out of later comparisons, and a statement that the server refused is undone in our catalog. The catalogs are
// compared after every so many statements that both accepted, and after each that one of the two did not.
func (c *Checker) Follow(ctx context.Context, statements []string, every int) (Tally, error) {
	var t Tally
	if err := c.reset(ctx); err != nil {
		return t, err
	}
	//srhtvet:ignore session-set a connection of its own to a server of its own, or one that a DSN names for this
	if _, err := c.conn.PgConn().Exec(ctx, "SET statement_timeout = '10s'").ReadAll(); err != nil {
		return t, err
	}
	f := follower{c: c, t: &t, cat: c.New(), off: map[string]bool{}, lost: map[string]bool{}}
	err := f.all(ctx, statements, every)
	return t, errors.Join(err, c.dropSubscriptions(ctx))
}

func (f *follower) all(ctx context.Context, statements []string, every int) error {
	for _, sql := range statements {
		if wantsData(sql) {
			continue
		}
		if err := f.statement(ctx, sql, every); err != nil {
			return err
		}
	}
	if len(f.unseen) > 0 && f.c.conn.PgConn().TxStatus() != 'E' {
		return f.compare(ctx, true)
	}
	return nil
}

// dropSubscriptions takes away what would keep the database from being dropped.
func (c *Checker) dropSubscriptions(ctx context.Context) error {
	conn := c.conn.PgConn()
	if conn.IsClosed() {
		return nil
	}
	results, err := conn.Exec(ctx, "ROLLBACK; RESET ROLE; RESET SESSION AUTHORIZATION; SELECT quote_ident(subname) FROM pg_subscription").ReadAll()
	if err != nil {
		return fmt.Errorf("listing subscriptions: %w", err)
	}
	for _, row := range results[len(results)-1].Rows {
		name := string(row[0])
		for _, sql := range []string{"ALTER SUBSCRIPTION %s DISABLE", "ALTER SUBSCRIPTION %s SET (slot_name = NONE)", "DROP SUBSCRIPTION %s"} {
			if _, err := conn.Exec(ctx, fmt.Sprintf(sql, name)).ReadAll(); err != nil {
				return fmt.Errorf("dropping subscription %s: %w", name, err)
			}
		}
	}
	return nil
}

// wantsData tells COPY FROM STDIN, which would make the server wait.
func wantsData(sql string) bool {
	stmts, err := pgast.Parse(sql)
	if err != nil || len(stmts) != 1 {
		return false
	}
	cp := stmts[0].Node.GetCopyStmt()
	return cp != nil && cp.IsFrom && cp.Filename == ""
}

type follower struct {
	c   *Checker
	t   *Tally
	cat *catalog.Catalog
	off map[string]bool // objects known to differ
	// lost has the names of the objects that came to differ by statements that were not understood.
	lost map[string]bool

	unseen []string // statements applied since the last comparison
}

func (f *follower) statement(ctx context.Context, sql string, every int) error {
	f.t.Statements++
	conn := f.c.conn.PgConn()
	aborted := conn.TxStatus() == 'E'
	stmts, parseErr := pgast.Parse(sql)
	if parseErr == nil {
		f.each(stmts)
	}
	before := f.cat.Clone()
	start := time.Now()
	gaps, ours := apply(f.cat, inAborted(sql, aborted))
	f.t.Slowest = max(f.t.Slowest, time.Since(start))
	understood := parseErr == nil && len(gaps) == 0 && (ours == nil || ours.Code != catalog.NotUnderstood && ours.Code != "panic")
	if !understood && !aborted && len(f.unseen) > 0 {
		// What the statements before it did is theirs, and not to be laid to this one.
		after := f.cat
		f.cat = before.Clone()
		if err := f.compare(ctx, true); err != nil {
			return err
		}
		f.cat = after
	}

	_, err := conn.Exec(ctx, sql).ReadAll()
	var server *pgconn.PgError
	if err != nil && !errors.As(err, &server) {
		return fmt.Errorf("running %s: %w", oneLine(sql), err)
	}
	if parseErr == nil {
		f.t.Parsed++
	} else if server == nil || server.Code != "42601" {
		f.t.NotParsed = append(f.t.NotParsed, oneLine(sql)+": "+parseErr.Error())
	}
	if server == nil {
		f.t.Accepted++
	}
	if aborted && server != nil && server.Code == "25P02" {
		f.t.Understood++
		f.cat = before
		return nil
	}
	if understood || server != nil && parseErr != nil {
		f.t.Understood++
		if server == nil {
			f.t.AcceptedUnderstood++
		}
	}
	f.judge(sql, server, ours, parseErr)
	if len(gaps) > 0 && server == nil {
		f.t.NotUnderstood = append(f.t.NotUnderstood, oneLine(sql)+": "+strings.Join(gaps, ", "))
	}
	if server != nil {
		f.cat = before
		return f.refused(ctx, sql)
	}
	if understood && queryOnly(sql) && ours == nil || conn.TxStatus() == 'E' {
		return nil
	}
	fine := understood && ours == nil
	f.unseen = append(f.unseen, oneLine(sql))
	if fine && len(f.unseen) < every {
		return nil
	}
	return f.compare(ctx, fine)
}

// refused sets right what a refusal by the server changes although the statement did nothing.
func (f *follower) refused(ctx context.Context, sql string) error {
	conn := f.c.conn.PgConn()
	if conn.TxStatus() == 'I' && f.cat.InTransaction() {
		if _, e := apply(f.cat, "ROLLBACK"); e != nil { // a COMMIT that is refused rolls back
			return e
		}
	}
	if conn.TxStatus() != 'I' || !strings.Contains(strings.ToUpper(sql), "CONCURRENTLY") {
		return nil
	}
	// A CONCURRENTLY that fails, for the rows' sake, leaves its index behind. They go, so that both sides are alike again.
	const list = "SELECT indexrelid::regclass FROM pg_index JOIN pg_class ON oid = indexrelid WHERE NOT indisvalid AND relkind = 'i' AND relnamespace <> 'pg_toast'::regnamespace"
	results, err := conn.Exec(ctx, list).ReadAll()
	if err != nil {
		return fmt.Errorf("listing invalid indexes: %w", err)
	}
	for _, row := range results[0].Rows {
		if _, err := conn.Exec(ctx, "DROP INDEX "+string(row[0])).ReadAll(); err != nil {
			return fmt.Errorf("dropping an invalid index: %w", err)
		}
	}
	return nil
}

// each hands the statements on, each with the same catalog: psql sends one at a time.
func (f *follower) each(stmts []pgast.Stmt) {
	if f.c.Each == nil {
		return
	}
	for _, s := range stmts {
		if s.Node != nil {
			f.c.Each(f.cat, s)
		}
	}
}

// judge compares the two answers.
func (f *follower) judge(sql string, server *pgconn.PgError, ours *catalog.Error, parseErr error) {
	line := oneLine(sql)
	switch {
	case ours != nil && ours.Code == "panic":
		f.t.Panics = append(f.t.Panics, line+": "+ours.Message)
	case parseErr != nil:
	case ours != nil && ours.Code == catalog.NotUnderstood:
		f.t.NotUnderstood = append(f.t.NotUnderstood, line+": "+ours.Message)
	case server == nil && ours != nil && f.behind(ours):
		f.t.Behind = append(f.t.Behind, line+": "+ours.Code+" "+ours.Message)
	case server == nil && ours != nil:
		f.t.Refused = append(f.t.Refused, line+": "+ours.Code+" "+ours.Message)
	case server != nil && ours == nil && beyond(server):
		f.t.Beyond++
	case server != nil && ours == nil && !queryOnly(sql):
		f.t.Missed = append(f.t.Missed, line+": "+server.Code+" "+server.Message)
	case server != nil && ours != nil && server.Code != ours.Code:
		f.t.OtherCode = append(f.t.OtherCode, fmt.Sprintf("%s: %s %s, ours %s %s", line, server.Code, server.Message, ours.Code, ours.Message))
	}
}

// behind tells whether a refusal of ours is about an object that is not what it is on the server because a statement was not
// understood.
func (f *follower) behind(e *catalog.Error) bool {
	text := e.Message + " " + e.Detail
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \".,()", r) })
	return slices.ContainsFunc(words, func(word string) bool { return f.lost[word] })
}

// compare finds the objects that differ now and did not before. They count when all statements since the last comparison
// were understood.
func (f *follower) compare(ctx context.Context, counts bool) error {
	server, err := Read(ctx, f.c.conn, f.c.version)
	if err != nil {
		var e *pgconn.PgError
		if errors.As(err, &e) {
			return nil // a setting or a broken object of the script's; the next comparison sees it
		}
		return err
	}
	f.t.Compared++
	after := strings.Join(f.unseen, ";\n    ")
	f.unseen = nil
	ours := FromCatalog(f.cat)
	for key := range f.off {
		delete(server.objects, key)
		delete(ours.objects, key)
	}
	var fresh []string
	for _, d := range diff(server, ours) {
		if d.serverText != nil && d.ourSQL != nil {
			if same, _ := f.c.sameText(ctx, d.serverText, d.ourSQL); same {
				continue
			}
		}
		f.off[d.object] = true
		if !counts && !strings.HasPrefix(d.object, "column ") {
			f.lost[bareName(d.object)] = true
		}
		fresh = append(fresh, d.String())
	}
	if counts && len(fresh) > 0 {
		slices.Sort(fresh)
		more := ""
		if len(fresh) > 4 {
			more = fmt.Sprintf("\n    … and %d more", len(fresh)-4)
			fresh = fresh[:4]
		}
		f.t.Differ = append(f.t.Differ, after+"\n  -> "+strings.Join(fresh, "\n    ")+more)
	}
	return nil
}

// bareName is the name of an object without its kind, its schema and its table.
func bareName(object string) string {
	name, _, _ := strings.Cut(object, " on ")
	return name[strings.LastIndexAny(name, " .")+1:]
}
