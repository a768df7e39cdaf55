package drain

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Open is how much of one kind is open.
type Open struct {
	Kind   string    // one of them, in the singular: "request"
	Count  int       //
	Oldest time.Time // since when the oldest is open; zero if that is not known
	What   string    // the oldest: "POST /query"; may be empty
}

// Reporter says what is open. It is asked once a second while the process leaves, and must not block.
type Reporter interface {
	Open() []Open
}

// Progress is how far a process has come.
type Progress struct {
	State State
	// Cause is why it leaves; nil before, and when nobody said.
	Cause error
	// Began is when it was told to stop, Deadline when what is left will be cut; both are zero before.
	Began, Deadline time.Time
	// Phase is what runs now: "lame duck", or the name of a Phase. Empty when nothing does.
	Phase string
	// Open is what is open, of all reporters and of Go. Kinds of which there are none are left out.
	Open []Open
}

// Observer is told of each change of state, and once a second while the process leaves. Calls come one at a time, in order. A
// state's observers have been told before anything is done in it, so they must not block, nor drain.
type Observer interface {
	Observe(Progress)
}

// String is what is open in one line: "12 requests, 2 websockets, oldest 34 s: POST /query"; "nothing open" otherwise.
func (p Progress) String() string { return p.at(time.Now()) }

func (p Progress) at(now time.Time) string {
	var b strings.Builder
	var oldest Open
	for _, o := range p.Open {
		if o.Count == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", o.Count, o.Kind)
		if o.Count != 1 {
			b.WriteByte('s')
		}
		if !o.Oldest.IsZero() && (oldest.Oldest.IsZero() || o.Oldest.Before(oldest.Oldest)) {
			oldest = o
		}
	}
	if b.Len() == 0 {
		return "nothing open"
	}
	if !oldest.Oldest.IsZero() {
		fmt.Fprintf(&b, ", oldest %d s", int(max(0, now.Sub(oldest.Oldest)).Seconds()))
		if oldest.What != "" {
			b.WriteString(": " + printable(oldest.What, 80))
		}
	}
	return b.String()
}

// printable keeps what a client sent from writing to a terminal or a log what it likes.
func printable(s string, most int) string {
	quoted := fmt.Sprintf("%q", s)
	quoted = quoted[1 : len(quoted)-1]
	if len(quoted) > most {
		quoted = strings.ToValidUTF8(quoted[:most], "") + "…"
	}
	return quoted
}

// line writes progress for a person who waits.
type line struct {
	w    io.Writer
	hint string // what the person may do
}

const clearLine = "\r\x1b[K"

func (l line) Observe(p Progress) {
	if p.State < LameDuck {
		return
	}
	if p.State == Stopped {
		fmt.Fprintf(l.w, "%sstopped after %s\n", clearLine, time.Since(p.Began).Round(100*time.Millisecond))
		return
	}
	text := p.State.String()
	if p.Phase != "" && p.Phase != text {
		text += " (" + p.Phase + ")"
	}
	fmt.Fprintf(l.w, "%s%s: %s; cut in %d s%s", clearLine, text, p, int(max(0, time.Until(p.Deadline)).Seconds()), l.hint)
}

// terminal is standard error if that is one.
func terminal() io.Writer {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return os.Stderr
}
