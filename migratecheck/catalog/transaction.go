package catalog

import "git.sr.ht/~sourcehut/ha-go/internal/pgast"

// savepoint is a state to go back to: the start of a transaction (Name "") or a SAVEPOINT.
type savepoint struct {
	Name  string
	State *Catalog
	// Local holds, of the start of a transaction, the settings that SET LOCAL has changed since, as they were.
	Local map[string]setting
	// Tool marks the start of a transaction that the migration tool has begun, as far as it is known: at the first SAVEPOINT.
	Tool bool
}

// setting is the value of a parameter that was set, or that it was not.
type setting struct {
	Value string
	Set   bool
}

// InTransaction tells whether a BEGIN is open.
func (c *Catalog) InTransaction() bool { return len(c.tx) > 0 }

// applyTransaction follows BEGIN, COMMIT, ROLLBACK and SAVEPOINT. What the server would only warn about is a notice.
func (c *Catalog) applyTransaction(s *pgast.TransactionStmt, eff *Effects) error {
	switch s.Kind {
	case pgast.TransactionStmtKind_TRANS_STMT_BEGIN, pgast.TransactionStmtKind_TRANS_STMT_START:
		if c.InTransaction() {
			eff.note("there is already a transaction in progress")
			return nil
		}
		c.begin()
	case pgast.TransactionStmtKind_TRANS_STMT_COMMIT, pgast.TransactionStmtKind_TRANS_STMT_PREPARE:
		if !c.InTransaction() {
			eff.note("there is no transaction in progress")
			return nil
		}
		c.endLocal()
		c.tx = nil
		if err := c.dropOnCommit(); err != nil {
			return err
		}
		if s.Chain {
			c.begin()
		}
	case pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK:
		if !c.InTransaction() {
			eff.note("there is no transaction in progress")
			return nil
		}
		c.restore(c.tx[0].State)
		if s.Chain {
			c.begin()
		}
	case pgast.TransactionStmtKind_TRANS_STMT_SAVEPOINT:
		if !c.InTransaction() && c.wrapped {
			c.begin()
			c.tx[0].Tool = true
		}
		if !c.InTransaction() {
			return errorf("25P01", "SAVEPOINT can only be used in transaction blocks")
		}
		c.tx = append(c.tx[:len(c.tx):len(c.tx)], savepoint{Name: s.SavepointName, State: c.Clone()})
	case pgast.TransactionStmtKind_TRANS_STMT_RELEASE:
		i, err := c.findSavepoint("RELEASE SAVEPOINT", s.SavepointName)
		if err != nil {
			return err
		}
		c.tx = c.tx[:i:i]
	case pgast.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
		i, err := c.findSavepoint("ROLLBACK TO SAVEPOINT", s.SavepointName)
		if err != nil {
			return err
		}
		tx := c.tx[: i+1 : i+1]
		c.restore(tx[i].State.Clone())
		c.tx = tx
	}
	return nil
}

func (c *Catalog) begin() { c.tx = []savepoint{{State: c.Clone()}} }

// dropOnCommit drops the temporary tables that were to last for the transaction only (PreCommit_on_commit_actions).
func (c *Catalog) dropOnCommit() error {
	var targets []dropTarget
	for _, oid := range c.onCommit {
		if c.Get(oid) != nil {
			targets = append(targets, dropTarget{Address: Address{OID: oid}})
		}
	}
	c.onCommit = nil
	return c.dropObjects(targets, true, &Effects{})
}

// findSavepoint returns the index of the innermost savepoint of that name.
func (c *Catalog) findSavepoint(command, name string) (int, error) {
	if !c.InTransaction() && !c.wrapped {
		return 0, errorf("25P01", "%s can only be used in transaction blocks", command)
	}
	for i := len(c.tx) - 1; i > 0; i-- {
		if c.tx[i].Name == name {
			return i, nil
		}
	}
	return 0, errorf("3B001", "savepoint \"%s\" does not exist", name)
}

// endLocal takes SET LOCAL back at the end of the transaction.
func (c *Catalog) endLocal() {
	for name, old := range c.tx[0].Local {
		c.changeSetting(name, old)
	}
}
