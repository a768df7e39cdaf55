package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

// All of poolsafe warns: whether there is a pooler is not in the code.
var poolsafe = []Check{
	{ID: "session-set", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "SET without LOCAL: through a pooler the setting goes to others and is lost"},
	{ID: "session-set-config", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "set_config(…, false): through a pooler the setting goes to others and is lost"},
	{ID: "session-search-path", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "a search_path per session: through a pooler statements go to other schemas"},
	{ID: "session-advisory-lock", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "an advisory lock of the session: through a pooler two hold it, and nobody gives it back"},
	{ID: "session-listen", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "LISTEN or its receiver: through a pooler notifications go to others"},
	{ID: "session-temp-table", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "a temporary table that outlives its transaction: through a pooler it is gone, or another's"},
	{ID: "cursor-with-hold", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "a cursor WITH HOLD: through a pooler it is gone when its transaction ends"},
	{ID: "sql-prepare", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "PREPARE as a statement: through a pooler the name is unknown, or already taken"},
	{ID: "session-sequence", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "currval or lastval outside of a transaction: through a pooler it is another's value"},
	{ID: "driver-prepared-statement", Analyzer: "poolsafe", Severity: migratecheck.Warning,
		Summary: "the driver prepares statements, which the PgBouncer of the settings cannot follow"},
}
