package listen

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"git.sr.ht/~sourcehut/ha-go/internal/leaktest"
	"git.sr.ht/~sourcehut/ha-go/internal/need"
)

// TestMain lets the test binary be the process that is activated: it answers on both of its sockets who it is.
func TestMain(m *testing.M) {
	if os.Getenv("LISTEN_ACTIVATED") == "" {
		os.Exit(leaktest.Run(m))
	}
	if err := activated(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func activated() error {
	a, err := Activated()
	if err != nil {
		return err
	}
	fmt.Println(a.Names())
	_, err = a.Listener("other")
	fmt.Println(err)
	again, err := Activated()
	fmt.Println(again, err, os.Getenv("LISTEN_FDS"))
	for _, name := range []string{"web", "admin"} {
		l, err := a.Listener(name)
		if err != nil {
			return err
		}
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		fmt.Fprintln(conn, name)
		_ = conn.Close()
	}
	fmt.Println(a.Names())
	return a.Close()
}

// TestActivation: a process finds its sockets by name; a client that came before the process was there is answered.
func TestActivation(t *testing.T) {
	program := need.Binary(t, "systemd-socket-activate")
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	web, admin, spare := filepath.Join(dir, "web"), filepath.Join(dir, "admin"), filepath.Join(dir, "spare")
	cmd := exec.CommandContext(t.Context(), program, "-E", "LISTEN_ACTIVATED=1", "-l", web, "-l", admin, "-l", spare, "--fdname=web:admin:spare", self)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	line := func() string {
		require.True(t, lines.Scan())
		return lines.Text()
	}
	// It starts the process when the first client comes.
	require.Equal(t, "web\n", answer(t, web))
	require.Equal(t, "[admin spare web]", line())
	require.Equal(t, `listen: "other": no such socket from systemd; there are [admin spare web]`, line())
	require.Equal(t, "<nil> <nil> ", line())
	require.Equal(t, "admin\n", answer(t, admin))
	require.Equal(t, "[spare]", line())
	require.NoError(t, cmd.Wait())
}

// answer is what a socket says, as soon as it is there.
func answer(t *testing.T, socket string) string {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			require.True(t, time.Now().Before(deadline), err)
			<-time.After(time.Millisecond)
			continue
		}
		defer conn.Close()
		text, err := io.ReadAll(conn)
		require.NoError(t, err)
		return string(text)
	}
}

// TestEnvironment: which sockets the environment names, and for whom.
func TestEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		env   map[string]string
		names []string
		err   string
	}{
		"none":            {},
		"a parent's":      {env: map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "6"}},
		"without a pid":   {env: map[string]string{"LISTEN_FDS": "1"}},
		"without names":   {env: map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7"}, names: []string{"unknown", "unknown"}},
		"with names":      {env: map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7", "LISTEN_FDNAMES": "a:b"}, names: []string{"a", "b"}},
		"not a number":    {env: map[string]string{"LISTEN_FDS": "x", "LISTEN_PID": "7"}, err: `listen: LISTEN_FDS is "x": not a number of sockets`},
		"negative":        {env: map[string]string{"LISTEN_FDS": "-1", "LISTEN_PID": "7"}, err: `listen: LISTEN_FDS is "-1": not a number of sockets`},
		"names are short": {env: map[string]string{"LISTEN_FDS": "2", "LISTEN_PID": "7", "LISTEN_FDNAMES": "a"}, err: `listen: LISTEN_FDNAMES names 1 sockets, ["a"], but LISTEN_FDS says 2`},
	} {
		t.Run(name, func(t *testing.T) {
			fds, err := inherited(func(name string) string { return c.env[name] }, 7)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.names, fds)
		})
	}
}

// TestNotActivated: a process that was started otherwise finds nothing, and is told so.
func TestNotActivated(t *testing.T) {
	t.Setenv("LISTEN_FDS", "1")
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getppid()))
	a, err := Activated()
	require.NoError(t, err)
	require.Nil(t, a)
	require.Empty(t, a.Names())
	_, err = a.Listener("web")
	require.ErrorIs(t, err, ErrNone)
	require.EqualError(t, err, `listen: "web": no such socket from systemd: the process was not started by socket activation`)
	require.NoError(t, a.Close())
}
