package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// Spec is a job as it is started. It is kept with the job, so whoever adopts it has all of it.
type Spec struct {
	// ID is the job's name, and that of its directory: letters, digits, ".", "_" and "-", not beginning with ".", 100 at most. On
	// one machine a name runs once at a time.
	ID string `json:"id"`
	// Token is the fencing token of the queue that the job comes from; it grows from one hand-out to the next. Of two starts of a
	// name, the higher token has the job. 0 is right where there is no queue.
	Token int64 `json:"token,omitempty"`
	// Args are the program, looked up in the worker's PATH, and its arguments.
	Args []string `json:"args"`
	// Env is the job's environment as of os/exec; nil means the worker's own, less what systemd tells the worker. One more
	// variable, SUPERVISE_JOB, is how processes of the job are known when its shim has died. It is kept in spec.json in the clear (mode 0600), so
	// with nil are all secrets that the worker's environment has.
	Env []string `json:"env"`
	// Dir is the directory that the program starts in, absolute; "" means the worker's.
	Dir string `json:"dir,omitempty"`
	// Deadline is how long the job may run before it is stopped; 0 means for ever. Changes of the clock do not matter.
	Deadline time.Duration `json:"deadline_ns,omitempty"`
	// Grace is the time from SIGTERM to SIGKILL when the job is stopped by its deadline, a lost lease or the machine's shutdown; 0 means 10 seconds.
	Grace time.Duration `json:"grace_ns,omitempty"`
	// LogLimit is how many bytes of output are kept, a mark that says so comes after them; 0 means 64 MiB.
	LogLimit int64 `json:"log_limit_bytes,omitempty"`
	// RenewEvery is how often the shim renews the job's lease by Shim.Renew, until the result has been collected; 0 means never.
	// A third of the lease's duration is usual.
	RenewEvery time.Duration `json:"renew_every_ns,omitempty"`
	// RenewWithin ends the job as [LeaseLost] when its lease could not be renewed for so long, the queue being out of reach. With the
	// lease's duration, less RenewEvery and Grace, the job has ended before it can begin elsewhere. 0 means that it
	// goes on until the queue says that it is lost: a short outage costs no job, but two may run for a while, of which one has a result.
	RenewWithin time.Duration `json:"renew_within_ns,omitempty"`
	// Meta is the caller's own, such as the message that the job came in; a megabyte at most. It is kept in spec.json in the clear (mode 0600).
	Meta json.RawMessage `json:"meta,omitempty"`
}

// maxSpec is the size of a spec's record in bytes.
const maxSpec = 4 << 20

var validID = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)

// Validate says all that is wrong with a spec, as Supervisor.Start does: a queue's job that ends here can be run by nobody.
func (s *Spec) Validate() error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("supervise: job %q: "+format, append([]any{s.ID}, args...)...))
	}
	if !validID.MatchString(s.ID) {
		bad("an ID is 1 to 100 letters, digits, '.', '_' and '-', and does not begin with '.'")
	}
	if len(s.Args) == 0 || s.Args[0] == "" {
		bad("Args is empty: there is no program to run")
	}
	if s.Dir != "" && !filepath.IsAbs(s.Dir) {
		bad("Dir is %q: it has to be absolute", s.Dir)
	}
	if s.Token < 0 {
		bad("Token is %d: it cannot be negative", s.Token)
	}
	if s.LogLimit < 0 {
		bad("LogLimit is %d: it cannot be negative", s.LogLimit)
	}
	for _, d := range []struct {
		name string
		is   time.Duration
	}{{"Deadline", s.Deadline}, {"Grace", s.Grace}, {"RenewEvery", s.RenewEvery}, {"RenewWithin", s.RenewWithin}} {
		if d.is < 0 {
			bad("%s is %s: a duration cannot be negative", d.name, d.is)
		}
	}
	if s.RenewWithin > 0 && s.RenewWithin <= s.RenewEvery {
		bad("RenewWithin is %s, not more than RenewEvery, %s: the job would end although its lease is kept", s.RenewWithin, s.RenewEvery)
	}
	if s.RenewWithin > 0 && s.RenewEvery == 0 {
		bad("RenewWithin is set and RenewEvery is not: nothing would renew the lease")
	}
	if len(s.Meta) > 1<<20 {
		bad("Meta has %d bytes, more than a megabyte", len(s.Meta))
	}
	if len(s.Meta) > 0 && !json.Valid(s.Meta) {
		bad("Meta is not JSON")
	}
	if len(errs) == 0 {
		if text, err := json.Marshal(s); err != nil {
			bad("%w", err)
		} else if len(text) > maxSpec-1<<10 { // less what the record says besides
			bad("the spec has %d bytes, more than %d: Args and Env are too long", len(text), maxSpec-1<<10)
		}
	}
	return errors.Join(errs...)
}

func (s *Spec) grace() time.Duration {
	if s.Grace == 0 {
		return 10 * time.Second
	}
	return s.Grace
}

func (s *Spec) logLimit() int64 {
	if s.LogLimit == 0 {
		return 64 << 20
	}
	return s.LogLimit
}

// Outcome is how a job came to its end.
type Outcome string

const (
	// Exited: it ended by itself, with the result's Code, or by a signal that it did not get from here.
	Exited Outcome = "exited"
	// Stopped: by Job.Stop or Job.Kill.
	Stopped Outcome = "stopped"
	// Late: Spec.Deadline had passed.
	Late Outcome = "late"
	// LeaseLost: the job is somebody else's now, or may be (see Spec.RenewWithin).
	LeaseLost Outcome = "lease lost"
	// NotExecuted: the program could not be started; the result's Err says why.
	NotExecuted Outcome = "not executed"
	// Terminated: its shim got a SIGTERM, as at the machine's shutdown, and stopped it.
	Terminated Outcome = "terminated"
	// Rebooted: the machine was started anew while the job ran.
	Rebooted Outcome = "rebooted"
	// ShimDied: somebody, or a lack of memory, has killed its shim, and the job died with it.
	ShimDied Outcome = "shim died"
	// NeverBegan: the worker died before the job had a process.
	NeverBegan Outcome = "never began"
	// Unreadable: there is a record of its end, but it cannot be read; the result's Err says why.
	Unreadable Outcome = "unreadable"
)

// Result is a job's end.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Code is the exit status of the job's first process, -1 when it has none.
	Code int `json:"code"`
	// Signal is the number of the signal that ended it, or 0.
	Signal int `json:"signal,omitempty"`
	// Began and Ended are by the wall clock, for people; either is zero when it is not known.
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	// Took is how long the job ran, by a clock that nobody sets.
	Took time.Duration `json:"took_ns,omitempty"`
	// LogDropped counts bytes of output above Spec.LogLimit.
	LogDropped int64 `json:"log_dropped_bytes,omitempty"`
	// LogLost counts bytes of output that could not be written, the disk being full, for one. The log has a mark where they are missing.
	LogLost int64 `json:"log_lost_bytes,omitempty"`
	// Err is what went wrong besides, in words.
	Err string `json:"error,omitempty"`
}

// Interrupted reports whether the job has no result of its own: it was ended, or not begun, for reasons that are not the job's, and can be given
// back to its queue. After LeaseLost the queue refuses it if it is really somebody else's.
func (r Result) Interrupted() bool {
	switch r.Outcome {
	case Terminated, Rebooted, ShimDied, NeverBegan, Unreadable, LeaseLost:
		return true
	}
	return false
}

// String is such as "exited with status 1 after 2s".
func (r Result) String() string {
	text := string(r.Outcome)
	switch {
	case r.Signal > 0:
		text += fmt.Sprintf(" by signal %d", r.Signal)
	case r.Code >= 0:
		text += fmt.Sprintf(" with status %d", r.Code)
	}
	if r.Took > 0 {
		text += fmt.Sprintf(" after %s", r.Took.Round(time.Millisecond))
	}
	if r.Err != "" {
		text += ": " + r.Err
	}
	return text
}
