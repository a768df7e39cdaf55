package query

import (
	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"
)

// Problem is one reason why a site does not work as its author meant on a schema.
type Problem struct {
	// Check is the check that found it, a stable word (see Checks).
	Check string
	// Code is the SQLSTATE that the server would answer, "" when the server is content and the code is not.
	Code string
	// Message is one sentence: what fails, on which object, for whom.
	Message string
	// Variant and Offset say where: an index into Site.Variants and a byte offset in its SQL. Variant is -1 for a Name.
	Variant, Offset int
	// Objects are what the problem is about, in the schema where they exist (for a missing column: the relation and the
	// column in the earlier schema, when known). Statements that changed one of them are the suspects.
	Objects []catalog.Address
	// Maybe: it depends on the values, rows or rights that are met at run time (a new CHECK, a trigger).
	Maybe bool
	// Relation and Column name it for a person; "" where they do not apply.
	Relation, Column string
}

// Verdict is what a Checker says of one site on one schema.
type Verdict struct {
	Problems []Problem
	// Unknown lists what could not be decided, as reasons for a person; a site with any does not count as checked unless
	// it has Problems.
	Unknown []string
}

// Bound is a site whose SQL was parsed once, to be checked against many schemas. It is not safe for concurrent use.
type Bound struct {
	Site  *Site
	stmts [][]pgast.Stmt // by variant
	errs  []error        // by variant: what the parser said
}

// Parse prepares a site for judging.
func Parse(site *Site) *Bound {
	b := &Bound{Site: site}
	for i := range site.Variants {
		stmts, err := pgast.Parse(site.Variants[i].SQL)
		b.stmts, b.errs = append(b.stmts, stmts), append(b.errs, err)
	}
	return b
}

// On judges the site on one schema: what the server would refuse (names, types, arity, a required column left out), and
// what the driver or the code would (a result that does not fit where it is scanned).
func (b *Bound) On(cat *catalog.Catalog) Verdict {
	return Verdict{}
}

// Between judges the step from a schema the site was written for to another of the same history (later or earlier): what
// neither schema alone has against it. A name that denotes something else, a type that changes under a scan, a column that
// may now be NULL, constraints, triggers and policies newly in the way of a write, a default that changed.
func (b *Bound) Between(from, to *catalog.Catalog) Verdict {
	return Verdict{}
}
