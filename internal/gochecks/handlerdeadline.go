package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var handlerdeadline = []Check{
	{ID: "unbounded-context", Analyzer: "handlerdeadline", Severity: migratecheck.Warning,
		Summary: "a handler waits for a server with a context that nothing ends"},
	{ID: "call-without-context", Analyzer: "handlerdeadline", Severity: migratecheck.Warning,
		Summary: "a handler waits for a server by a call that takes no context and has no timeout"},
}
