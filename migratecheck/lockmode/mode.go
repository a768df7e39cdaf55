package lockmode

import "slices"

// Mode is a table-level lock mode, in the words of pg_locks.mode.
type Mode string

// The modes, weakest first (PostgreSQL manual, "Explicit Locking", Table-Level Locks). The order is that of the numbers
// in src/include/storage/lockdefs.h.
const (
	AccessShare          Mode = "AccessShareLock"
	RowShare             Mode = "RowShareLock"
	RowExclusive         Mode = "RowExclusiveLock"
	ShareUpdateExclusive Mode = "ShareUpdateExclusiveLock"
	Share                Mode = "ShareLock"
	ShareRowExclusive    Mode = "ShareRowExclusiveLock"
	Exclusive            Mode = "ExclusiveLock"
	AccessExclusive      Mode = "AccessExclusiveLock"
)

// Modes lists the modes, weakest first.
func Modes() []Mode {
	return []Mode{AccessShare, RowShare, RowExclusive, ShareUpdateExclusive, Share, ShareRowExclusive, Exclusive, AccessExclusive}
}

// level is the number of the mode in lockdefs.h, 0 for no lock.
func (m Mode) level() int { return slices.Index(Modes(), m) + 1 }

// Conflicts reports whether two transactions cannot hold m and other on the same relation at once (LockConflicts in
// src/backend/storage/lmgr/lock.c; the manual's table of conflicting lock modes).
func (m Mode) Conflicts(other Mode) bool {
	a, b := m.level(), other.level()
	if a == 0 || b == 0 {
		return false
	}
	return slices.Contains(conflicts(m), other)
}

func conflicts(m Mode) []Mode {
	switch all := Modes(); m {
	case AccessShare:
		return all[7:]
	case RowShare:
		return all[6:]
	case RowExclusive:
		return all[4:]
	case ShareUpdateExclusive:
		return all[3:]
	case Share:
		return []Mode{RowExclusive, ShareUpdateExclusive, ShareRowExclusive, Exclusive, AccessExclusive}
	case ShareRowExclusive:
		return all[2:]
	case Exclusive:
		return all[1:]
	case AccessExclusive:
		return all
	}
	return nil
}

// Stronger reports whether m comes after other in the list of modes: it conflicts with at least as many.
func (m Mode) Stronger(other Mode) bool { return m.level() > other.level() }

// Strongest is the stronger of two modes; the empty mode is none at all.
func Strongest(a, b Mode) Mode {
	if b.Stronger(a) {
		return b
	}
	return a
}

// String is the mode as pg_locks shows it.
func (m Mode) String() string { return string(m) }

// SQL is the mode as LOCK TABLE takes it, such as "ACCESS EXCLUSIVE".
func (m Mode) SQL() string {
	switch m {
	case AccessShare:
		return "ACCESS SHARE"
	case RowShare:
		return "ROW SHARE"
	case RowExclusive:
		return "ROW EXCLUSIVE"
	case ShareUpdateExclusive:
		return "SHARE UPDATE EXCLUSIVE"
	case Share:
		return "SHARE"
	case ShareRowExclusive:
		return "SHARE ROW EXCLUSIVE"
	case Exclusive:
		return "EXCLUSIVE"
	case AccessExclusive:
		return "ACCESS EXCLUSIVE"
	}
	return ""
}

// Blocks says in plain words what others have to wait for while the lock is held.
func (m Mode) Blocks() string {
	switch m {
	case AccessExclusive:
		return "blocks reads and writes"
	case Exclusive:
		return "blocks writes and SELECT … FOR UPDATE, lets plain reads through"
	case Share, ShareRowExclusive:
		return "blocks writes, lets reads through"
	case ShareUpdateExclusive:
		return "blocks other schema changes and VACUUM, lets reads and writes through"
	case RowExclusive, RowShare:
		return "blocks schema changes, lets reads and writes through"
	case AccessShare:
		return "blocks only what needs an ACCESS EXCLUSIVE lock, such as DROP and most of ALTER TABLE"
	}
	return ""
}

// BlocksWrites reports whether INSERT, UPDATE and DELETE wait.
func (m Mode) BlocksWrites() bool { return m.Conflicts(RowExclusive) }

// BlocksReads reports whether SELECT waits.
func (m Mode) BlocksReads() bool { return m.Conflicts(AccessShare) }
