package gochecks

import "git.sr.ht/~sourcehut/ha-go/migratecheck"

var gracefulserver = []Check{
	{ID: "undrainable-server", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "a server that nobody can shut down: http.ListenAndServe, http.Serve"},
	{ID: "shutdown-never-called", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "an http.Server serves, and nothing calls its Shutdown"},
	{ID: "shutdown-error-ignored", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "the error by which Shutdown says that requests were cut is dropped"},
	{ID: "shutdown-without-deadline", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "Shutdown waits for ever for one slow request, until the process is killed"},
	{ID: "shutdown-with-ended-context", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "Shutdown is given a context that the signal has already cancelled"},
	{ID: "main-returns-before-shutdown", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "main returns when Shutdown begins, not when it has ended"},
	{ID: "sigterm-not-handled", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "SIGINT is handled, but not SIGTERM, which service managers send"},
	{ID: "unbuffered-signal-channel", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "a signal is dropped when nobody receives at that moment"},
	{ID: "unread-signal-channel", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "a signal is caught, and nobody reads the channel"},
	{ID: "exit-on-signal", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "the process exits on a signal without draining the server that runs"},
	{ID: "exit-in-handler", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "os.Exit or log.Fatal in a handler ends every other request of the node"},
	{ID: "exit-skips-deferred", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "os.Exit or log.Fatal behind a running server skips a deferred Shutdown, Flush or Wait"},
	{ID: "fatal-on-server-closed", Analyzer: "gracefulserver", Severity: migratecheck.Error,
		Summary: "log.Fatal(srv.ListenAndServe()) dies of ErrServerClosed when Shutdown begins"},
	{ID: "missing-read-header-timeout", Analyzer: "gracefulserver", Severity: migratecheck.Warning,
		Summary: "an http.Server waits for ever for a request's header"},
}
