package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// prepareHeap suits the heap to runs that live for a second and drop most of what they make. What it returns must be kept alive
// to the end. GOGC in the environment leaves everything to the runtime.
func prepareHeap() (ballast []byte) {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	// Collecting took a quarter of the time. Most runs end before the heap is five times the ballast, which is never touched
	// and so takes no memory.
	debug.SetGCPercent(400)
	ballast = make([]byte, 32<<20)
	// Getting memory from the kernel in pages of 4 KiB took another quarter. Where larger ones are for those who ask
	// (transparent_hugepage/enabled is madvise), ask, for room that is the heap's and, after this collection, free: what is allocated from here on
	// comes out of it. Room that is not needed is never touched either.
	hugePages(make([]byte, 128<<20))
	runtime.GC()
	return ballast
}
