package migratecheck

import (
	"fmt"
	"strings"
	"time"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

var ruleIneffectiveLockTimeout = &Rule{
	ID: "ineffective-lock-timeout", Category: Locks, Severity: Warning, Down: true,
	Doc: Doc{
		Summary:    "A lock_timeout that does not protect: zero, too long, or SET LOCAL outside a transaction.",
		Why:        "The file looks safe and is not: lock_timeout = 0 waits for ever, minutes are an outage, and SET LOCAL in a statement that commits by itself is forgotten at once.",
		Schema:     "CREATE TABLE repo (id integer PRIMARY KEY, name text);",
		Bad:        "SET lock_timeout = '10min';\nALTER TABLE repo ADD COLUMN note text;",
		Good:       "SET lock_timeout = '2s';\nALTER TABLE repo ADD COLUMN note text;",
		Exceptions: "Up to 30 seconds is silent.",
		Versions:   "All.",
		Source:     "PostgreSQL 15 manual, 20.11.1 lock_timeout; SET: \"issuing this outside of a transaction block emits a warning and otherwise has no effect\".",
	},
	Step: func(s *Step) {
		set := s.Stmt.Node.GetVariableSetStmt()
		if set == nil || !strings.EqualFold(set.Name, "lock_timeout") || set.Kind != pgast.VariableSetKind_VAR_SET_VALUE {
			return
		}
		var now session
		now.apply(s.Stmt.Node)
		d, ok := parseTimeout(now.lock)
		switch {
		case set.IsLocal && !s.Tx.Explicit:
			s.Report("SET LOCAL lock_timeout outside a transaction has no effect", "Write SET lock_timeout = '2s';")
		case ok && d == 0:
			s.Report("lock_timeout = 0 switches the limit off: the migration waits for its locks for ever, and everybody else behind it", "Write SET lock_timeout = '2s';")
		case ok && d > 30*time.Second:
			s.Report(fmt.Sprintf("a lock_timeout of %s lets every request on the table queue for that long", d), "Write SET lock_timeout = '2s'; and run the migration again when it fails.")
		}
	},
}
