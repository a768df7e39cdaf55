package listen

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// load is clients that connect anew for each request.
type load struct {
	stop   chan struct{}
	done   sync.WaitGroup
	ok     atomic.Int64
	failed atomic.Int64
	first  atomic.Pointer[error]
}

func newLoad(addr string, clients int) *load {
	l := &load{stop: make(chan struct{})}
	for range clients {
		l.done.Go(func() {
			for {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := ask(addr); err != nil {
					l.failed.Add(1)
					l.first.CompareAndSwap(nil, &err)
				} else {
					l.ok.Add(1)
				}
			}
		})
	}
	return l
}

func (l *load) end() {
	close(l.stop)
	l.done.Wait()
}

func ask(addr string) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("?")); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

// serve answers until the listener is closed.
func serve(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			b := make([]byte, 1)
			if _, err := io.ReadFull(conn, b); err == nil {
				_, _ = conn.Write(b)
			}
		}()
	}
}

// overlap replaces a listener again and again, each new one before the old one leaves, under load.
func overlap(t *testing.T, restarts int, listen func(addr string) net.Listener) *load {
	t.Helper()
	old := listen("127.0.0.1:0")
	addr := old.Addr().String()
	var serving sync.WaitGroup
	serving.Go(func() { serve(old) })
	load := newLoad(addr, 8)
	for range restarts {
		next := listen(addr)
		serving.Go(func() { serve(next) })
		for before := load.ok.Load(); load.ok.Load() < before+100; {
			<-time.After(time.Millisecond) // both serve
		}
		require.NoError(t, old.Close())
		old = next
	}
	load.end()
	require.NoError(t, old.Close())
	serving.Wait()
	t.Logf("%d restarts: %d ok, %d failed", restarts, load.ok.Load(), load.failed.Load())
	return load
}

// TestOverlap: each new connection is answered while listeners are replaced, one after the other.
func TestOverlap(t *testing.T) {
	l := overlap(t, 20, func(addr string) net.Listener {
		l, err := Config{Address: addr, Shared: true, Settle: 20 * time.Millisecond}.Listen(t.Context())
		require.NoError(t, err)
		return l
	})
	if err := l.first.Load(); err != nil {
		t.Fatal(*err)
	}
}

// queued is the clients of a shared port, of which each listener has some in its queue.
func queued(t *testing.T, addr string) []net.Conn {
	t.Helper()
	clients := make([]net.Conn, 40)
	for i := range clients {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		clients[i] = conn
	}
	return clients
}

// answered is how many get an answer.
func answered(clients []net.Conn) (n int) {
	for _, c := range clients {
		if _, err := c.Write([]byte("?")); err != nil {
			continue
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
			n++
		}
	}
	return n
}

// TestQueue: of connections that wait for a listener which is closed, Linux resets all, another listener or not. Ours are accepted first.
func TestQueue(t *testing.T) {
	lc := net.ListenConfig{Control: share}
	lc.SetMultipathTCP(false)
	listen := func(addr string) net.Listener {
		l, err := lc.Listen(t.Context(), "tcp", addr)
		require.NoError(t, err)
		return l
	}
	old := listen("127.0.0.1:0")
	next := listen(old.Addr().String())
	defer next.Close()
	clients := queued(t, old.Addr().String())
	require.NoError(t, old.Close())
	go serve(next)
	if migrate, _ := os.ReadFile("/proc/sys/net/ipv4/tcp_migrate_req"); string(migrate) != "1\n" {
		require.Less(t, answered(clients), len(clients), "so Linux has become better")
	}

	gentle := Gentle(listen("127.0.0.1:0"))
	clients = queued(t, gentle.Addr().String())
	var ended sync.WaitGroup
	ended.Go(func() { serve(gentle) })
	require.NoError(t, gentle.Close())
	ended.Wait()
	require.Equal(t, len(clients), answered(clients))
	require.ErrorIs(t, gentle.Close(), net.ErrClosed, "once")
	_, err := gentle.Accept()
	require.ErrorIs(t, err, net.ErrClosed)
}

// TestNobodyAccepts: Close ends all the same.
func TestNobodyAccepts(t *testing.T) {
	l, err := Config{Address: "127.0.0.1:0"}.Listen(t.Context())
	require.NoError(t, err)
	queued(t, l.Addr().String())
	require.NoError(t, l.Close())
	_, err = net.Dial("tcp", l.Addr().String())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
}

// TestSteering: the listener that leaves, the elder or the younger one, gets nothing more; what is asked for while three share the port is
// left to the hash.
func TestSteering(t *testing.T) {
	shared := func(addr string) *gentle {
		l, err := Config{Address: addr, Shared: true, Settle: time.Millisecond}.Listen(t.Context())
		require.NoError(t, err)
		return l.(*gentle)
	}
	count := func(l *gentle) (n int) {
		require.NoError(t, l.SetDeadline(time.Now().Add(20*time.Millisecond)))
		for {
			if _, err := l.TCPListener.Accept(); err != nil {
				return n
			}
			n++
		}
	}
	for _, elderLeaves := range []bool{true, false} {
		elder := shared("127.0.0.1:0")
		younger := shared(elder.Addr().String())
		leaves, stays := elder, younger
		if !elderLeaves {
			leaves, stays = younger, elder
		}
		steer(leaves.TCPListener, leaves.elders)
		n := len(queued(t, elder.Addr().String()))
		require.Equal(t, n, count(stays))
		require.Zero(t, count(leaves))
		require.NoError(t, leaves.Close())
		queued(t, elder.Addr().String())
		require.Equal(t, n, count(stays), "alone")
		third := shared(elder.Addr().String())
		queued(t, elder.Addr().String())
		require.Equal(t, n, count(stays)+count(third), "none is lost")
		require.NoError(t, stays.Close())
		require.NoError(t, third.Close())
	}
}

// TestTaken: the error names who has the port.
func TestTaken(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		_, err = Config{Address: l.Addr().String()}.Listen(t.Context())
		var taken *TakenError
		require.ErrorAs(t, err, &taken)
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		require.Equal(t, os.Getpid(), taken.PID)
		require.NotEmpty(t, taken.Program)
		require.Regexp(t, `^listen tcp .*:\d+: address already in use: this process itself has it$`, err.Error())
		require.NoError(t, l.Close())
	}
	require.Equal(t, "listen tcp :80: address already in use: nginx (pid 7) has it", (&TakenError{"tcp", ":80", 7, "nginx", syscall.EADDRINUSE}).Error())
	require.Contains(t, (&TakenError{Network: "tcp", Address: ":80"}).Error(), "another process; as root")

	l, err := Config{Address: "127.0.0.1:0"}.Listen(t.Context())
	require.NoError(t, err)
	defer l.Close()
	_, err = Config{Address: l.Addr().String(), Shared: true}.Listen(t.Context())
	require.ErrorIs(t, err, syscall.EADDRINUSE, "both must share")
}

func TestBadConfig(t *testing.T) {
	_, err := Config{Settle: -1}.Listen(t.Context())
	require.EqualError(t, err, "listen: Settle is -1ns: a duration cannot be negative")
	_, err = Config{Network: "unix", Address: filepath.Join(t.TempDir(), "s"), Shared: true}.Listen(t.Context())
	require.EqualError(t, err, "listen: Shared is for TCP ports: a unix socket has one listener")
	l, err := Config{Network: "unix", Address: filepath.Join(t.TempDir(), "s")}.Listen(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

// TestSlowAcceptor: whoever accepts is busy when the listener is closed, for longer than it settles, and gets what is queued all the same.
func TestSlowAcceptor(t *testing.T) {
	l, err := Config{Address: "127.0.0.1:0", Settle: 50 * time.Millisecond}.Listen(t.Context())
	require.NoError(t, err)
	clients := queued(t, l.Addr().String())
	first, err := l.Accept()
	require.NoError(t, err)
	defer first.Close()
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("the queue was not waited for: %v", err)
	case <-time.After(150 * time.Millisecond):
	}
	serve(l)
	require.NoError(t, <-closed)
	require.Equal(t, len(clients)-1, answered(clients[1:]))
}

// TestSteeringEnds: a listener that comes after another has left gets its share.
func TestSteeringEnds(t *testing.T) {
	shared := func(addr string) *gentle {
		l, err := Config{Address: addr, Shared: true, Settle: time.Millisecond}.Listen(t.Context())
		require.NoError(t, err)
		return l.(*gentle)
	}
	leaves := shared("127.0.0.1:0")
	stays := shared(leaves.Addr().String())
	require.NoError(t, leaves.Close())
	comes := shared(stays.Addr().String())
	queued(t, stays.Addr().String())
	for _, l := range []*gentle{stays, comes} {
		require.NoError(t, l.SetDeadline(time.Now().Add(10*time.Second)))
		conn, err := l.TCPListener.Accept()
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, l.Close())
	}
}
