package pgserver

import "syscall"

// stopWithParent has the kernel stop the server when the thread that started it dies (prctl(2), PR_SET_PDEATHSIG).
// SIGQUIT is PostgreSQL's immediate shutdown, which takes the backends along.
func stopWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// dieWithParent has the kernel kill a program when the thread that started it dies.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// roomyMemory tells whether dir is a tmpfs with room for servers.
func roomyMemory(dir string) bool {
	const tmpfs = 0x01021994 // TMPFS_MAGIC, statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return false
	}
	return int64(fs.Type) == tmpfs && fs.Bavail*uint64(fs.Bsize) >= memoryNeeded
}
