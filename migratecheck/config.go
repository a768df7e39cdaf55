package migratecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/lockmode"
)

// Config says what to judge and how. The zero value is right for a service whose history is in git.
type Config struct {
	// Version is the major version of PostgreSQL the migrations will run on, 12 to 18; 0 means 15 (Debian 12's).
	Version int
	// Severity is the lowest that is reported; 0 means Warning.
	Severity Severity
	// Enable and Disable name rules or categories ("hygiene"). Disable wins.
	Enable, Disable []string
	// All judges every migration, not only the pending ones.
	All bool
	// Since is the version after which migrations are pending; Base is the git revision whose migrations are released.
	// At most one is set; neither: see Pending.
	Since, Base string
	// Format forces the migration tool; "" detects it for each directory.
	Format string
	// Schema is a file with the schema from which the history starts; "" looks for a baseline (see Baseline).
	Schema string
	// Stats are the table sizes of the production database; nil: nothing is known.
	Stats *Stats
	// Files are judged in place of those below root in the file system: the tree of a git revision, which Revision then
	// names. nil and "" are what is on disk, and HEAD.
	Files    fs.FS
	Revision string

	resolved *resolved // see BaseRevision
}

// validate reports every bad field at once.
func (c *Config) validate() error {
	var errs []error
	if c.Version != 0 && (c.Version < lockmode.FirstVersion || c.Version > lockmode.LastVersion) {
		errs = append(errs, fmt.Errorf("PostgreSQL version %d is not supported: use %d to %d", c.Version, lockmode.FirstVersion, lockmode.LastVersion))
	}
	if c.Since != "" && c.Base != "" {
		errs = append(errs, errors.New("-since and -base exclude each other: give one"))
	}
	if bad := unknownRules(append(slices.Clone(c.Enable), c.Disable...)); len(bad) > 0 {
		errs = append(errs, fmt.Errorf("no rule or category is called %s: `srhtvet rules` lists them", strings.Join(bad, ", ")))
	}
	return errors.Join(errs...)
}

func (c *Config) version() int {
	if c.Version == 0 {
		return 15
	}
	return c.Version
}

func (c *Config) severity() Severity {
	if c.Severity == 0 {
		return Warning
	}
	return c.Severity
}

// rules are those switched on.
func (c *Config) rules() []*Rule {
	named := func(list []string, r *Rule) bool {
		return slices.Contains(list, r.ID) || slices.Contains(list, string(r.Category))
	}
	var on []*Rule
	for _, r := range Rules() {
		if (!r.optIn() || named(c.Enable, r)) && !named(c.Disable, r) {
			on = append(on, r)
		}
	}
	return on
}

func itoa(n int32) string { return strconv.Itoa(int(n)) }
