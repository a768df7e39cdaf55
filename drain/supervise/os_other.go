//go:build !linux

package supervise

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
)

// supported is false: what a shim is made of (subreapers, peer credentials, /proc) is Linux's. New says so.
const supported = false

func kernelBootID() (string, error) { return "", errors.ErrUnsupported }

func lock(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func reserve(string, int64) error { return errors.ErrUnsupported }

func ownedPrivately(string) error { return errors.ErrUnsupported }

func socketPath(string) (string, func(), error) { return "", nil, errors.ErrUnsupported }

func checkPeer(*net.UnixConn) error { return errors.ErrUnsupported }

func shimProcess(*exec.Cmd) {}

func (r *processRecord) alive(string) bool { return false }

func kill(int, uint64) {}

func marker(string, processRecord) string { return "" }

func killLeftovers(context.Context, string, *processRecord, string) error {
	return errors.ErrUnsupported
}

func (s Shim) run() error { return errors.ErrUnsupported }
