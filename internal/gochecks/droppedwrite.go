package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var droppedwrite = []Check{
	{ID: "unchecked-commit", Analyzer: "droppedwrite", Severity: migratecheck.Error,
		Summary: "a transaction is committed and nobody looks whether it was"},
	{ID: "txdone-as-success", Analyzer: "droppedwrite", Severity: migratecheck.Error,
		Summary: "a transaction that had been rolled back before its Commit counts as committed"},
	{ID: "unchecked-exec", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "a statement that writes is sent and nobody looks whether it ran"},
	{ID: "unchecked-rows-err", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "a loop over rows takes the loss of the connection for the end of the result"},
	{ID: "effect-in-transaction", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "something leaves the process in the middle of a transaction that may still be rolled back"},
	{ID: "effect-after-unchecked-commit", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "something leaves the process after a Commit that may have failed"},
	{ID: "retried-write", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "a write that is not idempotent is sent again after any error"},
	{ID: "retried-commit", Analyzer: "droppedwrite", Severity: migratecheck.Warning,
		Summary: "a transaction is run again after any error of its Commit"},
	{ID: "early-ack", Analyzer: "droppedwrite", Severity: migratecheck.Error,
		Summary: "a request, a mail or a job is acknowledged before what it asks for is committed"},
}
