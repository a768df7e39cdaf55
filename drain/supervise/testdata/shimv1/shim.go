package main

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// shimArg is the argument that makes a program a shim; the job's directory follows.
const shimArg = "supervise-shim"

// What a shim inherits beside its standard files: the lock of the job's directory, and a pipe on which it says that it has begun.
const (
	lockFD  = 3
	readyFD = 4
)

// ErrLost is for Shim.Renew, alone or wrapped: the job is somebody else's now.
var ErrLost = errors.New("the job is somebody else's now")

// IsShim reports whether this process was started to be the shim of a job. A program that starts jobs asks it at the beginning of main:
//
//	if supervise.IsShim() {
//		os.Exit(supervise.ShimMain())
//	}
func IsShim() bool { return len(os.Args) == 3 && os.Args[1] == shimArg }

// ShimMain is Shim{}.Main(), for jobs without a lease.
func ShimMain() int { return Shim{}.Main() }

// Shim is the process that has one job in its care.
type Shim struct {
	// Renew renews the lease of the job, once before it begins and then every Spec.RenewEvery, until the result has been collected. It is
	// code of the same program as the worker, and finds out from the spec's Meta, and from the worker's environment, which the shim
	// has, whose lease it is. It returns ErrLost, alone or wrapped, when the job is somebody else's. Any other error means that this is not
	// known: it is asked again. It heeds ctx, is not called concurrently, and starts no processes.
	Renew func(ctx context.Context, job Spec) error

	faults faults
}

// Main looks after the job and returns the status to exit with. SIGTERM, which init sends at the machine's shutdown, stops the job;
// other signals that can be passed over are.
func (s Shim) Main() int {
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "supervise: the shim:", err)
		return 1
	}
	return 0
}
