package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var localstate = []Check{
	{ID: "handler-state", Analyzer: "localstate", Severity: migratecheck.Warning,
		Summary: "handlers keep what other requests need in the memory of the node"},
	{ID: "local-sessions", Analyzer: "localstate", Severity: migratecheck.Error,
		Summary: "sessions live in the memory, on the disk or under a key of one node"},
	{ID: "local-rate-limit", Analyzer: "localstate", Severity: migratecheck.Warning,
		Summary: "a rate limiter counts the requests of one node"},
	{ID: "local-file", Analyzer: "localstate", Severity: migratecheck.Warning,
		Summary: "a handler writes files to the disk of the node"},
	{ID: "stale-socket", Analyzer: "localstate", Severity: migratecheck.Warning,
		Summary: "a program listens on a unix socket whose file stays after a kill"},
}
