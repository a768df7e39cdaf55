package pgserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// superviseVariable diverts a program into being a supervisor.
const superviseVariable = "HA_PGSERVER_SUPERVISE"

// order is what a process writes to its supervisor, a line of JSON.
type order struct {
	Bin      string
	Prefix   string
	Settings []setting
}

type setting struct{ Name, Value string }

// report is the supervisor's answer, a line of JSON, once the server takes connections or cannot.
type report struct {
	Dir    string
	Socket string
	PID    int
	Error  string
}

const (
	dataSubdir   = "data"
	socketSubdir = "s"
	logName      = "log"

	startTimeout = 2 * time.Minute
	stopTimeout  = 20 * time.Second
)

// defaultSettings are for clusters that live for seconds and may be lost: no durability, nothing that acts by itself,
// and the same zone, language and formats on every machine.
func defaultSettings() []setting {
	return []setting{
		{"listen_addresses", ""},
		{"fsync", "off"},
		{"synchronous_commit", "off"},
		{"full_page_writes", "off"},
		{"autovacuum", "off"},
		{"jit", "off"},
		{"dynamic_shared_memory_type", "mmap"}, // in the data directory, so it cannot be left behind in /dev/shm
		{"shared_buffers", "32MB"},
		{"max_locks_per_transaction", "512"}, // verify keeps a transaction open in each state of a schema, with all of its tables
		{"max_wal_size", "1GB"},
		{"checkpoint_timeout", "1h"},
		{"timezone", "UTC"},
		{"log_timezone", "UTC"},
		{"lc_messages", "C"},
		{"logging_collector", "off"},
	}
}

// supervised is a running supervisor and what it reported.
type supervised struct {
	report
	once  sync.Once
	ended atomic.Bool
	lease io.Closer // closing it tells the supervisor to stop
	cmd   *exec.Cmd
	out   io.Reader
}

// superviseServer starts a supervisor, which starts the server, and waits until that takes connections.
func superviseServer(inst Installation, cfg Config) (*supervised, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), superviseVariable+"=1")
	// A session of its own: an interrupt typed at the terminal goes to the program, which ends, and the supervisor cleans up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the supervisor: %w", err)
	}
	s := &supervised{lease: in, cmd: cmd, out: out}
	o := order{Bin: inst.Bin, Prefix: cfg.Prefix, Settings: defaultSettings()}
	for name, value := range cfg.Settings {
		o.Settings = append(o.Settings, setting{name, value})
	}
	err = json.NewEncoder(in).Encode(o)
	if err == nil {
		err = json.NewDecoder(out).Decode(&s.report)
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("talking to the supervisor: %w; it said %q", err, complaint.String())
	}
	if s.Error != "" {
		s.stop()
		return nil, errors.New(s.Error)
	}
	return s, nil
}

// stop returns when the server has ended and its directory is gone.
func (s *supervised) stop() {
	s.once.Do(func() {
		s.ended.Store(true)
		_ = s.lease.Close()
		_, _ = io.Copy(io.Discard, s.out)
		_ = s.cmd.Wait()
	})
}

func (s *supervised) stopped() bool { return s.ended.Load() }

func (s *supervised) log() string {
	text, err := os.ReadFile(filepath.Join(s.Dir, logName))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *supervised) logTail() string {
	lines := strings.Split(strings.TrimSpace(s.log()), "\n")
	return "; the server's log ends:\n" + strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// Divert is for the very beginning of main: it turns a process that Start made into the supervisor of a server, and does
// not return there. Elsewhere it returns what Start needs.
func Divert() Launcher {
	if os.Getenv(superviseVariable) == "" {
		return Launcher{diverts: true}
	}
	// PR_SET_PDEATHSIG fires when the thread that forked dies, and Go ends idle threads as it likes. This goroutine keeps
	// its thread until the process exits.
	runtime.LockOSThread()
	supervise(os.Stdin, os.Stdout)
	os.Exit(0)
	panic("unreachable")
}

// supervise obeys one order and returns when everything is stopped and removed.
func supervise(in io.Reader, out io.Writer) {
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return // the process died before it could ask
	}
	lease := make(chan struct{})
	go func() {
		defer close(lease)
		_, _ = io.Copy(io.Discard, lines)
	}()
	c := cluster{exited: make(chan struct{})}
	defer c.remove()
	answer := report{}
	if err := c.start(line, lease); err != nil {
		answer.Error = err.Error()
	} else {
		answer = report{Dir: c.dir, Socket: filepath.Join(c.dir, socketSubdir), PID: c.cmd.Process.Pid}
	}
	if err := json.NewEncoder(out).Encode(answer); err != nil || answer.Error != "" {
		return
	}
	select {
	case <-lease:
	case <-c.exited: // the server ended by itself; its log stays until the process is done with it
		<-lease
	}
}

// cluster is the supervisor's view of its server.
type cluster struct {
	dir    string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the server has ended
}

func (c *cluster) start(line []byte, lease <-chan struct{}) error {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("reading the order: %w", err)
	}
	owner, err := serverAccount()
	if err != nil {
		return err
	}
	if c.dir, err = owner.tempDir(o.Prefix, tempBases()...); err != nil {
		return fmt.Errorf("making a directory for the server: %w", err)
	}
	if err := c.initialize(o, owner); err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(c.dir, logName))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // the server has its own copy
	c.cmd = command(owner, filepath.Join(o.Bin, "postgres"), "-D", filepath.Join(c.dir, dataSubdir))
	stopWithParent(c.cmd.SysProcAttr)
	c.cmd.Stdout, c.cmd.Stderr = logFile, logFile
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return fmt.Errorf("starting the server: %w", err)
	}
	go func() {
		defer close(c.exited)
		_ = c.cmd.Wait()
	}()
	return c.awaitReady(lease)
}

// command runs a program as owner with an environment that cannot redirect it (PGDATA, PGPORT, LC_…).
func command(owner account, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = owner.attributes()
	return cmd
}

// initialize makes the data directory and its configuration.
func (c *cluster) initialize(o order, owner account) error {
	data, socket := filepath.Join(c.dir, dataSubdir), filepath.Join(c.dir, socketSubdir)
	for _, dir := range []string{data, socket} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if err := owner.own(dir); err != nil {
			return err
		}
	}
	initdb := command(owner, filepath.Join(o.Bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
	stopWithParent(initdb.SysProcAttr)
	if text, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("running initdb: %w: %s", err, bytes.TrimSpace(text))
	}
	conf, err := os.OpenFile(filepath.Join(data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	// A later line for the same setting wins.
	settings := append([]setting{{"unix_socket_directories", socket}, {"port", port}}, o.Settings...)
	for _, s := range settings {
		if _, err := fmt.Fprintf(conf, "%s = '%s'\n", s.Name, strings.ReplaceAll(s.Value, "'", "''")); err != nil {
			return errors.Join(err, conf.Close())
		}
	}
	return conf.Close()
}

// awaitReady waits until the postmaster has written its status "ready" into postmaster.pid (src/include/utils/pidfile.h,
// LOCK_FILE_LINE_PM_STATUS), which needs no connection.
func (c *cluster) awaitReady(lease <-chan struct{}) error {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			text, err := os.ReadFile(filepath.Join(c.dir, dataSubdir, "postmaster.pid"))
			if lines := strings.Split(string(text), "\n"); err == nil && len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready" {
				return nil
			}
		case <-c.exited:
			return fmt.Errorf("the server ended while starting: %s", c.log())
		case <-timeout.C:
			return fmt.Errorf("the server is not ready after %v: %s", startTimeout, c.log())
		case <-lease:
			return errors.New("the program ended while the server was starting")
		}
	}
}

func (c *cluster) log() string {
	text, err := os.ReadFile(filepath.Join(c.dir, logName))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// remove stops the server, if it runs, and deletes its directory.
func (c *cluster) remove() {
	if c.cmd != nil {
		_ = c.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown; nothing in it is kept
		select {
		case <-c.exited:
		case <-time.After(stopTimeout):
			_ = c.cmd.Process.Kill()
			<-c.exited
		}
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}
