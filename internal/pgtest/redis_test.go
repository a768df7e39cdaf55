package pgtest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedisKeepsItsDataAndEndsWithItsTest(t *testing.T) {
	var dir string
	t.Run("inner", func(t *testing.T) {
		server := Redis(t, map[string]string{"databases": "2"})
		dir = filepath.Dir(server.Socket)
		ask := func(command string) string {
			conn, err := net.Dial("unix", server.Socket)
			require.NoError(t, err)
			defer func() { _ = conn.Close() }()
			_, err = fmt.Fprintf(conn, "%s\r\n", command)
			require.NoError(t, err)
			line, err := bufio.NewReader(conn).ReadString('\n')
			require.NoError(t, err)
			return line
		}
		require.Equal(t, "-ERR DB index is out of range\r\n", ask("SELECT 2"), "settings win")
		require.Equal(t, ":1\r\n", ask("INCR n"))
		server.Kill()
		server.Kill()
		_, err := net.Dial("unix", server.Socket)
		require.Error(t, err)
		server.Start(t)
		require.Equal(t, ":2\r\n", ask("INCR n"))
	})
	_, err := os.Stat(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}
