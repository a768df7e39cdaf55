package pgtest

import (
	"bytes"
	"os/exec"
	"runtime"
	"sync"
)

// process is the program of a server that runs beside the tests and ends with them, whatever they do.
type process struct {
	cmd   *exec.Cmd
	said  spoken
	ended chan struct{} // closed when it has ended
}

// startProcess starts a command of pgserver.Beside. What it prints is in said.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.said, &p.said
	started := make(chan error, 1)
	go func() {
		defer close(p.ended)
		// The kernel ends the program with the thread that starts it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return p, <-started
}

// kill ends it with SIGKILL and returns when it has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// spoken is what a program has printed so far.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *spoken) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
