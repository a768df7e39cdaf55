//go:build !linux

package pgserver

import "syscall"

// stopWithParent does nothing where the kernel has no parent-death signal: there, only killing the supervisor itself
// leaves a server behind.
func stopWithParent(*syscall.SysProcAttr) {}

// dieWithParent does nothing there either.
func dieWithParent(*syscall.SysProcAttr) {}

// roomyMemory is false: a file system in memory is known only on Linux.
func roomyMemory(string) bool { return false }
