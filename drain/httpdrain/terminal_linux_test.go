package httpdrain_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// terminal is a pseudo terminal: what is written to the second file comes out of the first (pts(4)).
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = screen.Close() })
	var n, unlock int32
	for request, arg := range map[uintptr]*int32{syscall.TIOCSPTLCK: &unlock, syscall.TIOCGPTN: &n} {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), request, uintptr(unsafe.Pointer(arg)))
		require.Zero(t, errno)
	}
	tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(n)), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tty.Close() })
	return screen, tty
}

// TestTerminal: a person who waits sees what for, and what a second signal would do.
func TestTerminal(t *testing.T) {
	screen, tty := terminal(t)
	c := serveWith(t, tty)
	require.NoError(t, tty.Close())
	conn, r := c.upload(t)
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	lines := bufio.NewReader(screen)
	shown := ""
	for !strings.Contains(shown, "(services): 1 request, oldest ") { // rewritten each second
		line, err := lines.ReadString('K') // the end of the sequence that clears the line
		require.NoError(t, err)
		shown += line
	}
	require.Contains(t, shown, "lame duck: 1 request, oldest 0 s: POST /; cut in ")
	require.Regexp(t, `draining \(services\): 1 request, oldest \d s: POST /; cut in 2\d s, a second signal cuts now`, shown)
	_, err := io.WriteString(conn, "last")
	require.NoError(t, err)
	_, err = http.ReadResponse(r, nil)
	require.NoError(t, err)
	rest, _ := io.ReadAll(lines) // EIO when the process has ended
	require.Regexp(t, `stopped after \d+(\.\d+)?m?s\r\n$`, string(rest))
	require.Equal(t, "answered <nil>", c.line(t))
	require.NoError(t, c.cmd.Wait())
}
