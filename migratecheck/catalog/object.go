package catalog

import (
	"slices"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
)

// OID identifies an object within one catalog, through every rename and move. Numbers below FirstUserOID are the
// server's own (types, functions of pg_catalog) and equal the ones in pg_type and pg_proc.
type OID uint32

// FirstUserOID is PostgreSQL's FirstNormalObjectId (src/include/access/transam.h).
const FirstUserOID OID = 16384

// Address names an object, or one column of a relation, as pg_depend does. Column is the attribute number, 0 for the
// whole object.
type Address struct {
	OID    OID
	Column int
}

// Object is anything with an OID. Objects that a Catalog hands out are shared between its clones: never change one.
type Object interface {
	ObjectID() OID
	// ObjectName is the bare name; ObjectSchema the OID of the schema it lives in, 0 when it has none.
	ObjectName() string
	ObjectSchema() OID
	Class() Class
}

// Class is the kind of an object, in the words of PostgreSQL's messages ("table", "foreign key constraint" is a
// constraint).
type Class string

const (
	ClassSchema     Class = "schema"
	ClassRelation   Class = "relation"
	ClassConstraint Class = "constraint"
	ClassType       Class = "type"
	ClassFunction   Class = "function"
	ClassTrigger    Class = "trigger"
	ClassRule       Class = "rule"
	ClassPolicy     Class = "policy"
	ClassExtension  Class = "extension"
	ClassOther      Class = "other" // collations, operators, casts, publications, …: kept by name only
)

// Schema is a namespace.
type Schema struct {
	OID     OID
	Name    string
	Assumed bool // see IsAssumed
}

// RelKind is pg_class.relkind.
type RelKind byte

const (
	Table            RelKind = 'r'
	PartitionedTable RelKind = 'p'
	ForeignTable     RelKind = 'f'
	View             RelKind = 'v'
	MatView          RelKind = 'm'
	CompositeRel     RelKind = 'c'
	Sequence         RelKind = 'S'
	Index            RelKind = 'i'
	PartitionedIndex RelKind = 'I'
)

// Persistence is pg_class.relpersistence.
type Persistence byte

const (
	Permanent Persistence = 'p'
	Unlogged  Persistence = 'u'
	Temporary Persistence = 't'
)

// Relation is a row of pg_class: everything that has columns or shares the namespace of tables.
type Relation struct {
	OID         OID
	Schema      OID
	Name        string
	Kind        RelKind
	Persistence Persistence
	// Assumed is set in an open catalog for a relation nobody has seen created: it may have any column.
	Assumed bool
	// Columns is in attribute order. A dropped column stays, marked, so that Columns[n-1] has number n.
	Columns []Column

	Inherits      []OID         // parents, in order (pg_inherits), for inheritance and partitions alike
	PartitionOf   OID           // the partitioned parent; 0 when not a partition
	Bound         *Bound        // with PartitionOf
	PartitionKey  *PartitionKey // PartitionedTable only
	RowSecurity   bool
	ForceRLS      bool
	ReplicaIdent  byte // pg_class.relreplident: d, n, f, i
	ReplicaIndex  OID  // with ReplicaIdent i
	ClusterIndex  OID
	Options       []string // reloptions, "fillfactor=70", sorted
	Tablespace    string
	AccessMethod  string // "heap" for tables, "btree" … for indexes
	OfType        OID    // CREATE TABLE … OF
	ForeignServer string

	Query *Query         // View, MatView
	Seq   *SequenceAttrs // Sequence
	Index *IndexAttrs    // Index, PartitionedIndex

	// Of an Assumed relation: the names of columns that were renamed away, and of constraints that were dropped.
	gone, goneConstraints []string

	carried *carried // whose rows it was filled with
}

// Column is a row of pg_attribute.
type Column struct {
	Num         int // attribute number, 1-based
	Name        string
	Default     *Expr    // nil: none. Of a generated column: its expression
	Collation   string   // "" is the type's own
	Storage     string   // "" is the type's own
	Inherited   int      // attinhcount
	Stats       int      // attstattarget, -1 the default
	Compression string   // attcompression: "", "pglz", "lz4"
	Options     []string // attoptions, "n_distinct=5", sorted
	// What is small stands together, as columns are copied a lot.
	Type    TypeRef
	Dropped bool
	NotNull bool
	// NotNullUnproved: NOT NULL is NOT VALID yet (since PostgreSQL 18): what is written obeys it, rows from before may not.
	NotNullUnproved bool
	Generated       byte // 's' stored, 0 none
	Identity        byte // 'a' always, 'd' by default, 0 none
	Missing         bool // added with a fast default (attmissingval): the rows were not rewritten
	Local           bool // attislocal
	Assumed         bool // of an Assumed relation: a statement needs it, its type is not known

	added bool // of an Assumed relation: see Added
}

// TypeRef is a type with its modifier: varchar(10)[] is {varchar, 14, true}.
type TypeRef struct {
	OID   OID
	Mod   int32 // atttypmod, -1 none
	Array bool
}

// Volatility is pg_proc.provolatile, and of an expression that of its most volatile function.
type Volatility byte

const (
	Immutable Volatility = 'i'
	Stable    Volatility = 's'
	Volatile  Volatility = 'v'
)

// Expr is an expression that the catalog stores.
type Expr struct {
	Node       *pgast.Node
	SQL        string     // as written, normalised by the deparser
	Volatility Volatility // of the whole
	Constant   bool       // a literal, or casts of one
	Unknown    bool       // calls a function that is not known: Volatility is a guess (Volatile)
	Refs       []Address  // the columns and objects (functions, types, sequences) it needs, sorted

	origin *Expr // as it was before names in it followed a rename; nil when none did

	system []string // the system columns in it, such as tableoid

	aggregates, windows, setReturning, subqueries bool // it holds such things, which many places do not allow
}

// Bound is a partition's FOR VALUES clause.
type Bound struct {
	Default bool
	Node    *pgast.PartitionBoundSpec
	SQL     string
}

// PartitionKey is PARTITION BY.
type PartitionKey struct {
	Strategy string // "range", "list", "hash"
	Columns  []int  // attribute numbers, 0 where it is an expression
	Exprs    []Expr
}

// Query is the body of a view.
type Query struct {
	Node *pgast.Node
	SQL  string
	Refs []Address // the relations, columns and functions it needs, sorted
	// Unknown is set when something in it could not be resolved: Refs and the view's columns may be incomplete.
	Unknown     bool
	CheckOption string // "", "local", "cascaded"
	Populated   bool   // MatView: WITH DATA

	itself bool   // it reads the view that it is of: no query can read that view any more
	origin *Query // as it was before names in it followed a rename; nil when none did
}

// SequenceAttrs are the options of a sequence, and the column that owns it (OWNED BY, serial, identity).
type SequenceAttrs struct {
	Type                       TypeRef
	Start, Increment, Min, Max int64
	Cache                      int64
	Cycle                      bool
	OwnedBy                    Address // zero when not owned
	Identity                   bool    // owned internally by an identity column
}

// IndexAttrs are a row of pg_index.
type IndexAttrs struct {
	Table            OID
	Parent           OID // PartitionedIndex this one is attached to
	Unique           bool
	Primary          bool
	Exclusion        bool
	Immediate        bool // false for a deferrable constraint's index
	Valid            bool
	NullsNotDistinct bool
	Keys             []IndexKey
	Include          []int // attribute numbers of INCLUDE columns
	Predicate        *Expr

	// names are what the index's own attributes are called: as the columns were when it was made, since renaming a column
	// leaves them. A copy of the index on a partition is named by them.
	names []string
}

// uses reports whether the index reads a column of its table: as a key, in an expression or predicate, or included.
func (x *IndexAttrs) uses(column int) bool {
	refers := func(e *Expr) bool { return e != nil && slices.Contains(e.Refs, Address{x.Table, column}) }
	return slices.Contains(x.Include, column) || refers(x.Predicate) ||
		slices.ContainsFunc(x.Keys, func(key IndexKey) bool { return key.Column == column || refers(key.Expr) })
}

// expressions lists the expressions of an index: its predicate, and the keys that are no columns.
func (x *IndexAttrs) expressions() []*Expr {
	var list []*Expr
	if x.Predicate != nil {
		list = append(list, x.Predicate)
	}
	for _, key := range x.Keys {
		if key.Expr != nil {
			list = append(list, key.Expr)
		}
	}
	return list
}

// IndexKey is one key of an index: a column, or an expression.
type IndexKey struct {
	Column     int // attribute number, 0 when Expr is set
	Expr       *Expr
	OpClass    string // "" the default
	Collation  string // "" the column's
	Desc       bool
	NullsFirst bool

	class OID // of an operator class of the catalog's own (an extension's)
}

// ConstraintKind is pg_constraint.contype.
type ConstraintKind byte

const (
	Check      ConstraintKind = 'c'
	ForeignKey ConstraintKind = 'f'
	PrimaryKey ConstraintKind = 'p'
	Unique     ConstraintKind = 'u'
	Exclusion  ConstraintKind = 'x'
	TriggerCon ConstraintKind = 't'
	NotNullCon ConstraintKind = 'n' // of a domain since PostgreSQL 17, of a table since 18
)

// Constraint is a row of pg_constraint, of a table or of a domain. NOT NULL is a property of Column, of a
// domain of Type, and a constraint besides: of a domain since PostgreSQL 17, of a table since 18.
type Constraint struct {
	OID        OID
	Name       string
	Kind       ConstraintKind
	Table      OID // 0 for a domain's
	Domain     OID
	Columns    []int // constrained columns
	Index      OID   // of PrimaryKey, Unique, Exclusion; of a ForeignKey, the referenced unique index
	Check      *Expr
	Valid      bool // false: NOT VALID
	Deferrable bool
	Deferred   bool // INITIALLY DEFERRED
	NoInherit  bool
	Inherited  int
	Local      bool
	Parent     OID // the partitioned parent's constraint

	RefTable   OID // ForeignKey
	RefColumns []int
	OnUpdate   byte // pg_constraint.confupdtype: a no action, r restrict, c cascade, n set null, d set default
	OnDelete   byte
	SetColumns []int    // ON DELETE SET NULL (columns)
	Match      byte     // s simple, f full
	Operators  []string // Exclusion: one per key

	// Assumed is set in an open catalog for a constraint of an assumed table that a statement names: only its name and
	// table are known, Kind is a guess.
	Assumed bool

	schema OID // the table's or domain's (put fills it)
}

// TypeKind is pg_type.typtype.
type TypeKind byte

const (
	BaseType       TypeKind = 'b'
	CompositeType  TypeKind = 'c'
	DomainType     TypeKind = 'd'
	EnumType       TypeKind = 'e'
	PseudoType     TypeKind = 'p'
	RangeType      TypeKind = 'r'
	MultirangeType TypeKind = 'm'
)

// Type is a row of pg_type. Every relation with columns has a composite one besides; that is implied, not stored.
type Type struct {
	OID       OID
	Schema    OID
	Name      string
	Kind      TypeKind
	Labels    []string // EnumType, in sort order
	Relation  OID      // CompositeType: the CompositeRel that holds its attributes
	Base      TypeRef  // DomainType
	NotNull   bool     // DomainType
	Default   *Expr    // DomainType
	Collation string
	Subtype   TypeRef // RangeType
	Range     OID     // MultirangeType
	Shell     bool
	Assumed   bool

	// What the server knows of its own base types and those of extensions; of others it follows from Kind.
	multirange OID     // RangeType: its multirange type
	element    TypeRef // of base types that can be subscripted, such as point
	category   byte    // pg_type.typcategory; 0 follows from Kind
	preferred  bool
	length     int // pg_type.typlen
	storage    byte
	typmodIn   bool // takes modifiers
	collatable bool
	added      []string // EnumType: labels that ALTER TYPE … ADD VALUE added, in that order, by their names of now

	input, output Volatility // of its in and out functions; 0 is Stable
}

// FunctionKind is pg_proc.prokind.
type FunctionKind byte

const (
	Function  FunctionKind = 'f'
	Procedure FunctionKind = 'p'
	Aggregate FunctionKind = 'a'
	Window    FunctionKind = 'w'
)

// Func is a row of pg_proc.
type Func struct {
	OID             OID
	Schema          OID
	Name            string
	Kind            FunctionKind
	Args            []FuncArg
	Returns         TypeRef
	ReturnsSet      bool
	Language        string
	Volatility      Volatility
	Strict          bool
	SecurityDefiner bool
	Leakproof       bool
	Parallel        byte
	Body            string      // the AS string; "" for an SQL-standard body
	BodyNode        *pgast.Node // BEGIN ATOMIC / RETURN
	Settings        []string    // SET clauses
	Assumed         bool
	aggKind         byte  // of an Aggregate: n normal, o ordered-set, h hypothetical-set
	code            *code // of its body; nil where nothing is looked up when it is called
}

// FuncArg is one argument of a function.
type FuncArg struct {
	Name    string
	Type    TypeRef
	Mode    byte // pg_proc.proargmodes: i, o, b, v, t
	Default *Expr
}

// Trigger is a row of pg_trigger.
type Trigger struct {
	OID                              OID
	Table                            OID
	Name                             string
	Function                         OID
	Before, InsteadOf, Row           bool
	Insert, Update, Delete, Truncate bool
	Columns                          []int // UPDATE OF
	When                             *Expr
	Enabled                          byte // O, D, R, A
	Constraint                       OID
	Deferrable, Deferred             bool
	OldTable, NewTable               string
	Parent                           OID
	Assumed                          bool
}

// Rule is a row of pg_rewrite, other than a view's own _RETURN.
type Rule struct {
	OID     OID
	Table   OID
	Name    string
	Event   string // "SELECT", "INSERT", "UPDATE", "DELETE"
	Instead bool
	Enabled byte
	Node    *pgast.RuleStmt
	Refs    []Address
	Assumed bool
}

// Policy is a row of pg_policy.
type Policy struct {
	OID        OID
	Table      OID
	Name       string
	Permissive bool
	Command    string // "ALL", "SELECT", …
	Roles      []string
	Using      *Expr
	WithCheck  *Expr
	Assumed    bool
}

// Extension is a row of pg_extension. What the common ones bring is in the catalog as objects that depend on it.
type Extension struct {
	OID     OID
	Schema  OID
	Name    string
	Version string
	Assumed bool
	Known   bool // its members are in the catalog; of an unknown extension any function may come
}

// Other is an object of which the catalog knows little more than the name.
type Other struct {
	OID    OID
	Schema OID
	Kind   string // "collation", "operator", "publication", …
	Name   string
	Table  OID // statistics objects, and the like

	Assumed bool // see IsAssumed

	operator *Operator // of Kind "operator"
	cast     *Cast     // of Kind "cast"
	opclass  *operatorClass
	disabled bool   // of Kind "event trigger"
	columns  []int  // of Kind "statistics": the columns that are in it by themselves
	exprs    []Expr // and the expressions
}

// Grant is one grantee's privileges on an object or column.
type Grant struct {
	Grantee    string   // "" is PUBLIC
	Privileges []string // sorted: "INSERT", "SELECT"
	Grantable  []string // those of them held WITH GRANT OPTION
}

func (o *Schema) ObjectID() OID          { return o.OID }
func (o *Schema) ObjectName() string     { return o.Name }
func (o *Schema) ObjectSchema() OID      { return 0 }
func (o *Schema) Class() Class           { return ClassSchema }
func (o *Relation) ObjectID() OID        { return o.OID }
func (o *Relation) ObjectName() string   { return o.Name }
func (o *Relation) ObjectSchema() OID    { return o.Schema }
func (o *Relation) Class() Class         { return ClassRelation }
func (o *Constraint) ObjectID() OID      { return o.OID }
func (o *Constraint) ObjectName() string { return o.Name }
func (o *Constraint) ObjectSchema() OID  { return 0 }
func (o *Constraint) Class() Class       { return ClassConstraint }
func (o *Type) ObjectID() OID            { return o.OID }
func (o *Type) ObjectName() string       { return o.Name }
func (o *Type) ObjectSchema() OID        { return o.Schema }
func (o *Type) Class() Class             { return ClassType }
func (o *Func) ObjectID() OID            { return o.OID }
func (o *Func) ObjectName() string       { return o.Name }
func (o *Func) ObjectSchema() OID        { return o.Schema }
func (o *Func) Class() Class             { return ClassFunction }
func (o *Trigger) ObjectID() OID         { return o.OID }
func (o *Trigger) ObjectName() string    { return o.Name }
func (o *Trigger) ObjectSchema() OID     { return 0 }
func (o *Trigger) Class() Class          { return ClassTrigger }
func (o *Rule) ObjectID() OID            { return o.OID }
func (o *Rule) ObjectName() string       { return o.Name }
func (o *Rule) ObjectSchema() OID        { return 0 }
func (o *Rule) Class() Class             { return ClassRule }
func (o *Policy) ObjectID() OID          { return o.OID }
func (o *Policy) ObjectName() string     { return o.Name }
func (o *Policy) ObjectSchema() OID      { return 0 }
func (o *Policy) Class() Class           { return ClassPolicy }
func (o *Extension) ObjectID() OID       { return o.OID }
func (o *Extension) ObjectName() string  { return o.Name }
func (o *Extension) ObjectSchema() OID   { return 0 }
func (o *Extension) Class() Class        { return ClassExtension }
func (o *Other) ObjectID() OID           { return o.OID }
func (o *Other) ObjectName() string      { return o.Name }
func (o *Other) ObjectSchema() OID       { return o.Schema }
func (o *Other) Class() Class            { return ClassOther }

// Column returns the column called name, or nil.
func (o *Relation) Column(name string) *Column {
	for i := range o.Columns {
		if c := &o.Columns[i]; c.Name == name && !c.Dropped {
			return c
		}
	}
	return nil
}

// Att returns the column with the given attribute number, or nil when there is none or it is dropped.
func (o *Relation) Att(num int) *Column {
	if num < 1 || num > len(o.Columns) || o.Columns[num-1].Dropped {
		return nil
	}
	return &o.Columns[num-1]
}
