package sdnotify

import (
	"syscall"
	"unsafe"
)

// monotonic is CLOCK_MONOTONIC in microseconds, which RELOADING=1 must come with (sd_notify(3)). Package time does not tell it.
func monotonic() (int64, error) {
	const clockMonotonic = 1 // uapi/linux/time.h
	var now syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0); errno != 0 {
		return 0, errno
	}
	return now.Nano() / 1000, nil
}
