package main

import "syscall"

// hugePages asks the kernel to back memory by huge pages. A kernel that has none says no, and that is all right.
func hugePages(memory []byte) { _ = syscall.Madvise(memory, syscall.MADV_HUGEPAGE) }
