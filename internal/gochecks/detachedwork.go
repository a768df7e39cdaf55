package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var detachedwork = []Check{
	{ID: "unwaited-goroutine", Analyzer: "detachedwork", Severity: migratecheck.Error,
		Summary: "a handler starts a goroutine that nobody waits for"},
	{ID: "request-context-outlived", Analyzer: "detachedwork", Severity: migratecheck.Error,
		Summary: "a goroutine goes on with the context of a request that has been answered"},
	{ID: "send-under-lock", Analyzer: "detachedwork", Severity: migratecheck.Warning,
		Summary: "a send on a channel holds a mutex that the receiver needs"},
	{ID: "racy-close", Analyzer: "detachedwork", Severity: migratecheck.Warning,
		Summary: "a channel is closed behind select-default, which two callers can pass"},
}
