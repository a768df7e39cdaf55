package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const supported = true

// kernelBootID is another one after each boot (proc(5), /proc/sys/kernel/random/boot_id).
func kernelBootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(bytes.TrimSpace(text)), err
}

// lock opens a file and locks it (flock(2)) for as long as it, or a copy of it in another process, is open. It returns
// nil and no error when somebody else has it.
func lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, f.Close()
		}
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
}

// reserve makes a file that has size bytes on the disk.
func reserve(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		_, err = f.Write(make([]byte, size))
	}
	if err != nil {
		err = fmt.Errorf("reserving space for %s: %w", path, err)
	}
	return errors.Join(err, f.Close())
}

// ownedPrivately reports why dir is not the caller's alone to write.
func ownedPrivately(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, this is user %d: state directories are not shared", dir, stat.Uid, os.Geteuid())
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s can be written by others (mode %#o): chmod 700 it", dir, info.Mode().Perm())
	}
	return nil
}

// socketPath is a way to the socket of a job's directory that is never longer than unix(7) allows. It is good until release is called.
func socketPath(dir string) (path string, release func(), err error) {
	d, err := os.OpenFile(dir, syscall.O_DIRECTORY, 0)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), sockFile), func() { _ = d.Close() }, nil
}

// checkPeer asks the kernel who is at the other end (unix(7), SO_PEERCRED).
func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var cred *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	return allowed(int(cred.Uid), os.Geteuid())
}

func allowed(peer, self int) error {
	if peer != self && peer != 0 {
		return fmt.Errorf("the other end belongs to user %d, this is user %d", peer, self)
	}
	return nil
}

// becomeSubreaper makes this process the parent of its descendants that lose their own (prctl(2), PR_SET_CHILD_SUBREAPER, 36).
func becomeSubreaper() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, 36, 1, 0); errno != 0 {
		return fmt.Errorf("becoming a subreaper: %w", errno)
	}
	return nil
}

// shimProcess prepares a shim in a session of its own.
func shimProcess(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// process is what proc(5) says in /proc/pid/stat.
type process struct {
	pid, parent, session int
	start                uint64
	dead                 bool // a zombie
}

func readProcess(pid int) (process, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, err
	}
	// The name, in parentheses, may have anything in it; what follows the last one are fields from the third on.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return process{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	p := process{pid: pid, dead: fields[0] == "Z" || fields[0] == "X"}
	p.parent, _ = strconv.Atoi(fields[1])
	p.session, _ = strconv.Atoi(fields[3])
	p.start, err = strconv.ParseUint(fields[19], 10, 64)
	return p, err
}

// processes are those that there are; some may have ended meanwhile.
func processes() ([]process, error) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []process
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if p, err := readProcess(pid); err == nil {
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// alive tells whether the recorded process runs.
func (r *processRecord) alive(boot string) bool {
	p, err := readProcess(r.PID)
	return err == nil && r.Boot == boot && p.start == r.Start && !p.dead
}

// kill kills the process that has the pid and was started then, and no other: what FindProcess returns keeps to one process (pidfd).
func kill(pid int, start uint64) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	defer func() { _ = p.Release() }()
	if now, err := readProcess(pid); err == nil && now.start == start {
		_ = p.Kill()
	}
}

// marker is the variable that every process of a job has in its environment, unless it has emptied that.
func marker(id string, shim processRecord) string {
	return fmt.Sprintf("SUPERVISE_JOB=%s.%d.%d", id, shim.PID, shim.Start)
}

// killLeftovers kills what a job has left whose shim has died: what has the mark in its environment, and the session of the job's first
// process if that still is what it was. It returns when there is nothing left to be found.
func killLeftovers(ctx context.Context, mark string, job *processRecord, boot string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		all, err := processes()
		if err != nil {
			return err
		}
		sure := job != nil && job.alive(boot)
		left := 0
		for _, p := range all {
			if p.dead || p.pid == os.Getpid() {
				continue
			}
			if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.pid)); (err == nil && hasVariable(env, mark)) || (sure && p.session == job.PID) {
				kill(p.pid, p.start)
				left++
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%d processes do not end: %w", left, ctx.Err())
		}
	}
}

func hasVariable(env []byte, variable string) bool {
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if string(v) == variable {
			return true
		}
	}
	return false
}
