package listen

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// uapi/asm-generic/socket.h. Package syscall lacks them.
const (
	soReusePort           = 15
	soAttachReusePortCBPF = 51
	soDetachReusePortBPF  = 68 // Linux 5.3
)

// share sets SO_REUSEPORT.
func share(_, _ string, c syscall.RawConn) error {
	var err error
	if e := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1) }); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt SO_REUSEPORT", err)
}

// inodes are sockets, as /proc names them. It is not nil for a shared listener.
type inodes map[string]bool

// others are the sockets that share a listener's address.
func others(l *net.TCPListener) inodes {
	found := inodes{}
	addr := l.Addr().(*net.TCPAddr)
	own := inode(l)
	for _, o := range listeners(addr.Port) {
		if o.inode != own && o.ip.Equal(addr.IP) {
			found[o.inode] = true
		}
	}
	return found
}

func inode(l *net.TCPListener) string {
	raw, err := l.SyscallConn()
	if err != nil {
		return ""
	}
	var st syscall.Stat_t
	_ = raw.Control(func(fd uintptr) { err = syscall.Fstat(int(fd), &st) })
	if err != nil {
		return ""
	}
	return strconv.FormatUint(st.Ino, 10)
}

// steer has Linux give new connections to the other listener of the port, if there is exactly one. A classic BPF program returns the
// index of the socket in the order in which they were bound (socket(7), SO_ATTACH_REUSEPORT_CBPF); an index that does not exist, after
// this one has been closed, falls back to the hash. What cannot be done is left to accepting until the queue is empty.
func steer(l *net.TCPListener, elders inodes) {
	now := others(l)
	if len(now) != 1 {
		return
	}
	index := uint32(1)
	for other := range now {
		if elders[other] {
			index = 0
		}
	}
	raw, err := l.SyscallConn()
	if err != nil {
		return
	}
	const retK = syscall.BPF_RET | syscall.BPF_K
	program := syscall.SockFprog{Len: 1, Filter: &syscall.SockFilter{Code: retK, K: index}}
	_ = raw.Control(func(fd uintptr) {
		_, _, _ = syscall.Syscall6(syscall.SYS_SETSOCKOPT, fd, syscall.SOL_SOCKET, soAttachReusePortCBPF,
			uintptr(unsafe.Pointer(&program)), unsafe.Sizeof(program), 0)
	})
}

// unsteer has Linux spread connections again, after one that has left had steered them.
func unsteer(l *net.TCPListener) {
	if raw, err := l.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soDetachReusePortBPF, 0) })
	}
}

// holder is who listens on an address, as far as this process may see.
func holder(addr net.Addr) (pid int, program string) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return 0, ""
	}
	sockets := map[string]bool{}
	for _, l := range listeners(tcp.Port) {
		if l.ip.Equal(tcp.IP) || l.ip.IsUnspecified() || len(tcp.IP) == 0 || tcp.IP.IsUnspecified() {
			sockets[fmt.Sprintf("socket:[%s]", l.inode)] = true
		}
	}
	if len(sockets) == 0 {
		return 0, ""
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	i := slices.IndexFunc(files, func(file string) bool {
		target, err := os.Readlink(file)
		return err == nil && sockets[target]
	})
	if i < 0 {
		return 0, ""
	}
	dir := filepath.Dir(filepath.Dir(files[i]))
	pid, _ = strconv.Atoi(filepath.Base(dir))
	name, _ := os.ReadFile(filepath.Join(dir, "comm"))
	return pid, strings.TrimSpace(string(name))
}
