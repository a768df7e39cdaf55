//go:build !linux

package listen

import (
	"errors"
	"net"
	"syscall"
)

type inodes map[string]bool

// share is for Linux: elsewhere SO_REUSEPORT means other things (on BSD, that the newest listener gets all).
func share(_, _ string, _ syscall.RawConn) error {
	return errors.New("listen: Shared works on Linux only")
}

func others(*net.TCPListener) inodes            { return nil }
func steer(*net.TCPListener, inodes)            {}
func unsteer(*net.TCPListener)                  {}
func holder(net.Addr) (pid int, program string) { return 0, "" }
