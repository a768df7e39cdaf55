package supervise

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// tree is a job's processes: the first one, which leads a session and a process group of its own, and all that descend from it, wherever
// they have gone to, since the shim is their subreaper.
type tree struct {
	leader      int
	leaderEnded chan struct{}
	ended       chan struct{} // closed when no process is left

	// mu is held while children are waited for and while they are sent signals: a pid is not used again before it was waited for.
	mu     sync.Mutex
	dead   bool // the leader was waited for
	status syscall.WaitStatus
}

// startTree starts the job; child tells that a child has changed its state.
func startTree(spec Spec, mark string, output *os.File, child <-chan os.Signal) (*tree, error) {
	defer func() { _ = output.Close() }()
	program := spec.Args[0]
	if !strings.Contains(program, "/") {
		found, err := exec.LookPath(program)
		if err != nil {
			return nil, err
		}
		program = found
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer func() { _ = null.Close() }()
	attr := &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   append(spec.Env[:len(spec.Env):len(spec.Env)], mark),
		Files: []uintptr{null.Fd(), output.Fd(), output.Fd()},
		// Should the shim be killed, the kernel kills the job's first process.
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	t := &tree{leaderEnded: make(chan struct{}), ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal comes when the thread ends that started the process (prctl(2), PR_SET_PDEATHSIG): this one stays.
		runtime.LockOSThread()
		var err error
		t.leader, err = syscall.ForkExec(program, spec.Args, attr)
		if err != nil {
			err = &os.PathError{Op: "starting", Path: program, Err: err}
		}
		started <- err
		if err == nil {
			<-t.ended
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		for !t.wait() {
			<-child
		}
		close(t.ended)
	}()
	return t, nil
}

// wait waits for the children that have ended, and reports whether there are no others.
func (t *tree) wait() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil: // ECHILD
			return true
		case pid == 0:
			return false
		case pid == t.leader:
			t.dead, t.status = true, status
			close(t.leaderEnded)
		}
	}
}

// terminate asks the job's process group to end, also if it is stopped.
func (t *tree) terminate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.dead {
		_ = syscall.Kill(-t.leader, syscall.SIGTERM)
		_ = syscall.Kill(-t.leader, syscall.SIGCONT)
	}
}

// killAll kills the shim's children. Theirs become its own then: it is called until there are none.
func (t *tree) killAll() {
	all, err := processes()
	if err != nil {
		return // out of descriptors, or the like: next time
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range all {
		if p.parent == os.Getpid() && !p.dead {
			// It may have been waited for since it was listed; then there is another start, or nothing.
			if now, err := readProcess(p.pid); err == nil && now.start == p.start {
				_ = syscall.Kill(p.pid, syscall.SIGKILL)
			}
		}
	}
}

// code is how the first process ended.
func (t *tree) code() (status, sig int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status.Signaled() {
		return -1, int(t.status.Signal())
	}
	return t.status.ExitStatus(), 0
}
