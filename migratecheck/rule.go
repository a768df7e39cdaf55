package migratecheck

// Category groups rules as the documentation does.
type Category string

const (
	Compatibility Category = "compatibility" // of the old and the new code with the old and the new schema
	Locks         Category = "locks"         // locks and time
	Itself        Category = "migration"     // the migration itself fails
	Transactions  Category = "transactions"
	History       Category = "history"
	Suppression   Category = "suppression"
	Code          Category = "code"    // told by the queries of the code: found by package compat, no hooks
	Hygiene       Category = "hygiene" // opt-in profile: -enable hygiene
)

// Rule is one check. A rule is a value without state; its hooks may be called from several goroutines, for different
// sets of migrations.
type Rule struct {
	ID       string // kebab-case, stable
	Category Category
	// Severity is what its findings have unless a hook says otherwise (see Step.Sized).
	Severity Severity
	Doc      Doc

	// Down is whether Step is called for Down sections as well.
	Down bool
	// Step looks at one SQL statement of a pending migration, inside bodies of DO blocks and functions too.
	Step func(*Step)
	// File looks at a whole pending migration after its steps.
	File func(*File)
	// History looks at the whole set of migrations, once.
	History func(*Run)
}

// Doc is a rule's manual, all fields mandatory (write "None." rather than nothing). Bad and Good are SQL that the tests
// run through the linter: Bad must yield the rule, Good must not. Each is a whole pending migration on top of Schema.
type Doc struct {
	Summary    string // one sentence: what is reported
	Why        string // what is blocked, lost or broken, for whom
	Schema     string // tables that exist beforehand, for Bad and Good
	Bad        string
	Good       string
	Exceptions string // when it stays silent, or when the finding may be ignored
	Versions   string // of PostgreSQL, where they differ
	Source     string // manual page and version, source file, or the incident it was learnt from
}

// optIn reports whether the rule is off unless enabled by name or by its category.
func (r *Rule) optIn() bool { return r.Category == Hygiene }
