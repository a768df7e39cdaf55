package pgtest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Loopback is an address of this machine's own (127.0.0.0/8, which Linux answers on as a whole) that no other test has while
// this one runs. On 127.0.0.1 a port that is free now may be an outgoing connection's by the time a server that was restarted
// wants it back; here the test alone says which ports are in use.
func Loopback(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.%d.%d.%d", 16+rand.IntN(200), rand.IntN(256), 1+rand.IntN(254))
		l, err := net.Listen("tcp", address+":32000") // the claim to all of its ports
		if err == nil {
			t.Cleanup(func() { _ = l.Close() })
			return address
		}
	}
	t.Fatal("pgtest: no address in 127.0.0.0/8 can be listened on")
	return ""
}
