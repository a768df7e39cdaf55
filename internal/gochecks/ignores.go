package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

// ignores has the names that comments in migrations have, too.
var ignores = []Check{
	{ID: "bad-ignore", Analyzer: "ignores", Severity: migratecheck.Warning, Summary: "a suppression comment that suppresses nothing"},
	{ID: "unused-ignore", Analyzer: "ignores", Severity: migratecheck.Warning, Summary: "a suppression comment that nothing needs"},
}
