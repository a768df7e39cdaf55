package pgast

/*
#include <pthread.h>
#include <stdint.h>

extern void pgastRun(uintptr_t handle);

static void *pgast_thread(void *arg) {
	pgastRun(*(uintptr_t *)arg);
	return 0;
}

// pgast_on_big_stack runs the Go function behind handle on a new thread and waits for it.
static int pgast_on_big_stack(uintptr_t handle, size_t stack) {
	pthread_attr_t attr;
	pthread_t thread;
	int err = pthread_attr_init(&attr);
	if (err != 0)
		return err;
	err = pthread_attr_setstacksize(&attr, stack);
	if (err == 0)
		err = pthread_create(&thread, &attr, pgast_thread, &handle);
	pthread_attr_destroy(&attr);
	if (err == 0)
		err = pthread_join(thread, 0);
	return err;
}
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"syscall"
)

// bigStack is the stack of the threads for deep trees. It is address space, not memory: pages are used as touched.
const bigStack = 64 << 20

// onBigStack runs f so that the C functions it calls have a stack of bigStack bytes, whatever the platform's default
// (128 KiB in musl, RLIMIT_STACK in glibc): a call from Go to C runs on the stack of the thread it is made from, and
// f's goroutine stays on the new thread (manual of runtime.LockOSThread: calls from C into Go).
func onBigStack(f func()) error {
	handle := cgo.NewHandle(f)
	defer handle.Delete()
	if errno := C.pgast_on_big_stack(C.uintptr_t(handle), bigStack); errno != 0 {
		return fmt.Errorf("starting a thread with a large stack: %w", syscall.Errno(errno))
	}
	return nil
}
