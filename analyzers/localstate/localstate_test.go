package localstate

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/analysistest"
)

func TestReported(t *testing.T) {
	dir, _ := filepath.Abs("../testdata")
	analysistest.Run(t, dir, New(), "localstate/state", "localstate/libs", "localstate/shared", "localstate/disk", "localstate/files", "localstate/sockets")
}

// TestSocketStays shows what stale-socket says: the file of a socket that nobody closed in order is in the way of the next start,
// though nobody listens.
func TestSocketStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	require.NoError(t, err)
	killed.SetUnlinkOnClose(false) // the kernel closes the socket of a killed process, and unlinks nothing
	require.NoError(t, killed.Close())

	_, err = net.Dial("unix", path)
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	_, err = net.Listen("unix", path)
	require.ErrorIs(t, err, syscall.EADDRINUSE)

	require.NoError(t, syscall.Unlink(path))
	next, err := net.Listen("unix", path)
	require.NoError(t, err)
	require.NoError(t, next.Close())
}
