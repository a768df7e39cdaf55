package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var failoversafe = []Check{
	{ID: "unlimited-connection-lifetime", Analyzer: "failoversafe", Severity: migratecheck.Warning,
		Summary: "a pool keeps its connections for ever: after a failover some of them are to the old primary"},
	{ID: "missing-connect-timeout", Analyzer: "failoversafe", Severity: migratecheck.Warning,
		Summary: "a DSN without connect_timeout: connecting to a node that is gone takes minutes"},
	{ID: "single-database-host", Analyzer: "failoversafe", Severity: migratecheck.Warning,
		Summary: "a DSN in the code with one host and no target_session_attrs: after a failover it is the wrong one"},
	{ID: "failover-error-final", Analyzer: "failoversafe", Severity: migratecheck.Error,
		Summary: "an error that a failover causes ends the process, or the request as if it were the client's mistake"},
	{ID: "cached-primary-flag", Analyzer: "failoversafe", Severity: migratecheck.Error,
		Summary: "whether the server is the primary is asked once and kept"},
	{ID: "sleeping-retry", Analyzer: "failoversafe", Severity: migratecheck.Warning,
		Summary: "a retry sleeps through the end of its context, in step with every other client"},
}
