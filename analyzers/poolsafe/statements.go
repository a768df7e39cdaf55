package poolsafe

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/query"
)

// The claims about transaction pooling are those of PgBouncer's manual, "SQL feature map for pooling modes"
// (https://www.pgbouncer.org/features.html: "Never" for SET/RESET, LISTEN, WITH HOLD CURSOR, PREPARE/DEALLOCATE, PRESERVE/DELETE ROWS temp
// tables, session-level advisory locks), and each is shown by a test in pgbouncer_test.go.

// tracked reports whether PgBouncer restores a setting for each client: "By default, PgBouncer tracks client_encoding, datestyle,
// timezone, standard_conforming_strings and application_name parameters per client" (pgbouncer.ini, track_extra_parameters).
// TestTrackedParameters.
func tracked(name string) bool {
	switch strings.ToLower(name) {
	case "timezone", "datestyle", "client_encoding", "standard_conforming_strings", "application_name":
		return true
	}
	return false
}

const (
	settingLost     = "behind PgBouncer's transaction pooling it goes to whoever uses that server connection next, and the statements that it is meant for run without it on another"
	searchPathLost  = "behind PgBouncer's transaction pooling whoever uses that server connection next reads and writes in these schemas, and the statements that it is meant for go to other ones"
	searchPathHelp  = "Name the schema in each statement, set it for the role or database (ALTER ROLE … SET search_path), or use SET LOCAL in each transaction."
	settingHelp     = "Use SET LOCAL in the transaction that needs it, or set it for the role or database (ALTER ROLE … SET)."
	setConfigHelp   = "Use set_config(…, true) in the transaction that needs it, or set it for the role or database (ALTER ROLE … SET)."
	sessionNotTrans = ", and stays after the transaction"
)

var setWord = regexp.MustCompile(`(?i)^set(?:\s+session)?\s`)

// checkSet finds SET without LOCAL. TestSetLeaksAndIsLost, TestSearchPath.
func (c *checker) checkSet(s statement) {
	set := s.Node.GetVariableSetStmt()
	if set == nil || set.GetIsLocal() || tracked(set.GetName()) {
		return
	}
	what := set.GetName()
	switch set.GetKind() {
	case pgast.VariableSetKind_VAR_SET_VALUE, pgast.VariableSetKind_VAR_SET_CURRENT:
	case pgast.VariableSetKind_VAR_SET_MULTI:
		if what != "SESSION CHARACTERISTICS" {
			return // SET TRANSACTION
		}
	default:
		return // RESET and SET … TO DEFAULT leave what everybody has
	}
	if c.ownSession(s, what) {
		return
	}
	var fixes []analysis.SuggestedFix
	if m := setWord.FindString(s.SQL); m != "" && s.begun && set.GetKind() != pgast.VariableSetKind_VAR_SET_MULTI {
		fixes = c.replace(s, "Use SET LOCAL", s.Offset, len(m)-1, m[:3]+" LOCAL")
	}
	if what == "search_path" {
		c.report(s, "session-search-path", s.Offset, "SET search_path is the session's: "+searchPathLost, searchPathHelp, fixes...)
		return
	}
	c.report(s, "session-set", s.Offset, fmt.Sprintf("SET %s without LOCAL is the session's%s: %s", what, kept(s), settingLost), settingHelp, fixes...)
}

// ownSession reports whether a setting is made on a connection that the code holds, and taken back in the same function, or in a pool of one
// connection: who does that knows of sessions, and has one that does not go through a pooler, as far as can be told.
func (c *checker) ownSession(s statement, setting string) bool {
	if c.single(s) {
		return true
	}
	if c.held(s) == nil {
		return false
	}
	for _, other := range c.stmts {
		set := other.Node.GetVariableSetStmt()
		if set != nil && other.site.Func == s.site.Func && (set.GetName() == setting || set.GetKind() == pgast.VariableSetKind_VAR_RESET_ALL) &&
			c.pos(other, other.Offset) != c.pos(s, s.Offset) {
			return true
		}
	}
	return false
}

func kept(s statement) string {
	if s.begun {
		return sessionNotTrans
	}
	return ""
}

// call is a call of a function in a statement.
type call struct {
	name string
	args []*pgast.Node
	at   int // where its name begins, in bytes of the text
}

// calls lists the calls of a statement.
func calls(s statement) []call {
	var list []call
	pgast.Walk(s.Node, func(n *pgast.Node) bool {
		if f := n.GetFuncCall(); f != nil {
			names := f.GetFuncname()
			list = append(list, call{names[len(names)-1].GetString_().GetSval(), f.GetArgs(), int(f.GetLocation())})
		}
		return true
	})
	return list
}

func (c *checker) checkCalls(s statement) {
	list := calls(s)
	nextval := false
	for _, f := range list {
		nextval = nextval || f.name == "nextval"
	}
	for _, f := range list {
		switch f.name {
		case "set_config":
			c.checkSetConfig(s, f)
		case "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared":
			c.checkAdvisory(s, f)
		case "currval", "lastval":
			// TestLastval.
			if s.site.Tx == query.TxNone && s.alone && !s.begun && !nextval {
				c.report(s, "session-sequence", f.at,
					f.name+" is what this session drew last, and nothing here says that it is the same one: behind PgBouncer's transaction pooling it is another client's value, or an error",
					"Use RETURNING in the statement that draws it, or do both in one transaction.")
			}
		}
	}
}

// checkSetConfig finds set_config whose third argument is false. TestSetLeaksAndIsLost.
func (c *checker) checkSetConfig(s statement, f call) {
	if len(f.args) != 3 {
		return
	}
	local := f.args[2].GetAConst()
	if local == nil || local.GetBoolval() == nil || local.GetBoolval().GetBoolval() {
		return
	}
	name := f.args[0].GetAConst().GetSval().GetSval()
	if tracked(name) {
		return
	}
	var fixes []analysis.SuggestedFix
	if at := int(local.GetLocation()); s.begun && strings.EqualFold(textAt(s.variant.SQL, at, 5), "false") {
		fixes = c.replace(s, "Keep it to the transaction", at, 5, "true")
	}
	if strings.EqualFold(name, "search_path") {
		c.report(s, "session-search-path", f.at, "set_config('search_path', …, false) is the session's: "+searchPathLost, searchPathHelp, fixes...)
		return
	}
	c.report(s, "session-set-config", f.at, "set_config(…, false) is the session's"+kept(s)+": "+settingLost, setConfigHelp, fixes...)
}

// textAt are n bytes of a text from offset on, fewer at its end.
func textAt(text string, offset, n int) string {
	if offset < 0 || offset > len(text) {
		return ""
	}
	return text[offset:min(len(text), offset+n)]
}

const (
	lockLost = "behind PgBouncer's transaction pooling others get the same server connection and the same lock, it is given back on another one or not at all, and whoever waits for it waits until that connection is closed"
	lockHelp = "Use pg_advisory_xact_lock in a transaction around the work, or a row that is locked FOR UPDATE."
)

// checkAdvisory finds advisory locks of the session, unless the transaction that takes one also gives it back, or it is taken on a
// connection that is apart. TestAdvisoryLock.
func (c *checker) checkAdvisory(s statement, f call) {
	unlocked, inTx := c.unlocks(s)
	if s.begun && inTx || !c.typed(s) || c.locksApart(s) {
		return
	}
	var fixes []analysis.SuggestedFix
	if s.begun && !unlocked && textAt(s.variant.SQL, f.at, len(f.name)) == f.name {
		fixes = c.replace(s, "Use the transaction's lock", f.at, len(f.name), strings.Replace(f.name, "advisory_", "advisory_xact_", 1))
	}
	c.report(s, "session-advisory-lock", f.at,
		f.name+" locks for the session: "+lockLost, lockHelp, fixes...)
}

// unlocks reports whether the package gives back advisory locks, and whether the function that a statement is sent from does so
// in a transaction.
func (c *checker) unlocks(s statement) (anywhere, inTx bool) {
	for _, other := range c.stmts {
		for _, f := range calls(other) {
			if strings.HasPrefix(f.name, "pg_advisory_unlock") {
				anywhere = true
				inTx = inTx || other.begun && other.site.Func == s.site.Func
			}
		}
	}
	return anywhere, inTx
}

// checkListen finds LISTEN. TestListen.
func (c *checker) checkListen(s statement) {
	if s.Node.GetListenStmt() == nil {
		return
	}
	c.report(s, "session-listen", s.Offset, "LISTEN "+s.Node.GetListenStmt().GetConditionname()+" is the session's: "+notHeard, listenHelp)
}

const (
	notHeard   = "behind PgBouncer's transaction pooling the notifications go to whoever uses that server connection when they come, and this listener hears nothing"
	listenHelp = "Connect the listener to PostgreSQL itself, and look into the table at intervals besides: a failover loses notifications, too."
)

// checkTemporary finds temporary tables that outlive their transaction, unless the same function drops them in one. TestTemporaryTable.
func (c *checker) checkTemporary(s statement) {
	into, onCommit := temporary(s.Node)
	if into == nil || into.GetRelpersistence() != "t" {
		return
	}
	switch {
	case onCommit == pgast.OnCommitAction_ONCOMMIT_DROP && (s.begun || s.site.Tx == query.TxUnknown):
		return
	case c.drops(s, into.GetRelname()) && s.site.Tx != query.TxNone:
		return
	case onCommit == pgast.OnCommitAction_ONCOMMIT_DROP:
		c.report(s, "session-temp-table", s.Offset, "this temporary table is dropped as soon as it is made: there is no transaction around it, and behind PgBouncer's transaction pooling the next statement may go to another server connection", "Make and use it in one transaction.")
		return
	}
	var fixes []analysis.SuggestedFix
	if create := s.Node.GetCreateStmt(); create != nil && s.begun && onCommit <= pgast.OnCommitAction_ONCOMMIT_NOOP && create.GetTablespacename() == "" {
		end := s.Offset + len(s.SQL)
		fixes = c.replace(s, "Drop it when the transaction ends", end-1, 1, s.SQL[len(s.SQL)-1:]+" ON COMMIT DROP")
	}
	c.report(s, "session-temp-table", s.Offset,
		fmt.Sprintf("temporary table %s is the session's%s: behind PgBouncer's transaction pooling the next statement goes to a server connection without it, and the next client that makes one of that name finds it there", into.GetRelname(), kept(s)),
		"Make it ON COMMIT DROP, and use it in that transaction only.", fixes...)
}

// temporary is the table that a statement makes, and what becomes of it at the end of the transaction.
func temporary(n *pgast.Node) (*pgast.RangeVar, pgast.OnCommitAction) {
	if create := n.GetCreateStmt(); create != nil {
		return create.GetRelation(), create.GetOncommit()
	}
	into := n.GetCreateTableAsStmt().GetInto()
	if into == nil {
		into = n.GetSelectStmt().GetIntoClause()
	}
	return into.GetRel(), into.GetOnCommit()
}

// drops reports whether the function that a statement is sent from also drops a table of that name.
func (c *checker) drops(s statement, name string) bool {
	for _, other := range c.stmts {
		drop := other.Node.GetDropStmt()
		if drop == nil || other.site.Func != s.site.Func {
			continue
		}
		for _, object := range drop.GetObjects() {
			if items := object.GetList().GetItems(); len(items) > 0 && items[len(items)-1].GetString_().GetSval() == name {
				return true
			}
		}
	}
	return false
}

// hold is CURSOR_OPT_HOLD (PostgreSQL, src/include/nodes/parsenodes.h).
const hold = 0x20

// checkCursor finds cursors WITH HOLD. TestCursorWithHold.
func (c *checker) checkCursor(s statement) {
	cursor := s.Node.GetDeclareCursorStmt()
	if cursor == nil || cursor.GetOptions()&hold == 0 {
		return
	}
	c.report(s, "cursor-with-hold", s.Offset,
		"cursor "+cursor.GetPortalname()+" WITH HOLD outlives its transaction on one server connection: behind PgBouncer's transaction pooling the next FETCH goes to another, where it does not exist, and the rows that it holds stay until that connection is closed",
		"Fetch all in one transaction, or page by key: WHERE id > $1 ORDER BY id LIMIT …")
}

// checkPrepare finds PREPARE, and EXECUTE where the PREPARE is elsewhere. TestPrepare.
func (c *checker) checkPrepare(s statement) {
	name := s.Node.GetPrepareStmt().GetName()
	if name == "" {
		name = s.Node.GetExecuteStmt().GetName()
		for _, other := range c.stmts {
			if other.Node.GetPrepareStmt() != nil {
				return // reported there
			}
		}
	}
	if name == "" {
		return
	}
	c.report(s, "sql-prepare", s.Offset,
		"prepared statement "+name+" is the session's: behind PgBouncer's transaction pooling EXECUTE goes to a server connection that does not know it, and PREPARE to one where it is already there; no version of PgBouncer follows these",
		"Leave preparing to the driver, which PgBouncer follows from 1.21 on.")
}
