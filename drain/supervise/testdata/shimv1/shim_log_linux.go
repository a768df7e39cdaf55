package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// jobLog copies a job's output into its log, up to a limit. What cannot be written is counted, and the job goes on.
type jobLog struct {
	input   *os.File // for the job
	output  *os.File // what it writes
	file    *os.File
	limit   int64
	changed func()
	wrote   func() // once, after the first write
	copied  chan struct{}
	size    atomic.Int64 // of the file

	// Of the copying goroutine, until copied is closed.
	kept, dropped, lost int64 // bytes of output
	gap                 int64 // lost since something was written last
	failed              error // the last error of writing
	once                sync.Once
}

func openLog(limit int64, changed, wrote func()) (*jobLog, error) {
	file, err := os.OpenFile(logFile, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	l := &jobLog{input: w, output: r, file: file, limit: limit, changed: changed, wrote: wrote, copied: make(chan struct{})}
	go l.copy()
	return l, nil
}

func (l *jobLog) copy() {
	defer close(l.copied)
	buf := make([]byte, 64<<10)
	for {
		n, err := l.output.Read(buf)
		if n > 0 {
			l.add(buf[:n])
		}
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				l.drain(buf)
			}
			return
		}
	}
}

// drain copies what is in the pipe when its end is not waited for any longer: a slow disk may have used the time up.
func (l *jobLog) drain(buf []byte) {
	raw, err := l.output.SyscallConn()
	if err != nil || l.output.SetReadDeadline(time.Time{}) != nil {
		return
	}
	for range 16 { // 1 MiB, the largest pipe by default (pipe(7)): who goes on writing is nobody of ours
		n := 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), buf)
			return true
		})
		if err != nil || n <= 0 {
			return
		}
		l.add(buf[:n])
	}
}

func (l *jobLog) add(text []byte) {
	room := l.limit - l.kept
	rest := int64(len(text)) - room
	if room > 0 {
		l.keep(text[:min(room, int64(len(text)))])
	}
	if rest > 0 {
		if l.dropped == 0 {
			l.mark("[supervise: output above the limit of %d bytes is dropped]", l.limit)
		}
		l.dropped += min(rest, int64(len(text)))
	}
	l.once.Do(l.wrote)
}

// keep writes output that is within the limit.
func (l *jobLog) keep(text []byte) {
	l.kept += int64(len(text))
	n := 0
	if l.fillGap() {
		n = l.write(text)
	}
	l.gap += int64(len(text) - n)
	l.lost += int64(len(text) - n)
}

// fillGap says in the log what is missing, and reports whether nothing is or that could be said.
func (l *jobLog) fillGap() bool {
	if l.gap > 0 && l.mark("[supervise: %d bytes are missing here: %v]", l.gap, l.failed) {
		l.gap = 0
	}
	return l.gap == 0
}

// mark writes a line of our own; what is written of one that cannot be written as a whole is taken back.
func (l *jobLog) mark(format string, args ...any) bool {
	line := "\n" + fmt.Sprintf(format, args...) + "\n"
	before := l.size.Load()
	if l.write([]byte(line)) == len(line) {
		return true
	}
	if l.file.Truncate(before) == nil {
		l.size.Store(before)
	}
	return false
}

func (l *jobLog) write(text []byte) int {
	n, err := l.file.Write(text)
	if err != nil {
		l.failed = err
	}
	if n > 0 {
		l.size.Add(int64(n))
		l.changed()
	}
	return n
}

// end returns when the output has come to its end and is on the disk. No process of the job is left then; should
// somebody else hold its output open, that is not waited for.
func (l *jobLog) end() error {
	const patience = 2 * time.Second
	_ = l.output.SetReadDeadline(time.Now().Add(patience))
	<-l.copied
	l.fillGap()
	err := l.file.Sync()
	if err != nil {
		err = fmt.Errorf("the log may be incomplete: %w", err)
	}
	return errors.Join(err, l.file.Close(), l.output.Close())
}
