package pgserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user that servers run as. The zero value is the current user.
type account struct {
	name     string
	uid, gid uint32
	other    bool // not the current user
}

// serverAccount is the current user or, for root, one that PostgreSQL agrees to run as.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("reading the ids of user %s: %w", name, err)
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as")
}

// attributes make a process run as the account.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{}
	if a.other {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// canEnter tells whether the account may use files in dir: whether it may search dir and every directory above it.
func (a account) canEnter(dir string) error {
	if !a.other {
		return nil
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if !a.maySearch(info) {
			return fmt.Errorf("user %s, which root's servers run as, may not enter %s", a.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// maySearch applies the mode bits as the kernel does: the first class that matches decides.
func (a account) maySearch(info fs.FileInfo) bool {
	mode := info.Mode().Perm()
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && owner.Uid == a.uid:
		return mode&0o100 != 0
	case ok && owner.Gid == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// port is in the socket's file name. Each server has a directory of its own, so all use the same.
const port = "5432"

// socketPathLimit is the longest path of a Unix socket that every supported system takes: Linux 107 bytes (unix(7)),
// the BSDs and macOS 103.
const socketPathLimit = 103

// tempBases are the directories to make a server's in, the best first. TMPDIR is obeyed when it is set. Otherwise memory
// is preferred to a disk: initdb and CREATE DATABASE write some 40 MB and 7 MB in a thousand files, which takes two to
// five times as long on a disk.
func tempBases() []string {
	if dir := os.Getenv("TMPDIR"); dir != "" {
		return []string{dir, "/tmp"}
	}
	if roomyMemory(sharedMemory) {
		return []string{sharedMemory, "/tmp"}
	}
	return []string{os.TempDir()}
}

// sharedMemory is where Linux mounts its file system in memory for everyone.
const sharedMemory = "/dev/shm"

// memoryNeeded is the free space in bytes below which a file system in memory is left alone: containers often have
// 64 MB there, and several packages' servers run at once.
const memoryNeeded = 4 << 30

// tempDir makes the server's directory below the first of the bases in which the socket's path is short enough and
// which the account may enter.
func (a account) tempDir(prefix string, bases ...string) (string, error) {
	var problems []error
	for _, base := range bases {
		dir, err := a.tempDirIn(prefix, base)
		if err == nil {
			return dir, nil
		}
		problems = append(problems, err)
	}
	return "", errors.Join(problems...)
}

func (a account) tempDirIn(prefix, base string) (string, error) {
	if err := a.canEnter(base); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return "", err
	}
	if socket := filepath.Join(dir, socketSubdir, ".s.PGSQL."+port); len(socket) > socketPathLimit {
		err = fmt.Errorf("the Unix socket's path %s is longer than %d bytes", socket, socketPathLimit)
	} else {
		err = a.own(dir)
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}
