package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// format is the version of the file's layout.
const format = 1

// slot is the length in bytes of a record's line, its newline included.
const slot = 640

// The events of a step have a line each, in this order, then come those of the plan.
const (
	intended = iota
	done
	undoing
	undone
	stepEvents
)

const (
	undoBegun = iota
	ended
	planEvents
)

// header is the first line.
type header struct {
	Journal string          `json:"journal"`
	Format  int             `json:"format"`
	Kind    string          `json:"kind"`
	Version int             `json:"version"`
	Created time.Time       `json:"created"`
	Steps   []string        `json:"steps"`
	Data    json.RawMessage `json:"data,omitempty"`
	Sum     string          `json:"sum"`
}

const magic = "ha-go plan"

// entry is a record.
type entry struct {
	Seq   int       `json:"seq"` // of all records, from 1: the latest of a step says how it stands
	Event string    `json:"event"`
	Step  string    `json:"step,omitempty"`
	At    time.Time `json:"at"`
	Text  string    `json:"text,omitempty"`
	Sum   string    `json:"sum"`
	torn  bool
}

// Errors of journals. Match them with errors.Is.
var (
	// ErrLocked: another process works by this journal.
	ErrLocked = errors.New("another process works by this journal")
	// ErrUnfinished: there is a journal of a run that has not ended.
	ErrUnfinished = errors.New("it is of a run that has not ended: resume or undo that first")
	// ErrEnded: there is nothing to resume or undo.
	ErrEnded = errors.New("it is of a run that has ended: there is nothing to resume or to undo")
	// ErrUnreadable: the journal is cut short, damaged, or of a version that this program does not know.
	ErrUnreadable = errors.New("look at the servers, then remove it")
)

// file is what a journal needs of an *os.File.
type file interface {
	io.WriterAt
	Sync() error
	Close() error
}

// journal is an open journal, which this process has locked.
type journal struct {
	path    string
	f       file
	base    int64 // where the slots begin
	head    header
	entries []*entry // by slot; nil: not written
	seq     int      // of the latest record
}

func (j *journal) step(i, event int) *entry { return j.entries[i*stepEvents+event] }
func (j *journal) plan(event int) *entry    { return j.entries[len(j.head.Steps)*stepEvents+event] }

// write records an event of a step. It has reached the disk when write returns nil.
func (j *journal) write(i, event int, text string) error {
	names := [stepEvents]string{"intended", "done", "undoing", "undone"}
	return j.put(i*stepEvents+event, entry{Event: names[event], Step: j.head.Steps[i], Text: text})
}

// writePlan records an event of the plan.
func (j *journal) writePlan(event int, text string) error {
	names := [planEvents]string{"undo begun", "ended"}
	return j.put(len(j.head.Steps)*stepEvents+event, entry{Event: names[event], Text: text})
}

func (j *journal) put(n int, e entry) error {
	e.Seq, e.At = j.seq+1, time.Now().UTC().Truncate(time.Millisecond)
	line, err := e.line()
	if err != nil {
		return err
	}
	if _, err := j.f.WriteAt(line, j.base+int64(n)*slot); err != nil {
		return fmt.Errorf("recording %q in %s: %w", e.Event, j.path, err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("recording %q in %s: %w", e.Event, j.path, err)
	}
	j.entries[n] = &e
	j.seq++
	return nil
}

// line is the record as it is written: JSON, padded with spaces. A text that is too long is cut.
func (e entry) line() ([]byte, error) {
	e.Text = strings.ToValidUTF8(e.Text, "?")
	for {
		e.Sum = ""
		sum, err := checksum(e)
		if err != nil {
			return nil, err
		}
		e.Sum = sum
		line, err := encode(e)
		if err != nil {
			return nil, err
		}
		over := len(line) - (slot - 1)
		if over <= 0 {
			return append(append(line, bytes.Repeat([]byte(" "), -over)...), '\n'), nil
		}
		if e.Text == "" {
			return nil, fmt.Errorf("the record of %q does not fit its line", e.Step) // names are bounded: a mistake of this package's
		}
		e.Text = strings.ToValidUTF8(e.Text[:max(0, len(e.Text)-max(over/6, 8))], "") // 6: a control character as JSON has it
	}
}

// encode is JSON in which "<" is "<".
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// checksum is over the JSON of a value whose sum is empty.
func checksum(v any) (string, error) {
	text, err := encode(v)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(text)), nil
}

func blank() []byte { return append(bytes.Repeat([]byte(" "), slot-1), '\n') }

// create makes the journal of a plan, with room for all its records. One that has ended is replaced.
func create(path string, p Plan) (*journal, error) {
	old, err := lock(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		defer func() { _ = old.Close() }()
		was, err := read(old, path)
		if err != nil {
			return nil, err
		}
		if was.plan(ended) == nil {
			return nil, fmt.Errorf("journal %s: %w", path, ErrUnfinished)
		}
	}
	head := header{Journal: magic, Format: format, Kind: p.Kind, Version: p.Version, Created: time.Now().UTC().Truncate(time.Millisecond), Steps: p.names(), Data: p.Data}
	if head.Sum, err = checksum(head); err != nil {
		return nil, err
	}
	text, err := encode(head)
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	j := &journal{path: path, base: int64(len(text)), head: head, entries: make([]*entry, len(head.Steps)*stepEvents+planEvents)}
	text = append(text, bytes.Repeat(blank(), len(j.entries))...)
	if j.f, err = install(path, text, old != nil); err != nil {
		return nil, fmt.Errorf("making the journal %s: %w", path, err)
	}
	return j, nil
}

// install writes a file beside its place, locks it, and moves it there, over another one only if replace says so.
func install(path string, text []byte, replace bool) (*os.File, error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	temp := f.Name()
	err = func() error {
		if _, err := f.Write(text); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return err
		}
		if replace {
			err = os.Rename(temp, path)
		} else if err = os.Link(temp, path); errors.Is(err, os.ErrExist) {
			err = ErrLocked // made in this moment
		}
		if err != nil {
			return err
		}
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		return errors.Join(d.Sync(), d.Close())
	}()
	if removing := os.Remove(temp); err == nil && removing != nil && !errors.Is(removing, os.ErrNotExist) {
		err = removing
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// open opens the journal of a run that has not ended, and locks it.
func open(path string) (*journal, error) {
	f, err := lock(path)
	if err != nil {
		return nil, err
	}
	j, err := read(f, path)
	if err == nil && j.plan(ended) != nil {
		err = fmt.Errorf("journal %s: %w", path, ErrEnded)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	j.f = f
	return j, nil
}

// lock opens the file at path and locks it, the one that is there once it is locked.
func lock(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return nil, fmt.Errorf("opening the journal: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			_ = f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("journal %s: %w", path, ErrLocked)
			}
			return nil, fmt.Errorf("locking the journal %s: %w", path, err)
		}
		mine, err := f.Stat()
		if err == nil {
			var there os.FileInfo
			if there, err = os.Stat(path); err == nil && os.SameFile(mine, there) {
				return f, nil
			}
		}
		_ = f.Close() // it has been replaced meanwhile
		if err != nil {
			return nil, fmt.Errorf("opening the journal: %w", err)
		}
	}
}

// read reads a journal. Errors say what is wrong with it.
func read(r io.Reader, path string) (*journal, error) {
	unreadable := func(format string, args ...any) error {
		return fmt.Errorf("journal %s %s: %w", path, fmt.Sprintf(format, args...), ErrUnreadable)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading the journal %s: %w", path, err)
	}
	first, rest, whole := bytes.Cut(text, []byte("\n"))
	var head header
	if err := json.Unmarshal(first, &head); err != nil || !whole || head.Journal != magic {
		return nil, unreadable("does not begin as a journal does, or is cut short")
	}
	if head.Format != format {
		return nil, unreadable("is of format %d, and this program knows %d", head.Format, format)
	}
	sum := head.Sum
	head.Sum = ""
	if real, err := checksum(head); err != nil || real != sum {
		return nil, unreadable("is damaged in its first line")
	}
	j := &journal{path: path, base: int64(len(first)) + 1, head: head, entries: make([]*entry, len(head.Steps)*stepEvents+planEvents)}
	if len(rest) != len(j.entries)*slot {
		return nil, unreadable("has %d bytes, and not %d", len(text), int(j.base)+len(j.entries)*slot)
	}
	torn := 0
	for n := range j.entries {
		line := bytes.TrimSpace(rest[n*slot : (n+1)*slot])
		if len(line) == 0 {
			continue
		}
		var e entry
		err := json.Unmarshal(line, &e)
		sum := e.Sum
		e.Sum = ""
		if real, failed := checksum(e); err != nil || failed != nil || real != sum {
			torn++
			e = entry{Seq: math.MaxInt, torn: true} // it was the last to be written
		}
		j.entries[n] = &e
		if !e.torn {
			j.seq = max(j.seq, e.Seq)
		}
	}
	if torn > 1 {
		return nil, unreadable("is damaged in %d lines, and only one can have been in the writing", torn)
	}
	return j, nil
}

// matches says how a plan is not the journal's.
func (j *journal) matches(p Plan) error {
	switch {
	case j.head.Kind != p.Kind:
		return fmt.Errorf("journal %s is of a %s, and not of a %s", j.path, j.head.Kind, p.Kind)
	case j.head.Version != p.Version:
		return fmt.Errorf("journal %s is of version %d of a %s, and this program makes version %d: resume it with the program that began it: %w", j.path, j.head.Version, p.Kind, p.Version, ErrUnreadable)
	case !slices.Equal(j.head.Steps, p.names()):
		return fmt.Errorf("journal %s is of another plan: its steps are %q, and not %q", j.path, j.head.Steps, p.names())
	}
	return nil
}
