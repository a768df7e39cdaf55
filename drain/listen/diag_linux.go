package listen

import (
	"bytes"
	"encoding/binary"
	"net"
	"strconv"
	"syscall"
)

// listener is a listening socket of this network namespace.
type listener struct {
	ip    net.IP
	inode string
}

// sock_diag(7), uapi/linux/sock_diag.h and inet_diag.h. The kernel walks its listeners alone; /proc/net/tcp, which has each connection of the
// host and those that are gone besides, takes a second where there are many.
const (
	netlinkSockDiag   = 4
	sockDiagByFamily  = 20
	reqProtocol       = 3 // INET_DIAG_REQ_PROTOCOL
	stateListen       = 10
	protocolMultipath = 262 // what Go's net listens with by default
)

type diagID struct {
	SourcePort, Port [2]byte // in network order, like addresses
	Source, To       [16]byte
	Interface        uint32
	Cookie           [2]uint32
}

type diagRequest struct {
	Header   syscall.NlMsghdr
	Family   uint8
	Protocol uint8
	_        [2]uint8
	States   uint32
	ID       diagID
	Attr     syscall.NlAttr
	Value    uint32
}

type diagAnswer struct {
	Family, _, _, _ uint8
	ID              diagID
	_, _, _         uint32 // expires, queues
	User, Inode     uint32
}

// listeners are all that listen on a TCP port; nil where the kernel does not tell.
func listeners(port int) []listener {
	var found []listener
	for _, family := range []uint8{syscall.AF_INET, syscall.AF_INET6} {
		for _, protocol := range []uint32{syscall.IPPROTO_TCP, protocolMultipath} {
			_ = diag(family, protocol, func(a *diagAnswer) {
				if int(binary.BigEndian.Uint16(a.ID.SourcePort[:])) != port || a.Inode == 0 {
					return
				}
				ip := net.IP(bytes.Clone(a.ID.Source[:]))
				if a.Family == syscall.AF_INET {
					ip = ip[:4]
				}
				found = append(found, listener{ip, strconv.FormatUint(uint64(a.Inode), 10)})
			})
		}
	}
	return found
}

// diag calls each with the listeners of a family and protocol.
func diag(family uint8, protocol uint32, each func(*diagAnswer)) error {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := diagRequest{Family: family, Protocol: uint8(protocol), States: 1 << stateListen,
		Attr: syscall.NlAttr{Len: 8, Type: reqProtocol}, Value: protocol}
	request.Header = syscall.NlMsghdr{Len: uint32(binary.Size(request)), Type: sockDiagByFamily, Flags: syscall.NLM_F_REQUEST | syscall.NLM_F_DUMP}
	var wire bytes.Buffer
	if err := binary.Write(&wire, binary.NativeEndian, request); err != nil {
		return err
	}
	if err := syscall.Sendto(fd, wire.Bytes(), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 1<<16)
	for {
		n, _, err := syscall.Recvfrom(fd, buf, 0)
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return err
		}
		for _, m := range messages {
			switch m.Header.Type {
			case syscall.NLMSG_DONE:
				return nil
			case syscall.NLMSG_ERROR:
				return syscall.EOPNOTSUPP // a protocol that this kernel does not have, say
			}
			var a diagAnswer
			if binary.Read(bytes.NewReader(m.Data), binary.NativeEndian, &a) == nil {
				each(&a)
			}
		}
	}
}
