package migratecheck

import (
	"strings"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// timeouts are the parameters that the rules ask about, "" for those not set.
type timeouts struct{ lock, statement, idle string }

// session is what SET has changed for the statements to come. SET LOCAL ends with its transaction, and what a transaction has set
// ends with it when it is rolled back (manual, SET).
type session struct {
	timeouts          // in force
	commits  timeouts // those in force after COMMIT
	aborts   timeouts // those in force after ROLLBACK
}

// begin opens a transaction: one of the tool, of BEGIN, or of a text that is sent as a whole.
func (s *session) begin() { s.commits, s.aborts = s.timeouts, s.timeouts }

// commit ends it.
func (s *session) commit() {
	s.timeouts = s.commits
	s.begin()
}

// apply follows SET, RESET and set_config, and the ends of transactions.
func (s *session) apply(n *pgast.Node) {
	if ts := n.GetTransactionStmt(); ts != nil {
		switch ts.Kind {
		case pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_PREPARE:
			s.commit()
		case pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK:
			s.timeouts = s.aborts
			s.begin()
		}
		return
	}
	set := n.GetVariableSetStmt()
	if set == nil {
		if name, value, local, ok := setConfig(n); ok {
			s.set(name, value, local)
		}
		return
	}
	value := ""
	if set.Kind == pgast.VariableSetKind_VAR_SET_VALUE && len(set.Args) > 0 {
		if c := set.Args[0].GetAConst(); c != nil {
			switch {
			case c.GetSval() != nil:
				value = c.GetSval().Sval
			case c.GetIval() != nil:
				value = itoa(c.GetIval().Ival)
			}
		}
	}
	if set.Kind == pgast.VariableSetKind_VAR_RESET_ALL {
		s.timeouts, s.commits = timeouts{}, timeouts{}
		return
	}
	s.set(set.Name, value, set.IsLocal)
}

func (s *session) set(name, value string, local bool) {
	s.timeouts.set(name, value)
	if !local {
		s.commits.set(name, value)
	}
}

func (t *timeouts) set(name, value string) {
	switch strings.ToLower(name) {
	case "lock_timeout":
		t.lock = value
	case "statement_timeout":
		t.statement = value
	case "idle_in_transaction_session_timeout", "transaction_timeout":
		t.idle = value
	}
}

// setConfig reads SELECT set_config('name', 'value', local).
func setConfig(n *pgast.Node) (name, value string, local, ok bool) {
	for _, t := range n.GetSelectStmt().GetTargetList() {
		call := t.GetResTarget().GetVal().GetFuncCall()
		parts := call.GetFuncname()
		if len(parts) == 0 || len(call.GetArgs()) != 3 || parts[len(parts)-1].GetString_().GetSval() != "set_config" {
			continue
		}
		return call.Args[0].GetAConst().GetSval().GetSval(), call.Args[1].GetAConst().GetSval().GetSval(), call.Args[2].GetAConst().GetBoolval().GetBoolval(), true
	}
	return "", "", false, false
}
