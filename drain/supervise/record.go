package supervise

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// version is that of the records and the protocol. What version 1 writes and understands is frozen: workers and shims of other
// versions of a program meet it. Fields may be added, whose absence means what was so before them.
const version = 1

// The files of a job's directory. Each record is written to a file of the same name with ".tmp" whose space was reserved when
// the job was started, so that a disk that has become full meanwhile does not keep a job's end from being recorded.
const (
	specFile  = "spec.json"
	lockFile  = "lock"      // locked from the start of the job until its shim has ended
	shimFile  = "shim.json" // who the shim is; not there before the shim answers, the job does not begin earlier
	jobFile   = "job.json"  // who the job's first process is
	exitFile  = "exit.json" // how the job ended; nothing of it runs any more
	logFile   = "log"
	sockFile  = "sock"
	errorFile = "shim.err" // what the shim has to say, most often nothing
)

// reservedBytes is what is reserved for each record that the shim writes.
const reservedBytes = 4096

type specRecord struct {
	V    int    `json:"v"`
	Boot string `json:"boot_id"`
	Spec Spec   `json:"spec"`
}

// processRecord says which process, for good: pids are used again, starts are not.
type processRecord struct {
	V     int    `json:"v"`
	Boot  string `json:"boot_id"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start_ticks"` // clock ticks after the boot, proc(5) stat field 22
}

type exitRecord struct {
	V      int    `json:"v"`
	Result Result `json:"result"`
}

// readRecord reads a record, and refuses one that this version does not know.
func readRecord(path string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxSpec+1))
	if err != nil {
		return err
	}
	var v struct {
		V int `json:"v"`
	}
	err = json.Unmarshal(text, &v)
	switch {
	case err != nil:
		return fmt.Errorf("reading %s: %w", path, err)
	case v.V != version:
		return fmt.Errorf("reading %s: it is of version %d, this program knows version %d", path, v.V, version)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// writeRecord writes a record such that after a crash there is all of it or none.
func writeRecord(dir, name string, record any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, name+".tmp")
	if err := overwrite(tmp, text); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncDir(dir)
}

// overwrite keeps the blocks that the file has: truncated first, they might be gone to somebody else.
func overwrite(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	if err == nil {
		err = f.Truncate(int64(len(text)))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// passing reports whether an error says more about this process than about the file.
func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
