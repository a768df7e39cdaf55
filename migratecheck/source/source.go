// Package source finds SQL migrations and reads them as their tools do: which statements are sent, in what order, in
// which transaction, and where each byte of them stands in the file.
//
// [Discover] finds every directory of migrations below a root and reads it, [ReadFiles] reads files by name, and
// [ReadSchema] reads a schema.sql. All three read from an [io/fs.FS], so that a working tree and a revision of it are
// read by the same code. What a tool does with a file is taken from that tool's source or manual (cited in its
// format_*.go), quirks included: where the tool cuts a statement in two, so does this package.
//
// Nothing is dropped in silence. A part of a migration that cannot be known is a [Gap], a file that cannot be read a
// [Problem], a file that is no migration is named in [Set.Other].
package source

import "sort"

// Position is a place in a file. Line and Column are 1-based; Column counts bytes.
type Position struct {
	File   string // as found; slash-separated, relative to the directory that was read
	Line   int
	Column int
}

// Migration is one step of a history, in the order in which the tool applies it.
type Migration struct {
	Tool    string // "brant", "goose", "alembic", …: the name of the Format that read it
	Version string // as the tool compares it: "0009", "20240102030405", a revision id
	Name    string // the descriptive rest of the name
	File    string // that of Up; golang-migrate and Flyway keep the way down in another file
	Up      Script
	Down    Script
	HasDown bool // a Down section (file, function) exists, be it empty
	// NoWayBack: there is none because its author says so: alembic's downgrade() raises an error, and so stops the tool.
	NoWayBack bool
	// NoUp: there is a file for the way down (File) and none for the way up.
	NoUp   bool
	Repeat bool // re-run whenever it changes (Flyway's R__)

	// baseline: the file stands for every migration before it (Flyway's B, atlas's checkpoint).
	baseline bool
}

// Script is one direction of a migration.
type Script struct {
	Statements []Statement
	Gaps       []Gap
	// StrayIgnores are the suppression comments after which no statement follows.
	StrayIgnores []Ignore
}

// Statement is one text that the tool sends to the server in one go. It may hold several SQL statements.
type Statement struct {
	SQL string
	// Tx numbers the transaction the tool runs it in: equal numbers within a history share one. 0 is none, i.e. each
	// text commits by itself (several SQL statements in one text are one implicit transaction).
	Tx int
	// Ignores are the suppression comments that govern this text, in the order of the file.
	Ignores []Ignore

	file *File
	// at is where SQL begins in the file when its bytes stand there unchanged; pieces is nil then.
	at int
	// pieces maps SQL back to the file otherwise, sorted by Offset.
	pieces []piece
}

// piece says that the bytes of a Statement's SQL from Offset on (up to the next piece) stand in the file from its byte
// At on. A linear piece keeps in step byte by byte; the bytes of any other (an escape, an interpolated value) all stand
// at At.
type piece struct {
	Offset int // into Statement.SQL
	At     int // into File.Text
	Linear bool
}

// Gap is a part of a migration that was not understood.
type Gap struct {
	Pos    Position
	Reason string // what it is and why it cannot be known, e.g. "loop over a query's result"
	Source string // the text in question, shortened
	// Refused: the tool itself does not accept the file, so that it stops here instead of running it. What can be
	// read is in Statements all the same.
	Refused bool
	// Ignores are the suppression comments that govern this part.
	Ignores []Ignore
}

// Ignore is a suppression comment: srhtvet:ignore RULE[,RULE] reason.
type Ignore struct {
	Rules  []string // empty when the comment names none
	Reason string   // empty when the comment gives none
	Pos    Position // of the comment
	// Offset is where, in Statement.SQL, the one SQL statement begins that the comment governs; -1 when the text holds
	// only one, i.e. the comment governs the whole text.
	Offset int
}

// newStatement makes a Statement of bytes that stand in f unchanged: f.Text[start:end].
func newStatement(f *File, start, end int) Statement {
	return Statement{SQL: f.Text[start:end], file: f, at: start}
}

// newPieced makes a Statement whose bytes were changed on the way from the file; pieces must be sorted by Offset and
// begin at 0.
func newPieced(f *File, sql string, pieces []piece) Statement {
	return Statement{SQL: sql, file: f, pieces: pieces}
}

// Position maps a byte offset in s.SQL to the file it came from. It is cheap, also for many offsets of a huge text.
func (s *Statement) Position(offset int) Position {
	if s.file == nil {
		return Position{}
	}
	return s.file.Position(s.FileOffset(offset))
}

// FileOffset maps a byte offset in s.SQL to a byte offset in the file it came from, or -1 when it came from none.
func (s *Statement) FileOffset(offset int) int {
	offset = max(0, min(offset, len(s.SQL)))
	if s.file == nil {
		return -1
	}
	if s.pieces == nil {
		return s.at + offset
	}
	i := sort.Search(len(s.pieces), func(i int) bool { return s.pieces[i].Offset > offset }) - 1
	if i < 0 {
		return s.at
	}
	p := s.pieces[i]
	if !p.Linear {
		return p.At
	}
	return min(p.At+offset-p.Offset, len(s.file.Text))
}

// File is the file that the statement was read from; nil for a Statement made by hand.
func (s *Statement) File() *File { return s.file }
