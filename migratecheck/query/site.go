package query

import "sort"

// Position is a place in a source file. Line and Column are 1-based, columns count bytes; File is slash-separated and
// relative to the directory that was read.
type Position struct {
	File   string
	Line   int
	Column int
}

// Status says how much of what a site sends is known.
type Status string

const (
	Static  Status = "static"  // one text, known to the byte
	Finite  Status = "finite"  // one of finitely many texts, all of them in Variants
	Partial Status = "partial" // Variants hold what is known; something else may be added at run time
	Dynamic Status = "dynamic" // nothing is known: Variants is empty
)

// Kind is how a site names the schema.
type Kind string

const (
	Statement Kind = "statement" // SQL text that is sent as it is
	Builder   Kind = "builder"   // a chain of calls that makes SQL (squirrel); Variants hold what it makes
	Model     Kind = "model"     // a mapped class or struct; Variants hold what its library emits for it
	Copy      Kind = "copy"      // COPY by a driver's own call: pgx CopyFrom, lib/pq CopyIn; shown as COPY … FROM STDIN
	Name      Kind = "name"      // no SQL: code that compares the name of a constraint or an index (see Names)
)

// Tx is what is known of the transaction a site runs in.
type Tx string

const (
	TxUnknown   Tx = ""
	TxNone      Tx = "none"
	TxReadOnly  Tx = "read-only"
	TxReadWrite Tx = "read-write"
)

// Site is one place in code that sends SQL, or names a part of the schema. It is plain data: finders make it (package
// analyzers/sqlquery of Go, migratecheck/source/sqlalchemy of Python), and [Bound] judges it.
type Site struct {
	Pos Position
	// Module is the path of the dependency that File belongs to, "" for the service's own code.
	Module string
	Lang   string // "go" or "python"
	Kind   Kind
	// Func is the function, method or class that the site stands in, as its language's users write it; "" at top level.
	Func   string
	Status Status
	// Reason says why Status is Partial or Dynamic: "a table name that is not constant". "" otherwise.
	Reason   string
	Variants []Variant
	// Names are the constraints and indexes that code compares by name (Kind Name, and besides a statement).
	Names []NameUse
	Tx    Tx
	// Gate bounds the schemas that the site can meet as a whole: it has those of all Variants (see [Site.Shared]).
	Gate Gate
}

// Variant is one text that a site may send.
type Variant struct {
	// SQL is in PostgreSQL's own dialect: placeholders are $1, $2, … whatever the library writes. It may hold several
	// statements. Of a Partial site it is what is certain to be sent, and parses.
	SQL string
	// Segments map SQL back to the source, sorted by Offset; see [Variant.Position].
	Segments []Segment
	// Args are what is bound to $1, $2, …; nil when not known. A zero GoType is an argument that is not known.
	Args []GoType
	// Scan is where the result goes; nil when not known or not read.
	Scan *Scan
	// Prepared: the driver keeps a plan by name across schema changes, so that a result of another shape is an error
	// ("cached plan must not change result type"): database/sql Prepare, pgx's default mode.
	Prepared bool
	// Gate bounds the schemas at which this text is sent, where branches of migratecheck/gate decide.
	Gate Gate
	// Optional marks conditions that are only sometimes sent; SQL then holds all that may appear together.
	Optional bool
}

// Segment says that the bytes of SQL from Offset on stand in the source from Pos on. With Linear they are the same bytes,
// so that a later byte stands that much further (lines are counted); otherwise all of them stand at Pos.
type Segment struct {
	Offset int
	Pos    Position
	Linear bool
}

// Position maps a byte offset in SQL to the source, the site's own position when there are no segments.
func (v *Variant) Position(site *Site, offset int) Position {
	i := sort.Search(len(v.Segments), func(i int) bool { return v.Segments[i].Offset > offset }) - 1
	if i < 0 {
		return site.Pos
	}
	s := v.Segments[i]
	pos := s.Pos
	if !s.Linear {
		return pos
	}
	for _, b := range []byte(v.SQL[min(s.Offset, len(v.SQL)):max(min(offset, len(v.SQL)), s.Offset)]) {
		pos.Column++
		if b == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	return pos
}

// Linear reports whether length bytes of SQL from offset on stand in the source as they are.
func (v *Variant) Linear(offset, length int) bool {
	i := sort.Search(len(v.Segments), func(i int) bool { return v.Segments[i].Offset > offset }) - 1
	return i >= 0 && v.Segments[i].Linear && (i+1 == len(v.Segments) || v.Segments[i+1].Offset >= offset+length)
}

// NameUse is the name of a constraint or index that code compares, typically with the one in an error of the driver.
type NameUse struct {
	Name string
	Pos  Position
}

// ScanKind is how columns find their destinations.
type ScanKind string

const (
	ByPosition ScanKind = "position" // rows.Scan, pgx.RowToStructByPos: the number of columns must agree
	ByName     ScanKind = "name"     // sqlx.StructScan, pgx.RowToStructByName, an ORM: the names must agree
)

// Scan is where the columns of a result go.
type Scan struct {
	Kind ScanKind
	// Dests are the destinations, in order (ByPosition) or by Name. When Open is set there may be more.
	Dests []Dest
	Open  bool
	// Lax (ByName): destinations without a column are left alone (RowToStructByNameLax). Columns without a destination
	// are an error in any case but for ORMs, which Extra says.
	Lax, Extra bool
}

// Dest is one destination.
type Dest struct {
	Name string // ByName: the column
	Type GoType
}

// GoKind is what a Go (or Python) value holds, as far as a driver cares.
type GoKind string

const (
	UnknownKind GoKind = ""
	Bool        GoKind = "bool"
	Int         GoKind = "int"
	Float       GoKind = "float"
	String      GoKind = "string"
	Bytes       GoKind = "bytes"
	Time        GoKind = "time"
	UUID        GoKind = "uuid"
	List        GoKind = "list"   // pq.Array, a slice given to pgx
	Custom      GoKind = "custom" // converts itself: sql.Scanner, driver.Valuer, pgtype
)

// GoType is what is certain of a value that is bound to a parameter or takes a column.
type GoType struct {
	Name string // as the code writes it: "*string", "sql.NullInt64", "model.Visibility"
	Kind GoKind
	Bits int // of an Int or Float; 0 when it does not matter
	// Nullable: it can hold NULL (a pointer, sql.Null…, []byte, any, a type that scans itself).
	Nullable bool
	// Full: it is a list that cannot hold NULL elements ([]string, pq.StringArray).
	Full bool
	// Labels are the values that the code tells apart where the type is an enumeration of its own (typed constants, a
	// switch without default): a label that is not among them is not understood. nil when it takes any.
	Labels []string
	// Null: the value is the constant nil.
	Null bool
	// Text is the string that Python code binds there as a constant, nil for any other value.
	Text *string
	// SQLAlchemy is the type of its own that Python code gives to the column, as python_values.tsv calls it; "" for one that is not
	// there, or that code of its own converts.
	SQLAlchemy string
}
