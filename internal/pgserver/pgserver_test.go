package pgserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"git.sr.ht/~sourcehut/ha-go/internal/need"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	Divert()
	m.Run()
}

// installedOne is any installation; the package's own promises are tested through package pgtest.
func installedOne(t *testing.T) Installation {
	t.Helper()
	inst, err := new(Finder).Find(0)
	if err != nil {
		need.Missing(t, "%v", err)
	}
	return inst
}

func startOne(t *testing.T, inst Installation) (*Server, error) {
	t.Helper()
	server, err := Launcher{diverts: true}.Start(inst, Config{})
	if err == nil {
		t.Cleanup(server.Stop)
	}
	return server, err
}

func TestStartNeedsDivert(t *testing.T) {
	_, err := Launcher{}.Start(Installation{}, Config{})
	require.ErrorContains(t, err, "pgserver.Divert")
}

func TestUnreachableBinariesAreNamed(t *testing.T) {
	inst := installedOne(t)
	owner, err := serverAccount()
	require.NoError(t, err)
	if !owner.other {
		return // an ordinary user's servers reach what the user does
	}
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.MkdirAll(closed, 0o700))
	require.NoError(t, os.Symlink(filepath.Join(inst.Bin, "initdb"), filepath.Join(closed, "initdb")))
	require.NoError(t, os.Symlink(filepath.Join(inst.Bin, "postgres"), filepath.Join(closed, "postgres")))
	_, err = inspect(closed)
	require.ErrorContains(t, err, "may not enter")
}

func TestLongTempDirFallsBackToAShortOne(t *testing.T) {
	inst := installedOne(t)
	long := filepath.Join(os.TempDir(), fmt.Sprintf("pgserver-long-%d-%s", os.Getpid(), strings.Repeat("x", 120)))
	require.NoError(t, os.Mkdir(long, 0o755))
	t.Cleanup(func() { require.NoError(t, os.Remove(long)) }) // fails unless it is empty again
	t.Setenv("TMPDIR", long)

	server, err := startOne(t, inst)
	require.NoError(t, err)
	require.Equal(t, "/tmp", filepath.Dir(server.Dir()))
	conn, err := pgx.Connect(t.Context(), server.DSN("postgres", "postgres"))
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))

	_, err = account{}.tempDir("pgserver-", long)
	require.ErrorContains(t, err, "is longer than 103 bytes")
}
