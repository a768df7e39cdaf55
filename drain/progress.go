package drain

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
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

// line writes progress for a person who waits. A terminal may not read (Ctrl-S, a frozen ssh): the process must leave all the same, so a
// goroutine writes, which a terminal that never reads again keeps, and what it has had no time for is dropped.
type line struct {
	w    io.Writer
	hint string // what the person may do

	mu   sync.Mutex
	next string        // what is to be written, the latest alone
	busy chan struct{} // not nil: it is being written; closed when nothing is left
}

const (
	clearLine = "\r\x1b[K"
	// glance is how long a line may take before the process goes on beside it.
	glance = 100 * time.Millisecond
)

func (l *line) Observe(p Progress) {
	if p.State < LameDuck {
		return
	}
	if p.State == Stopped {
		l.write(fmt.Sprintf("%sstopped after %s\n", clearLine, time.Since(p.Began).Round(100*time.Millisecond)), true)
		return
	}
	text := p.State.String()
	if p.Phase != "" && p.Phase != text {
		text += " (" + p.Phase + ")"
	}
	l.write(fmt.Sprintf("%s%s: %s; cut in %d s%s", clearLine, text, p, int(max(0, time.Until(p.Deadline)).Seconds()), l.hint), false)
}

// write waits a glance; for the last line abandon; not at all for one behind others that are late.
func (l *line) write(text string, last bool) {
	l.mu.Lock()
	l.next = text
	late := l.busy != nil
	if !late {
		l.busy = make(chan struct{})
		go l.flush(l.busy)
	}
	busy := l.busy
	l.mu.Unlock()
	most := glance
	if last {
		most = abandon
	} else if late {
		return
	}
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-busy:
	case <-t.C:
	}
}

// flush writes what is to be written until nothing is.
func (l *line) flush(busy chan struct{}) {
	defer close(busy)
	for {
		l.mu.Lock()
		text := l.next
		l.next = ""
		if text == "" {
			l.busy = nil
		}
		l.mu.Unlock()
		if text == "" {
			return
		}
		_, _ = io.WriteString(l.w, text)
	}
}

// terminal is standard error if that is one.
func terminal() io.Writer {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return os.Stderr
}
