package query

import "git.sr.ht/~sourcehut/ha-go/migratecheck/catalog"

// Check is one thing that can be wrong with a site.
type Check struct {
	// ID is stable: reports, settings and tests name it.
	ID string
	// Catches says what it finds, in one sentence.
	Catches string
	// Code is the SQLSTATE (or several) that the server answers, "" when it answers nothing and the code is what breaks.
	Code string
	// Rules are the ids of the lint rules (package migratecheck) that tell of migrations that may be the cause.
	Rules []string
	// Asks says who asks for more than it gets.
	Asks Side
	// Bodies: it judges the statements in functions that the code's statements make run as well. What the server refuses is told of them
	// whatever the check.
	Bodies bool
	// Source is where PostgreSQL or a driver says so.
	Source string

	// refuses tells an error of the server that is this check's.
	refuses func(e *catalog.Error) bool
	// on judges a statement on one schema, between one that works on both of two.
	on      func(r *reading, c *Check)
	between func(s *step, c *Check)
	// names judges the names that code compares.
	names func(b *Bound, from, to *catalog.Catalog, out *Verdict, c *Check)
}

// Side is the code or the schema.
type Side int

const (
	// TheCode asks for what a schema does not have, or understands less than it gets.
	TheCode Side = iota + 1
	// TheSchema asks for what the code does not do.
	TheSchema
)

// Checks lists every check, sorted by ID but for the last, which takes what the others leave. A test compares it with the
// check_*.go files.
func Checks() []*Check {
	return []*Check{
		checkAmbiguousColumn,
		checkArgumentLabel,
		checkArgumentType,
		checkCachedPlan,
		checkChangedValues,
		checkConflictConstraint,
		checkConflictTarget,
		checkConstraintName,
		checkCopyType,
		checkDefaultChanged,
		checkEnumLabel,
		checkGeneratedColumn,
		checkGrouping,
		checkKeptVariable,
		checkLiteral,
		checkMissingColumn,
		checkMissingFunction,
		checkMissingRelation,
		checkMissingType,
		checkNarrowed,
		checkNewCheck,
		checkNewExclusion,
		checkNewForeignKey,
		checkNewTrigger,
		checkNewUnique,
		checkNotUpdatable,
		checkNullBound,
		checkNullWritten,
		checkOperandType,
		checkOtherColumn,
		checkOtherFunction,
		checkOtherPosition,
		checkOtherRelation,
		checkParameterType,
		checkRequiredColumn,
		checkResultCount,
		checkResultName,
		checkRevoked,
		checkRowSecurity,
		checkScanLabel,
		checkScanNull,
		checkScanType,
		checkTruncate,
		checkValueCount,
		checkViewReplaced,
		checkRefused,
	}
}

var checks = Checks()

// code makes a refuses of SQLSTATEs.
func code(codes ...string) func(e *catalog.Error) bool {
	return func(e *catalog.Error) bool {
		for _, c := range codes {
			if e.Code == c {
				return true
			}
		}
		return false
	}
}
